# mypy: allow-untyped-calls
"""Until when a file's newest archive time stamp can be verified by itself; runs in a worker."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore

_DEEPEST = 10  # certificates of a chain


def stamp_lasts(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return `until` (ISO 8601, UTC): when the first certificate of the stamp's chain runs out.

    Nothing is returned for a file without an archive time stamp. Raises what the libraries raise.
    """
    reader = PdfFileReader(stream, strict=True)
    stamps = reader.embedded_timestamp_signatures
    if not stamps:
        return {}
    own: x509.Certificate = stamps[-1].signer_cert
    known = [*stamps[-1].other_embedded_certs]
    if "/DSS" in reader.root:
        known += list(DocumentSecurityStore.read_dss(reader).load_certs())
    ends = [_end(own)]
    for _ in range(_DEEPEST):
        if own.self_issued:
            break
        issuer = next((one for one in known if one.subject == own.issuer and one.ca), None)
        if issuer is None:
            break
        own = issuer
        ends.append(_end(own))
    return {"until": min(ends).isoformat()}


def _end(certificate: x509.Certificate) -> datetime:
    end: datetime = certificate.not_valid_after
    return end.astimezone(UTC)
