"""A backup of a vault, also while it is served: rows of one snapshot, the blobs they name, the manifest.

Why in this order: a blob is in the store before the row that names it is committed, and never changes, so
whatever a snapshot of the rows names is there to be copied. What was taken away between the snapshot and the
copy (a file that waited for its seal, or lay in quarantine) is missed, and then the rows are read again: a
backup never names what was ended. The other way round, blobs first, would miss every document of the minutes
in between. No lock is held, and no snapshot while blobs are copied.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import select

from signing.checkpoint import parse_checkpoint, split_note
from signing.log_errors import NoteInvalid
from signing.merkle import Tree
from storage.blobs import BlobStore
from storage.durable import sync_folder
from storage.opening import open_store
from vault import backup_place, blob_copies
from vault.backup_place import Stays
from vault.blob_copies import CHANGED, MISSING, Copied
from vault.connecting import connect
from vault.database import Database
from vault.errors import VaultBusy
from vault.inspecting_log import published_note
from vault.log_folder import LogForked
from vault.manifest import BLOBS, MANIFEST, LogHead, Manifest
from vault.migrating import check_schema
from vault.named_blobs import still_named
from vault.opening import VaultPlaces, check_made
from vault.row_dumping import Dumped, dump
from vault.signer import LogBehind
from vault.standing import require_bytes_here, require_here
from vault.tables import log_origin

ROUNDS = 5
# What ends by itself within the hour, and must not come back: sign-ins, shares of one delivery, answers that
# an officer's session looks at; and where the vault stands, which is about the place.
LEFT_OUT = frozenset({"session", "staff_session", "delivery_share", "asked_plan", "vault_standing"})


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made: its folder, the SHA-256 of its manifest, what was counted, what was removed."""

    folder: Path
    digest: str
    manifest: Manifest
    written: int  # blobs that no earlier backup held
    pruned: tuple[str, ...]
    harmed: Mapping[str, str]  # blobs that the vault itself has lost, whole here from an earlier backup; code


async def back_up(
    places: VaultPlaces, to: Path, at: datetime, *, keep: int | Stays, read_store: bool = False
) -> BackedUp:
    """Back up rows, bytes and log into a folder of backups; keys are not touched.

    Args:
        keep: how many backups stay, or which; others are removed once this one is whole.
        read_store: hash every blob of the store, also those that an earlier backup holds.

    Raises:
        VaultIncomplete, SchemaMismatch, VaultElsewhere, VaultBusy, StoreUnavailable: of the vault.
        LogBehind, LogForked: the rows are not those that were published, so nothing is kept of them.
        BackupPlaceTaken, BackupUnwritable: of the folder.
    """
    await check_made(places)
    db = await connect(places.database, hold="none")
    try:
        await check_schema(places.database)
        await require_here(db, str(places.database))
        store = await asyncio.to_thread(open_store, places.store, places.store_access)
        try:
            await require_bytes_here(store, places.store)
            with backup_place.writing_to(to):
                return await _back_up(places, db, store, to, at, keep, read_store=read_store)
        finally:
            await store.close()
    finally:
        await db.close()


async def _back_up(
    places: VaultPlaces,
    db: Database,
    store: BlobStore,
    to: Path,
    at: datetime,
    keep: int | Stays,
    *,
    read_store: bool,
) -> BackedUp:
    earlier = backup_place.whole(to)[-1:]
    written = 0
    for _ in range(ROUNDS):
        begun = backup_place.begin(to, frozenset({blob_copies.FOLDER}))
        note = await asyncio.to_thread(published_note, places.log)  # before the rows, which only grow
        async with db.read(unlimited=True) as connection:
            dumped = await dump(connection, begun, without=LEFT_OUT)
            origin = (await connection.execute(_NEWEST)).first()
        head = _head(dumped.tree, note, origin)
        blob_copies.make_shards(begun)
        copied = await blob_copies.into_backup(store, begun / BLOBS, begun, earlier, read_store=read_store)
        written += copied.written
        if not await _ended_meanwhile(db, copied):
            break
    else:
        raise VaultBusy("files are being ended faster than they are copied; try again at a quieter time")
    await blob_copies.drop_others(begun / BLOBS, begun)
    manifest = _manifest(dumped, copied, head, at)
    digest = await asyncio.to_thread(_settle, begun, manifest)
    folder = await asyncio.to_thread(backup_place.finish, begun, at)
    gone = await asyncio.to_thread(backup_place.prune, to, keep)
    return BackedUp(folder, digest, manifest, written, tuple(gone), copied.harmed)


_NEWEST = select(log_origin.c.name, log_origin.c.key_line).order_by(log_origin.c.n.desc()).limit(1)


async def _ended_meanwhile(db: Database, copied: Copied) -> bool:
    """Say whether a blob that was missing is named no more: then the rows are another's time."""
    missing = [*copied.missing, *(key for key, code in copied.harmed.items() if code == MISSING)]
    if not missing:
        return False
    async with db.read() as connection:
        named = await still_named(connection, missing)
    return not named.issuperset(missing)


def _head(tree: Tree, note: bytes | None, origin: Any) -> LogHead:
    """Hold the rows to what was published. Raises LogBehind, LogForked."""
    name, line = (origin.name, origin.key_line) if origin is not None else (None, None)
    root = tree.root().hex()
    if note is None:
        return LogHead(tree.size, root, name, line, None)
    try:
        text = note.decode()
        head = parse_checkpoint(split_note(text)[0])
    except (NoteInvalid, UnicodeDecodeError):
        raise LogForked("the published checkpoint is none") from None
    if head.size > tree.size:
        raise LogBehind(f"there are {tree.size} entries, but {head.size} were published")
    if tree.root(head.size) != head.root:
        raise LogForked(f"the first {head.size} entries are not the ones that were published")
    return LogHead(tree.size, root, name, line, text)


def _manifest(dumped: Dumped, copied: Copied, head: LogHead, at: datetime) -> Manifest:
    damaged = dict.fromkeys(copied.missing, MISSING) | dict.fromkeys(copied.changed, CHANGED)
    return Manifest(
        kho=version("kho"),
        made_at=at.isoformat(),
        schema=dumped.schema,
        rows=dumped.rows,
        blobs=dumped.blobs,
        blob_bytes=copied.size,
        damaged=damaged,
        log=head,
        left_out=tuple(sorted(LEFT_OUT)),
    )


def _settle(begun: Path, manifest: Manifest) -> str:
    """Make all of a backup durable, the manifest last; gives its SHA-256 as hex."""
    blob_copies.sync_shards(begun)
    for one in manifest.files():
        _sync_file(begun / one.file)
    for folder in (begun / "rows", begun):
        sync_folder(folder)
    text = manifest.text()
    with (begun / MANIFEST).open("xb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return sha256(text).hexdigest()


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
