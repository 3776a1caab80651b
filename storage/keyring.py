"""Wrapping and unwrapping, and the folder where the keys of a vault lie. Knows no owner and no record."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest as hmac
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from storage.durable import publish, sync_folder, temporary_file
from storage.errors import MasterKeyDamaged, MasterKeyExposed, MasterKeyMissing, SealBroken, StoreUnavailable

SECRET_BYTES = 32
_NONCE = 12
_VERSION = b"\x01"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # RFC 9180, base mode, single shot


@dataclass(frozen=True)
class KeyPair:
    """An X25519 key pair, 32 raw bytes each; the private half never shows in a repr."""

    public: bytes
    private: bytes = field(repr=False)


def new_key_pair() -> KeyPair:
    """Make a fresh key pair, for an owner's records or log entries."""
    private = X25519PrivateKey.generate()
    return KeyPair(private.public_key().public_bytes_raw(), private.private_bytes_raw())


def public_of(private: bytes) -> bytes:
    """Give the public half that belongs to a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal_to(public: bytes, content: bytes, *, info: bytes, aad: bytes) -> bytes:
    """Seal `content` to the holder of the private half of `public`: 48 bytes longer than the content.

    `info` names the use, `aad` what it belongs to; both are needed again to open. Raises ValueError for a
    `public` that is no X25519 key.
    """
    return _SUITE.encrypt(content, X25519PublicKey.from_public_bytes(public), info=_context(info, aad))


def open_with(private: bytes, sealed: bytes, *, info: bytes, aad: bytes) -> bytes:
    """Open what `seal_to` made, with the private half and the same `info` and `aad`. Raises SealBroken."""
    try:
        return _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), info=_context(info, aad))
    except (InvalidTag, ValueError):
        raise SealBroken(info.decode(errors="replace")) from None


def _context(info: bytes, aad: bytes) -> bytes:
    # The library's single-shot HPKE takes no AAD. The key schedule binds the info string as strictly
    # (RFC 9180, 5.1), so both travel in it; the length in front keeps the two apart.
    return len(info).to_bytes(4, "big") + info + aad


class MasterKey:
    """The key that wraps the private keys of owners: 0x01 || nonce (12 bytes, random) || AES-256-GCM."""

    def __init__(self, secret: bytes) -> None:
        """Take 32 secret bytes; any other length raises ValueError."""
        if len(secret) != SECRET_BYTES:
            raise ValueError("a master key has 32 bytes")
        self._cipher = AESGCM(secret)
        self._secret = secret

    def derived(self, purpose: bytes) -> bytes:
        """Derive another key of 32 bytes, for one purpose that wraps nothing."""
        return hmac(self._secret, b"kho/1/derived/" + purpose, sha256)

    def wrap(self, content: bytes, aad: bytes) -> bytes:
        """Wrap `content`, bound to `aad`: 29 bytes longer than the content."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, content, _VERSION + aad)

    def unwrap(self, sealed: bytes, aad: bytes) -> bytes:
        """Open what `wrap` made, with the same `aad`. Raises SealBroken."""
        version, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        if version != _VERSION:
            raise SealBroken("unknown version of wrapping")
        try:
            return self._cipher.decrypt(nonce, body, version + aad)
        except (InvalidTag, ValueError):
            raise SealBroken("master key") from None


def create_key_folder(folder: Path) -> None:
    """Make the key folder (700) if it is not there, then check it as `check_key_folder` does.

    Raises also StoreUnavailable.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)
    except OSError as error:
        raise StoreUnavailable(f"{folder}: {error.strerror}") from error
    check_key_folder(folder)


def check_key_folder(folder: Path) -> None:
    """See that only we can reach the folder and all in it: owner us, 700, files 600 or less.

    Raises MasterKeyExposed naming the first path at fault and its mode or owner; MasterKeyMissing if there is
    no such folder.
    """
    if not folder.is_dir():
        raise MasterKeyMissing(f"no folder {folder}")
    _check_reach(folder)
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # gone since it was listed: nothing to reach
            _check_reach(path)


def _check_reach(path: Path) -> None:
    facts = path.stat()
    if facts.st_uid != os.geteuid():
        raise MasterKeyExposed(f"{path} belongs to user {facts.st_uid}, not {os.geteuid()}")
    if facts.st_mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        raise MasterKeyExposed(f"{path} has mode {facts.st_mode & 0o777:03o}, wanted {wanted}")


def load_or_create_master(folder: Path, *, create: bool) -> MasterKey:
    """Read the master key of the folder (file master.key), or make it; as `load_or_create_secret` does."""
    return MasterKey(load_or_create_secret(folder, "master", create=create))


def load_or_create_secret(folder: Path, name: str, *, create: bool) -> bytes:
    """Read the 32 bytes of `name`.key, or make them at random if they are not there and `create` says so.

    The folder is checked first. Two processes that create at once end with the same secret. Raises
    MasterKeyExposed, MasterKeyMissing, MasterKeyDamaged (not 32 bytes), StoreUnavailable.
    """
    check_key_folder(folder)
    path = folder / f"{name}.key"
    try:
        if create and not path.exists():
            _write_new(path, os.urandom(SECRET_BYTES))
        secret = path.read_bytes()
    except FileNotFoundError:
        raise MasterKeyMissing(str(path)) from None
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error
    if len(secret) != SECRET_BYTES:
        raise MasterKeyDamaged(f"{path} has {len(secret)} bytes, wanted {SECRET_BYTES}")
    return secret


def _write_new(path: Path, secret: bytes) -> None:
    with temporary_file(path.parent) as (temporary, file):
        file.write(secret)
        try:
            publish(temporary, file, path)
        except FileExistsError:
            return  # another process was first: its secret is the one
