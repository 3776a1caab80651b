"""Opening a vault: its places checked, its parts put together, its log grown from the committed rows."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import select

from search.index import Index
from search.opening import open_index
from signing.hook_sending import HookSender
from signing.malware import Clamd
from signing.status_fetching import StatusFetcher
from signing.workers import WorkerPool
from storage.durable import sync_folder
from storage.keyring import check_key_folder, create_key_folder
from vault import origins, reclassing, trusting
from vault.clock import Clock
from vault.connecting import connect
from vault.database import Database
from vault.errors import VaultIncomplete
from vault.founding import Foundation, founded
from vault.importing import publish_book
from vault.migrating import check_schema, check_tables, migrate, versions
from vault.places import Authorities, PartPlaces, VaultPlaces
from vault.quarantine_ending import sweep
from vault.quarantining import PURPOSE
from vault.realm_rules import Realm, RealmRules
from vault.scan_drafts import ScanDrafts
from vault.scratch import own_scratch
from vault.services import Vault
from vault.standing import require_here
from vault.tables import key_pair
from vault.upserting import upsert

__all__ = ["Authorities", "PartPlaces", "VaultPlaces", "check_made", "check_places", "looked_at", "opened"]

_FINISH = "run again what was making it (`kho serve --create`, `kho demo`)"
_RESTORING = "restore "  # and what is restored: then nothing but that goes on with it


async def check_places(places: VaultPlaces, *, create: bool) -> bool:
    """Say whether the vault is to be made, or to be finished; one half without the other is refused.

    Raises:
        VaultIncomplete: rows without keys, keys without rows, or nothing whole at all and `create` is false.
        MasterKeyExposed: others can read the keys.
        VaultBusy: the server of the rows cannot be reached.
    """
    if places.parts is not None:
        await check_tables(places.database)
        return False
    unfinished = mark_of(places).exists()
    _require_not_restoring(places)
    if unfinished and not create:
        raise VaultIncomplete(f"the vault at {places.database} was never finished: {_FINISH}")
    rows, keys = await _rows_exist(places), (places.keys / "master.key").exists()
    if rows != keys and not unfinished:
        there, gone = (places.database, places.keys) if rows else (places.keys, places.database)
        raise VaultIncomplete(
            f"{there} is there but {gone} is not: a vault and its keys belong together; "
            f"put {gone} back, or remove all of it (rows, bytes, log, keys) to begin anew"
        )
    if not rows and not create:
        raise VaultIncomplete(f"there is no vault at {places.database} and no keys at {places.keys}")
    if keys:
        check_key_folder(places.keys)
    return unfinished or not rows


async def check_made(places: VaultPlaces) -> None:
    """Refuse a place where there is no vault, without a look at the keys.

    Raises:
        VaultIncomplete: there are no rows, or whatever made them died before the vault was whole.
        VaultBusy: the server of the rows cannot be reached.
    """
    _require_not_restoring(places)
    if places.parts is None and mark_of(places).exists():
        raise VaultIncomplete(f"the vault at {places.database} was never finished: {_FINISH}")
    if not await _rows_exist(places):
        raise VaultIncomplete(f"there is no database at {places.database}")


@asynccontextmanager
async def looked_at(places: VaultPlaces) -> AsyncIterator[Database]:
    """Give a vault's rows to look at, without its keys, whoever serves it meanwhile.

    Raises:
        VaultIncomplete, SchemaMismatch, VaultBusy.
    """
    await check_made(places)
    rows = await connect(places.database, hold="none")
    try:
        await check_schema(places.database)
        yield rows
    finally:
        await rows.close()


async def _rows_exist(places: VaultPlaces) -> bool:
    if places.database.server:
        return (await versions(places.database))[0] is not None
    return places.database.file.exists()


def mark_of(places: VaultPlaces) -> Path:
    """Say where a file is while a vault is being made or restored: what died meanwhile is taken up again."""
    if places.database.server:
        return places.keys.with_name(f"{places.keys.name}.unfinished")
    return places.database.file.with_suffix(".unfinished")


def restored_here(places: VaultPlaces) -> str | None:
    """Give which backup is being restored to these places, as `mark_restoring` was told; None: none is."""
    try:
        said = mark_of(places).read_text("utf-8")
    except FileNotFoundError:
        return None
    return said.removeprefix(_RESTORING) if said.startswith(_RESTORING) else None


def mark_restoring(places: VaultPlaces, backup: str) -> None:
    """Mark the places durably, so that nobody takes what is there for a vault. Raises OSError."""
    mark = mark_of(places)
    mark.parent.mkdir(parents=True, exist_ok=True)
    beside = mark.with_name(f"{mark.name}.new")  # a full disk leaves no half of a mark
    with beside.open("wb") as file:
        file.write((_RESTORING + backup).encode())
        file.flush()
        os.fsync(file.fileno())
    beside.rename(mark)
    sync_folder(mark.parent)


def _require_not_restoring(places: VaultPlaces) -> None:
    backup = restored_here(places) if places.parts is None else None
    if backup is not None:
        raise VaultIncomplete(
            f"{places.database} was never restored to the end: run `kho restore` again, from {backup}"
        )


@asynccontextmanager
async def opened(
    places: VaultPlaces,
    *,
    create: bool,
    clock: Clock,
    issuer: str,
    authorities: Authorities,
    workers: int | WorkerPool = 2,
    scanner: Clamd | None = None,
    realms: Mapping[Realm, RealmRules] = MappingProxyType({}),
) -> AsyncIterator[Vault]:
    """Open the vault, with SQLite this process its only writer, and close it again.

    Args:
        workers: how many files are examined at once, or a running pool that its owner closes.
        scanner: asked about malware in every file that comes from outside; None asks nobody.
        realms: what is asked of whoever signs in, where the gate is in this process.

    Raises:
        VaultIncomplete, MasterKeyExposed, VaultLocked, SchemaMismatch, LogBehind, LogForked,
            StoreUnavailable, VaultBusy.
    """
    await check_places(places, create=create)
    _make_folders(places)
    async with AsyncExitStack() as stack:
        db = await connect(places.database, hold="writing")
        stack.push_async_callback(db.close)
        making = await stack.enter_async_context(AsyncExitStack())
        if create:
            await making.enter_async_context(db.alone("making", wait=True))
        fresh = await check_places(places, create=create)  # again: from here on nobody else is making it
        if fresh:
            await _begin(places)
        await check_schema(places.database)
        await require_here(db, str(places.database))
        base = await founded(places, db, stack, clock, issuer, authorities, realms, fresh=fresh)
        pool = workers if isinstance(workers, WorkerPool) else await _started(workers, stack)
        status = StatusFetcher(authorities.status_hosts)
        stack.push_async_callback(status.close)
        sender = HookSender(authorities.hook_hosts)
        stack.push_async_callback(sender.close)
        scratch, give_up = own_scratch(places.scratch, shared=db.shared)
        stack.callback(give_up)
        index = open_index(places.search, places.search_access) if places.search is not None else None
        if index is not None:
            stack.push_async_callback(index.close)
        vault = _put_together(places, base, pool, authorities, status, sender, clock, scanner, scratch, index)
        if fresh:
            mark_finished(places)
        await making.aclose()
        await vault.appender.start()
        await _own_keys(vault, create=create or places.parts is None)
        await origins.look(vault)
        await publish_book(vault)
        await trusting.look(vault)
        await reclassing.catch_up(vault)
        await sweep(vault)
        stack.push_async_callback(vault.looks.close)
        yield vault


def _make_folders(places: VaultPlaces) -> None:
    folders = [places.log, places.keys.parent] if places.parts is None else []
    if not places.database.server:
        folders.append(places.database.file.parent)
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    places.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)  # documents lie there unsealed for a moment


async def _begin(places: VaultPlaces) -> None:
    _mark_unfinished(places)
    create_key_folder(places.keys)
    await migrate(places.database)


def _put_together(
    places: VaultPlaces,
    base: Foundation,
    pool: WorkerPool,
    authorities: Authorities,
    status: StatusFetcher,
    sender: HookSender,
    clock: Clock,
    scanner: Clamd | None,
    scratch: Path,
    index: Index | None,
) -> Vault:
    return Vault(
        db=base.db,
        store=base.store,
        appender=base.appender,
        signer=base.signer,
        gate=base.gate,
        sealer=base.sealer,
        workers=pool,
        ocr=authorities.ocr,
        drafts=ScanDrafts(),
        trust=authorities.trust,
        demonstration=authorities.demonstration,
        status=status,
        book=base.book,
        clock=clock,
        scratch=scratch,
        log_folder=places.log,
        scanner=scanner,
        index=index,
        full_text=places.full_text,
        folders=places.folders,
        hook_folder=places.keys / "webhooks",
        hook_sender=sender,
    )


def _mark_unfinished(places: VaultPlaces) -> None:
    mark = mark_of(places)
    mark.touch(mode=0o600)
    sync_folder(mark.parent)


def mark_finished(places: VaultPlaces) -> None:
    """Take the mark away, durably: the vault is whole. Raises OSError."""
    mark = mark_of(places)
    mark.unlink()
    sync_folder(mark.parent)


async def _started(size: int, stack: AsyncExitStack) -> WorkerPool:
    pool = WorkerPool(size=size)
    stack.push_async_callback(pool.close)
    await pool.start()
    return pool


async def _own_keys(vault: Vault, *, create: bool) -> None:
    """Make the vault's own keys: of entries about nobody, of what waits, and of what lies in quarantine.

    Raises:
        VaultIncomplete: there are none at all, and `create` is false.
    """
    wanted = ("log", "waiting", PURPOSE)
    async with vault.db.read() as db:
        own = select(key_pair.c.purpose).where(key_pair.c.kind == "vault")
        known = set((await db.execute(own)).scalars())
    if not known and not create:
        raise VaultIncomplete(f"this vault was never finished: {_FINISH}")
    missing = [await vault.gate.new_pair("vault", "vault", one) for one in wanted if one not in known]
    for row in missing:
        async with vault.db.write() as db:
            await db.execute(upsert(key_pair).values(**row).on_conflict_do_nothing())
