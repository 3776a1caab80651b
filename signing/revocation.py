# mypy: allow-untyped-calls
"""Certificate status (OCSP, RFC 6960): the contract, and a responder that lives in this process."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from asn1crypto import algos, cms, ocsp, x509
from pyhanko_certvalidator.authority import Authority, AuthorityWithCert
from pyhanko_certvalidator.fetchers import OCSPFetcher

from signing.errors import SealingFailed
from signing.keys import SealKey

_FRESH_FOR = timedelta(days=7)
Certified = x509.Certificate | cms.AttributeCertificateV2


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

    def __init__(self, responders: Mapping[bytes, SealKey], revoked: Mapping[int, datetime]) -> None:
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
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
                "signature": key.sign(content.dump()),
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


class StatusAt(OCSPFetcher):
    """What pyHanko asks for certificate status while sealing; each certificate is asked about once."""

    def __init__(self, source: RevocationSource, at: datetime) -> None:
        self._source = source
        self._at = at
        self._answers: dict[bytes, ocsp.OCSPResponse] = {}

    async def fetch(self, cert: Certified, authority: Authority) -> ocsp.OCSPResponse:
        """Ask the source; SealingFailed when there is no answer or it cannot be read."""
        if not isinstance(authority, AuthorityWithCert):
            raise SealingFailed("the issuer of a certificate is known by name alone")
        known = self._answers.get(cert.dump())
        if known is None:
            answer = await self._source.status(cert.dump(), authority.certificate.dump(), self._at)
            try:
                known = ocsp.OCSPResponse.load(answer, strict=True)
            except (ValueError, TypeError) as error:
                raise SealingFailed("the answer about a certificate's status cannot be read") from error
            self._answers[cert.dump()] = known
        return known

    def fetched_responses(self) -> list[ocsp.OCSPResponse]:
        """Return every answer got so far."""
        return list(self._answers.values())

    def fetched_responses_for_cert(self, cert: Certified) -> list[ocsp.OCSPResponse]:
        """Return the answers about one certificate."""
        known = self._answers.get(cert.dump())
        return [] if known is None else [known]
