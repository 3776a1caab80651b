"""Certificate status over HTTP for sealing: OCSP (RFC 6960), then CRLs (RFC 5280), where the operator allows.

Answers are parsed in this process: they come from services that the operator named, are bounded in size, and
nothing of them is used before signature, subject and time were checked.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from signing.allowed_address import check_address
from signing.errors import CertificateRevoked, StatusFailed
from signing.exchange import Answered, Limits, NoAnswer, Question, ask, patiently
from signing.revocation import StatusProof
from signing.service_clock import reached, utc_now
from signing.service_state import ServiceState
from signing.status_hosts import hosts_of, may_be_asked
from signing.status_signing import is_signed, is_whole_list, may_answer

_SKEW = timedelta(minutes=5)
_UNSTATED = timedelta(days=1)  # how long an answer is good for that does not say so itself
_QUERY, _REPLY = "application/ocsp-request", "application/ocsp-response"
_LARGEST_LIST = 2 * 1024 * 1024  # bytes of a CRL: it is carried in every file sealed with it
_LIST_KEPT = 300.0  # seconds that a good list is used again: lists are made anew by the hour or the day
_LISTS_KEPT = 16


class HttpStatus:
    """Asks about a certificate where the operator says.

    `url` is an OCSP responder asked about every certificate; without one, the responders and lists that a
    certificate names are asked if their host ("HOST" or "HOST:PORT") is among `hosts`. Never anybody else:
    `url` is asked wherever it leads, inside too; a name out of a certificate must lead to an address of the
    open Internet, unless `hosts` holds that very address.
    """

    def __init__(
        self,
        url: str = "",
        hosts: Iterable[str] = (),
        *,
        limits: Limits | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Raise ValueError for an address that cannot be asked."""
        self._url = check_address(url, encrypted=False) if url else ""
        self._hosts = hosts_of(hosts)
        self._limits = limits or Limits()
        self._clock = clock
        self.state = ServiceState("http", url)
        self._lists: dict[str, tuple[float, bytes]] = {}

    async def status(self, certificate: bytes, issuer: bytes, at: datetime) -> StatusProof:
        """Return a proof that the certificate stands.

        Raises:
            CertificateRevoked: it does not.
            StatusFailed: nobody could be asked, or gave a usable answer; `reason` is one of those of
                NoAnswer, or no_source, not_a_response, refused, unknown, another, nonce, signature, stale,
                clock.
        """
        try:
            own, by = x509.load_der_x509_certificate(certificate), x509.load_der_x509_certificate(issuer)
            proof = await self._first(own, by)
        except ValueError as error:
            raise StatusFailed("the certificate cannot be read", reason="not_a_response") from error
        except CertificateRevoked:
            self.state.answered()
            raise
        except StatusFailed as problem:
            self.state.failed(problem.reason)
            raise
        self.state.answered()
        return proof

    async def _first(self, own: x509.Certificate, issuer: x509.Certificate) -> StatusProof:
        last = StatusFailed("no service that may be asked knows this certificate", reason="no_source")
        for url in [self._url] if self._url else self._allowed(_responders(own)):
            try:
                return await self._by_ocsp(url, own, issuer)
            except StatusFailed as problem:
                last = problem
        for url in self._allowed(_lists(own)):
            try:
                return await self._by_list(url, own, issuer)
            except StatusFailed as problem:
                last = problem
        raise last

    def _allowed(self, urls: Iterable[str]) -> list[str]:
        return [one for one in urls if may_be_asked(one, self._hosts)]

    async def _by_ocsp(self, url: str, own: x509.Certificate, issuer: x509.Certificate) -> StatusProof:
        nonce = os.urandom(16)
        # The hash only names the issuer; it is the one that every responder knows (RFC 5019, 2.1.1).
        builder = ocsp.OCSPRequestBuilder().add_certificate(own, issuer, hashes.SHA1())  # noqa: S303
        request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
        question = Question(
            url,
            request.public_bytes(Encoding.DER),
            headers={"Content-Type": _QUERY, "Accept": _REPLY},
            listed=None if url == self._url else self._hosts,
        )
        answered = await self._asked(question, self._limits)
        if answered.kind != _REPLY:
            raise _bad("not_a_response")
        try:
            response = ocsp.load_der_ocsp_response(answered.body)
            if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                raise _bad("refused")
            await self._check(response, request, nonce, issuer)
            if response.certificate_status is ocsp.OCSPCertStatus.REVOKED:
                raise CertificateRevoked("a certificate of the seal is revoked")
            if response.certificate_status is not ocsp.OCSPCertStatus.GOOD:
                raise _bad("unknown")
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _bad("not_a_response") from error
        return StatusProof("ocsp", answered.body)

    async def _check(
        self, response: ocsp.OCSPResponse, request: ocsp.OCSPRequest, nonce: bytes, issuer: x509.Certificate
    ) -> None:
        same = (
            response.serial_number == request.serial_number
            and response.issuer_name_hash == request.issuer_name_hash
            and response.issuer_key_hash == request.issuer_key_hash
        )
        if not same:
            raise _bad("another")
        try:
            if response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce != nonce:
                raise _bad("nonce")
        except x509.ExtensionNotFound:
            pass  # made beforehand, as RFC 5019 allows: how old it may be is looked at below
        self._check_signed(response, issuer)
        await self._check_time(response.this_update_utc, response.next_update_utc)

    def _check_signed(self, response: ocsp.OCSPResponse, issuer: x509.Certificate) -> None:
        for signer in (issuer, *response.certificates):
            if not _is_named(response, signer) or not may_answer(signer, issuer, self._clock()):
                continue
            algorithm = response.signature_hash_algorithm
            if is_signed(signer, response.signature, response.tbs_response_bytes, algorithm):
                return
        raise _bad("signature")

    async def _check_time(self, this: datetime, following: datetime | None) -> None:
        if (following or this + _UNSTATED) < self._clock() - _SKEW:
            raise _bad("stale")
        if not await reached(this, self._clock):
            raise _bad("clock")

    async def _by_list(self, url: str, own: x509.Certificate, issuer: x509.Certificate) -> StatusProof:
        fetched, content = await self._list(url)
        try:
            found = x509.load_der_x509_crl(content)
            if found.issuer != issuer.subject or not is_whole_list(found):
                raise _bad("another")
            algorithm = found.signature_hash_algorithm
            if not is_signed(issuer, found.signature, found.tbs_certlist_bytes, algorithm):
                raise _bad("signature")
            await self._check_time(found.last_update_utc, found.next_update_utc)
            if found.get_revoked_certificate_by_serial_number(own.serial_number) is not None:
                raise CertificateRevoked("a certificate of the seal is revoked")
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _bad("not_a_response") from error
        self._lists[url] = (fetched, content)
        return StatusProof("crl", content)

    async def _list(self, url: str) -> tuple[float, bytes]:
        """Fetch a list, or give the one that was found good a moment ago: many certificates share it."""
        known = self._lists.get(url)
        if known is not None and time.monotonic() - known[0] < _LIST_KEPT:
            return known
        if len(self._lists) >= _LISTS_KEPT:
            self._lists.clear()
        limits = replace(self._limits, largest=_LARGEST_LIST)
        fetched = time.monotonic()
        return fetched, (await self._asked(Question(url, method="GET", listed=self._hosts), limits)).body

    async def _asked(self, question: Question, limits: Limits) -> Answered:
        async def once() -> Answered:
            answered = await ask(question, limits)
            if answered.status != 200:
                raise NoAnswer(f"status_{answered.status}", sent=True)
            if question.url == self._url:
                self.state.clocked(answered.ahead)
            return answered

        try:
            return await patiently(once, limits)
        except NoAnswer as problem:
            words = f"nobody answered about a certificate: {problem.reason}"
            raise StatusFailed(words, reason=problem.reason) from problem


def _responders(own: x509.Certificate) -> Iterator[str]:
    try:
        access = own.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return
    for one in access:
        if one.access_method == AuthorityInformationAccessOID.OCSP:
            yield from _address(one.access_location)


def _lists(own: x509.Certificate) -> Iterator[str]:
    try:
        points = own.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return
    for point in points:
        # A list for some reasons alone, or of another issuer, does not say that a certificate stands.
        if point.reasons is None and point.crl_issuer is None:
            for name in point.full_name or ():
                yield from _address(name)


def _address(name: x509.GeneralName) -> Iterator[str]:
    if isinstance(name, x509.UniformResourceIdentifier):
        yield name.value


def _is_named(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == signer.subject
    # RFC 6960 names the key by SHA-1 of its bits: the same as the first kind of key identifier in RFC 5280.
    return (
        response.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(signer.public_key()).digest
    )


def _bad(reason: str) -> StatusFailed:
    return StatusFailed(f"the answer about a certificate is no use: {reason}", reason=reason)
