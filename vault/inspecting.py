"""Inspecting: do rows, blobs and tree agree? Needs no key, opens nothing (DESIGN 11).

A row holds the SHA-256 of the sealed bytes beside that of the content, so every blob can be checked unopened.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

from sqlalchemy import select

from signing.leaf import LEAF_SIZE
from signing.merkle import Tree, leaf_hash
from storage.blobs import BlobStore
from storage.errors import BlobMissing, StorageError
from storage.opening import open_store
from vault import origins, validation_evidence
from vault.connecting import connect
from vault.database import Database, Hold
from vault.days import legal_day
from vault.entries import instant
from vault.evidence_tables import earlier_content, quarantine, scan, waiting_file
from vault.inspecting_log import differences, published_note
from vault.migrating import check_schema
from vault.opening import VaultPlaces, check_made
from vault.standing import NOTE, bytes_moved, note_in, standing
from vault.tables import damage, entry_fact, entry_holder, log_entry, log_head, record

_PIECE = 1024 * 1024
_ON_ITS_WAY = timedelta(
    days=1
)  # the longest that a blob may wait for its row in a process that lost its place
_HOLD: dict[bool, Hold] = {False: "none", True: "alone"}


@dataclass(frozen=True)
class Finding:
    """One thing found: `code` is stable; `harm` is false for what is only to be swept.

    `blob` is the key of the bytes in question, where it is about bytes.
    """

    code: str
    what: str
    harm: bool
    blob: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Inspection:
    """What was counted and what was found."""

    entries: int
    records: int
    blobs: int
    root: bytes
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Say whether nothing harmful was found."""
        return not any(one.harm for one in self.findings)


async def inspect(places: VaultPlaces, *, sweep: bool = False) -> Inspection:
    """Compare rows, blobs and tree of a vault.

    Args:
        sweep: remove orphan blobs; needs the vault for itself. Where several processes may have the rows
            open, those of the last day stay: a process that lost its connection, and with it its place among
            them, may have put its blob before and commit its row after.

    Raises:
        VaultIncomplete: there is no vault, or it was never finished.
        VaultLocked: `sweep` while another process has the vault open.
        SchemaMismatch, StoreUnavailable, VaultBusy.
    """
    await check_made(places)
    await check_schema(places.database)
    db = await connect(places.database, hold=_HOLD[sweep])
    store = await asyncio.to_thread(open_store, places.store, places.store_access)
    try:
        return await looked_through(places, db, store, sweep=sweep)
    finally:
        await store.close()
        await db.close()


async def looked_through(
    places: VaultPlaces, db: Database, store: BlobStore, *, sweep: bool = False
) -> Inspection:
    """Compare rows, blobs and tree that are open already, of a vault that may not be whole yet.

    Raises:
        StoreUnavailable, VaultBusy.
    """
    note = await asyncio.to_thread(published_note, places.log)  # before the rows, which only grow
    tree, leaves, entries = await _entries(db)
    entries += await _facts(db)
    entries += await _evidence(db)
    entries += await _standing(db, places, store)
    entries += [
        Finding(code, what, True)
        for code, what in await asyncio.to_thread(_differences, places.log, note, tree, leaves)
    ]
    blobs = [key async for key, _ in store.keys()]  # noqa: SIM118 - a store is no dict
    records, found, known = await _records(db, store)
    for others in (await _in_quarantine(db, store), await _waiting(db, store)):
        found, known = found + others[0], known | others[1]
    orphans = sorted(set(blobs) - known - {NOTE})
    for key in orphans:
        gone = sweep and await _swept(store, key, at_least=_ON_ITS_WAY if db.shared else timedelta())
        entries.append(Finding("orphan_swept" if gone else "orphan_blob", key, False))
    return Inspection(tree.size, records, len(blobs), tree.root(), tuple([*entries, *found]))


async def _swept(store: BlobStore, key: str, *, at_least: timedelta) -> bool:
    if at_least and await store.age(key) < at_least:
        return False
    await store.delete(key)
    return True


def _differences(
    folder: Path, note: bytes | None, tree: Tree, leaves: Sequence[bytes]
) -> list[tuple[str, str]]:
    return list(differences(folder, note, tree, leaves))


async def _entries(db: Database) -> tuple[Tree, list[bytes], list[Finding]]:
    """Grow the tree from the rows: no gap, each leaf hash that of its leaf, a head of that size.

    Body and seeds are sealed; beside each stands the SHA-256 of what was sealed.
    """
    findings: list[Finding] = []
    async with db.read(unlimited=True) as connection:
        rows = (await connection.execute(select(log_entry).order_by(log_entry.c.idx))).all()
        head = (await connection.execute(select(log_head.c.size))).scalar_one_or_none() or 0
        damaged = (await connection.execute(select(damage.c.record, damage.c.idx))).all()
        seeds = (await connection.execute(select(entry_holder).order_by(entry_holder.c.idx))).all()
    for position, row in enumerate(rows):
        if row.idx != position:
            findings.append(Finding("entry_gap", f"entry {position} is missing", True))
            break
        if len(row.leaf) != LEAF_SIZE or row.leaf[1] != row.kind or leaf_hash(row.leaf) != row.leaf_hash:
            findings.append(Finding("entry_changed", f"entry {row.idx}", True))
        if sha256(row.body).digest() != row.body_sha256:
            findings.append(Finding("entry_body_changed", f"entry {row.idx}", True))
    if head != len(rows):
        findings.append(Finding("head_differs", f"head {head}, rows {len(rows)}", True))
    findings += [
        Finding("entry_seed_changed", f"entry {one.idx}, {one.holder_kind}", True)
        for one in seeds
        if sha256(one.sealed_seed).digest() != one.seed_sha256
    ]
    held = {one.idx for one in seeds}
    findings += [Finding("entry_unheld", f"entry {row.idx}", True) for row in rows if row.idx not in held]
    findings += [Finding("damage_reported", f"{row.record}, entry {row.idx}", True) for row in damaged]
    return Tree([row.leaf_hash for row in rows]), [row.leaf for row in rows], findings


async def _facts(db: Database) -> list[Finding]:
    """Compare what auditors filter by with the entries: one row each, of the same kind and time.

    Entries older than the first row come from a vault that kept no such rows; no later one may lack its own.
    """
    query = (
        select(log_entry.c.idx, log_entry.c.kind, log_entry.c.at, entry_fact.c.idx.label("fact"))
        .add_columns(entry_fact.c.kind.label("said"), entry_fact.c.at.label("said_at"), entry_fact.c.day)
        .outerjoin(entry_fact, entry_fact.c.idx == log_entry.c.idx)
        .order_by(log_entry.c.idx)
    )
    async with db.read(unlimited=True) as connection:
        rows = (await connection.execute(query)).all()
    older = list(takewhile(lambda row: row.fact is None, rows))
    findings = [Finding("facts_begin", f"entries before {len(older)} have none", False)] if older else []
    for row in rows[len(older) :]:
        if row.fact is None:
            findings.append(Finding("fact_missing", f"entry {row.idx}", True))
        elif (row.said, row.said_at, row.day) != (row.kind, row.at, legal_day(instant(row.at)).isoformat()):
            findings.append(Finding("fact_differs", f"entry {row.idx}", True))
    return findings


async def _evidence(db: Database) -> list[Finding]:
    async with db.read(unlimited=True) as connection:
        names = await validation_evidence.changed(connection)
    return [Finding("evidence_changed", name, True) for name in names]


async def _standing(db: Database, places: VaultPlaces, store: BlobStore) -> list[Finding]:
    """Tell where the vault stands, and under which names its log was signed, if there was more than one."""
    async with db.read() as connection:
        found = await standing(connection)
        names = await origins.listed(connection)
    findings = [Finding("elsewhere", found.words(str(places.database)), False)] if found is not None else []
    peer = await note_in(store) if found is None else None
    if peer is not None:  # what is handed in from now on lies there alone
        findings.append(Finding("elsewhere", bytes_moved(places.store, peer), True))
    for one in names[1:]:
        known = (
            "" if one.old_size is None else f"; of the log before, {one.old_size} entries are known as signed"
        )
        findings.append(Finding("origin", f"{one.name} from entry {one.first} on{known}", False))
    return findings


async def _records(db: Database, store: BlobStore) -> tuple[int, list[Finding], set[str]]:
    async with db.read(unlimited=True) as connection:
        rows = (await connection.execute(select(record).order_by(record.c.id))).mappings().all()
        originals = {row.record: row for row in await connection.execute(select(scan))}
        earlier = (await connection.execute(select(earlier_content))).mappings().all()
    findings: list[Finding] = []
    known: set[str] = set()
    for row in rows:
        for part, blob, expected in _parts(row, originals.get(row["id"])):
            known.add(blob)
            problem = await _check(store, blob, expected)
            if problem is not None:
                findings.append(Finding(problem, f"{row['id']}, {part}", True, blob))
    for row in earlier:  # before a renewal: receipts name them still
        known.add(row["blob"])
        problem = await _check(store, row["blob"], row["sealed_sha256"])
        if problem is not None:
            findings.append(Finding(problem, f"{row['record']}, version {row['version']}", True, row["blob"]))
    return len(rows), findings, known


async def _in_quarantine(db: Database, store: BlobStore) -> tuple[list[Finding], set[str]]:
    query = select(quarantine).where(quarantine.c.ended_at.is_(None)).order_by(quarantine.c.id)
    async with db.read(unlimited=True) as connection:
        rows = (await connection.execute(query)).mappings().all()
    findings = []
    for row in rows:
        problem = await _check(store, row["blob"], row["sealed_sha256"])
        if problem is not None:
            findings.append(
                Finding(problem, f"{row['id']}, in quarantine", False, row["blob"])
            )  # nobody's document
    if rows:
        size = sum(row["size"] for row in rows)
        findings.append(
            Finding("quarantine", f"{len(rows)} files, {size} bytes; see `kho quarantine`", False)
        )
    return findings, {row["blob"] for row in rows}


async def _waiting(db: Database, store: BlobStore) -> tuple[list[Finding], set[str]]:
    """Check the files that wait for their seal: they are what somebody handed in, and nobody has them yet.

    What stopped waiting while we looked is gone for good reason.
    """
    query = select(waiting_file).order_by(waiting_file.c.waiting)
    async with db.read() as connection:
        rows = (await connection.execute(query)).mappings().all()
    blobs = {row["waiting"]: row["blob"] for row in rows}
    problems = {row["waiting"]: await _check(store, row["blob"], row["sealed_sha256"]) for row in rows}
    async with db.read() as connection:
        still = set((await connection.execute(select(waiting_file.c.waiting))).scalars())
    findings = [
        Finding(problem, f"{one}, waits for its seal", True, blobs[one])
        for one, problem in problems.items()
        if problem is not None and one in still
    ]
    if rows:
        size = sum(row["content_size"] for row in rows)
        findings.append(Finding("waiting_files", f"{len(rows)} files, {size} bytes wait for a seal", False))
    return findings, {row["blob"] for row in rows}


def _parts(row: Any, made_from: Any) -> list[tuple[str, str, bytes]]:
    parts = [("file", row["blob"], row["sealed_sha256"])]
    if made_from is not None:
        parts.append(("original", made_from.blob, made_from.sealed_sha256))
    for part in ("data", "signature"):
        if row[f"{part}_blob"]:
            parts.append((part, row[f"{part}_blob"], row[f"{part}_sealed_sha256"]))
    return parts


async def _check(store: BlobStore, blob: str, expected: bytes) -> str | None:
    try:
        async with await store.open(blob) as reader:
            digest = sha256()
            async for piece in _pieces(reader):
                await asyncio.to_thread(digest.update, piece)
    except BlobMissing:
        return "blob_missing"
    except StorageError as problem:
        return problem.code
    return None if digest.digest() == expected else "blob_changed"


async def _pieces(reader: Any) -> AsyncIterator[bytes]:
    for offset in range(0, reader.size, _PIECE):
        yield await reader.read_at(offset, min(_PIECE, reader.size - offset))
