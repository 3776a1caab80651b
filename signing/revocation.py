# mypy: allow-untyped-calls
"""Certificate status (OCSP, RFC 6960): the contract, and a responder that lives in this process."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from asn1crypto import algos, ocsp, x509

from signing.errors import SealingFailed
from signing.keys_file import FileKey

_FRESH_FOR = timedelta(days=7)


class RevocationSource(Protocol):
    """Who says whether a certificate stood at a time; called in the event loop of the thread that seals."""

    async def status(self, certificate: bytes, issuer: bytes, at: datetime) -> bytes:
        """Return an OCSPResponse (DER) for `certificate`, issued by `issuer` (both DER).

        `issuer` is the issuer's certificate. Raises SealingFailed when there is no answer.
        """
        ...


class LocalResponder:
    """A responder in this process, made for demo and tests.

    `responders` maps the subject name (DER) of each issuing authority to the key of its delegated responder;
    `revoked` maps serial numbers to the time of revocation.
    """

    def __init__(self, responders: Mapping[bytes, FileKey], revoked: Mapping[int, datetime]) -> None:
        self._responders = dict(responders)
        self._revoked = dict(revoked)

    async def status(self, certificate: bytes, issuer: bytes, at: datetime) -> bytes:
        """Return a signed response, good for seven days from `at`; SealingFailed for a strange issuer."""
        asked, by = x509.Certificate.load(certificate), x509.Certificate.load(issuer)
        key = self._responders.get(by.subject.dump())
        if key is None:
            raise SealingFailed("no responder answers for the issuer of this certificate")
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
        return bytes(ocsp.OCSPResponse({"response_status": "successful", "response_bytes": body}).dump())

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
) -> list[ocsp.OCSPResponse]:
    """Ask `source` about each certificate that can be revoked, finding its issuer among the others.

    Roots and responders marked "no check" are left out. Raises SealingFailed when an issuer is missing or an
    answer cannot be read.
    """
    unique = {one.dump(): one for one in certificates}.values()
    answers = []
    for one in unique:
        if one.self_issued or one.ocsp_no_check_value is not None:
            continue
        issuer = next((other for other in unique if _is_issuer(other, one)), None)
        if issuer is None:
            raise SealingFailed("the chain of certificates has a gap")
        answer = await source.status(one.dump(), issuer.dump(), at)
        try:
            answers.append(ocsp.OCSPResponse.load(answer, strict=True))
        except (ValueError, TypeError) as error:
            raise SealingFailed("the answer about a certificate's status cannot be read") from error
    return answers


def _is_issuer(issuer: x509.Certificate, of: x509.Certificate) -> bool:
    if issuer.subject != of.issuer or not issuer.ca:
        return False
    named = of.authority_key_identifier
    return named is None or named == issuer.key_identifier
