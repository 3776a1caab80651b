# mypy: allow-untyped-calls
"""Which anchor a chain ended at, and whether it counted at the time the signature is proven to be of."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from asn1crypto import cms, keys, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import CMSExtractionError, extract_certificate_info
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.registry import CertificateRegistry, PathBuilder, SimpleTrustManager

from signing.anchors import Anchor


def anchor_of(path: ValidationPath | None, anchors: Iterable[Anchor], moment: datetime) -> Anchor | None:
    """Name the anchor that a validated path ends at: one that counts at `moment` before one that does not."""
    if path is None:
        return None
    end = path.trust_anchor.authority
    ours = [one for one in anchors if _is_authority(one, end.name, end.public_key)]
    return next((one for one in ours if one.covers(moment)), ours[0] if ours else None)


def _is_authority(anchor: Anchor, name: x509.Name, key: keys.PublicKeyInfo) -> bool:
    # A trust anchor is a name and a key (RFC 5280, 6.1.1): another certificate of both is the same one.
    own = x509.Certificate.load(anchor.certificate)
    return bool(own.subject == name) and bool(own.public_key.dump() == key.dump())


async def counting_for_stamps(
    anchors: Sequence[Anchor], embedded: Sequence[EmbeddedPdfSignature], reader: PdfFileReader
) -> list[Anchor]:
    """Leave out each anchor for time stamps whose dates do not cover a stamp that may lead to it.

    A stamp is judged by the time it names: nobody but the authority could have written it.
    """
    tokens = list(_stamps(embedded))
    left = list(anchors)
    for token in tokens:
        moment = _made_at(token)
        late = [one for one in left if one.stamps and not one.covers(moment)]
        for one in late:
            if await _may_lead_to(token, one, reader):
                left.remove(one)
    return left


def _stamps(embedded: Iterable[EmbeddedPdfSignature]) -> Iterable[cms.SignedData]:
    for one in embedded:
        if one.sig_object_type == "/DocTimeStamp":
            yield one.signed_data
        else:
            yield from extract_tst_data_iter(one.signer_info, signed=False)


def _made_at(token: cms.SignedData) -> datetime:
    moment: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
    return moment.astimezone(UTC)


async def _may_lead_to(token: cms.SignedData, anchor: Anchor, reader: PdfFileReader) -> bool:
    try:
        told = extract_certificate_info(token)
    except CMSExtractionError:
        return False  # without its certificate it is not judged either
    registry = CertificateRegistry.build([*told.other_certs, *_stored(reader)])
    own = x509.Certificate.load(anchor.certificate)
    paths = PathBuilder(SimpleTrustManager.build(trust_roots=[own]), registry).async_build_paths_lazy(
        told.signer_cert
    )
    try:
        async for _ in paths:
            return True
    finally:
        await paths.cancel()
    return False


def _stored(reader: PdfFileReader) -> list[x509.Certificate]:
    try:
        return list(DocumentSecurityStore.read_dss(reader).load_certs())
    except NoDSSFoundError:
        return []
