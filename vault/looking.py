"""One document of one's own with everything that rows say of it; none of it is content, so no entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.report import SignatureReport
from vault import records, trust_rows
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import instant
from vault.errors import NotFound
from vault.finding import MyRecord, my_record
from vault.services import Vault
from vault.tables import agency, digitisation, record, record_owner, signature_report, validity_event


@dataclass(frozen=True)
class ValidityChange:
    """One change of validity: the state from then on, its ground, who said so, the entry that tells of it."""

    state: str
    at: datetime
    ground: str
    reason: str
    agency_vi: str | None
    agency_en: str | None
    index: int


@dataclass(frozen=True)
class Neighbour:
    """A document that this one replaced, or that replaced it; of another's only that it is there."""

    id: str
    title: str | None
    number: str | None
    mine: bool


@dataclass(frozen=True)
class WholeRecord:
    """A document of mine: its facts, its newest report as it counts now, its history, how many own it."""

    record: MyRecord
    sha256: bytes  # of the file
    report: SignatureReport
    judged_at: datetime
    history: tuple[ValidityChange, ...]  # oldest first
    replaced_by: Neighbour | None
    replaces: tuple[Neighbour, ...]
    owners: int
    digitised_by: tuple[str, str | None] | None = None  # the agency that scanned it, Vietnamese and English


async def look(vault: Vault, caller: OwnerCaller, record_id: str) -> WholeRecord:
    """Give one document of the caller's store.

    Raises:
        NotFound: there is no such document in this store.
    """
    async with vault.db.read() as db:
        stored = await records.one(db, record_id, legal_day(vault.clock.now()))
        if stored is None or caller.owner not in stored.facts.owners:
            raise NotFound
        (stored,) = await trust_rows.explained(db, [stored])
        history = await _history(db, record_id)
        judged_at = await _judged_at(db, record_id)
        scanner = await _digitised_by(db, record_id)
        neighbours = await _neighbours(db, caller.owner, stored.row)
    successor = stored.row["replaced_by"]
    return WholeRecord(
        record=my_record(stored, caller.owner, _last_reason(history)),
        sha256=stored.row["content_sha256"],
        report=stored.report,
        judged_at=judged_at,
        history=history,
        replaced_by=neighbours.get(successor),
        replaces=tuple(one for id, one in neighbours.items() if id != successor),
        owners=len(stored.facts.owners),
        digitised_by=scanner,
    )


async def _digitised_by(db: AsyncConnection, record_id: str) -> tuple[str, str | None] | None:
    rows = await db.execute(
        select(agency.c.name_vi, agency.c.name_en)
        .join(digitisation, digitisation.c.agency == agency.c.id)
        .where(digitisation.c.record == record_id)
    )
    found = rows.first()
    return None if found is None else (found.name_vi, found.name_en)


async def _history(db: AsyncConnection, record_id: str) -> tuple[ValidityChange, ...]:
    rows = await db.execute(
        select(validity_event, agency.c.name_vi, agency.c.name_en)
        .join(agency, agency.c.id == validity_event.c.agency, isouter=True)
        .where(validity_event.c.record == record_id)
        .order_by(validity_event.c.n)
    )
    return tuple(_change(row) for row in rows.mappings())


def _change(row: RowMapping) -> ValidityChange:
    return ValidityChange(
        state=row["state"],
        at=instant(row["at"]),
        ground=row["ground"],
        reason=row["reason"],
        agency_vi=row["name_vi"],
        agency_en=row["name_en"],
        index=row["idx"],
    )


def _last_reason(history: tuple[ValidityChange, ...]) -> str | None:
    return f"{history[-1].ground}: {history[-1].reason}" if history and history[-1].ground else None


async def _judged_at(db: AsyncConnection, record_id: str) -> datetime:
    query = select(signature_report.c.at).where(signature_report.c.record == record_id)
    return instant((await db.execute(query.order_by(signature_report.c.n.desc()).limit(1))).scalar_one())


async def _neighbours(db: AsyncConnection, owner: str, row: Mapping[str, Any]) -> dict[str, Neighbour]:
    """Find what this record replaced and what replaced it."""
    mine = select(record_owner.c.record).where(record_owner.c.owner == owner)
    found = await db.execute(
        select(record.c.id, record.c.title, record.c.number, record.c.id.in_(mine).label("mine"))
        .where(or_(record.c.id == row["replaced_by"], record.c.replaced_by == row["id"]))
        .order_by(record.c.created_at, record.c.id)
    )
    return {one.id: _neighbour(one) for one in found}


def _neighbour(row: Row[Any]) -> Neighbour:
    return (
        Neighbour(row.id, row.title, row.number, mine=True)
        if row.mine
        else Neighbour(row.id, None, None, mine=False)
    )
