# mypy: allow-untyped-calls
"""Which anchor a chain ended at, and whether it counted at the time the signature is proven to be of."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from asn1crypto import cms, keys, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import CMSExtractionError, extract_certificate_info
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator.errors import PathBuildingError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.registry import CertificateRegistry, PathBuilder, SimpleTrustManager

from signing.anchors import Anchor
from signing.grounds import Grounds
from signing.plain_der import as_read

_MOST_PATHS = 16  # that one time stamp is followed along


def anchor_of(path: ValidationPath | None, anchors: Iterable[Anchor], moment: datetime) -> Anchor | None:
    """Name the anchor that a validated path ends at: one that counts at `moment` before one that does not."""
    if path is None:
        return None
    end = path.trust_anchor.authority
    ours = [one for one in anchors if _is_authority(one, end.name, end.public_key)]
    return next((one for one in ours if one.covers(moment)), ours[0] if ours else None)


def outlived(path: ValidationPath | None, moment: datetime) -> bool:
    """Tell whether a signer who is trusted as such signs with a certificate that is not alive at `moment`.

    An anchor's dates are nobody's concern where it vouches for others (RFC 5280, 6.1.1); a signer's are.
    """
    if path is None or path.pkix_len:
        return False
    own = path.get_ee_cert_safe()
    return own is None or not own.not_valid_before <= moment <= own.not_valid_after


def _is_authority(anchor: Anchor, name: x509.Name, key: keys.PublicKeyInfo) -> bool:
    # A trust anchor is a name and a key (RFC 5280, 6.1.1): another certificate of both is the same one.
    own = x509.Certificate.load(anchor.certificate)
    return bool(own.subject == name) and bool(own.public_key.dump() == key.dump())


async def counting_for_stamps(
    anchors: Sequence[Anchor], embedded: Sequence[EmbeddedPdfSignature], grounds: Grounds
) -> list[Anchor]:
    """Leave out each anchor for time stamps whose dates do not cover a stamp that may lead to it.

    A stamp is judged by the time it names: nobody but the authority could have written it. Of a file whose
    stamps cannot be followed, only anchors without dates are left for them. `grounds` is told which anchors
    the stamps may stand on, and what proofs the file holds.
    """
    return await _counting(
        anchors, lambda: (_stamps(embedded, grounds), _stored(embedded[0].reader, grounds)), grounds
    )


async def counting_for_tokens(
    anchors: Sequence[Anchor],
    signed_data: cms.SignedData,
    known: Sequence[x509.Certificate],
    grounds: Grounds,
) -> list[Anchor]:
    """Do the same for the time stamps of a signature that stands beside its file; `known` builds chains."""
    return await _counting(anchors, lambda: (_tokens(signed_data, grounds), known), grounds)


async def _counting(
    anchors: Sequence[Anchor],
    read: Callable[[], tuple[Iterable[cms.SignedData], Sequence[x509.Certificate]]],
    grounds: Grounds,
) -> list[Anchor]:
    left = list(anchors)
    reached = []
    try:
        tokens, stored = read()
        for token in tokens:
            moment = _made_at(token)
            for anchor in await _ends(token, [one for one in anchors if one.stamps], stored):
                if anchor.covers(moment):
                    reached.append((anchor, moment))
                elif anchor in left:
                    left.remove(anchor)
    except MemoryError:
        raise
    except Exception:  # asn1crypto and pyHanko raise plain errors of many kinds
        left = [one for one in left if not one.stamps or not one.dated]
    for anchor, moment in reached:
        if anchor in left:
            grounds.stand_on(anchor, "timestamp", moment)
    return left


def _tokens(signed_data: cms.SignedData, grounds: Grounds) -> Iterable[cms.SignedData]:
    for choice in signed_data["certificates"]:
        grounds.keep("certificate", choice.chosen.dump())
    for token in extract_tst_data_iter(signed_data["signer_infos"][0], signed=False):
        grounds.keep("timestamp", as_read(token))
        yield token


def _stamps(embedded: Iterable[EmbeddedPdfSignature], grounds: Grounds) -> Iterable[cms.SignedData]:
    for one in embedded:
        if one.sig_object_type != "/DocTimeStamp":
            yield from _tokens(one.signed_data, grounds)
            continue
        for choice in one.signed_data["certificates"]:
            grounds.keep("certificate", choice.chosen.dump())
        grounds.keep("timestamp", as_read(one.signed_data))
        yield one.signed_data


def _made_at(token: cms.SignedData) -> datetime:
    moment: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
    return moment.astimezone(UTC)


async def first_paths(
    anchors: Sequence[Anchor], embedded: Sequence[EmbeddedPdfSignature]
) -> list[ValidationPath]:
    """Give one way to an anchor, as names and keys go, for each signature and time stamp that has one."""
    stored = _stored(embedded[0].reader, Grounds())
    signing = [one for one in anchors if one.signs]
    stamping = [one for one in anchors if one.stamps]
    asked = [(one.signed_data, signing) for one in embedded if one.sig_object_type == "/Sig"]
    asked += [(token, stamping) for token in _stamps(embedded, Grounds())]
    found = []
    for signed, trusted in asked:
        found += await _paths(signed, trusted, stored, most=1)
    return found


async def first_paths_beside(
    anchors: Sequence[Anchor], signed_data: cms.SignedData, known: Sequence[x509.Certificate]
) -> list[ValidationPath]:
    """Give the same for a signature beside its file and its time stamps."""
    found = []
    stamping = [one for one in anchors if one.stamps]
    asked = [(signed_data, [one for one in anchors if one.signs])]
    asked += [(token, stamping) for token in _tokens(signed_data, Grounds())]
    for signed, trusted in asked:
        with suppress(PathBuildingError):
            found += await _paths(signed, trusted, known, most=1)
    return found


async def _ends(
    token: cms.SignedData, anchors: Sequence[Anchor], stored: Sequence[x509.Certificate]
) -> list[Anchor]:
    """Give the anchors that a time stamp's chain may end at, as names and keys go."""
    found: list[Anchor] = []
    for path in await _paths(token, anchors, stored, most=_MOST_PATHS):
        end = path.trust_anchor.authority
        found += [one for one in anchors if _is_authority(one, end.name, end.public_key)]
    return list(dict.fromkeys(found))


async def _paths(
    signed: cms.SignedData, anchors: Sequence[Anchor], stored: Sequence[x509.Certificate], *, most: int
) -> list[ValidationPath]:
    try:
        told = extract_certificate_info(signed)
    except CMSExtractionError:
        return []  # without its certificate it is not judged either
    return await ways(told.signer_cert, [*told.other_certs, *stored], anchors, most=most)


async def ways(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[Anchor],
    *,
    most: int = 1,
) -> list[ValidationPath]:
    """Give up to `most` ways from a certificate to an anchor, as names and keys go, through `others`.

    Raises PathBuildingError where there is none.
    """
    roots = [x509.Certificate.load(one) for one in dict.fromkeys(one.certificate for one in anchors)]
    builder = PathBuilder(
        SimpleTrustManager.build(trust_roots=roots), CertificateRegistry.build([certificate, *others])
    )
    paths = builder.async_build_paths_lazy(certificate)
    found: list[ValidationPath] = []
    try:
        async for path in paths:
            found.append(path)
            if len(found) == most:
                break
    finally:
        await paths.cancel()
    return found


def _stored(reader: PdfFileReader, grounds: Grounds) -> list[x509.Certificate]:
    """Read the file's store of proofs (DSS): its certificates, to follow chains with."""
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return []
    for one in store.ocsps:
        grounds.keep("ocsp", one.get_object().data)
    for one in store.crls:
        grounds.keep("crl", one.get_object().data)
    certificates = list(store.load_certs())
    for certificate in certificates:
        grounds.keep("certificate", certificate.dump())
    return certificates
