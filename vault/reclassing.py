"""Judging documents anew when their evidence moved: a new signature report, other certificates, other rules.

What a paper's words show and what was measured of it stays as it was found when the document was taken; who
signed, whom that certificate belongs to and what the newest report says is read afresh. Words that were read
by earlier rules count for nothing until the document is opened again (revalidating.py, rejudging.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.paper_words import Showing
from policies.trust_classes import READING, RULES, Classed, Evidence, Origin, classify
from signing.leaf import Kind, Parts
from vault import agency_certificates, classing, entries, epochs, records, trust_rows
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR
from vault.days import legal_day
from vault.entries import Prepared
from vault.errors import Moved
from vault.evidence_tables import agency_certificate, record_certificate, trust_class
from vault.records import Stored
from vault.services import MAX_AFRESH, Vault
from vault.tables import digitisation, log_entry, record, signature_report
from vault.trust_rows import Standing

CLASS_MOVED = "class_moved"
_AT_ONCE = 50  # records of one transaction


@dataclass(frozen=True)
class _Anew:
    """A record judged anew: what it was, what it is, by which report and whose certificates."""

    stored: Stored
    was: Standing
    evidence: Evidence
    classed: Classed
    report: int
    certificates: frozenset[str]
    registrations: tuple[agency_certificates.Registration, ...]

    @property
    def moved(self) -> bool:
        return self.classed.trust is not self.was.trust


async def catch_up(vault: Vault) -> int:
    """Judge every document anew that newer rules or a newer report speak of; gives how many moved."""
    async with vault.db.read() as db:
        stale = await _stale(db)
    return await judge_anew(vault, stale)


async def of_certificate(vault: Vault, sha256: str) -> int:
    """Judge every document anew that a certificate signed; gives how many moved."""
    async with vault.db.read() as db:
        signed = await agency_certificates.signed_by(db, sha256)
    return await judge_anew(vault, signed)


async def judge_anew(vault: Vault, ids: Sequence[str], shown: Mapping[str, Showing] | None = None) -> int:
    """Judge documents anew: a new class is appended, told to the owners, and holds for the next decision.

    `shown` is what the words of some were found to show just now. Gives how many moved to another class. What
    nothing is known of but that it was there before classes were judged, and whose report is as old, is left
    as it is until its signatures are checked again.
    """
    moved = 0
    for start in range(0, len(ids), _AT_ONCE):
        moved += await _batch(vault, ids[start : start + _AT_ONCE], shown or {})
    return moved


async def _batch(vault: Vault, ids: Sequence[str], shown: Mapping[str, Showing]) -> int:
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        anew = await _judged(vault, ids, shown, at)
        if not anew:
            return 0
        try:
            return await _commit(vault, anew, at)
        except Moved:
            continue
    raise Moved


async def _judged(
    vault: Vault, ids: Sequence[str], shown: Mapping[str, Showing], at: datetime
) -> list[_Anew]:
    async with vault.db.read() as db:
        known = await trust_rows.newest(db, ids)
        reports = await _reports(db, ids)
        found = []
        for one in await records.several(db, list(ids), legal_day(at)):
            id = one.facts.id
            anew = await _one(vault, db, one, known[id], reports[id], shown.get(id), at)
            if anew is not None:
                found.append(anew)
    return found


async def _one(
    vault: Vault,
    db: AsyncConnection,
    stored: Stored,
    was: Standing,
    report: int,
    shown: Showing | None,
    at: datetime,
) -> _Anew | None:
    """Judge one document; None where it comes out the same on the same evidence and report."""
    signed = stored.report.signatures
    before = was.evidence
    if before is None:
        if stored.report.verdict == "valid" and not all(one.chain for one in signed):
            return None
        before = await _of_before(db, stored)
    if shown is not None:
        before = replace(
            before, mark=shown.mark, type_shown=shown.type, owner_shown=shown.owner, reading=READING
        )
    certificates = frozenset(one.chain[0].sha256 for one in signed if one.chain)
    registrations = await agency_certificates.of_certificates(db, certificates)
    evidence = replace(
        before,
        verdict=stored.report.verdict,
        signers=await classing.signers(vault, db, stored.report, stored.facts.type, registrations, at),
        demonstration=vault.demonstration,
    )
    classed = classify(evidence)
    if (classed.rules, evidence, report) == (was.rules, was.evidence, was.report):
        return None
    return _Anew(stored, was, evidence, classed, report, certificates, registrations)


async def _of_before(db: AsyncConnection, stored: Stored) -> Evidence:
    """Give what is known of a document that was taken before classes were judged."""
    origin: Origin = stored.row["source"]
    agency = stored.facts.issuer
    if origin == "digitised":
        query = select(digitisation.c.agency).where(digitisation.c.record == stored.facts.id)
        agency = (await db.execute(query)).scalar_one()
    return Evidence(
        origin=origin,
        verdict=stored.report.verdict,
        mark={"result": "none", "digitised": "conversion"}.get(origin, "unreadable"),  # type: ignore[arg-type]
        agencies=frozenset({agency}) if agency is not None else frozenset(),
        reading="",
    )


async def _commit(vault: Vault, anew: Sequence[_Anew], at: datetime) -> int:
    moved = [one for one in anew if one.moved]
    prepared = [await _told(vault, one, at) for one in moved]

    async def change(tx: Transaction) -> None:
        ids = [one.stored.facts.id for one in anew]
        known, reports = await trust_rows.newest(tx.db, ids), await _reports(tx.db, ids)
        for one in anew:
            id = one.stored.facts.id
            if (known[id].n, reports[id]) != (one.was.n, one.report):
                raise Moved
            if await agency_certificates.of_certificates(tx.db, one.certificates) != one.registrations:
                raise Moved
        logged = await tx.append(prepared) if prepared else []
        indexes = {one.stored.facts.id: entry.index for one, entry in zip(moved, logged, strict=True)}
        for one in anew:
            await _write(tx.db, one, indexes.get(one.stored.facts.id), at)

    await vault.appender.commit(change)
    return len(moved)


async def _write(db: AsyncConnection, one: _Anew, index: int | None, at: datetime) -> None:
    id = one.stored.facts.id
    await trust_rows.add(
        db, id, one.classed, one.evidence, n=one.was.n + 1, report=one.report, index=index, at=at
    )
    await agency_certificates.note_signed(db, id, one.certificates)
    if one.moved:
        await epochs.advance(db, [("owner", owner) for owner in one.stored.facts.owners])


async def _told(vault: Vault, one: _Anew, at: datetime) -> Prepared:
    facts, owners = one.stored.facts, sorted(one.stored.facts.owners)
    async with vault.db.read() as db:
        held = await entries.holders(db, [("owner", owner) for owner in owners])
    parts = Parts(
        subject={
            "owners": owners,
            "record": facts.id,
            "version": 1,
            "type": facts.type,
            "digest": one.stored.row["content_sha256"].hex(),
        },
        actor=VAULT_ACTOR,
        purpose={},
        basis={
            "facts": {
                "was": one.was.trust.value,
                "is": one.classed.trust.value,
                "rules": one.classed.rules,
                "reasons": [f"{reason.code}: {reason.fact}" for reason in one.classed.reasons],
            }
        },
        event={"type": CLASS_MOVED, "result": "permitted", "at": at.isoformat()},
    )
    return entries.prepare(Kind.RECORD_EVENT, parts, held, at=at, caller_kind="vault", caller="vault")


async def _reports(db: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """Give the number of each record's newest signature report."""
    query = select(signature_report.c.record, func.max(signature_report.c.n))
    rows = await db.execute(
        query.where(signature_report.c.record.in_(ids)).group_by(signature_report.c.record)
    )
    return {id: n for id, n in rows}


async def _stale(db: AsyncConnection) -> list[str]:
    """Find the records that the newest class does not speak of: older rules, an older report, or none."""
    last = (
        select(trust_class.c.record, func.max(trust_class.c.n).label("n"))
        .group_by(trust_class.c.record)
        .subquery()
    )
    newest = select(trust_class).join(
        last, (trust_class.c.record == last.c.record) & (trust_class.c.n == last.c.n)
    )
    standing = newest.subquery()
    report = (
        select(signature_report.c.record, func.max(signature_report.c.n).label("n"))
        .group_by(signature_report.c.record)
        .subquery()
    )
    moved = (  # a certificate of the record was registered or ended since, and nobody came to judge it
        select(record_certificate.c.record)
        .join(agency_certificate, agency_certificate.c.sha256 == record_certificate.c.sha256)
        .join(log_entry, log_entry.c.idx.in_([agency_certificate.c.idx, agency_certificate.c.end_idx]))
        .where(record_certificate.c.record == standing.c.record, log_entry.c.at > standing.c.at)
    )
    query = (
        select(record.c.id)
        .join(report, report.c.record == record.c.id)
        .join(standing, standing.c.record == record.c.id, isouter=True)
        .where(
            or_(
                standing.c.n.is_(None),
                standing.c.rules != RULES,
                standing.c.report != report.c.n,
                moved.exists(),
            )
        )
        .order_by(record.c.id)
    )
    return list((await db.execute(query)).scalars())
