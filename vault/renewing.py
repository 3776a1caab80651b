"""Archive time stamps, renewed before they run out: a new version of a record's file, the old one kept.

The record's row names the newest; what it was before stands in `earlier_content`, so that a receipt that
names the old digest still has its bytes. Opening the file is an entry before it is read, and so is the
renewal.
"""

import asyncio
import os
from collections import Counter
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
from vault.archive_stamps import ARCHIVED, Due
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
GAIN = timedelta(days=90)  # a new stamp has to last that much longer than the old one, else it is no use
SPACING = timedelta(days=30)  # between two renewals of one record
MOST_RENEWALS = 20  # of one record: each is a revision, and a file of more than 50 is not examined any more
AT_ONCE = 50  # records in one look
JOB = "opened_for_renewal"
RENEWED = "archive_renewed"
_REASON = "archive_time_stamp"
_EXPECTED = (VaultError, StorageError, SealingFailed, RewritingFailed, WorkerFailed)

Failed = Callable[[str, Exception], None]


@dataclass(frozen=True)
class Renewals:
    """What a look came to: files opened to learn how long their stamp lasts, renewed, and not renewed.

    `put_off` were not due for a renewal that would help; `stopped` says by a code which service ended the
    look; `more` says that it was long enough, and that more is due.
    """

    looked: int = 0
    renewed: int = 0
    failed: int = 0
    put_off: int = 0
    stopped: str = ""
    more: bool = False

    def then(self, look: "Renewals") -> "Renewals":
        """Add what the next look came to."""
        return Renewals(
            self.looked + look.looked,
            self.renewed + look.renewed,
            self.failed + look.failed,
            self.put_off + look.put_off,
            look.stopped,
            look.more,
        )


class NotRenewed(VaultError):
    """The renewed file does not validate; the record keeps the file it has."""

    code = "renewal_invalid"


class AuthorityEnds(VaultError):
    """The time stamp authority's own certificate ends too soon: new archive time stamps would not last."""

    code = "timestamp_authority_ends"


class _PutOff(Exception):
    """A renewal now would be no use, for a reason that has a code."""

    def __init__(self, code: str, until: datetime | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.until = until


async def renew_due(
    vault: Vault,
    failed: Failed,
    *,
    window: timedelta = WINDOW,
    ending: asyncio.Event | None = None,
    most: int = AT_ONCE,
) -> Renewals:
    """Renew archive time stamps that run out within a window, one record after the other.

    A record of which it is not known how long its stamp lasts is opened once to learn it. The services are
    asked first, before any file is opened; one of them failing ends the look.

    Args:
        failed: hears why one was not renewed, by a code; it is tried again, ever more seldom.
        ending: once set, the look ends behind the record in hand.
        most: records looked at.
    """
    now = vault.clock.now()
    async with vault.db.read() as db:
        due = await archive_stamps.due(db, now + window, now, most)
    if not due:
        return Renewals()
    try:
        new_end = await vault.sealer.stamp_lasts(now)
    except SealingFailed as problem:
        failed("renewal_service_failed", problem)
        return Renewals(stopped=problem.code)
    look = _Look(vault, failed, window, new_end)
    for one in due:
        if look.stopped or (ending is not None and ending.is_set()):
            break
        await look.take(one)
    if look.authority_ends:
        failed("timestamp_authority_ends", AuthorityEnds(f"it ends at {new_end.isoformat()}"))
    counts = {name: look.counts[name] for name in ("looked", "renewed", "failed", "put_off")}
    return Renewals(**counts, stopped=look.stopped, more=len(due) == most and not look.stopped)


class _Look:
    """One look at what is due, and what came of it."""

    def __init__(self, vault: Vault, failed: Failed, window: timedelta, new_end: datetime) -> None:
        self._vault = vault
        self._failed = failed
        self._window = window
        self._new_end = new_end
        self.counts: Counter[str] = Counter()
        self.stopped = ""
        self.authority_ends = False

    async def take(self, due: Due) -> None:
        """Renew one record, or note why not and when to look again."""
        try:
            done = await self._renew(due)
        except _PutOff as why:
            self.counts["put_off"] += 1
            self.authority_ends |= why.code == AuthorityEnds.code
            await _put_off(self._vault, due.record, why.code, why.until)
        except Moved as problem:  # somebody else has renewed it
            self._fail(problem)
        except _EXPECTED as problem:
            self._fail(problem)
            if isinstance(problem, SealingFailed) and problem.retryable:
                self.stopped = problem.code
            await _put_off(self._vault, due.record, getattr(problem, "code", "other"))
        except OSError as problem:  # of the scratch folder or the store: full, or gone
            self._fail(problem)
            await _put_off(self._vault, due.record, "disk")
        else:
            self.counts["renewed" if done else "looked"] += 1

    def _fail(self, problem: Exception) -> None:
        self._failed("renewal_failed", problem)
        self.counts["failed"] += 1

    async def _renew(self, due: Due) -> bool:
        """Renew one; says whether there was something to renew."""
        vault, record_id = self._vault, due.record
        async with vault.db.read() as db:
            stored = await records.one(db, record_id, legal_day(vault.clock.now()))
        if stored is None or stored.facts.damaged:
            raise _PutOff("damaged")
        if stored.facts.verdict != "valid":
            raise _PutOff("not_valid")  # for now: whom the vault trusts may change
        if due.until is not None:
            await self._worth_it(record_id, due.until)
        opening = maintenance.opened_with_key(vault, stored, job=JOB, reason=_REASON)
        async with opening as (content, key):
            until = await vault.workers.lasts(content)
            if until is None or until > vault.clock.now() + self._window:
                await _note(vault, record_id, until)
                return False
            await self._worth_it(record_id, until)
            await _stamp_anew(vault, stored, content, key)
        return True

    async def _worth_it(self, record_id: str, until: datetime) -> None:
        """See that a renewal helps, before anything is opened or stamped for it. Raises _PutOff."""
        if self._new_end < until + GAIN:
            raise _PutOff(AuthorityEnds.code, until)
        async with self._vault.db.read() as db:
            count, last = await archive_stamps.renewals(db, record_id)
        if count >= MOST_RENEWALS:
            raise _PutOff("renewals_exhausted", until)
        if last is not None and self._vault.clock.now() < last + SPACING:
            raise _PutOff("renewed_lately", until)


async def _stamp_anew(vault: Vault, stored: Stored, content: Path, key: bytes) -> None:
    """Stamp a record's file again, have the outcome judged, and put it in the place of the old one."""
    target, put = scratch_file(vault), scratch_file(vault)
    record_id, at = stored.row["id"], vault.clock.now()
    try:
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


async def _put_off(vault: Vault, record_id: str, why: str, until: datetime | None = None) -> None:
    async with vault.db.write() as db:
        await archive_stamps.put_off(db, record_id, why, vault.clock.now(), until)


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
