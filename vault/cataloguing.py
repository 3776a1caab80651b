"""The catalogue as an administrator sees it: procedures, their versions, and what each row was taken for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.book import Book
from policies.edits import edited, idle
from policies.entries import RecordType, Text
from policies.errors import IdentifierInvalid
from policies.headings import plain
from policies.identifiers import procedure_code
from policies.procedures import Procedure
from vault import catalogue, catalogue_edits
from vault.catalogue_edits import Published
from vault.days import legal_day
from vault.entries import instant
from vault.errors import NotFound
from vault.services import Vault
from vault.tables import procedure

MAX_PAGE = 100


@dataclass(frozen=True)
class ProcedureLine:
    """One procedure in its newest version."""

    code: str
    name: str
    version: int
    imported_at: datetime


@dataclass(frozen=True)
class VersionLine:
    """One version of a procedure."""

    version: int
    package: str  # hex SHA-256 of the national row
    policy: str | None  # hash of the book that it was read with
    imported_at: datetime


@dataclass(frozen=True)
class RowLine:
    """One row: what it was taken for, and by which rule; `case` None: a group's row, for every case."""

    place: int
    case: str | None
    heading: str
    heading_rule: str
    component: str
    national_code: str
    name: str
    label: Text | None
    originals: int
    copies: int
    kind: str
    rule: str
    condition: str | None
    alternative: str | None
    edit: str | None
    types: tuple[str, ...]  # what a mapping in force accepts
    data_source: str | None
    mapped: bool


@dataclass(frozen=True)
class Described:
    """A procedure: its versions, the rows of one of them, and every edit; `idle` edits find no row."""

    read: Procedure
    version: int
    versions: tuple[VersionLine, ...]
    rows: tuple[RowLine, ...]
    edits: tuple[Published, ...]
    idle: frozenset[str]


async def procedures(vault: Vault, *, after: str | None, limit: int, wanted: str = "") -> list[ProcedureLine]:
    """List procedures by code, those whose code or name holds the words, tone marks and all."""
    words = plain(wanted)
    newest = select(procedure.c.code, func.max(procedure.c.version).label("version")).group_by(
        procedure.c.code
    )
    if after is not None:
        newest = newest.where(procedure.c.code > after)
    last = newest.subquery()
    query = select(procedure.c.code, procedure.c.version, procedure.c.name, procedure.c.imported_at).join(
        last, (last.c.code == procedure.c.code) & (last.c.version == procedure.c.version)
    )
    async with vault.db.read() as db:
        rows = (await db.execute(query.order_by(procedure.c.code))).mappings().all()
        lines = [await _line(db, row) for row in rows]
    fitting = [one for one in lines if words in one.code or words in plain(one.name)]
    return fitting[:limit]


async def described(vault: Vault, code: str, version: int | None = None) -> Described:
    """Tell of one procedure: its newest version as a dossier opened now would have it, or an earlier one.

    Raises:
        NotFound: there is no such procedure or version.
    """
    at = vault.clock.now()
    async with vault.db.read() as db:
        versions = await _versions(db, _code(code))
        row = next((one for one in versions if version in (None, one["version"])), None)
        if row is None:
            raise NotFound
        edits = await catalogue_edits.several(db, procedure=row["code"], before=None, limit=None)
        base = await catalogue.unedited(db, row)
        read = edited(base, [one.edit for one in edits], legal_day(at))
        newest = row["version"] == versions[0]["version"]
        lines = (
            catalogue.reading_rows(read)
            if newest
            else await catalogue.readings(db, row["code"], row["version"])
        )
    labels = {one.code: one.label for one in read.all_components()}
    return Described(
        read=read,
        version=row["version"],
        versions=tuple(_version(one) for one in versions),
        rows=tuple(row_line(dict(one), labels, read.code, vault.book, at) for one in lines),
        edits=tuple(edits),
        idle=frozenset(one.id for one in idle(base, [published.edit for published in edits])),
    )


async def edits(vault: Vault, *, procedure: str | None, before: int | None, limit: int) -> list[Published]:
    """List edits, newest first."""
    wanted = _code(procedure) if procedure else None
    async with vault.db.read() as db:
        return await catalogue_edits.several(db, procedure=wanted, before=before, limit=limit)


def types(vault: Vault) -> tuple[RecordType, ...]:
    """Give every record type of the book, with its days in force."""
    return vault.book.record_types


async def _line(db: AsyncConnection, row: RowMapping) -> ProcedureLine:
    name = row["name"] or await catalogue.name_of(db, row["code"], row["version"])
    return ProcedureLine(row["code"], name, row["version"], instant(row["imported_at"]))


async def _versions(db: AsyncConnection, code: str) -> Sequence[RowMapping]:
    query = select(procedure).where(procedure.c.code == code).order_by(procedure.c.version.desc())
    return (await db.execute(query)).mappings().all()


def _code(code: str) -> str:
    try:
        return procedure_code(code)
    except IdentifierInvalid as problem:
        raise NotFound from problem


def _version(row: RowMapping) -> VersionLine:
    return VersionLine(row["version"], row["hash"], row["policy"], instant(row["imported_at"]))


def row_line(
    row: Mapping[str, Any], labels: Mapping[str, Text], code: str, book: Book, at: datetime
) -> RowLine:
    """Tell of one row, with the mappings that hold for it on that day."""
    mappings = book.mappings_for(code, [row["case_key"]], row["component"], legal_day(at))
    any_case = book.mappings.get((code, row["component"]), ())
    held = mappings or tuple(one for one in any_case if one.in_force.holds(legal_day(at)))
    return RowLine(
        place=row["place"],
        case=row["case_key"],
        heading=row["heading"],
        heading_rule=row["heading_rule"],
        component=row["component"],
        national_code=row["national_code"],
        name=row["name"],
        label=labels.get(row["component"]),
        originals=row["originals"],
        copies=row["copies"],
        kind=row["kind"],
        rule=row["rule"],
        condition=row["condition"],
        alternative=row["alternative"],
        edit=row["edit"],
        types=tuple(dict.fromkeys(kind for one in held for kinds in one.alternatives for kind in kinds)),
        data_source=next((one.data_source for one in held if one.data_source), None),
        mapped=bool(held),
    )
