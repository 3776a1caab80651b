"""Seal keys: one contract for whatever holds the key, and what all kinds have in common.

A request to sign is tied to an id. A lost answer never makes a key sign twice: what was signed under an id is
kept (`signing.keys_memory`), and asking again with the same id gives the same signature.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signing.errors import SealingFailed, SealKeyInvalid
from signing.keys_memory import SigningMemory

Mechanism = Literal["sha256_ecdsa", "sha256_rsa"]  # the only two: P-256, and RSA PKCS#1 v1.5 from 2048 bits
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
DIGEST = 32  # bytes of SHA-256
_RSA_BITS = range(2048, 8193)
_ECDSA_SIZE = 72  # bytes of the longest P-256 signature in DER
PREHASHED = Prehashed(hashes.SHA256())


class SealKey(ABC):
    """The key an agency seals with. It is never handed out; all that can be had are signatures.

    `certificates` are DER: the agency's own first, then its issuers, a root last if it is known.
    `repeatable` says of a kind that signing the same digest again harms nobody, because whoever holds the key
    gives a signature to this process alone, and no one counts them.
    """

    repeatable = True

    def __init__(self, certificates: Sequence[bytes], memory: SigningMemory | None = None) -> None:
        """Raise SealKeyInvalid unless the first certificate is for a key that is taken (`Mechanism`)."""
        if not certificates:
            raise SealKeyInvalid("a seal key needs its certificate")
        self.certificates = tuple(certificates)
        self._memory = memory
        own = self._own()
        try:
            self._public = usable(own.public_key())
        except ValueError as error:  # a public key that cannot be read
            raise SealKeyInvalid("the public key of the certificate cannot be read") from error

    def __repr__(self) -> str:
        """Name the holder, never the key."""
        return f"{type(self).__name__}({self.subject!r})"

    @property
    def subject(self) -> str:
        """The holder's name as its certificate has it (RFC 4514)."""
        return self._own().subject.rfc4514_string()

    @property
    def public(self) -> PublicKey:
        """The public key of the certificate."""
        return self._public

    @property
    def mechanism(self) -> Mechanism:
        """How this key signs."""
        return "sha256_rsa" if isinstance(self._public, rsa.RSAPublicKey) else "sha256_ecdsa"

    @property
    def signature_size(self) -> int:
        """The most bytes that a signature of this key has."""
        return self._public.key_size // 8 if isinstance(self._public, rsa.RSAPublicKey) else _ECDSA_SIZE

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key, in hexadecimal: names the key whatever certificate it has."""
        info = self._public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(info).hexdigest()

    async def sign(self, digest: bytes, request_id: str = "") -> bytes:
        """Return the signature over a SHA-256 digest, checked against the certificate.

        ECDSA as DER, RSA by PKCS#1 v1.5. `request_id` names the request; empty, the digest names it. The
        same id and digest give the same signature for as long as it is remembered.

        Raises:
            SealRequestConflict: the id was used for another digest, and answered.
            SealKeyUnavailable: nothing was signed, and later it may be.
            SealKeyRefused: nothing was signed, and somebody must change something first.
            SealAnswerLost: it may have been signed, and nothing is asked for again under this id.
            SealKeyInvalid: the certificate belongs to another key.
        """
        if len(digest) != DIGEST:
            raise SealingFailed("a seal key signs SHA-256 digests alone")
        if self._memory is None:
            return self._checked(digest, await self._signature(digest))
        async with self._memory.request(
            self.fingerprint, request_id or digest.hex(), digest, repeatable=self.repeatable
        ) as request:
            if request.signature is None:
                request.signature = self._checked(digest, await self._signature(digest))
        return request.signature

    @abstractmethod
    async def _signature(self, digest: bytes) -> bytes:
        """Have the digest signed; raises as `sign` does."""

    def _checked(self, digest: bytes, signature: bytes) -> bytes:
        if not verifies(self._public, digest, signature):
            raise SealKeyInvalid("the certificate belongs to another key")
        return signature

    def _own(self) -> x509.Certificate:
        try:
            return x509.load_der_x509_certificate(self.certificates[0])
        except ValueError as error:
            raise SealKeyInvalid("the certificate of the seal key cannot be read") from error


def usable(public: object) -> PublicKey:
    """Return a public key of a kind that seals are made with. Raises SealKeyInvalid."""
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return public
    if isinstance(public, rsa.RSAPublicKey) and public.key_size in _RSA_BITS:
        return public
    raise SealKeyInvalid("a seal key must be a P-256 key, or an RSA key of 2048 to 8192 bits")


def verifies(public: PublicKey, digest: bytes, signature: bytes) -> bool:
    """Say whether a signature over a SHA-256 digest is one of this key."""
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, digest, padding.PKCS1v15(), PREHASHED)
        else:
            public.verify(signature, digest, ec.ECDSA(PREHASHED))
    except (InvalidSignature, ValueError):
        return False
    return True
