"""Copying blobs between a store and the folder of a backup, or two stores; each is hashed on its way."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from storage.blobs import BlobReader, BlobStore, check_key
from storage.durable import sync_folder
from storage.errors import BlobMissing
from vault.at_once import each
from vault.manifest import digest_of
from vault.row_files import RowsReader

FOLDER = "blobs"
MISSING, CHANGED = "blob_missing", "blob_changed"
_PIECE = 1024 * 1024
_NO_LINKS = (errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EXDEV, errno.ENOSYS)


@dataclass
class Copied:
    """What a round of copying did."""

    count: int = 0  # that are right now
    size: int = 0  # bytes of these
    written: int = 0  # that were not there before
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)  # not the bytes that the rows say
    harmed: dict[str, str] = field(default_factory=dict)  # right here, but MISSING or CHANGED in the store


async def listed_blobs(path: Path) -> AsyncIterator[tuple[str, bytes]]:
    """Give key and SHA-256 of every blob of a list. Raises RowsFileDamaged, BlobKeyInvalid."""
    portions = RowsReader(path).portions()
    while portion := await asyncio.to_thread(next, portions, None):
        for one in portion:
            yield check_key(one["key"]), one["sha256"]


def place_of(folder: Path, key: str) -> Path:
    """Say where a blob lies in a backup: 256 shards, as in a store's folder."""
    name = key.replace("/", ".")
    return folder / FOLDER / sha256(name.encode()).hexdigest()[:2] / name


def make_shards(folder: Path) -> None:
    """Make the folders of the blobs."""
    for number in range(256):
        (folder / FOLDER / f"{number:02x}").mkdir(parents=True, exist_ok=True)


async def drop_others(names: Path, folder: Path) -> None:
    """Remove the blobs of a backup that its list does not name: of a round before, or of one that was cut."""
    named = set()  # short hashes: a million of them are some 60 MB
    async for key, _ in listed_blobs(names):
        named.add(_short(place_of(folder, key).name))

    def drop() -> None:
        for number in range(256):
            for one in os.scandir(folder / FOLDER / f"{number:02x}"):
                if _short(one.name) not in named:
                    os.unlink(one)

    await asyncio.to_thread(drop)


def _short(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big")


def sync_shards(folder: Path) -> None:
    """Make the names of the blobs durable."""
    for number in range(256):
        sync_folder(folder / FOLDER / f"{number:02x}")
    sync_folder(folder / FOLDER)


async def into_backup(
    store: BlobStore, names: Path, folder: Path, earlier: Sequence[Path], *, read_store: bool = False
) -> Copied:
    """Copy every blob of a list into a backup's folder; what is there and right stays.

    Of a blob that need not be copied the store is asked all the same whether it has it, and how long it is.

    Args:
        names: the list.
        earlier: backups whose files are linked instead, where they are right.
        read_store: hash these in the store, too.

    Raises:
        OSError: the folder cannot be written.
        StoreUnavailable: the store cannot be read.
    """
    done = Copied()

    async def copy(one: tuple[str, bytes]) -> None:
        key, digest = one
        target = place_of(folder, key)
        size = await asyncio.to_thread(_kept, target, [place_of(each, key) for each in earlier], digest)
        if size is None:
            try:
                async with await store.open(key) as reader:
                    right = await _written(reader, target, digest)
                    size = reader.size
            except BlobMissing:
                done.missing.append(key)
                return
            if not right:
                done.changed.append(key)
                return
            done.written += 1
        elif wrong := await _wrong_in(store, key, size, digest if read_store else None):
            done.harmed[key] = wrong
        done.count += 1
        done.size += size

    await each(listed_blobs(names), copy)
    return done


async def _wrong_in(store: BlobStore, key: str, size: int, digest: bytes | None) -> str | None:
    """Say what is wrong with a blob of the store whose bytes are known; `digest`: it is read for that."""
    try:
        async with await store.open(key) as reader:
            if reader.size != size:
                return CHANGED
            return CHANGED if digest is not None and await _hashed(reader) != digest else None
    except BlobMissing:
        return MISSING


async def _hashed(reader: BlobReader) -> bytes:
    digest = sha256()
    for offset in range(0, reader.size, _PIECE):
        piece = await reader.read_at(offset, min(_PIECE, reader.size - offset))
        await asyncio.to_thread(digest.update, piece)
    return digest.digest()


def _kept(target: Path, earlier: Sequence[Path], digest: bytes) -> int | None:
    """Give the size of the blob if it is there already, linking it from an earlier backup; None: copy it."""
    if target.exists():
        if digest_of(target) == digest.hex():
            return target.stat().st_size
        target.unlink()  # cut in the middle, or rotten
    for one in earlier:
        if one.exists() and digest_of(one) == digest.hex():
            try:
                os.link(one, target)
            except OSError as problem:
                if problem.errno not in _NO_LINKS:
                    raise
                return None
            return target.stat().st_size
    return None


async def _written(reader: BlobReader, target: Path, expected: bytes) -> bool:
    """Write a blob into a file, durably; False, and no file, where its bytes are not the expected ones."""
    digest = sha256()
    with target.open("xb") as file:
        for offset in range(0, reader.size, _PIECE):
            piece = await reader.read_at(offset, min(_PIECE, reader.size - offset))
            await asyncio.to_thread(_add, file, digest, piece)
        if digest.digest() == expected:
            await asyncio.to_thread(_settle, file)
            return True
    await asyncio.to_thread(target.unlink)
    return False


def _add(file: BinaryIO, digest: "object", piece: bytes) -> None:
    file.write(piece)
    digest.update(piece)  # type: ignore[attr-defined]


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


async def out_of_backup(folder: Path, names: Path, store: BlobStore) -> int:
    """Put every blob of a backup that is in its folder into a store; gives how many.

    Raises:
        BlobConflict: the store holds other bytes under one of the keys.
        StoreUnavailable, OSError.
    """
    count = 0

    async def put(one: tuple[str, bytes]) -> None:
        nonlocal count
        source = place_of(folder, one[0])
        if await asyncio.to_thread(source.exists):  # else it was damaged when it was backed up
            await store.put(one[0], source)
            count += 1

    await each(listed_blobs(names), put)
    return count


async def between_stores(source: BlobStore, names: Path, target: BlobStore, scratch: Path) -> Copied:
    """Copy every blob of a list from one store to another, as it is; what is there and right stays.

    Bytes that are not those that the rows say are copied too: nothing is lost by the way, nothing is mended.

    Raises:
        BlobConflict: the target holds other bytes under one of the keys.
        StoreUnavailable, OSError.
    """
    done = Copied()

    async def copy(one: tuple[str, bytes]) -> None:
        key, digest = one
        if await _there(target, key, digest):
            done.count += 1
            return
        path = scratch / f"{sha256(key.encode()).hexdigest()}.tmp"
        path.unlink(missing_ok=True)
        try:
            async with await source.open(key) as reader:
                seen = sha256()
                with path.open("xb") as file:
                    for offset in range(0, reader.size, _PIECE):
                        piece = await reader.read_at(offset, min(_PIECE, reader.size - offset))
                        await asyncio.to_thread(_add, file, seen, piece)
                done.size += reader.size
            if seen.digest() != digest:
                done.changed.append(key)
            await target.put(key, path)
            done.count += 1
            done.written += 1
        except BlobMissing:
            done.missing.append(key)
        finally:
            path.unlink(missing_ok=True)

    await each(listed_blobs(names), copy)
    return done


async def _there(store: BlobStore, key: str, expected: bytes) -> bool:
    try:
        async with await store.open(key) as reader:
            return await _hashed(reader) == expected
    except BlobMissing:
        return False
