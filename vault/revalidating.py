"""Judging a stored document again: afresh by whom the vault trusts now, or once more as an old report did.

Afresh is a new report beside the old ones. Once more needs neither network nor folder of trust: only what was
kept with the report, and the file.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.file_types import XML
from signing.grounds import POLICY
from signing.report import SignatureReport
from vault import (
    archive_stamps,
    beside,
    epochs,
    examining,
    reclassing,
    records,
    rereading,
    trusting,
    validation_evidence,
)
from vault.appending import Transaction
from vault.days import legal_day
from vault.errors import NotFound, VaultError
from vault.evidence import REPETITION
from vault.evidence_tables import earlier_content
from vault.maintenance import opened_with_key
from vault.records import Stored
from vault.services import MAX_UPLOAD, Vault
from vault.tables import record, signature_report

_AT_ONCE = 200  # records looked at in one query
REVALIDATION = "revalidated"


class ReportNotRepeatable(VaultError):
    """The verdict of this report cannot be found again from what was kept."""

    code = "report_not_repeatable"


@dataclass(frozen=True)
class Revalidated:
    """What a document was found to be worth, before and now."""

    record: str
    before: str
    now: str
    reasons: tuple[str, ...]


async def revalidate(vault: Vault, record_id: str) -> Revalidated:
    """Judge a document again, append the report and find its class; opening it is an entry of its owners.

    Raises:
        NotFound: there is no such record.
        GateRefused, ContentDamaged, VaultBusy: as in `maintenance.opened_content`.
    """
    await trusting.look(vault)
    stored = await _stored(vault, record_id)
    async with opened_with_key(vault, stored, job=REVALIDATION, reason="revalidate") as (file, key):
        signature = await beside.opened(vault, stored, key)
        if signature is not None:
            examined = await examining.judged_beside(vault, file, signature, vault.clock.now())
        else:
            examined = await examining.judged(
                vault, file, vault.clock.now(), declared_type=stored.row["media_type"]
            )
        lasts = await archive_stamps.lasting(vault, file, examined, stored.row["source"])
        shown = await rereading.shown_anew(vault, stored, file, examined, vault.clock.now())
    at = vault.clock.now()

    async def change(tx: Transaction) -> None:
        await records.add_report(
            tx.db, record_id, examined.report, examined.judgement, at, etsi_report=examined.etsi_report
        )
        await archive_stamps.judged_anew(tx.db, record_id, lasts, at)
        await epochs.advance(tx.db, [("owner", one) for one in stored.facts.owners])

    await vault.appender.commit(change)
    await reclassing.judge_anew(vault, [record_id], {record_id: shown} if shown is not None else {})
    found = examined.report
    return Revalidated(record_id, stored.facts.verdict, found.verdict, found.reasons)


async def settle_classes(vault: Vault) -> int:
    """Judge the class of every document by whom the vault trusts now; gives how many moved."""
    await trusting.look(vault)
    async with vault.db.read() as db:
        ids = list((await db.execute(select(record.c.id).order_by(record.c.created_at))).scalars())
    return await reclassing.judge_anew(vault, ids)


async def due(vault: Vault) -> Sequence[str]:
    """Name the records whose newest report stands on an anchor that counts no more, oldest first.

    So too those that were judged undetermined by other anchors than those that count now.
    """
    await trusting.look(vault)
    async with vault.db.read() as db:
        ids = [row.id for row in await db.execute(select(record.c.id).order_by(record.c.created_at))]
        day = legal_day(vault.clock.now())
        found = []
        for start in range(0, len(ids), _AT_ONCE):
            found += await records.several(db, ids[start : start + _AT_ONCE], day)
        return [one.facts.id for one in found if await _is_due(db, one)]


async def _is_due(db: AsyncConnection, stored: Stored) -> bool:
    if records.TRUST_WITHDRAWN in stored.report.reasons:
        return True
    return (
        stored.report.verdict == "undetermined"
        and bool(stored.report.signatures)
        and (
            await validation_evidence.judged_by(db, stored.facts.id)
            != await validation_evidence.trusted_now(db)
        )
    )


async def repeat(vault: Vault, record_id: str, n: int) -> SignatureReport:
    """Judge a document once more as its report `n` did, from what was kept alone; nothing is stored.

    The file is the one that was judged then, also one from before a renewal. Opening it is an entry of its
    owners, which names the very file.

    Raises:
        NotFound: there is no such record or report.
        ReportNotRepeatable: nothing was kept of it, it was judged by other rules than this program's, or the
            file that was judged is kept no more.
        GateRefused, ContentDamaged, VaultBusy: as in `maintenance.opened_content`.
    """
    stored = await _as_judged(vault, await _stored(vault, record_id), n)
    async with opened_with_key(vault, stored, job=REPETITION, reason=f"report {n}") as (file, key):
        return await _repeated(vault, stored, n, file, await beside.opened(vault, stored, key))


async def told_by(vault: Vault, record_id: str, n: int | None) -> tuple[int, SignatureReport]:
    """Give the number of a stored report of a record (the newest where none is named), and what it says.

    Raises NotFound.
    """
    mine = select(signature_report).where(signature_report.c.record == record_id)
    if n is not None:
        mine = mine.where(signature_report.c.n == n)
    async with vault.db.read() as db:
        row = (await db.execute(mine.order_by(signature_report.c.n.desc()).limit(1))).first()
    if row is None:
        raise NotFound
    return row.n, SignatureReport.from_json(json.loads(row.report))


async def _as_judged(vault: Vault, stored: Stored, n: int) -> Stored:
    """Give a record with the file that its report `n` is about: the one of now, or one before a renewal."""
    async with vault.db.read() as db:
        judged = await validation_evidence.file_of(db, stored.facts.id, n)
        if judged is None or judged == stored.row["content_sha256"]:
            return stored
        mine = select(earlier_content).where(
            earlier_content.c.record == stored.facts.id, earlier_content.c.content_sha256 == judged
        )
        row = (await db.execute(mine)).mappings().first()
    if row is None:
        raise ReportNotRepeatable("the file that was judged is kept no more")
    names = ("blob", "content_sha256", "content_size", "sealed_sha256", "sealed_size")
    return replace(stored, row={**stored.row, **{name: row[name] for name in names}})


async def _repeated(
    vault: Vault, stored: Stored, n: int, file: Path, signature: bytes | None
) -> SignatureReport:
    """Judge a file once more as report `n` of its record did. Raises as `repeat`."""
    record_id = stored.facts.id
    async with vault.db.read() as db:
        judgement = await validation_evidence.judgement_of(db, record_id, n)
    if judgement is None:
        raise ReportNotRepeatable("nothing was kept of what it stood on")
    if judgement.policy != POLICY:
        raise ReportNotRepeatable(f"it was judged by rules {judgement.policy}, these are {POLICY}")
    workers = vault.workers
    looking = (
        partial(workers.examine_detached, file, signature)
        if signature is not None
        else partial(workers.examine_xml if stored.row["media_type"] == XML else workers.examine, file)
    )
    examined = await looking(
        anchors=judgement.anchors, at=judgement.at, max_bytes=MAX_UPLOAD, fetched=judgement.fetched
    )
    if examined.sha256 != judgement.file:
        raise ReportNotRepeatable("the file is another since then")
    return examined.report


async def _stored(vault: Vault, record_id: str) -> Stored:
    async with vault.db.read() as db:
        stored = await records.one(db, record_id, legal_day(vault.clock.now()))
    if stored is None:
        raise NotFound
    return stored
