# mypy: allow-untyped-calls
"""Preparing a file to be signed elsewhere, and putting in what was signed; runs in a worker, without a key.

A prepared file is whole but for one gap: a hexadecimal string of zeros, where the signature will stand.
"""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from asn1crypto import crl, ocsp, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, PdfSignedData, SignatureObject
from pyhanko.sign.validation.dss import DocumentSecurityStore

SEAL_FIELD = "Seal"
STAMP_FIELD = "SealArchiveTimestamp"
_DIGEST = "sha256"


@dataclass(frozen=True)
class Prepared:
    """A file with one gap, from `start` (its "<") to `stop` (behind its ">"), in bytes."""

    content: bytes
    start: int
    stop: int


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


def prepare_seal(content: bytes, order: SealOrder, place: tuple[float, float, float, float]) -> Prepared:
    """Add the evidence and the field of a seal that permits no change after it, at a place on page 1.

    Raises ValueError for a file that is signed or a form already; what pyHanko raises for an odd one.
    """
    reader = PdfFileReader(BytesIO(content), strict=True)
    if reader.encrypted or reader.embedded_signatures:
        raise ValueError("the file is encrypted or signed already")
    writer = IncrementalPdfFileWriter(BytesIO(content), strict=True)
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,
        certs=[x509.Certificate.load(one) for one in order.certificates],
        ocsps=[ocsp.OCSPResponse.load(one) for one in order.status],
        crls=[crl.CertificateList.load(one) for one in order.lists],
    )
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
    return _written(writer, PdfCMSEmbedder(), SEAL_FIELD, placeholder, permits)


def prepare_stamp(content: bytes, reserved: int) -> Prepared:
    """Add the field of an archive time stamp; `reserved` are hexadecimal digits."""
    writer = IncrementalPdfFileWriter(BytesIO(content), strict=True)
    return _written(writer, PdfCMSEmbedder(), STAMP_FIELD, DocumentTimestamp(bytes_reserved=reserved), None)


def embed(content: bytes, start: int, stop: int, signed: bytes) -> bytes:
    """Put a signature (DER) in the gap of a prepared file. Raises ValueError when it does not fit."""
    digits = binascii.hexlify(signed)
    if content[start : start + 1] != b"<" or len(digits) > stop - start - 2:
        raise ValueError("the signature does not fit the gap")
    return content[: start + 1] + digits + content[start + 1 + len(digits) :]


def _written(
    writer: IncrementalPdfFileWriter,
    embedder: PdfCMSEmbedder,
    field: str,
    placeholder: PdfSignedData,
    permits: SigMDPSetup | None,
) -> Prepared:
    steps = embedder.write_cms(field, writer)
    next(steps)
    steps.send(SigObjSetup(placeholder, mdp_setup=permits))
    made = BytesIO()
    digest, _ = steps.send(SigIOSetup(_DIGEST, output=made))
    return Prepared(made.getvalue(), digest.reserved_region_start, digest.reserved_region_end)
