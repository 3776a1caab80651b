"""Blobs in a folder of one machine: one file each, in 256 shards, written beside and linked into place."""

import asyncio
import filecmp
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, TypeVarTuple, Unpack

from storage.blobs import check_key
from storage.durable import publish, sweep, sync_folder, temporary_file
from storage.errors import BlobConflict, BlobKeyInvalid, BlobMissing, StorageError, StoreUnavailable

THREADS = 8
_COPY = 1024 * 1024
_HEAD = 128 * 1024
_SHARDS = tuple(f"{number:02x}" for number in range(256))
# "/" of a key becomes "." in its file name, which no key contains: so "ab" and "ab/cd" can both be stored.
_SLASH, _DOT = "/", "."

Given = TypeVarTuple("Given")
Result = TypeVar("Result")


class FolderReader:
    """One open file; reads at offsets, in the threads of its store.

    The head is read while a thread is at it anyway: most documents then need no second one.
    """

    def __init__(self, file: FileIO, pool: ThreadPoolExecutor) -> None:
        """Take over `file`, open for reading; blocks while it reads the head."""
        self._file = file
        self._pool = pool
        self.size = os.fstat(file.fileno()).st_size
        self._head = self._read(0, _HEAD)

    async def read_at(self, offset: int, length: int) -> bytes:
        """Give `length` bytes from `offset`, fewer only where the blob ends. Raises StoreUnavailable."""
        if min(offset + length, self.size) <= len(self._head):
            return self._head[offset : offset + length]
        return await _in_thread(self._pool, self._read, offset, length)

    def _read(self, offset: int, length: int) -> bytes:
        content = os.pread(self._file.fileno(), length, offset)
        while len(content) < length:
            more = os.pread(self._file.fileno(), length - len(content), offset + len(content))
            if not more:
                break
            content += more
        return content

    async def __aenter__(self) -> Self:
        """Give the reader itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class FolderStore:
    """The store of the embedded set-up (the contract: `storage.blobs.BlobStore`)."""

    clock_ahead: float | None = None

    def __init__(self, root: Path) -> None:
        """Open the store in `root`, making the folder (700) if it is not there.

        What a killed process left half written is removed. Raises StoreUnavailable.
        """
        self._blobs = root / "blobs"
        self._temporary = root / "writing"
        with _only_our_errors():
            self._prepare(root)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")

    def _prepare(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._blobs.mkdir(mode=0o700, exist_ok=True)
        self._temporary.mkdir(mode=0o700, exist_ok=True)
        # All shards stand before the first put, so that a put has only its own name to make durable.
        for shard in set(_SHARDS).difference(os.listdir(self._blobs)):
            (self._blobs / shard).mkdir(mode=0o700, exist_ok=True)
        for folder in (self._blobs, root, root.parent):
            sync_folder(folder)
        sweep(self._temporary)

    async def put(self, key: str, source: Path) -> None:
        """Store the bytes of `source` under `key` (contract: `BlobStore.put`)."""
        target = self._path(key)
        await _in_thread(self._pool, self._put, key, source, target)

    def _put(self, key: str, source: Path, target: Path) -> None:
        with source.open("rb") as content, temporary_file(self._temporary) as (path, file):
            shutil.copyfileobj(content, file, _COPY)
            try:
                publish(path, file, target)
            except FileExistsError:
                if not filecmp.cmp(path, target, shallow=False):
                    raise BlobConflict(key) from None
                _settle(target)

    async def open(self, key: str) -> FolderReader:
        """Open the blob under `key` (contract: `BlobStore.open`)."""
        opening = asyncio.ensure_future(_in_thread(self._pool, self._open, key, self._path(key)))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unclaimed)
            raise

    def _open(self, key: str, target: Path) -> FolderReader:
        try:
            return FolderReader(FileIO(target, "rb"), self._pool)
        except FileNotFoundError:
            if not target.parent.is_dir():  # the volume is gone, which says nothing about the blob
                raise
            raise BlobMissing(key) from None

    async def delete(self, key: str) -> None:
        """Take the blob under `key` away (contract: `BlobStore.delete`)."""
        target = self._path(key)
        await _in_thread(self._pool, _delete, target)

    async def keys(self) -> AsyncIterator[tuple[str, int]]:
        """Give every key and size, shard by shard (contract: `BlobStore.keys`)."""
        for shard in _SHARDS:
            folder = self._blobs / shard
            for row in await _in_thread(self._pool, _listing, folder):
                yield row

    async def age(self, key: str) -> timedelta:
        """Say how long the blob has been there (contract: `BlobStore.age`)."""
        return await _in_thread(self._pool, _age, key, self._path(key))

    async def ready(self) -> None:
        """Write and take away one byte, durably (contract: `BlobStore.ready`)."""
        await _in_thread(self._pool, self._probe)

    def _probe(self) -> None:
        sync_folder(self._blobs / _SHARDS[0])
        with temporary_file(self._temporary) as (_, file):
            file.write(b"\0")
            file.flush()
            os.fsync(file.fileno())

    def told(self) -> dict[str, Any]:
        """Say what kind of store this is."""
        return {"kind": "folder"}

    async def close(self) -> None:
        """Wait for what is under way and end the threads."""
        await asyncio.to_thread(self._pool.shutdown)

    def _path(self, key: str) -> Path:
        name = check_key(key).replace(_SLASH, _DOT)
        return self._blobs / hashlib.sha256(name.encode()).hexdigest()[:2] / name


def _close_unclaimed(opening: asyncio.Future[FolderReader]) -> None:
    """Close the file of an opening whose caller left while a thread was at it."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _settle(target: Path) -> None:
    """Make an equal blob durable that another put has linked: it may have died, or not be done yet."""
    with target.open("rb") as file:
        os.fsync(file.fileno())
    sync_folder(target.parent)


def _delete(target: Path) -> None:
    target.unlink(missing_ok=True)
    sync_folder(target.parent)


def _age(key: str, target: Path) -> timedelta:
    try:
        return timedelta(seconds=time.time() - target.stat().st_mtime)
    except FileNotFoundError:
        raise BlobMissing(key) from None


def _listing(folder: Path) -> list[tuple[str, int]]:
    rows = []
    with os.scandir(folder) as files:
        for file in files:
            # A name that is no key is not ours; a file that is gone was deleted while we looked.
            with suppress(BlobKeyInvalid, FileNotFoundError):
                key = check_key(file.name.replace(_DOT, _SLASH))
                rows.append((key, file.stat(follow_symlinks=False).st_size))
    return rows


async def _in_thread(
    pool: ThreadPoolExecutor, work: Callable[[Unpack[Given]], Result], *given: *Given
) -> Result:
    with _only_our_errors():
        return await asyncio.get_running_loop().run_in_executor(pool, work, *given)


@contextmanager
def _only_our_errors() -> Iterator[None]:
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise StoreUnavailable(f"{error.strerror}{where}") from error
