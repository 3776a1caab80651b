"""A seal key in a PEM file: PKCS#8, encrypted with a passphrase, its certificates behind it."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from signing.errors import SealKeyInvalid, SealKeyMissing, SealKeyRefused
from signing.keys import PREHASHED, SealKey, usable
from signing.keys_memory import SigningMemory

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_READABLE_BY_OTHERS = 0o077
_LONGEST = 1024 * 1024  # bytes of a key file or a secret file


class FileKey(SealKey):
    """A key that this process holds itself. The same digest always gives the same signature (RFC 6979)."""

    def __init__(
        self, private: PrivateKey, certificates: Sequence[bytes], memory: SigningMemory | None = None
    ) -> None:
        """Raise SealKeyInvalid unless the key is of a kind that is taken and the first certificate's own."""
        if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise SealKeyInvalid("a seal key must be a P-256 key, or an RSA key of 2048 to 8192 bits")
        usable(private.public_key())
        super().__init__(certificates, memory)
        if self.public != private.public_key():
            raise SealKeyInvalid("the certificate belongs to another key")
        self._private = private

    @property
    def private(self) -> PrivateKey:
        """The key itself, for an authority that issues certificates with it."""
        return self._private

    def sign_now(self, content: bytes) -> bytes:
        """Return the signature over SHA-256 of `content`: for time stamps and status, which need no id."""
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return self._private.sign(content, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

    async def _signature(self, digest: bytes) -> bytes:
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(digest, padding.PKCS1v15(), PREHASHED)
        return self._private.sign(digest, ec.ECDSA(PREHASHED, deterministic_signing=True))

    def to_pem(self, path: Path, passphrase: bytes | None = None) -> None:
        """Write key and certificates to a new file that only its owner can read (mode 600), durably.

        Raises FileExistsError when the file is there already: a key is never overwritten.
        """
        encryption: serialization.KeySerializationEncryption = (
            serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        )
        content = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
        for certificate in self.certificates:
            loaded = x509.load_der_x509_certificate(certificate)
            content += loaded.public_bytes(serialization.Encoding.PEM)
        write_private_file(path, content)

    @classmethod
    def from_pem(
        cls, path: Path, passphrase: bytes | None = None, memory: SigningMemory | None = None
    ) -> Self:
        """Read what `to_pem` wrote.

        Raises:
            SealKeyMissing: there is no such file.
            SealKeyRefused: the passphrase is wrong or missing.
            SealKeyInvalid: others can read the file, or it holds no key that is taken.
        """
        content = read_private_file(path)
        try:
            certificates = x509.load_pem_x509_certificates(content)
        except ValueError as error:
            raise SealKeyInvalid(f"{path} holds no certificate") from error
        private = _private_key(path, content, passphrase)
        ders = [one.public_bytes(serialization.Encoding.DER) for one in certificates]
        return cls(private, ders, memory)


def _private_key(path: Path, content: bytes, passphrase: bytes | None) -> PrivateKey:
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in content
    if encrypted and not passphrase:
        raise SealKeyRefused(f"{path} needs a passphrase")
    try:
        private = serialization.load_pem_private_key(content, passphrase if encrypted else None)
    except (ValueError, TypeError) as error:
        if encrypted:  # the library does not tell a damaged file from a wrong passphrase
            raise SealKeyRefused(f"the passphrase does not open {path}") from error
        raise SealKeyInvalid(f"{path} holds no seal key") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SealKeyInvalid(f"{path} holds no P-256 or RSA key")
    return private


def read_private_file(path: Path) -> bytes:
    """Read a small file that nobody else can read: a key, a passphrase, a PIN.

    Raises SealKeyMissing when it is not there, SealKeyInvalid when others can read it or it is too long.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _READABLE_BY_OTHERS:
                raise SealKeyInvalid(f"{path} can be read by others (mode {mode:03o}); it must be 600")
            content = file.read(_LONGEST + 1)
    except FileNotFoundError as error:
        raise SealKeyMissing(f"{path} is not there") from error
    except OSError as error:
        raise SealKeyInvalid(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _LONGEST:
        raise SealKeyInvalid(f"{path} is too long")
    return content


def read_secret(path: Path) -> bytes:
    """Read a passphrase, PIN or client secret: the first line of a file of mode 600. Raises as above."""
    secret = read_private_file(path).split(b"\n", 1)[0].rstrip(b"\r")
    if not secret:
        raise SealKeyInvalid(f"{path} holds no secret in its first line")
    return secret


def write_private_file(path: Path, content: bytes) -> None:
    """Write a new file of mode 600, whole and durable or not at all. Raises FileExistsError."""
    # Written beside and linked: who dies meanwhile leaves no half of a key under the name.
    beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
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
