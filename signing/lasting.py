# mypy: allow-untyped-calls
"""Until when a file's newest archive time stamp can be verified by itself; a file is read in a worker."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.revocation import is_issuer
from signing.trust import STAMP_STATUS_AGE

_DEEPEST = 10  # certificates of a chain


def stamp_lasts(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return `until` (ISO 8601, UTC): when the first certificate of the stamp's chain runs out.

    Or when the proof of its status, which is that of the time of stamping, is too old to be believed.

    Nothing is returned for a file without an archive time stamp. Raises what the libraries raise.
    """
    stream.seek(0)  # whoever opened it has measured it first
    reader = PdfFileReader(stream, strict=True)
    stamps = reader.embedded_timestamp_signatures
    if not stamps:
        return {}
    own: x509.Certificate = stamps[-1].signer_cert
    known = [*stamps[-1].other_embedded_certs]
    if "/DSS" in reader.root:
        known += list(DocumentSecurityStore.read_dss(reader).load_certs())
    return {"until": ends(own, known, _stamped_at(stamps[-1])).isoformat()}


def ends(own: x509.Certificate, known: Iterable[x509.Certificate], stamped: datetime) -> datetime:
    """Say until when a stamp of an authority's certificate lasts, by it and those above it among `known`."""
    known, found = list(known), [_end(own), stamped + STAMP_STATUS_AGE]
    for _ in range(_DEEPEST):
        if own.self_issued:
            break
        issuer = next((one for one in known if is_issuer(one, own)), None)
        if issuer is None:
            break
        own = issuer
        found.append(_end(own))
    return min(found)


def _stamped_at(stamp: EmbeddedPdfSignature) -> datetime:
    at: datetime = stamp.signed_data["encap_content_info"]["content"].parsed["gen_time"].native
    return at.astimezone(UTC)


def _end(certificate: x509.Certificate) -> datetime:
    end: datetime = certificate.not_valid_after
    return end.astimezone(UTC)
