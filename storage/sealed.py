"""Sealed content: chunks of 64 KiB, each authenticated by itself, so that a range can be trusted alone.

    sealed = 0x01 || salt (32 random bytes) || chunk 0 || chunk 1 || ... || last chunk
    chunk  = AES-256-GCM(HKDF-SHA256(record key, salt, "kho/1/sealed"), nonce = number, AAD below)
    AAD    = "kho/1/chunk" || record id and part, each after its length || number || 1 if last, else 0

Every sealing has a key of its own through its salt, so a number never meets one key twice, even if a record
key seals several things. Each chunk but the last is full; empty content is one empty chunk.
"""

import hashlib
import os
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.blobs import BlobReader
from storage.errors import BlobDamaged, StoreUnavailable

KEY_BYTES = 32
CHUNK = 64 * 1024
_TAG = 16
_SALT = 32
_VERSION = b"\x01"
_HEADER = len(_VERSION) + _SALT
_WINDOW = 8  # chunks fetched at a time, still sealed: fewer round trips to the store, bounded memory


@dataclass(frozen=True)
class Sealed:
    """What a row keeps of a sealed file: SHA-256 (32 bytes) and size in bytes, plain and as stored."""

    content_sha256: bytes
    content_size: int
    sealed_sha256: bytes
    sealed_size: int


def new_record_key() -> bytes:
    """Give 32 random bytes to seal the parts of one record under."""
    return os.urandom(KEY_BYTES)


def sealed_size(content_size: int) -> int:
    """Give the size in bytes that content of `content_size` bytes has when sealed."""
    return _HEADER + content_size + _chunks(content_size) * _TAG


def seal_file(source: Path, target: Path, *, key: bytes, record: str, part: str) -> Sealed:
    """Seal the file `source` into `target` (mode 600, replaced if there), in constant memory.

    `key` is the record's (32 bytes), `record` its id, `part` which of its contents this is ("file", "data").
    Blocks. The target is not yet durable, and a failure leaves none. Raises StoreUnavailable.
    """
    try:
        with source.open("rb") as content, open(target, "wb", opener=_private) as sealed:
            return _seal_stream(content, sealed, key=key, record=record, part=part)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreUnavailable(f"sealing: {error.strerror}") from error
        raise


def open_file(source: Path, target: Path, *, key: bytes, record: str, part: str) -> None:
    """Open what `seal_file` wrote into `target` (mode 600, replaced if there), in constant memory.

    Blocks. A failure leaves no target. Raises BlobDamaged when any byte of it was changed, StoreUnavailable.
    """
    try:
        with source.open("rb") as sealed, open(target, "wb", opener=_private) as content:
            size = _content_size(os.fstat(sealed.fileno()).st_size, f"{record}/{part}")
            opener = _Chunks(sealed.read(_HEADER), key=key, record=record, part=part, content_size=size)
            for number in range(_chunks(size)):
                length = opener.position(number + 1) - opener.position(number)
                content.write(opener.open(number, sealed.read(length)))
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreUnavailable(f"opening: {error.strerror}") from error
        raise


def seal_bytes(content: bytes, *, key: bytes, record: str, part: str) -> bytes:
    """Seal a small content in memory; the same form as `seal_file` writes."""
    pieces = (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))
    return b"".join(_seal_pieces(pieces, key=key, record=record, part=part))


def open_bytes(sealed: bytes, *, key: bytes, record: str, part: str) -> bytes:
    """Open what `seal_bytes` made, whole. Raises BlobDamaged when any byte of it was changed."""
    content_size = _content_size(len(sealed), f"{record}/{part}")
    opener = _Chunks(sealed[:_HEADER], key=key, record=record, part=part, content_size=content_size)
    numbers = range(_chunks(content_size))
    return b"".join(
        opener.open(number, sealed[opener.position(number) : opener.position(number + 1)])
        for number in numbers
    )


async def read_sealed(
    reader: BlobReader,
    *,
    key: bytes,
    record: str,
    part: str,
    content_size: int,
    start: int = 0,
    stop: int | None = None,
) -> AsyncGenerator[bytes]:
    """Give the content from byte `start` up to `stop` (None: the end) in pieces of at most 64 KiB.

    Nothing leaves before its whole chunk is authenticated, and no chunk is decrypted before it is asked for.
    A stored size other than that of `content_size` bytes, a short or a changed chunk raises BlobDamaged; a
    range outside the content raises ValueError; reading also raises StoreUnavailable.
    """
    stop = content_size if stop is None else stop
    if not 0 <= start <= stop <= content_size:
        raise ValueError(f"no range {start}-{stop} in {content_size} bytes")
    if reader.size != sealed_size(content_size):
        raise BlobDamaged(f"{record}/{part}: {reader.size} bytes stored, not {sealed_size(content_size)}")
    if start == stop and content_size:
        return
    header = await reader.read_at(0, _HEADER)
    opener = _Chunks(header, key=key, record=record, part=part, content_size=content_size)
    first, end = start // CHUNK, _chunks(stop)
    for window in range(first, end, _WINDOW):
        numbers = range(window, min(window + _WINDOW, end))
        base = opener.position(numbers.start)
        rows = await reader.read_at(base, opener.position(numbers.stop) - base)
        for number in numbers:
            row = rows[opener.position(number) - base : opener.position(number + 1) - base]
            content = opener.open(number, row)[max(0, start - number * CHUNK) : stop - number * CHUNK]
            if content:
                yield content


class _Chunks:
    """The chunks of one sealed content: where each lies, and its opening."""

    def __init__(self, header: bytes, *, key: bytes, record: str, part: str, content_size: int) -> None:
        self._name = f"{record}/{part}"
        if len(header) != _HEADER or not header.startswith(_VERSION):
            raise BlobDamaged(f"{self._name}: no header of sealed content")
        self._cipher = _cipher(key, header[len(_VERSION) :])
        self._binding = _binding(record, part)
        self._last = _chunks(content_size) - 1
        self._sealed_size = sealed_size(content_size)

    def position(self, number: int) -> int:
        """Where chunk `number` begins in the sealed bytes; after the last one, where they end."""
        return min(_HEADER + number * (CHUNK + _TAG), self._sealed_size)

    def open(self, number: int, sealed: bytes) -> bytes:
        """Give the content of chunk `number`. Raises BlobDamaged."""
        if len(sealed) != self.position(number + 1) - self.position(number):
            raise BlobDamaged(f"{self._name}: chunk {number} is short")
        try:
            return self._cipher.decrypt(
                _nonce(number), sealed, _bound(self._binding, number, number == self._last)
            )
        except InvalidTag:
            raise BlobDamaged(f"{self._name}: chunk {number} failed authentication") from None


def _seal_stream(content: BinaryIO, sealed: BinaryIO, *, key: bytes, record: str, part: str) -> Sealed:
    content_hash, sealed_hash = hashlib.sha256(), hashlib.sha256()
    sizes = [0, 0]

    def pieces() -> Iterator[bytes]:
        while piece := content.read(CHUNK):
            content_hash.update(piece)
            sizes[0] += len(piece)
            yield piece

    for row in _seal_pieces(pieces(), key=key, record=record, part=part):
        sealed_hash.update(row)
        sizes[1] += sealed.write(row)
    return Sealed(content_hash.digest(), sizes[0], sealed_hash.digest(), sizes[1])


def _seal_pieces(pieces: Iterable[bytes], *, key: bytes, record: str, part: str) -> Iterator[bytes]:
    """Give the header and the sealed chunks of full pieces (the last may be shorter)."""
    salt = os.urandom(_SALT)
    cipher, binding = _cipher(key, salt), _binding(record, part)
    yield _VERSION + salt
    number, waiting = 0, b""
    for piece in pieces:
        if waiting:
            yield cipher.encrypt(_nonce(number), waiting, _bound(binding, number, last=False))
            number += 1
        waiting = piece
    yield cipher.encrypt(_nonce(number), waiting, _bound(binding, number, last=True))


def _content_size(sealed: int, name: str) -> int:
    """Give the size of the content of so many sealed bytes. Raises BlobDamaged where there is none."""
    size = sealed - _HEADER
    content_size = size - -(-size // (CHUNK + _TAG)) * _TAG
    if content_size < 0:
        raise BlobDamaged(f"{name}: {sealed} bytes are no sealed content")
    return content_size


def _chunks(content_size: int) -> int:
    return max(1, -(-content_size // CHUNK))


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise ValueError("a record key has 32 bytes")
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, b"kho/1/sealed").derive(key))


def _binding(record: str, part: str) -> bytes:
    names = (name.encode() for name in (record, part))
    return b"kho/1/chunk" + b"".join(len(name).to_bytes(4, "big") + name for name in names)


def _bound(binding: bytes, number: int, last: bool) -> bytes:
    return binding + number.to_bytes(8, "big") + bytes([last])


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
