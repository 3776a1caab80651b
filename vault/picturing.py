"""The picture of one page of a document: content, so read, entered and opened as the file is.

The file passes through a scratch file that has no name while anything is in it, so that it is gone with the
process; the picture is stored nowhere.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signing.errors import WorkerFailed
from signing.file_types import XML
from signing.picture import NoPicture, Picture
from vault import deliver, records, tries
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.errors import NotFound, PictureFailed, VaultBusy
from vault.keeping import scratch_file
from vault.sending import Delivery
from vault.services import Refusal, Vault


async def show_page(vault: Vault, caller: OwnerCaller, record_id: str, page: int) -> Picture | Refusal:
    """Draw a page (from 1) of a document of the caller's store, in a worker process of its own.

    Raises:
        NotFound: there is no such document in this store, or it has no such page.
        PictureFailed: the file could not be drawn; that is an entry.
        ContentDamaged, VaultBusy: as in `deliver.read_own`.
    """
    at = vault.clock.now()
    async with vault.db.read() as db:
        stored = await records.one(db, record_id, legal_day(at))
    if stored is None or caller.owner not in stored.facts.owners:
        await tries.at_record(vault, caller, record_id, at)
    pages = stored.row["pages"]
    if stored.row["media_type"] == XML:  # nothing is opened for a picture that there is not
        raise NotFound
    if page < 1 or (pages is not None and page > pages):
        raise NotFound
    return await _shown(vault, await deliver.read_own(vault, caller, record_id, page=page), page)


async def show_released(vault: Vault, caller: SystemCaller, release_id: str, page: int) -> Picture | Refusal:
    """Draw a page (from 1) of a document that was released to the caller: a reading of its content.

    Raises:
        NotFound: there is no such release, it is another system's, or the document has no such page.
        PictureFailed: the file could not be drawn; that is an entry.
        ContentDamaged, VaultBusy: as in `deliver.deliver`.
    """
    if page < 1:
        raise NotFound
    return await _shown(vault, await deliver.deliver(vault, caller, release_id), page)


async def _shown(vault: Vault, delivery: Delivery | Refusal, page: int) -> Picture | Refusal:
    if isinstance(delivery, Refusal):
        return delivery
    if delivery.media_type == XML:
        await delivery.chunks.aclose()
        await delivery.broken("page_not_there")
        raise NotFound
    try:
        drawn = await _drawn(vault, delivery, page)
    except (OSError, WorkerFailed) as problem:
        await delivery.broken("scratch_unavailable" if isinstance(problem, OSError) else problem.code)
        raise VaultBusy(f"page picture: {type(problem).__name__}") from problem
    if isinstance(drawn, Picture):
        return drawn
    await delivery.broken(drawn.reason)
    raise _failure(drawn)


async def _drawn(vault: Vault, delivery: Delivery, page: int) -> Picture | NoPicture:
    async with _scratch(vault) as file:
        async for chunk in delivery.chunks:
            await asyncio.to_thread(_write, file, chunk)
        os.lseek(file, 0, os.SEEK_SET)
        return await vault.workers.picture(file, page)


@asynccontextmanager
async def _scratch(vault: Vault) -> AsyncIterator[int]:
    """Open a file that nobody else can: its name is gone before its first byte comes."""
    path = scratch_file(vault)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        path.unlink()
        yield file
    finally:
        os.close(file)


def _write(file: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(file, left) :]


def _failure(drawn: NoPicture) -> Exception:
    return NotFound() if drawn.reason == "page_not_there" else PictureFailed(drawn.reason)
