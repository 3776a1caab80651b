"""Moving a vault to other addresses: another database, another store, or both; keys and published log stay.

The source is frozen first, by a row that every process meets: it must not be served, and cannot be until the
move has ended or was given up. Then its blobs are copied, its rows loaded at the target all at once, and both
sides inspected; they must tell the same. Then the source says where the vault went, and last the target lets
itself be served. Whoever dies meanwhile runs it again: what is right already is not done twice.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.blobs import BlobStore
from storage.opening import folder_of, open_store
from vault import blob_copies, standing
from vault.connecting import connect
from vault.database import Database
from vault.errors import VaultError
from vault.inspecting import Finding, Inspection, looked_through
from vault.key_copies import check_store_apart
from vault.manifest import BLOBS, LogHead, Manifest, listed
from vault.migrating import check_schema
from vault.opening import VaultPlaces, check_made
from vault.restoring import ELSEWHERE, PlaceNotEmpty, require_no_rows
from vault.row_dumping import Dumped, dump
from vault.row_loading import load, miscounted, tables_in
from vault.standing import Standing, VaultElsewhere

_STAGING = "moving"  # in the scratch folder, for the files of the rows
_LEFT_OUT = frozenset({"vault_standing"})  # all the rest comes along, sign-ins too: it is the same vault


class NothingToMove(VaultError):
    """Database and store of the target are those of the vault."""

    code = "nothing_to_move"


class MoveFailed(VaultError):
    """What arrived is not what was there; the source is as it was, and the move can be given up."""

    code = "move_failed"


@dataclass(frozen=True)
class Moved:
    """A move that has ended: what both sides tell."""

    size: int
    root: bytes
    records: int
    blobs: int
    copied: int  # blobs that were not there yet
    findings: tuple[Finding, ...]


async def move(source: VaultPlaces, target: VaultPlaces, at: datetime) -> Moved:
    """Move a vault that nobody serves, or go on with a move that was begun.

    Raises:
        NothingToMove, PlaceNotEmpty: the target is the source, or holds something.
        PlacesTogether: the new store lies within or around the keys, the log, scratch or the old store.
        VaultLocked: the source is served, or the target is open.
        VaultElsewhere: the source is being moved to another place, or was.
        MoveFailed: the two sides differ.
        VaultIncomplete, SchemaMismatch, VaultBusy, StoreUnavailable, BlobConflict, RowsUnfit, OSError.
    """
    rows_move, bytes_move = _what_moves(source, target)
    if bytes_move:
        old = folder_of(source.store)
        own = (source.keys, source.log, source.scratch, target.scratch)
        check_store_apart(target.store, own if old is None else (*own, old))
    await check_made(source)
    async with _open(source) as (rows, store):
        await check_schema(source.database)
        peer = place(target)
        known = await _standing(rows)
        await _require_own(known, peer, source)
        if known is None:
            await standing.require_bytes_here(store, source.store)
            await _require_empty(target, rows_move=rows_move, bytes_move=bytes_move)
            async with rows.write() as db:
                await standing.put(db, "moving", peer, at)
        if known is not None and known.state == "moved":
            await _require_unended(target, known, source)
        if not rows_move:
            return await _move_bytes(source, target, rows, store, peer, at)
        return await _move_rows(source, target, rows, store, peer, at, bytes_move=bytes_move)


async def give_up(source: VaultPlaces) -> Standing | None:
    """Give up a move that has not ended, so that the source is served again; gives which, if any.

    What was copied stays where it is, and refuses to be served.

    Raises:
        VaultElsewhere: it has ended.
        VaultLocked, VaultIncomplete, VaultBusy.
    """
    await check_made(source)
    rows = await connect(source.database, hold="alone")
    try:
        known = await _standing(rows)
        if known is not None and known.state != "moving":
            raise VaultElsewhere(known.words(str(source.database)))
        async with rows.write() as db:
            await standing.clear(db)
        return known
    finally:
        await rows.close()


def place(places: VaultPlaces) -> str:
    """Name a place in words that show no password and do not depend on the folder one is in."""
    rows = str(places.database) if places.database.server else str(places.database.file.resolve())
    return f"{rows}, {_store(places)}"


def _store(places: VaultPlaces) -> str:
    kind, _, where = places.store.partition(":")
    return f"folder:{Path(where).resolve()}" if kind == "folder" else places.store


def _what_moves(source: VaultPlaces, target: VaultPlaces) -> tuple[bool, bool]:
    rows = place(source).partition(", ")[0] != place(target).partition(", ")[0]
    stores = _store(source) != _store(target)
    if not rows and not stores:
        raise NothingToMove
    return rows, stores


async def _standing(rows: Database) -> Standing | None:
    async with rows.read() as db:
        return await standing.standing(db)


async def _require_own(known: Standing | None, peer: str, source: VaultPlaces) -> None:
    if known is not None and (known.state not in ("moving", "moved") or known.peer != peer):
        raise VaultElsewhere(known.words(str(source.database)))


async def _require_empty(target: VaultPlaces, *, rows_move: bool, bytes_move: bool) -> None:
    if rows_move:
        await require_no_rows(target.database)
    if bytes_move:
        store = await asyncio.to_thread(open_store, target.store, target.store_access)
        try:
            async for key, _ in store.keys():
                raise PlaceNotEmpty(f"bytes are in {target.store}: {key}, for one; {ELSEWHERE}")
        finally:
            await store.close()


@asynccontextmanager
async def _open(places: VaultPlaces) -> AsyncIterator[tuple[Database, BlobStore]]:
    if not places.database.server:
        places.database.file.parent.mkdir(parents=True, exist_ok=True)
    rows = await connect(places.database, hold="alone")
    try:
        store = await asyncio.to_thread(open_store, places.store, places.store_access)
        try:
            yield rows, store
        finally:
            await store.close()
    finally:
        await rows.close()


@asynccontextmanager
async def _dumped(source: VaultPlaces, rows: Database) -> AsyncIterator[tuple[Path, Dumped]]:
    """Write the rows into the scratch folder; nobody changes them meanwhile."""
    staging = source.scratch / _STAGING
    await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
    staging.mkdir(mode=0o700, parents=True)
    try:
        async with rows.read(unlimited=True) as db:
            written = await dump(db, staging, without=_LEFT_OUT)
        yield staging, written
    finally:
        await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)


async def _move_bytes(
    source: VaultPlaces, target: VaultPlaces, rows: Database, store: BlobStore, peer: str, at: datetime
) -> Moved:
    """Move the store alone; the rows stay, and say in the end that the vault is served again."""
    to = await asyncio.to_thread(open_store, target.store, target.store_access)
    try:
        async with _dumped(source, rows) as (staging, _):
            copied = await blob_copies.between_stores(store, staging / BLOBS, to, staging)
            before = await looked_through(source, rows, store)
            after = await looked_through(target, rows, to)
            _require_same(before, after)
            await standing.leave_note(store, peer, staging)
    finally:
        await to.close()
    async with rows.write() as db:
        await standing.served_again(db, _store(target), at)
    return _moved(after, copied.written)


async def _move_rows(
    source: VaultPlaces,
    target: VaultPlaces,
    rows: Database,
    store: BlobStore,
    peer: str,
    at: datetime,
    *,
    bytes_move: bool,
) -> Moved:
    async with _dumped(source, rows) as (staging, dumped), _open(target) as (to_rows, to_store):
        copied = 0
        if bytes_move:
            done = await blob_copies.between_stores(store, staging / BLOBS, to_store, staging)
            copied = done.written
        manifest = _manifest(dumped, at)
        if not await tables_in(target.database):

            async def finish(db: AsyncConnection) -> None:
                await standing.put(db, "arriving", place(source), at)

            await load(target.database, staging, manifest, finish)
        await _require_arrived(target, to_rows, source)
        before = await looked_through(source, rows, store)
        after = await looked_through(target, to_rows, to_store)
        async with to_rows.read() as db:
            wrong = await miscounted(db, manifest)
        if wrong:
            raise MoveFailed(listed(wrong))
        _require_same(before, after)
        # The source first: at no time are both served.
        if bytes_move:
            await standing.leave_note(store, peer, staging)
        async with rows.write() as db:
            await standing.put(db, "moved", peer, at)
        async with to_rows.write() as db:
            await standing.clear(db)
        return _moved(after, copied)


async def _require_unended(target: VaultPlaces, known: Standing, source: VaultPlaces) -> None:
    """Refuse to move again what was moved: only the last word at the target may be missing."""
    rows = await connect(target.database, hold="none")
    try:
        there = await _standing(rows)
    finally:
        await rows.close()
    if there is None or there.state != "arriving":
        raise VaultElsewhere(known.words(str(source.database)))


async def _require_arrived(target: VaultPlaces, rows: Database, source: VaultPlaces) -> None:
    """See that the rows at the target came by this move."""
    known = await _standing(rows)
    if known is None:
        raise PlaceNotEmpty(f"another vault is at {target.database}")
    if (known.state, known.peer) != ("arriving", place(source)):
        raise VaultElsewhere(known.words(str(target.database)))


def _require_same(before: Inspection, after: Inspection) -> None:
    wrong = []
    if (before.entries, before.root) != (after.entries, after.root):
        wrong.append(f"the log has {after.entries} entries of {before.entries}, or another root")
    if before.records != after.records:
        wrong.append(f"there are {after.records} records of {before.records}")
    known = {(one.code, one.what) for one in before.findings}
    wrong += [
        f"{one.what}: {one.code}" for one in after.findings if one.harm and (one.code, one.what) not in known
    ]
    if wrong:
        raise MoveFailed(listed(wrong))


def _moved(after: Inspection, copied: int) -> Moved:
    told = tuple(one for one in after.findings if one.code != "elsewhere")
    return Moved(after.entries, after.root, after.records, after.blobs, copied, told)


def _manifest(dumped: Dumped, at: datetime) -> Manifest:
    head = LogHead(dumped.tree.size, dumped.tree.root().hex(), None, None, None)
    return Manifest("", at.isoformat(), dumped.schema, dumped.rows, dumped.blobs, 0, {}, head, ())
