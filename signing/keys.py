"""Seal keys: a P-256 private key with the certificates that belong to it."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signing.errors import SealKeyInvalid

_READABLE_BY_OTHERS = 0o077


class SealKey:
    """The key an agency seals with; it never leaves the process that holds it.

    `certificates` are DER: the agency's own first, then its issuers, a root last if it is known.
    """

    def __init__(self, private: ec.EllipticCurvePrivateKey, certificates: Sequence[bytes]) -> None:
        """Raise SealKeyInvalid unless the curve is P-256 and the first certificate is for this key."""
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise SealKeyInvalid("a seal key must be a P-256 key")
        if not certificates:
            raise SealKeyInvalid("a seal key needs its certificate")
        try:
            own = x509.load_der_x509_certificate(certificates[0])
        except ValueError as error:
            raise SealKeyInvalid("the certificate of the seal key cannot be read") from error
        if own.public_key() != private.public_key():
            raise SealKeyInvalid("the certificate belongs to another key")
        self._private = private
        self.certificates = tuple(certificates)

    def __repr__(self) -> str:
        """Name the holder, never the key."""
        return f"SealKey({self.subject!r})"

    @property
    def subject(self) -> str:
        """The holder's name as its certificate has it (RFC 4514)."""
        return x509.load_der_x509_certificate(self.certificates[0]).subject.rfc4514_string()

    def sign(self, content: bytes) -> bytes:
        """Return the ECDSA signature (DER) over SHA-256 of `content`."""
        return self._private.sign(content, ec.ECDSA(hashes.SHA256()))

    def to_pem(self, path: Path) -> None:
        """Write key and certificates to a new file that only its owner can read (mode 600), durably.

        Raises FileExistsError when the file is there already: a key is never overwritten.
        """
        content = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for certificate in self.certificates:
            loaded = x509.load_der_x509_certificate(certificate)
            content += loaded.public_bytes(serialization.Encoding.PEM)
        # Written beside and linked: who dies meanwhile leaves no half of a key under the name.
        beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(beside, path)
        finally:
            beside.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @classmethod
    def from_pem(cls, path: Path) -> Self:
        """Read what `to_pem` wrote; raises SealKeyInvalid, also when others can read the file."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & _READABLE_BY_OTHERS:
                raise SealKeyInvalid(f"{path} can be read by others (mode {mode:03o}); it must be 600")
            content = path.read_bytes()
            private = serialization.load_pem_private_key(content, password=None)
            certificates = x509.load_pem_x509_certificates(content)
        except (OSError, ValueError, TypeError) as error:
            raise SealKeyInvalid(f"{path} holds no seal key") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise SealKeyInvalid(f"{path} holds no P-256 key")
        return cls(private, [one.public_bytes(serialization.Encoding.DER) for one in certificates])
