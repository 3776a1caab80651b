"""Looking through the log without opening it: what an auditor may list, by the codes kept beside entries.

Every search is an entry of its own, committed first; where one owner is asked about, that owner sees it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.errors import IdentifierInvalid
from policies.identifiers import SCHEMES, identifier
from vault import masking, owners
from vault.audit_acts import enter
from vault.audit_filters import Filters, check, conditions
from vault.callers import StaffCaller
from vault.entries import Logged, instant
from vault.entry_facts import read_reasons
from vault.errors import FieldInvalid, NotFound
from vault.services import Vault
from vault.tables import agency, entry_fact, log_entry, owner, system

MAX_PAGE = 100  # entries in one page of a list
MAX_EXPORT = 10_000  # entries in one export
RECENT = 5_000  # newest entries that the choices of a form are read from
_STORE = re.compile(r"own-[0-9a-f]{32}")


@dataclass(frozen=True)
class Line:
    """What is known of one entry while it stays closed; of an older vault's entries, kind and time alone."""

    index: int
    kind: int
    at: datetime
    event: str | None
    result: str | None
    agency: str | None
    agency_vi: str | None
    agency_en: str | None
    system: str | None
    officer: str | None
    procedure: str | None
    dossier: str | None
    component: str | None
    record: str | None
    basis: str | None
    reasons: tuple[str, ...]
    owners: tuple[str, ...]  # masked


@dataclass(frozen=True)
class Found:
    """A page of entries, newest first; `older` is the cursor of the next one, `entered` the search's own."""

    lines: tuple[Line, ...]
    older: int | None
    entered: Logged


@dataclass(frozen=True)
class Choices:
    """What a form offers to filter by: agencies and systems registered, codes met lately."""

    agencies: tuple[tuple[str, str, str], ...]  # (id, name in Vietnamese, in English)
    systems: tuple[str, ...]
    procedures: tuple[str, ...]
    events: tuple[str, ...]
    reasons: tuple[str, ...]


async def find_owner(vault: Vault, caller: StaffCaller, text: str) -> str | None:
    """Find the store under a personal number, tax code or other identifier; an entry, whoever is found.

    Raises:
        FieldInvalid: no identifier looks like that.
    """
    found, readable = None, False
    async with vault.db.read() as db:
        for scheme in SCHEMES:
            try:
                value = identifier(scheme, text)
            except IdentifierInvalid:
                continue
            readable = True
            found = found or await owners.by_identifier(db, scheme, value)
    if not readable:
        raise FieldInvalid("owner", "identifier_unreadable")
    await enter(vault, caller, "owner_looked_up", {}, owners=[found] if found else [])
    return found


async def search(
    vault: Vault, caller: StaffCaller, filters: Filters, *, before: int | None = None, limit: int = 50
) -> Found:
    """List entries that fit, newest first, below index `before`; the search's own entry is not among them.

    Raises:
        FieldInvalid: a filter can name nothing.
        VaultBusy: the search could not be entered; nothing is shown.
    """
    check(filters)
    count = min(limit, MAX_PAGE)
    asked = {"filter": filters.recorded(), "limit": count} | ({} if before is None else {"before": before})
    entered = await enter(vault, caller, "entries_searched", asked, owners=await concerned(vault, filters))
    below = entered.index if before is None else min(before, entered.index)
    lines = await _lines(vault, filters, below, count + 1)
    older = lines[count - 1].index if len(lines) > count else None
    return Found(tuple(lines[:count]), older, entered)


async def export(vault: Vault, caller: StaffCaller, filters: Filters, *, key: str) -> Found:
    """Take the newest entries that fit away, MAX_EXPORT at most; an entry, whose `older` says if more fit.

    Raises:
        FieldInvalid, RequestConflict, VaultBusy: as in `search` and `audit_acts.enter`.
    """
    check(filters)
    asked = {"filter": filters.recorded(), "limit": MAX_EXPORT}
    concerning = await concerned(vault, filters)
    entered = await enter(vault, caller, "entries_exported", asked, owners=concerning, key=key)
    lines = await _lines(vault, filters, entered.index, MAX_EXPORT + 1)
    older = lines[MAX_EXPORT - 1].index if len(lines) > MAX_EXPORT else None
    return Found(tuple(lines[:MAX_EXPORT]), older, entered)


async def look_at(vault: Vault, caller: StaffCaller, index: int) -> Line:
    """Show one entry while it stays closed; a search for it, so an entry too.

    Raises:
        NotFound: there is no such entry.
        VaultBusy: the look could not be entered.
    """
    async with vault.db.read() as db:
        found = await line(db, index)
    if found is None:
        raise NotFound
    await enter(vault, caller, "entries_searched", {"filter": {"index": index}})
    return found


async def line(db: AsyncConnection, index: int) -> Line | None:
    """Read what is known of one entry while it stays closed."""
    rows = (await db.execute(_selected().where(log_entry.c.idx == index))).mappings().all()
    return (await _told(db, rows))[0] if rows else None


async def concerned(vault: Vault, filters: Filters) -> Sequence[str]:
    """Give the owner that a filter names, if it names one that has a store.

    Raises:
        FieldInvalid: it names what is no store.
    """
    if filters.owner is None:
        return ()
    async with vault.db.read() as db:
        known = await db.execute(select(owner.c.id).where(owner.c.id == filters.owner))
        if _STORE.fullmatch(filters.owner) is None or known.first() is None:
            raise FieldInvalid("owner", "owner_unknown")
    return (filters.owner,)


async def masked_owner(vault: Vault, owner_id: str) -> str:
    """Give the masked identifier of the owner that a filter names."""
    async with vault.db.read() as db:
        return (await masking.masks(db, [owner_id]))[owner_id]


async def choices(vault: Vault) -> Choices:
    """Read what the form offers; codes that were met in the newest entries, for reading all is slow."""
    async with vault.db.read() as db:
        agencies = (await db.execute(select(agency).order_by(agency.c.id))).all()
        systems = (await db.execute(select(system.c.id).order_by(system.c.id))).scalars().all()
        newest = select(entry_fact.c.idx).order_by(entry_fact.c.idx.desc()).limit(RECENT).scalar_subquery()
        recent = entry_fact.c.idx.in_(newest)
        met = [
            (await db.execute(select(column).where(recent, column.is_not(None)).distinct())).scalars().all()
            for column in (entry_fact.c.procedure, entry_fact.c.event, entry_fact.c.reasons)
        ]
    return Choices(
        agencies=tuple((row.id, row.name_vi, row.name_en) for row in agencies),
        systems=tuple(systems),
        procedures=tuple(sorted(met[0])),
        events=tuple(sorted(met[1])),
        reasons=tuple(sorted({code for text in met[2] for code in read_reasons(text)})),
    )


async def _lines(vault: Vault, filters: Filters, before: int, limit: int) -> list[Line]:
    fitting = conditions(filters, log_entry.c.idx, log_entry.c.kind, log_entry.c.at)
    query = _selected().where(log_entry.c.idx < before, *fitting)
    async with vault.db.read() as db:
        rows = (await db.execute(query.order_by(log_entry.c.idx.desc()).limit(limit))).mappings().all()
        return await _told(db, rows)


def _selected() -> Select[tuple[object, ...]]:
    """Select the entry's own index, kind and time, with the rest of its facts where it has them."""
    shown = [one for one in entry_fact.c if one.name not in ("idx", "kind", "at", "day")]
    return select(log_entry.c.idx, log_entry.c.kind, log_entry.c.at, *shown).outerjoin(
        entry_fact, entry_fact.c.idx == log_entry.c.idx
    )


async def _told(db: AsyncConnection, rows: Sequence[RowMapping]) -> list[Line]:
    about = await masking.owners_of(db, [row["idx"] for row in rows])
    codes = {row["agency"] for row in rows if row["agency"] is not None}
    named = {one.id: one for one in await db.execute(select(agency).where(agency.c.id.in_(codes)))}
    return [_line(row, about.get(row["idx"], ()), named.get(row["agency"])) for row in rows]


def _line(row: RowMapping, about: tuple[str, ...], known: object) -> Line:
    same = ("event", "result", "agency", "system", "officer", "procedure", "dossier")
    return Line(
        index=row["idx"],
        kind=row["kind"],
        at=instant(row["at"]),
        **{name: row[name] for name in same},
        agency_vi=getattr(known, "name_vi", row["agency"]),
        agency_en=getattr(known, "name_en", row["agency"]),
        component=row["component"],
        record=row["record"],
        basis=row["basis"],
        reasons=read_reasons(row["reasons"]),
        owners=about,
    )
