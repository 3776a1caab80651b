"""The docket: an agency's own dossiers as its officers list them, and what a new one may be.

Listing one's own is no entry (DESIGN 5): nothing in here tells what a person's store holds. That is asked
through the plan, which is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.identifiers import dossier_code
from policies.procedures import Procedure
from vault import agencies, catalogue
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import instant, stamp
from vault.services import Vault
from vault.tables import (
    confirmation,
    digitisation,
    dossier,
    dossier_person,
    officer,
    owner,
    release,
)

MAX_SERIAL = 999_999  # of a dossier code in one day
MAX_PAGE = 100


@dataclass(frozen=True)
class AtDesk:
    """Who sits at the desk: the officer and the agency, by name."""

    officer: str
    officer_name: str
    agency: str
    agency_vi: str
    agency_en: str


@dataclass(frozen=True)
class Line:
    """One open dossier in the list; `touched` is when it was opened or a document was last taken for it."""

    code: str
    procedure: str
    procedure_name: str
    person: str
    opened_at: datetime
    touched_at: datetime


@dataclass(frozen=True)
class Competence:
    """What an agency may process and issue on a day: procedures of the catalogue, codes of record types."""

    procedures: tuple[Procedure, ...]
    issues: tuple[str, ...]


async def at_desk(vault: Vault, caller: SystemCaller) -> AtDesk:
    """Say who is signed in at the desk."""
    async with vault.db.read() as db:
        vietnamese, english = await agencies.name(db, caller.agency)
        query = select(officer.c.name).where(
            officer.c.agency == caller.agency, officer.c.id == caller.officer
        )
        name = (await db.execute(query)).scalar_one()
    return AtDesk(caller.officer or "", name, caller.agency, vietnamese, english)


async def open_dossiers(
    vault: Vault, caller: SystemCaller, *, before: datetime | None = None, limit: int = 20
) -> list[Line]:
    """List the agency's open dossiers, the one touched last first, through whichever system they came.

    Args:
        before: only those last touched before this instant.
    """
    touched = _touched().label("touched_at")
    query = select(dossier, touched).where(dossier.c.agency == caller.agency, dossier.c.state == "open")
    if before is not None:
        query = query.where(touched < stamp(before))
    query = query.order_by(touched.desc(), dossier.c.code).limit(min(limit, MAX_PAGE))
    async with vault.db.read() as db:
        rows = (await db.execute(query)).mappings().all()
        people = await _first_persons(db, [row["code"] for row in rows])
        return [
            Line(
                code=row["code"],
                procedure=row["procedure"],
                procedure_name=await catalogue.name_of(db, row["procedure"], row["procedure_version"]),
                person=people.get(row["code"], ""),
                opened_at=instant(row["opened_at"]),
                touched_at=instant(row["touched_at"]),
            )
            for row in rows
        ]


async def competence(vault: Vault, caller: SystemCaller) -> Competence:
    """Give what the officer's agency may process and issue today, in the order of their codes."""
    at = vault.clock.now()
    async with vault.db.read() as db:
        held = await agencies.rights(db, caller.agency, legal_day(at))
        found = [await catalogue.latest(db, code, at) for code in held.get("process", ())]
    return Competence(tuple(one[1] for one in found if one is not None), tuple(held.get("issue", ())))


async def next_code(vault: Vault, caller: SystemCaller) -> str:
    """Suggest the next free dossier code of the agency and today; who opens it first has it."""
    day = legal_day(vault.clock.now())
    async with vault.db.read() as db:
        codes = await agencies.codes(db, caller.agency, day)
        own = caller.agency if caller.agency in codes or not codes else codes[0]
        beginning = f"{own}-{day:%y%m%d}-"
        taken = await db.execute(select(dossier.c.code).where(dossier.c.code.startswith(beginning)))
        serials = {int(dossier_code(row.code).serial) for row in taken}
    last = max(serials, default=0)
    serial = last + 1 if last < MAX_SERIAL else _first_gap(serials)
    return f"{beginning}{serial:04d}"


def _first_gap(serials: set[int]) -> int:
    return next(serial for serial in range(1, MAX_SERIAL) if serial not in serials)


def _touched() -> ColumnElement[str]:
    touched: ColumnElement[str] = dossier.c.opened_at
    for table in (release, confirmation, digitisation):
        last: Any = select(func.max(table.c.at)).where(table.c.dossier == dossier.c.code).scalar_subquery()
        touched = case((last > touched, last), else_=touched)
    return touched


async def _first_persons(db: AsyncConnection, codes: Sequence[str]) -> dict[str, str]:
    """Name one person of each dossier: the applicant, else the first by role."""
    query = (
        select(dossier_person.c.dossier, dossier_person.c.role, owner.c.name)
        .join(owner, owner.c.id == dossier_person.c.owner)
        .where(dossier_person.c.dossier.in_(codes))
        .order_by(dossier_person.c.role.desc())
    )
    rows = (await db.execute(query)).all()
    applicants = {row.dossier: row.name for row in rows if row.role == "applicant"}
    return {row.dossier: row.name for row in rows} | applicants
