# mypy: allow-untyped-calls
"""Preparing a file to be signed elsewhere; runs in a worker, without a key.

A prepared file is whole but for one gap: a hexadecimal string of zeros, where the signature will stand. What
a worker gives is an increment, which follows the file as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from asn1crypto import crl, ocsp, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import (
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
    enumerate_sig_fields,
)
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, PdfSignedData, SignatureObject
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signing.appended import Appended

SEAL_FIELD = "Seal"
STAMP_FIELD = "SealArchiveTimestamp"
_DIGEST = "sha256"


@dataclass(frozen=True)
class Prepared:
    """What follows a file, and the gap in the whole: from `start` (its "<") to `stop` (behind its ">")."""

    tail: bytes
    start: int
    stop: int


@dataclass(frozen=True)
class Evidence:
    """Certificates, and proofs that they stood (OCSP responses, revocation lists), all DER."""

    certificates: Sequence[bytes]
    status: Sequence[bytes]
    lists: Sequence[bytes]


@dataclass(frozen=True)
class SealOrder:
    """What a seal will say and need: evidence (DER) to embed, and room to keep free for the signature."""

    certificates: Sequence[bytes]
    status: Sequence[bytes]
    lists: Sequence[bytes]
    at: datetime
    reason: str
    name: str
    reserved: int  # hexadecimal digits


def prepare_seal(file: BinaryIO, order: SealOrder, place: tuple[float, float, float, float]) -> Prepared:
    """Add the evidence and the field of a seal that permits no change after it, at a place on page 1.

    Raises ValueError for a file that is signed or a form already; what pyHanko raises for an odd one.
    """
    reader = PdfFileReader(file, strict=True)
    if reader.encrypted or reader.embedded_signatures:
        raise ValueError("the file is encrypted or signed already")
    whole = Appended(file)
    writer = IncrementalPdfFileWriter(whole, strict=True)
    _embed(writer, order)
    corners = tuple(round(edge) for edge in place)
    # What is seen there is the mark below; PDF/A (ISO 19005-2, 6.3.3) asks for an appearance, an empty one.
    append_signature_field(writer, SigFieldSpec(SEAL_FIELD, on_page=0, box=corners))  # type: ignore[arg-type]
    placeholder = SignatureObject(
        timestamp=order.at,
        name=order.name,
        reason=order.reason,
        subfilter=SigSeedSubFilter.PADES,
        bytes_reserved=order.reserved,
    )
    permits = SigMDPSetup(_DIGEST, certify=True, docmdp_perms=MDPPerm.NO_CHANGES)
    return _written(whole, writer, PdfCMSEmbedder(), SEAL_FIELD, placeholder, permits)


def prepare_stamp(file: BinaryIO, reserved: int, evidence: Evidence | None = None) -> Prepared:
    """Add the field of an archive time stamp; `reserved` are hexadecimal digits.

    Args:
        evidence: to put in with it, where the stamp is to keep alive what was stamped before.
    """
    whole = Appended(file)
    writer = IncrementalPdfFileWriter(whole, strict=True)
    if evidence is not None:
        _embed(writer, evidence)
    taken = {name for name, _, _ in enumerate_sig_fields(writer.prev)}
    names = (STAMP_FIELD, *(f"{STAMP_FIELD}{number}" for number in range(2, len(taken) + 3)))
    name = next(one for one in names if one not in taken)
    return _written(whole, writer, PdfCMSEmbedder(), name, DocumentTimestamp(bytes_reserved=reserved), None)


def _embed(writer: IncrementalPdfFileWriter, evidence: "Evidence | SealOrder") -> None:
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,
        certs=[x509.Certificate.load(one) for one in evidence.certificates],
        ocsps=[ocsp.OCSPResponse.load(one) for one in evidence.status],
        crls=[crl.CertificateList.load(one) for one in evidence.lists],
    )


def _written(
    whole: Appended,
    writer: IncrementalPdfFileWriter,
    embedder: PdfCMSEmbedder,
    field: str,
    placeholder: PdfSignedData,
    permits: SigMDPSetup | None,
) -> Prepared:
    steps = embedder.write_cms(field, writer)
    next(steps)
    steps.send(SigObjSetup(placeholder, mdp_setup=permits))
    digest, _ = steps.send(SigIOSetup(_DIGEST, in_place=True))
    return Prepared(whole.tail, digest.reserved_region_start, digest.reserved_region_end)
