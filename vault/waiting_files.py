"""Files that wait for their seal: a scan, or a result handed in as a file, sealed in the store.

A file is put before the row that names it is written, and taken away after that row is gone: whatever dies
in between leaves an orphan blob that `inspect --sweep` removes, never a row whose bytes are not there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.errors import StorageError, StoreUnavailable
from storage.sealed import read_sealed, seal_file
from vault.evidence_tables import waiting_file, waiting_seal
from vault.keeping import scratch_file, write_private
from vault.services import Vault

PART = "file"  # what the sealed bytes are bound to, beside the id of what waits
MOST_BYTES = 4 * 2**30  # of the whole vault
MOST_BYTES_OF_ONE = 2**30  # of one agency


@dataclass(frozen=True)
class HandedIn:
    """A file as it was handed in; `media_type` is what it was declared to be."""

    path: Path
    media_type: str


async def put(vault: Vault, waiting: str, file: HandedIn, key: bytes) -> dict[str, Any]:
    """Seal a file and put it, durably; gives the row that names it.

    Raises:
        StorageError: the store or the scratch folder cannot take it; nothing is left behind.
    """
    target, blob = scratch_file(vault), blob_name(waiting)
    try:
        sealed = await asyncio.to_thread(seal_file, file.path, target, key=key, record=waiting, part=PART)
        await vault.store.put(blob, target)
    finally:
        target.unlink(missing_ok=True)
    return {"waiting": waiting, "media_type": file.media_type, "blob": blob, **asdict(sealed)}


@asynccontextmanager
async def opened(vault: Vault, row: RowMapping, key: bytes) -> AsyncIterator[Path]:
    """Give a file that waits as one of our own that is gone on leaving; it is never whole in memory.

    Args:
        row: of `waiting_file`.

    Raises:
        BlobMissing, BlobDamaged: its bytes are not there any more.
        StoreUnavailable: the store or the scratch folder cannot be used just now.
    """
    path = scratch_file(vault)
    try:
        try:
            await asyncio.to_thread(write_private, path, b"")
            await _lay_out(vault, row, key, path)
        except OSError as problem:
            raise StoreUnavailable(f"scratch: {problem.strerror}") from problem
        yield path
    finally:
        path.unlink(missing_ok=True)


async def _lay_out(vault: Vault, row: RowMapping, key: bytes, path: Path) -> None:
    size = row["content_size"]
    async with await vault.store.open(row["blob"]) as reader:
        sealed = read_sealed(reader, key=key, record=row["waiting"], part=PART, content_size=size)
        with path.open("r+b") as file:
            async with aclosing(sealed):
                async for chunk in sealed:
                    await asyncio.to_thread(file.write, chunk)


async def one(db: AsyncConnection, waiting: str) -> RowMapping | None:
    """Give the row of the file that waits with what was asked, or None where there is none."""
    query = select(waiting_file).where(waiting_file.c.waiting == waiting)
    return (await db.execute(query)).mappings().first()


async def is_room(db: AsyncConnection, agency: str, size: int) -> bool:
    """Say whether `size` more bytes of an agency may wait."""
    held = select(func.coalesce(func.sum(waiting_file.c.content_size), 0))
    theirs = held.join(waiting_seal, waiting_seal.c.id == waiting_file.c.waiting).where(
        waiting_seal.c.agency == agency
    )
    for query, most in ((theirs, MOST_BYTES_OF_ONE), (held, MOST_BYTES)):
        if (await db.execute(query)).scalar_one() + size > most:
            return False
    return True


async def forget(db: AsyncConnection, waiting: str) -> None:
    """Take away the row of a file whose waiting ends: nothing names its bytes from this commit on."""
    await db.execute(delete(waiting_file).where(waiting_file.c.waiting == waiting))


async def discard(vault: Vault, waiting: str) -> None:
    """Take a file's bytes away unless a row still names them; else `inspect` sweeps them."""
    async with vault.db.read() as db:
        if await one(db, waiting) is not None:
            return
    with suppress(StorageError):
        await vault.store.delete(blob_name(waiting))


def blob_name(waiting: str) -> str:
    """Give the key of what waits in the store."""
    return f"waiting/{waiting.removeprefix('wait-')}/{PART}"
