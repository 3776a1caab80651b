# mypy: allow-untyped-calls
"""Certificate status (OCSP, CRL): the contract, and a responder that lives in this process."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from asn1crypto import algos, crl, ocsp, x509

from signing.errors import SealingFailed, StatusFailed
from signing.keys_file import FileKey
from signing.service_state import ServiceState

_FRESH_FOR = timedelta(days=7)


@dataclass(frozen=True)
class StatusProof:
    """What proves a status: an OCSPResponse (RFC 6960) or a CertificateList (RFC 5280), DER."""

    kind: Literal["ocsp", "crl"]
    content: bytes


@dataclass(frozen=True)
class Collected:
    """The proofs for a set of certificates, parsed, as a validator and a file want them."""

    ocsps: list[ocsp.OCSPResponse] = field(default_factory=list)
    crls: list[crl.CertificateList] = field(default_factory=list)

    def add(self, proof: StatusProof) -> None:
        """Take a proof in. Raises StatusFailed when it cannot be read."""
        try:
            if proof.kind == "ocsp":
                self.ocsps.append(ocsp.OCSPResponse.load(proof.content, strict=True))
            else:
                self.crls.append(crl.CertificateList.load(proof.content, strict=True))
        except (ValueError, TypeError) as error:
            raise StatusFailed("the answer about a certificate's status cannot be read") from error

    def moment(self, at: datetime) -> datetime:
        """Give the time to judge at: that of sealing, or of the newest proof, which is asked for after it."""
        told = [one["tbs_cert_list"]["this_update"].native for one in self.crls]
        for one in self.ocsps:
            if one["response_status"].native == "successful":
                told += [each["this_update"].native for each in one.response_data["responses"]]
        return max(at, *told) if told else at


class RevocationSource(Protocol):
    """Who says whether a certificate stood at a time; called in the event loop of the thread that seals."""

    state: ServiceState

    async def status(self, certificate: bytes, issuer: bytes, at: datetime) -> StatusProof:
        """Return the proof for `certificate`, issued by `issuer` (both DER).

        `issuer` is the issuer's certificate. Raises StatusFailed when there is no usable answer,
        CertificateRevoked when a source sees to that itself.
        """
        ...


class LocalResponder:
    """A responder in this process, made for demo and tests.

    `responders` maps the subject name (DER) of each issuing authority to the key of its delegated responder;
    `revoked` maps serial numbers to the time of revocation.
    """

    def __init__(self, responders: Mapping[bytes, FileKey], revoked: Mapping[int, datetime]) -> None:
        self.state = ServiceState("local")
        self._responders = dict(responders)
        self._revoked = dict(revoked)

    async def status(self, certificate: bytes, issuer: bytes, at: datetime) -> StatusProof:
        """Return a signed response, good for seven days from `at`; StatusFailed for a strange issuer."""
        asked, by = x509.Certificate.load(certificate), x509.Certificate.load(issuer)
        key = self._responders.get(by.subject.dump())
        if key is None:
            raise StatusFailed("no responder answers for the issuer of this certificate", reason="no_source")
        moment = at.astimezone(UTC).replace(microsecond=0)
        single = {
            "cert_id": _certificate_id(asked, by),
            "cert_status": self._status_of(asked, moment),
            "this_update": moment,
            "next_update": moment + _FRESH_FOR,
        }
        own = x509.Certificate.load(key.certificates[0])
        content = ocsp.ResponseData(
            {
                "responder_id": ocsp.ResponderId(name="by_key", value=own.public_key.sha1),
                "produced_at": moment,
                "responses": [single],
            }
        )
        basic = ocsp.BasicOCSPResponse(
            {
                "tbs_response_data": content,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": key.mechanism}),
                "signature": key.sign_now(content.dump()),
                "certs": [own],
            }
        )
        body = {"response_type": "basic_ocsp_response", "response": basic}
        made = ocsp.OCSPResponse({"response_status": "successful", "response_bytes": body})
        return StatusProof("ocsp", made.dump())

    def _status_of(self, certificate: x509.Certificate, at: datetime) -> ocsp.CertStatus:
        since = self._revoked.get(certificate.serial_number)
        if since is None or since > at:
            return ocsp.CertStatus(name="good", value=ocsp.StatusGood())
        revoked = ocsp.RevokedInfo({"revocation_time": since.astimezone(UTC).replace(microsecond=0)})
        return ocsp.CertStatus(name="revoked", value=revoked)


def _certificate_id(certificate: x509.Certificate, issuer: x509.Certificate) -> ocsp.CertId:
    return ocsp.CertId(
        {
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "issuer_name_hash": hashlib.sha256(issuer.subject.dump()).digest(),
            "issuer_key_hash": hashlib.sha256(bytes(issuer.public_key["public_key"])).digest(),
            "serial_number": certificate.serial_number,
        }
    )


async def collect_status(
    source: RevocationSource, certificates: Iterable[x509.Certificate], at: datetime
) -> Collected:
    """Ask `source` about each certificate that can be revoked, finding its issuer among the others.

    Roots and responders marked "no check" are left out. Raises SealingFailed when an issuer is missing,
    StatusFailed when an answer cannot be read, and what the source raises.
    """
    unique = {one.dump(): one for one in certificates}.values()
    proofs = Collected()
    lists: set[bytes] = set()
    for one in unique:
        if one.self_issued or one.ocsp_no_check_value is not None:
            continue
        issuer = next((other for other in unique if is_issuer(other, one)), None)
        if issuer is None:
            raise SealingFailed("the chain of certificates has a gap")
        proof = await source.status(one.dump(), issuer.dump(), at)
        if proof.kind == "ocsp" or proof.content not in lists:
            lists.add(proof.content)
            proofs.add(proof)
    return proofs


def anchoring(
    certificates: Iterable[x509.Certificate], roots: Iterable[x509.Certificate]
) -> list[x509.Certificate]:
    """Give those of some roots that the certificates lead to: of all that are trusted, only they are needed.

    A delegated responder is issued by whoever issued what it answers for (RFC 6960, 4.2.2.2): it leads to no
    other root.
    """
    found, trusted = [*certificates], [*roots]
    for one in found:  # grows upward
        found += [above for above in trusted if is_issuer(above, one) and above not in found]
    return [one for one in trusted if one in found]


def is_issuer(issuer: x509.Certificate, of: x509.Certificate) -> bool:
    """Say whether one certificate's holder can have issued the other; authorities may share a name."""
    if issuer.subject != of.issuer or not issuer.ca:
        return False
    named = of.authority_key_identifier
    return named is None or named == issuer.key_identifier
