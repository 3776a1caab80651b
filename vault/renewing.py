"""Archive time stamps, renewed before they run out: a new version of a record's file, the old one kept.

The record's row names the newest; what it was before stands in `earlier_content`, so that a receipt that
names the old digest still has its bytes. Opening the file is an entry before it is read, and so is the
renewal.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update

from signing.errors import RewritingFailed, SealingFailed, WorkerFailed
from signing.leaf import Kind
from signing.report import Examination
from storage.errors import StorageError
from storage.sealed import Sealed, seal_file
from vault import archive_stamps, entries, epochs, maintenance, reclassing, records, validation_evidence
from vault.appending import Transaction
from vault.archive_stamps import ARCHIVED
from vault.days import legal_day
from vault.entries import stamp
from vault.errors import Moved, VaultError
from vault.evidence_tables import earlier_content
from vault.examining import accepted
from vault.keeping import blob_name, scratch_file
from vault.records import Stored, version_of
from vault.services import MAX_UPLOAD, Vault
from vault.tables import record

WINDOW = timedelta(days=180)  # before a stamp runs out
JOB = "opened_for_renewal"
RENEWED = "archive_renewed"
_REASON = "archive_time_stamp"
_EXPECTED = (VaultError, StorageError, SealingFailed, RewritingFailed, WorkerFailed, Moved)

Failed = Callable[[str, Exception], None]


@dataclass(frozen=True)
class Renewals:
    """What a look came to: files opened to learn how long their stamp lasts, renewed, and not renewed."""

    looked: int = 0
    renewed: int = 0
    failed: int = 0


class NotRenewed(VaultError):
    """The renewed file does not validate; the record keeps the file it has."""

    code = "renewal_invalid"


async def renew_due(vault: Vault, failed: Failed, *, window: timedelta = WINDOW) -> Renewals:
    """Renew every archive time stamp that runs out within a window, one record after the other.

    A record of which it is not known how long its stamp lasts is opened once to learn it.

    Args:
        failed: hears why one was not renewed, by a code; it is tried again at the next look.
    """
    looked = renewed = broken = 0
    async with vault.db.read() as db:
        due = await archive_stamps.due(db, vault.clock.now() + window)
    for record_id in due:
        try:
            done = await _renew(vault, record_id, window)
        except _EXPECTED as problem:
            failed("renewal_failed", problem)
            broken += 1
        else:
            looked, renewed = looked + (not done), renewed + done
    return Renewals(looked, renewed, broken)


async def _renew(vault: Vault, record_id: str, window: timedelta) -> bool:
    """Renew one; says whether there was something to renew."""
    async with vault.db.read() as db:
        stored = await records.one(db, record_id, legal_day(vault.clock.now()))
    if stored is None or stored.facts.damaged or stored.facts.verdict != "valid":
        await _note(vault, record_id, None)  # nothing that a stamp could keep alive
        return False
    opening = maintenance.opened_with_key(vault, stored, job=JOB, reason=_REASON)
    async with opening as (content, key):
        until = await vault.workers.lasts(content)
        if until is None or until > vault.clock.now() + window:
            await _note(vault, record_id, until)
            return False
        target, put = scratch_file(vault), scratch_file(vault)
        try:
            at = vault.clock.now()
            async with vault.db.read() as db:
                known = await validation_evidence.certificates_of(db, record_id)
            await vault.sealer.renew(vault.workers, content, target, known=known, at=at, max_bytes=MAX_UPLOAD)
            examined = await _checked(vault, target, at)
            lasts = await vault.workers.lasts(target)
            part = f"v{version_of(stored.row) + 1}x{os.urandom(4).hex()}"
            sealed = await asyncio.to_thread(seal_file, target, put, key=key, record=record_id, part=part)
            await vault.store.put(blob_name(record_id, part), put)
        finally:
            for left in (target, put):
                left.unlink(missing_ok=True)
    await _commit(vault, stored, examined, sealed, part, lasts)
    await reclassing.judge_anew(vault, [record_id])
    return True


async def _checked(vault: Vault, file: Path, at: datetime) -> Examination:
    """Have a fresh worker judge the renewed file as anybody would: valid, and archived again."""
    examined = await accepted(vault, file, at)
    if examined.report.verdict != "valid" or not any(
        one.level == ARCHIVED for one in examined.report.signatures
    ):
        raise NotRenewed
    return examined


async def _note(vault: Vault, record_id: str, until: datetime | None) -> None:
    async with vault.db.write() as db:
        await archive_stamps.note(db, record_id, until, vault.clock.now())


async def _commit(
    vault: Vault, stored: Stored, examined: Examination, sealed: Sealed, part: str, lasts: datetime | None
) -> None:
    """Put the new version in the place of the old one, with the entry that says so to every owner."""
    at, old = vault.clock.now(), stored.row
    new = {
        "blob": blob_name(old["id"], part),
        "content_sha256": sealed.content_sha256,
        "content_size": sealed.content_size,
        "sealed_sha256": sealed.sealed_sha256,
        "sealed_size": sealed.sealed_size,
    }
    told = maintenance.parts_of(replace(stored, row={**old, **new}), RENEWED, _REASON, at)
    told = replace(told, basis={**told.basis, "before": old["content_sha256"].hex()})
    owners = sorted(stored.facts.owners)
    async with vault.db.read() as db:
        held = await entries.holders(db, [("owner", one) for one in owners])
    prepared = entries.prepare(Kind.MAINTENANCE, told, held, at=at, caller_kind="vault", caller="vault")

    async def change(tx: Transaction) -> None:
        still = select(record.c.blob).where(record.c.id == old["id"])
        if (await tx.db.execute(still)).scalar_one() != old["blob"]:
            raise Moved  # somebody else has renewed it
        (logged,) = await tx.append([prepared])
        before = {name: old[name] for name in new}
        row = {"record": old["id"], "version": version_of(old), "replaced_at": stamp(at), "idx": logged.index}
        await tx.db.execute(insert(earlier_content).values(**row, **before))
        await tx.db.execute(update(record).where(record.c.id == old["id"]).values(**new))
        await records.add_report(
            tx.db, old["id"], examined.report, examined.judgement, at, etsi_report=examined.etsi_report
        )
        await archive_stamps.note(tx.db, old["id"], lasts, at)
        await epochs.advance(tx.db, [("owner", one) for one in owners])

    await vault.appender.commit(change)
