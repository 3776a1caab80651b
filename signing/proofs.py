# mypy: allow-untyped-calls
"""The proofs about certificates that come with a signature, and since when each is known to exist.

Proof of existence (EN 319 102-1, clause 5.6.2.3) comes from document time stamps, which pyHanko follows, and
from two things more: what stands in the signed bytes exists since the signature's own time stamp; and what
an authority signed, whose certificates are all still good, exists since the time the authority wrote into it.
Whatever else there is, exists since it is judged.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, core, crl, ocsp, x509
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.sign.general import extract_certificate_info, find_cms_attribute_iter
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import LocalKnowledge
from pyhanko_certvalidator.ltv.poe import KnownPOE, POEType, digest_for_poe
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer, RevinfoContainer

from signing.cades_values import lists_of, responses_of, values_in
from signing.findings import EvidenceSource

MOST_PROOFS = 200  # OCSP responses and CRLs of one signature
_DEEPEST_CHAIN = 8
_ARCHIVAL = "adobe_revocation_info_archival"


@dataclass(frozen=True)
class Proof:
    """An OCSP response or a CRL; `sealed` tells that it stands in the signed bytes."""

    container: RevinfoContainer
    source: EvidenceSource
    sealed: bool = False

    @property
    def der(self) -> bytes:
        """The bytes of the response or the list."""
        held = self.container
        if isinstance(held, OCSPContainer):
            return bytes(held.ocsp_response_data.dump())
        return bytes(held.crl_data.dump()) if isinstance(held, CRLContainer) else b""


@dataclass(frozen=True)
class Proofs:
    """All there is about one signature: proofs of status, and certificates to build chains from."""

    status: tuple[Proof, ...]
    certificates: tuple[x509.Certificate, ...]
    sealed: frozenset[bytes] = frozenset()  # SHA-256 of the certificates in the signed bytes

    def knowledge(
        self, signed_at: datetime | None, at: datetime, anchors: Iterable[x509.Certificate]
    ) -> LocalKnowledge:
        """Return what pyHanko judges with.

        `signed_at` is the time the signature is proven to have existed (None: unknown), `at` that of judging.
        """
        poes = list(_existences(self, signed_at, at, list(anchors)))
        return LocalKnowledge(
            known_ocsps=[p.container for p in self.status if isinstance(p.container, OCSPContainer)],
            known_crls=[p.container for p in self.status if isinstance(p.container, CRLContainer)],
            known_certs=list(self.certificates),
            known_poes=poes,
        )


def proofs_of_file(embedded: EmbeddedPdfSignature, fetched: LocalKnowledge) -> Proofs:
    """Gather the proofs of a signature in a PDF: security store, the signature itself, and from outside.

    Raises whatever pyHanko raises for a damaged store; ValueError for more than `MOST_PROOFS`.
    """
    signed = _read_store(embedded.reader.get_historical_resolver(embedded.signed_revision))
    newest = _read_store(embedded.reader)
    in_signed = {proof.der for proof in signed.status}
    stored = [Proof(p.container, p.source, sealed=p.der in in_signed) for p in newest.status]
    own = proofs_of_signature(embedded.signed_data, fetched)
    return Proofs(
        status=_limited((*stored, *own.status)),
        certificates=(*newest.certificates, *own.certificates),
        sealed=own.sealed | {digest_for_poe(one.dump()) for one in signed.certificates},
    )


def proofs_of_signature(signed_data: cms.SignedData, fetched: LocalKnowledge) -> Proofs:
    """Gather the proofs that a CMS itself carries, and those from outside. Raises as `proofs_of_file`."""
    info = extract_certificate_info(signed_data)
    certificates = [info.signer_cert, *info.other_certs]
    for token in values_of(signed_data, "signature_time_stamp_token", signed=False):
        stamped = extract_certificate_info(token["content"])
        certificates += [stamped.signer_cert, *stamped.other_certs]
    answers = [*_archived(signed_data), *_appended(signed_data), *fetched_proofs(fetched)]
    return Proofs(
        status=_limited(tuple(answers)),
        certificates=(*certificates, *fetched.known_certs),
        sealed=frozenset({digest_for_poe(info.signer_cert.dump())}),
    )


def values_of(signed_data: cms.SignedData, name: str, *, signed: bool) -> list[Any]:
    """Return the values of an attribute of the one signer, or an empty list."""
    attributes = signed_data["signer_infos"][0]["signed_attrs" if signed else "unsigned_attrs"]
    if isinstance(attributes, core.Void) or name not in {one["type"].native for one in attributes}:
        return []
    return list(find_cms_attribute_iter(attributes, name))


def _limited(proofs: tuple[Proof, ...]) -> tuple[Proof, ...]:
    if len(proofs) > MOST_PROOFS:
        raise ValueError("too many proofs of status")
    return proofs


def _read_store(handler: PdfHandler) -> Proofs:
    try:
        store = DocumentSecurityStore.read_dss(handler)
    except NoDSSFoundError:
        return Proofs((), ())
    answers = [
        ocsp.OCSPResponse.load(one.get_object().read_data(DecodePurpose.OCSP_RESPONSE)) for one in store.ocsps
    ]
    lists = [crl.CertificateList.load(one.get_object().read_data(DecodePurpose.CRL)) for one in store.crls]
    found = [*_responses(answers), *(CRLContainer(one) for one in lists)]
    return Proofs(tuple(Proof(one, "dss") for one in found), tuple(store.load_certs()))


def _archived(signed_data: cms.SignedData) -> Iterator[Proof]:
    """Read adbe-revocationInfoArchival, a signed attribute: it is as old as the signature."""
    for archive in values_of(signed_data, _ARCHIVAL, signed=True):
        for one in (*_responses(archive["ocsp"] or ()), *map(CRLContainer, archive["crl"] or ())):
            yield Proof(one, "embedded", sealed=True)


def _appended(signed_data: cms.SignedData) -> Iterator[Proof]:
    """Read the revocation values of CAdES, an unsigned attribute: it exists since it is judged."""
    for values in values_in(signed_data):
        for one in (*_responses(responses_of(values)), *map(CRLContainer, lists_of(values))):
            yield Proof(one, "embedded")


def fetched_proofs(knowledge: LocalKnowledge) -> tuple[Proof, ...]:
    """Name the proofs that came from outside."""
    return tuple(Proof(one, "fetched") for one in (*knowledge.known_ocsps, *knowledge.known_crls))


def _responses(responses: Iterable[ocsp.OCSPResponse]) -> Iterator[OCSPContainer]:
    for response in responses:
        yield from OCSPContainer.load_multi(response)


def _existences(
    proofs: Proofs, signed_at: datetime | None, at: datetime, anchors: list[x509.Certificate]
) -> Iterator[KnownPOE]:
    known = {one.dump(): one for one in (*proofs.certificates, *anchors, *_responders(proofs))}
    living = _Living(list(known.values()), at)
    for der, certificate in known.items():
        since = [at]
        if signed_at is not None and digest_for_poe(der) in proofs.sealed:
            since.append(signed_at)
        if living.vouched(certificate):
            since.append(certificate.not_valid_before)
        yield _poe(der, min(since))
    for proof in proofs.status:
        since = [at]
        if proof.sealed and signed_at is not None:
            since.append(signed_at)
        stated = living.stated(proof.container)
        yield _poe(proof.der, min([*since, *([stated] if stated else [])]))


def _poe(der: bytes, since: datetime) -> KnownPOE:
    return KnownPOE(POEType.PROVIDED, digest_for_poe(der), since)


def _responders(proofs: Proofs) -> Iterator[x509.Certificate]:
    for proof in proofs.status:
        if isinstance(proof.container, OCSPContainer):
            basic = proof.container.extract_basic_ocsp_response()
            yield from (basic["certs"] or ()) if basic is not None else ()


class _Living:
    """Which authorities' certificates, up to a self-signed one, are all within their validity at a time."""

    def __init__(self, known: list[x509.Certificate], at: datetime) -> None:
        self._at = at
        self._by_subject: dict[bytes, list[x509.Certificate]] = {}
        for one in known:
            self._by_subject.setdefault(one.subject.dump(), []).append(one)

    def vouched(self, certificate: x509.Certificate) -> bool:
        """Tell whether somebody who can still be believed issued the certificate."""
        if certificate.self_issued:
            return self._good(certificate)
        return self._all_live(self._issuers(certificate.issuer), _DEEPEST_CHAIN)

    def stated(self, proof: RevinfoContainer) -> datetime | None:
        """Return the time that a proof's author wrote into it, if the author can still be believed."""
        if isinstance(proof, CRLContainer):
            content = proof.crl_data["tbs_cert_list"]
            authors, moment = self._issuers(content["issuer"]), content["this_update"].native
        else:
            basic = proof.extract_basic_ocsp_response() if isinstance(proof, OCSPContainer) else None
            if basic is None:
                return None
            content = basic["tbs_response_data"]
            authors, moment = self._answering(content["responder_id"]), content["produced_at"].native
        return moment if self._all_live(authors, _DEEPEST_CHAIN) else None

    def _answering(self, responder: ocsp.ResponderId) -> list[x509.Certificate]:
        if responder.name == "by_name":
            return self._issuers(responder.chosen)
        every = [one for some in self._by_subject.values() for one in some]
        return [one for one in every if one.public_key.sha1 == responder.native]

    def _issuers(self, name: x509.Name) -> list[x509.Certificate]:
        return self._by_subject.get(name.dump(), [])

    def _good(self, certificate: x509.Certificate) -> bool:
        return bool(certificate.not_valid_before <= self._at <= certificate.not_valid_after)

    def _lives(self, certificate: x509.Certificate, left: int) -> bool:
        if left == 0 or not self._good(certificate):
            return False
        return bool(certificate.self_issued) or self._all_live(self._issuers(certificate.issuer), left - 1)

    def _all_live(self, named: list[x509.Certificate], left: int) -> bool:
        """Ask for all that go by a name: which of them signed is not known here, and anybody may add one."""
        return bool(named) and all(self._lives(one, left) for one in named)
