"""What is worth a look: few, simple patterns over the codes kept beside entries, each with its threshold.

A pattern accuses nobody; it says where an auditor may begin to ask. Listing them is an entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.leaf import Kind
from vault.audit_acts import enter
from vault.audit_counts import spanned
from vault.audit_filters import Filters, check, conditions
from vault.auditing import concerned
from vault.callers import StaffCaller
from vault.days import legal_day
from vault.services import Vault
from vault.tables import entry_fact as fact

BULK = 60  # reads by one officer within one hour of the clock
REFUSED = 10  # refusals of one officer, when they are more than half of what the officer asked for
NIGHT = 5  # reads by one officer in one night's hours of a day
ASKED = 3  # times one dossier was asked about without anything being taken
MAX_EACH = 50  # of each pattern, the most striking ones
_NIGHT_UTC = ("15", "21")  # 22:00 to 04:59 in Viet Nam, as hours of the rows' UTC

CODES = ("bulk_reads", "many_refusals", "night_reads", "read_without_release", "asked_not_taken")
THRESHOLDS = {
    "bulk_reads": BULK,
    "many_refusals": REFUSED,
    "night_reads": NIGHT,
    "read_without_release": 1,
    "asked_not_taken": ASKED,
}


@dataclass(frozen=True)
class Anomaly:
    """One pattern found: who, where, how often, of how many; what does not apply is None."""

    code: str
    agency: str | None
    officer: str | None
    dossier: str | None
    hour: str | None  # the beginning of an hour, UTC, ISO 8601
    day: str | None  # in Viet Nam
    number: int
    of: int | None = None


async def anomalies(vault: Vault, caller: StaffCaller, filters: Filters) -> list[Anomaly]:
    """Look for every pattern in a span of days (the last 30 when none are named).

    Raises:
        FieldInvalid: a filter can name nothing, or the span is too long.
        VaultBusy: the look could not be entered; nothing is shown.
    """
    check(filters)
    within = spanned(filters, legal_day(vault.clock.now()))
    asked = {"filter": within.recorded()}
    entered = await enter(vault, caller, "anomalies_listed", asked, owners=await concerned(vault, within))
    narrow = [fact.c.idx < entered.index, *conditions(within, fact.c.idx, fact.c.kind, fact.c.at)]
    narrow.append(fact.c.agency.is_not(None))
    async with vault.db.read() as db:
        return [
            *await _bulk(db, narrow),
            *await _refusals(db, narrow),
            *await _night(db, narrow),
            *await _unreleased(db, narrow),
            *await _untaken(db, narrow),
        ]


_READ = fact.c.kind == int(Kind.DELIVERED)
_WHO = (fact.c.agency, fact.c.officer)
_NUMBER = func.count().label("number")


async def _rows(db: AsyncConnection, query: Select[Any]) -> Sequence[Any]:
    return list(await db.execute(query.limit(MAX_EACH)))


async def _bulk(db: AsyncConnection, narrow: Sequence[ColumnElement[bool]]) -> list[Anomaly]:
    hour = func.substr(fact.c.at, 1, 13).label("hour")
    query = select(*_WHO, hour, _NUMBER).where(_READ, *narrow).group_by(*_WHO, hour).having(_NUMBER >= BULK)
    return [
        Anomaly("bulk_reads", row.agency, row.officer, None, f"{row.hour}:00:00Z", None, row.number)
        for row in await _rows(db, query.order_by(_NUMBER.desc()))
    ]


async def _refusals(db: AsyncConnection, narrow: Sequence[ColumnElement[bool]]) -> list[Anomaly]:
    refused = func.count().filter(fact.c.kind == int(Kind.REFUSED)).label("refused")
    query = (
        select(*_WHO, _NUMBER, refused)
        .where(fact.c.kind != int(Kind.AUDITOR_ACT), *narrow)
        .group_by(*_WHO)
        .having(and_(refused >= REFUSED, refused * 2 > _NUMBER))
    )
    return [
        Anomaly("many_refusals", row.agency, row.officer, None, None, None, row.refused, row.number)
        for row in await _rows(db, query.order_by(refused.desc()))
    ]


async def _night(db: AsyncConnection, narrow: Sequence[ColumnElement[bool]]) -> list[Anomaly]:
    night = func.substr(fact.c.at, 12, 2).between(*_NIGHT_UTC)
    query = (
        select(*_WHO, fact.c.day, _NUMBER)
        .where(_READ, night, *narrow)
        .group_by(*_WHO, fact.c.day)
        .having(_NUMBER >= NIGHT)
    )
    return [
        Anomaly("night_reads", row.agency, row.officer, None, None, row.day, row.number)
        for row in await _rows(db, query.order_by(fact.c.day.desc(), _NUMBER.desc()))
    ]


async def _unreleased(db: AsyncConnection, narrow: Sequence[ColumnElement[bool]]) -> list[Anomaly]:
    """Reads for a dossier before which no release of that record for that dossier stands in the log."""
    earlier = fact.alias("earlier")
    released = exists().where(
        earlier.c.kind == int(Kind.RELEASE_PERMITTED),
        earlier.c.dossier == fact.c.dossier,
        earlier.c.record == fact.c.record,
        earlier.c.idx < fact.c.idx,
    )
    query = (
        select(*_WHO, fact.c.dossier, _NUMBER)
        .where(_READ, fact.c.dossier.is_not(None), ~released, *narrow)
        .group_by(*_WHO, fact.c.dossier)
    )
    return [
        Anomaly("read_without_release", row.agency, row.officer, row.dossier, None, None, row.number)
        for row in await _rows(db, query.order_by(_NUMBER.desc()))
    ]


async def _untaken(db: AsyncConnection, narrow: Sequence[ColumnElement[bool]]) -> list[Anomaly]:
    """Dossiers asked about again and again, from which nothing was taken: looking is not needing.

    One question is an entry for each person, all of one instant.
    """
    taken = fact.alias("taken")
    any_release = exists().where(
        taken.c.kind == int(Kind.RELEASE_PERMITTED), taken.c.dossier == fact.c.dossier
    )
    times = func.count(fact.c.at.distinct()).label("times")
    query = (
        select(*_WHO, fact.c.dossier, times)
        .where(fact.c.kind == int(Kind.PLAN_ASKED), fact.c.dossier.is_not(None), ~any_release, *narrow)
        .group_by(*_WHO, fact.c.dossier)
        .having(times >= ASKED)
    )
    return [
        Anomaly("asked_not_taken", row.agency, row.officer, row.dossier, None, None, row.times)
        for row in await _rows(db, query.order_by(times.desc()))
    ]
