"""Restoring a backup into an empty place: checked before and after, and a whole vault or none.

In this order: a mark, so that nobody takes what is there for a vault; the keys; the blobs; a new log key
where one is needed; all rows at once; an inspection; and the mark away. Whoever dies meanwhile runs it again.

Access tokens of before end with the restore, for the key that they were signed with is made anew, and so do
all sign-ins, which are in no backup. What was done after the backup is lost: docs/backup.md says what that
means, for withdrawals and revocations above all.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.blobs import BlobStore
from storage.durable import sync_folder
from storage.errors import MasterKeyMissing
from storage.keyring import SECRET_BYTES, check_key_folder, load_or_create_master
from storage.opening import open_store
from vault import blob_copies, hooks, key_copies, new_log_key, origins, part_marks, standing
from vault.backup_examining import Examined, KeysForeign, check_checkpoint, check_master
from vault.connecting import connect
from vault.database import Database
from vault.errors import VaultError, VaultIncomplete
from vault.inspecting import Finding, looked_through
from vault.log_folder import LogForked
from vault.manifest import BLOBS, MANIFEST, listed
from vault.new_log_key import Remembered, open_new_log, remembered
from vault.opening import VaultPlaces, mark_finished, mark_of, mark_restoring, restored_here
from vault.row_loading import load, miscounted, tables_in
from vault.rows_address import RowsAddress
from vault.signer_memory import KEY_FILE, MEMORY_FILE, Memory

Log = Literal["same", "new"]
_TOKEN = "token.key"  # noqa: S105 - the name of a file
_NEXT = ".next"
ELSEWHERE = "carry them away or name an empty place (what a move left that was given up may be removed)"
_OF_BLOBS = frozenset({"blob_missing", "blob_changed", "store_unavailable"})


class PlaceNotEmpty(VaultError):
    """A backup is restored into an empty place only."""

    code = "place_not_empty"


class OriginNeeded(VaultError):
    """The log must go on under a new name, and that is for a person to decide."""

    code = "origin_needed"


class RestoreFailed(VaultError):
    """What was restored is not what was backed up; it is no vault, and the mark stays."""

    code = "restore_failed"


@dataclass(frozen=True)
class Restored:
    """What was restored: the log's name and size, whether the name is new, what an inspection tells."""

    origin: str
    size: int
    new_origin: bool
    records: int
    blobs: int
    findings: tuple[Finding, ...]
    paused: int  # web hooks that wait for an administrator's word


async def restore(
    examined: Examined,
    places: VaultPlaces,
    at: datetime,
    *,
    keys_from: Sequence[Path] = (),
    log: Log | None = None,
) -> Restored:
    """Restore a backup that was examined.

    Args:
        keys_from: copies of the keys, all that the vault had; none: they are in their place.
        log: "new": it goes on under a new name. "same": under the old one, for somebody knows that nothing
            was signed after the backup. None: under the old one where the keys' memory says so.

    Raises:
        PlaceNotEmpty: naming what is there.
        PlacesTogether: the store lies within or around the keys, the log or the scratch folder.
        KeysForeign, BackupCut, BackupDamaged, MasterKeyMissing, MasterKeyExposed: of the keys.
        OriginNeeded, LogForked: the keys have signed more than, or other than, what was backed up.
        RestoreFailed: what was restored differs.
        VaultLocked, VaultBusy, StoreUnavailable, BlobConflict, OSError.
    """
    key_copies.check_store_apart(places.store, (places.keys, places.log, places.scratch))
    copies = await asyncio.to_thread(key_copies.examine_keys, keys_from)
    begun = await _begun(examined, places)
    new = await asyncio.to_thread(_decide, examined, places, copies, log, begun=begun)
    if not begun:
        await _require_empty(places, keys=bool(copies))
    store = await asyncio.to_thread(open_store, places.store, places.store_access)
    try:
        if not begun:
            await _require_no_blobs(store, places)
        await asyncio.to_thread(mark_restoring, places, examined.name)
        if not places.database.server:
            places.database.file.parent.mkdir(parents=True, exist_ok=True)
        rows = await connect(places.database, hold="alone")
        try:
            return await _restore(examined, places, at, copies, new, store, rows)
        finally:
            await rows.close()
    finally:
        await store.close()


async def _restore(
    examined: Examined,
    places: VaultPlaces,
    at: datetime,
    copies: Sequence[Path],
    new: bool,
    store: BlobStore,
    rows: Database,
) -> Restored:
    if copies:
        await asyncio.to_thread(_lay_keys, copies, places.keys)
    await blob_copies.out_of_backup(examined.folder, examined.folder / BLOBS, store)
    signed = await asyncio.to_thread(_log_key, examined, places.keys, new=new)
    await asyncio.to_thread(_new_token_key, places.keys)
    if not await tables_in(places.database):
        await _load(examined, places, at, signed)
    found = await _inspected(examined, places, store, rows)
    async with rows.write() as db:
        paused = await hooks.pause_all(db, at)
        await part_marks.forget(db)  # the keys are in one folder, and two of them are new
        await standing.clear(db)
    await asyncio.to_thread(mark_finished, places)
    return Restored(
        remembered(places.keys).key.name,
        examined.tree.size,
        new,
        found.records,
        found.blobs,
        found.findings,
        paused,
    )


def begun_from(places: VaultPlaces, backups: Path) -> Path | None:
    """Give which backup of a folder of backups is being restored to these places, if it is still there.

    A newer one may have come since: a restore goes on with the one that it was begun from.
    """
    folder = Path((restored_here(places) or "").rpartition(" (")[0])
    return folder if folder.parent == backups.resolve() and (folder / MANIFEST).exists() else None


# Before anything is written ------------------------------------------------------------------------------


async def _begun(examined: Examined, places: VaultPlaces) -> bool:
    """Say whether this very restore was begun before. Raises PlaceNotEmpty if something else was."""
    if not mark_of(places).exists():
        return False
    restored = restored_here(places)
    if restored is not None and restored != examined.name:
        raise PlaceNotEmpty(
            f"{places.database} was never restored to the end: run `kho restore` again, from {restored}"
        )
    if restored is None:
        raise PlaceNotEmpty(f"{mark_of(places)} says that something else was begun here and never ended")
    return True


async def _require_empty(places: VaultPlaces, *, keys: bool) -> None:
    await require_no_rows(places.database)
    published = sorted(one.name for one in places.log.glob("*")) if places.log.exists() else []
    if published:
        raise PlaceNotEmpty(
            f"a log is published in {places.log}: {listed(published, 3)}; carry it away first"
        )
    if keys and places.keys.exists() and any(places.keys.iterdir()):
        raise PlaceNotEmpty(
            f"keys are in {places.keys}; restore without --keys-from, or carry them away first"
        )


async def require_no_rows(address: RowsAddress) -> None:
    """Refuse a place where rows are, saying what to do. Raises PlaceNotEmpty, VaultBusy."""
    there = await tables_in(address)
    if there:
        named = f": {listed(there, 3)}" if address.server else ""  # the name of a file is its address
        raise PlaceNotEmpty(f"rows are at {address}{named}; {ELSEWHERE}")


async def _require_no_blobs(store: BlobStore, places: VaultPlaces) -> None:
    async for key, _ in store.keys():
        raise PlaceNotEmpty(f"bytes are in {places.store}: {key}, for one; {ELSEWHERE}")


def _decide(
    examined: Examined, places: VaultPlaces, copies: Sequence[Path], log: Log | None, *, begun: bool
) -> bool:
    """Hold the keys to the backup, and say whether the log needs a new name."""
    folder = _holding(copies, KEY_FILE) if copies else places.keys
    if not copies:
        _require_keys(folder)
        Memory.open(folder / MEMORY_FILE, create=False).close()  # nobody signs with it now
    known = remembered(folder)
    check_master(
        examined,
        load_or_create_master(_holding(copies, "master.key") if copies else places.keys, create=False),
    )
    if begun and not copies and known.key.name != examined.manifest.log.origin:
        old = new_log_key.retired(folder, str(examined.manifest.log.origin))
        if old is not None:  # the restore that was begun has made the new one
            check_checkpoint(examined, old.key.verifier_line())
            return True
    if examined.manifest.log.origin not in (None, known.key.name):
        raise KeysForeign(f"the log key is {known.key.name}, the backup is of {examined.manifest.log.origin}")
    check_checkpoint(examined, known.key.verifier_line())
    return _needs_new(examined, known, log, copied=bool(copies))


def _require_keys(folder: Path) -> None:
    try:
        check_key_folder(folder)
    except MasterKeyMissing as problem:
        raise MasterKeyMissing(f"{problem.detail}; give a copy of the keys by --keys-from") from problem


def _needs_new(examined: Examined, known: Remembered, log: Log | None, *, copied: bool) -> bool:
    tree, head = examined.tree, known.head
    if head.size > tree.size:
        if log != "new":
            raise OriginNeeded(
                f"{head.size} entries were signed, the backup holds {tree.size}: what came after is lost, "
                "and the log can go on only under a new name that says so; give --new-origin"
            )
        return True
    if tree.root(head.size) != head.root:
        raise LogForked(
            f"the first {head.size} entries in the backup are not the ones that these keys signed"
        )
    if log is None and copied:
        raise OriginNeeded(
            "copied keys do not know what was signed after they were copied: give --new-origin, which is "
            "always safe, or --same-origin if you know that the vault signed nothing after this backup"
        )
    return log == "new"


def _holding(copies: Sequence[Path], name: str) -> Path:
    for one in copies:
        if (one / name).exists():
            return one
    raise VaultIncomplete(f"no copy of the keys holds {name}")


# The keys ------------------------------------------------------------------------------------------------


def _lay_keys(copies: Sequence[Path], keys: Path) -> None:
    """Lay the copies into the key folder, all of them at once or not at all."""
    if (keys / "master.key").exists():
        return  # laid before we died
    staging = keys.with_name(f"{keys.name}.arriving")
    key_copies.lay_keys(copies, staging)
    staging.rename(keys)  # over an empty folder, or none
    sync_folder(keys.parent)
    check_key_folder(keys)


def _log_key(examined: Examined, keys: Path, *, new: bool) -> Remembered | None:
    """Make the new log key where one is needed; gives the old one."""
    if not new:
        return None
    origin = examined.manifest.log.origin
    now = remembered(keys)
    if origin is not None and now.key.name != origin:
        return new_log_key.retired(keys, origin)
    return open_new_log(keys, size=examined.tree.size, root=examined.tree.root())


def _new_token_key(keys: Path) -> None:
    """Make the key of access tokens anew: those of before are good for nothing any more."""
    beside = keys / f"{_TOKEN}{_NEXT}"
    handle = os.open(beside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    beside.rename(keys / _TOKEN)
    sync_folder(keys)


# The rows ------------------------------------------------------------------------------------------------


async def _load(examined: Examined, places: VaultPlaces, at: datetime, old: Remembered | None) -> None:
    now = remembered(places.keys)

    async def finish(db: AsyncConnection) -> None:
        await standing.put(db, "restoring", examined.name, at)
        if old is not None:
            await origins.add_pending(
                db,
                key_line=now.key.verifier_line(),
                first=examined.tree.size,
                root=examined.tree.root(),
                old_size=old.head.size,
                old_root=old.head.root,
                backup=examined.digest,
                at=at,
            )

    await load(places.database, examined.folder, examined.manifest, finish)


async def _inspected(examined: Examined, places: VaultPlaces, store: BlobStore, rows: Database) -> "_Seen":
    async with rows.read() as db:
        wrong = await miscounted(db, examined.manifest)
    found = await looked_through(places, rows, store)
    if (found.entries, found.root) != (examined.tree.size, examined.tree.root()):
        wrong.append(f"the log has another root, at size {found.entries}")
    wrong += [
        f"{one.what}: {one.code}"
        for one in found.findings
        if one.code in _OF_BLOBS and one.blob not in examined.manifest.damaged  # those were not in the backup
    ]
    if wrong:
        raise RestoreFailed(listed(wrong))
    told = tuple(one for one in found.findings if one.code != "elsewhere")
    return _Seen(found.records, found.blobs, told)


@dataclass(frozen=True)
class _Seen:
    records: int
    blobs: int
    findings: tuple[Finding, ...]
