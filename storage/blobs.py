"""The contract of every store of bytes: immutable blobs under keys (suite: tests/contracts/test_blobs.py)."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from storage.errors import BlobKeyInvalid

KEY_LENGTH_MAX = 240  # a folder store keeps a key in one file name, and those end at 255 bytes
_KEY = re.compile(r"[a-z0-9]{2,}(?:/[a-z0-9]{2,})*")


class BlobReader(Protocol):
    """One opened blob; an async context manager that gives its resources back on leaving.

    A blob that is deleted while it is open may be read to its end or fail with StoreUnavailable.
    """

    @property
    def size(self) -> int:
        """The number of bytes stored."""
        ...

    async def read_at(self, offset: int, length: int) -> bytes:
        """Give `length` bytes from `offset`, fewer only where the blob ends. Raises StoreUnavailable."""
        ...

    async def __aenter__(self) -> Self:
        """Give the reader itself."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what the reader holds."""
        ...


class BlobStore(Protocol):
    """Immutable blobs under keys (see `check_key`); safe from many tasks and many processes at once."""

    @property
    def clock_ahead(self) -> float | None:
        """How many seconds the server's clock was ahead of ours when it last answered.

        None where it is ours, or was not heard yet.
        """
        ...

    async def put(self, key: str, source: Path) -> None:
        """Store the bytes of the file `source`; durable on return, all or nothing.

        The same key with the same bytes is a success, also after a crash between the two. Raises BlobConflict
        for other bytes under this key, BlobKeyInvalid, and StoreUnavailable: then there is all of the blob or
        nothing (a server may have done what it could not say any more), and a second put is right either way.
        """
        ...

    async def open(self, key: str) -> BlobReader:
        """Open the blob for reading. Raises BlobMissing, BlobKeyInvalid, StoreUnavailable."""
        ...

    async def delete(self, key: str) -> None:
        """Take the blob away, durable on return; a missing one is fine.

        On return nobody opens it any more through this store. What a server keeps locked until a date stays
        there until then, and that is a success: nobody can have it gone sooner. Any other refusal is none:
        raises BlobKeyInvalid and StoreUnavailable (StoreRefused where we may not delete), and then some
        versions may be gone and others not; doing it again goes on with the rest.
        """
        ...

    def keys(self) -> AsyncIterator[tuple[str, int]]:
        """Give every key with the size of its blob in bytes, in no promised order. Raises StoreUnavailable.

        What is put or deleted while the listing runs may be in it or not.
        """
        ...

    async def age(self, key: str) -> timedelta:
        """Say how long the blob has been there; clocks of two machines may differ by minutes.

        Raises BlobMissing, BlobKeyInvalid, StoreUnavailable.
        """
        ...

    async def ready(self) -> None:
        """Return if the store can be read and written now, else raise StoreUnavailable with the reason."""
        ...

    def told(self) -> dict[str, Any]:
        """Say what kind of store this is and what it was seen to do when it was opened; nothing secret."""
        ...

    async def close(self) -> None:
        """Give back threads and connections; the store is not used afterwards."""
        ...


def check_key(key: str) -> str:
    """Give `key` back if it is well formed, else raise BlobKeyInvalid: [a-z0-9]{2,} parts joined by "/"."""
    if len(key) > KEY_LENGTH_MAX or not _KEY.fullmatch(key):
        raise BlobKeyInvalid(repr(key[:KEY_LENGTH_MAX]))
    return key
