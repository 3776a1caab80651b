"""Certificate status over HTTP: an OCSP responder (RFC 6960) by POST and GET, and CRLs (RFC 5280)."""

import base64
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.servers.loopback import Answer, Asked, LoopbackServer
from tests.servers.pki import Holder, Pki

Lie = Literal["nonce", "no nonce", "stale", "future", "signer", "certificate", "unknown", "later", "tampered"]
FRESH = timedelta(days=1)


class StatusServer(LoopbackServer):
    """Answers about every certificate of one PKI: OCSP at any path, CRLs at /crl/NAME.crl.

    `revoked` maps serial numbers to the time of revocation. `lies` says what is wrong with its answers:
    another nonce than asked or none, an answer that is too old or from the future, signed by somebody who may
    not, about another certificate, "unknown", "try later", or changed after it was signed.
    `ahead` is how much the responder's clock is ahead of ours.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pki: Pki | None = None
        self.revoked: dict[int, datetime] = {}
        self.lies: set[Lie] = set()
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """Tell the responder's time."""
        return datetime.now(UTC).replace(microsecond=0) + self.ahead

    @property
    def crl_url(self) -> str:
        return f"{self.url}/crl/"

    def answer(self, asked: Asked) -> Answer:
        assert self.pki is not None, "tell the server which PKI it answers for"
        if asked.path.startswith("/crl/"):
            return self._crl(asked.path.rpartition("/")[2])
        raw = asked.body if asked.method == "POST" else _from_path(asked.path)
        try:
            request = ocsp.load_der_ocsp_request(raw)
        except ValueError:
            refused = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
            return Answer(refused.public_bytes(Encoding.DER), "application/ocsp-response")
        return Answer(self._told(request), "application/ocsp-response")

    def _told(self, request: ocsp.OCSPRequest) -> bytes:
        if "later" in self.lies:
            refused = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
            return refused.public_bytes(Encoding.DER)
        responder = self._responder(request)
        since = self.revoked.get(request.serial_number)
        status = ocsp.OCSPCertStatus.GOOD if since is None else ocsp.OCSPCertStatus.REVOKED
        if "unknown" in self.lies:
            status, since = ocsp.OCSPCertStatus.UNKNOWN, None
        this, following = self._times()
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number + (1 if "certificate" in self.lies else 0),
            algorithm=request.hash_algorithm,
            cert_status=status,
            this_update=this,
            next_update=following,
            revocation_time=since,
            revocation_reason=None if since is None else x509.ReasonFlags.key_compromise,
        )
        signer = self.pki.stamps if "signer" in self.lies else responder  # type: ignore[union-attr]
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate).certificates(
            [signer.certificate]
        )
        nonce = self._nonce(request)
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        made = builder.sign(signer.private, hashes.SHA256()).public_bytes(Encoding.DER)
        return made[:-1] + bytes([made[-1] ^ 1]) if "tampered" in self.lies else made

    def _responder(self, request: ocsp.OCSPRequest) -> Holder:
        assert self.pki is not None
        for issuer, responder in ((self.pki.issuing, self.pki.status), (self.pki.root, self.pki.root_status)):
            if _name_hash(issuer.certificate, request.hash_algorithm) == request.issuer_name_hash:
                return responder
        raise AssertionError("asked about somebody else's certificate")

    def _nonce(self, request: ocsp.OCSPRequest) -> bytes | None:
        if "no nonce" in self.lies:
            return None
        if "nonce" in self.lies:
            return os.urandom(16)
        try:
            return request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        except x509.ExtensionNotFound:
            return None

    def _times(self) -> tuple[datetime, datetime]:
        now = self.now()
        if "stale" in self.lies:
            return now - 30 * FRESH, now - 29 * FRESH
        return (now + 2 * FRESH, now + 3 * FRESH) if "future" in self.lies else (now, now + FRESH)

    def _crl(self, name: str) -> Answer:
        assert self.pki is not None
        holders = {"Root.crl": self.pki.root, "Issuing.crl": self.pki.issuing}
        if name not in holders:
            return Answer(b"", "text/plain", 404)
        signer = holders["Root.crl"] if "signer" in self.lies else holders[name]
        made = make_crl(holders[name], self.revoked, self._times(), signer=signer)
        return Answer(
            made[:-1] + bytes([made[-1] ^ 1]) if "tampered" in self.lies else made, "application/pkix-crl"
        )


def make_crl(
    issuer: Holder,
    revoked: dict[int, datetime],
    times: Sequence[datetime],
    *,
    signer: Holder | None = None,
) -> bytes:
    """Make a CRL (DER): `times` are this and next update."""
    key = (signer or issuer).private.public_key()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(times[0])
        .next_update(times[1])
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key), critical=False)
        .add_extension(x509.CRLNumber(1), critical=False)
    )
    for serial, since in revoked.items():
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        one = one.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(one.build())
    return builder.sign((signer or issuer).private, hashes.SHA256()).public_bytes(Encoding.DER)


def _from_path(path: str) -> bytes:
    try:
        return base64.b64decode(unquote(path.rpartition("/")[2]))
    except ValueError:
        return b""


def _name_hash(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(certificate.subject.public_bytes())
    return digest.finalize()
