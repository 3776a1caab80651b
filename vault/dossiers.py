"""Rows of dossiers and their persons; the facts of one dossier as decisions know it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping, func, insert, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.errors import IdentifierInvalid
from policies.facts import DossierFacts, PersonFacts
from policies.identifiers import dossier_code
from policies.procedures import Component, Procedure, asked_components, components_for
from vault import catalogue
from vault.days import legal_day
from vault.entries import instant, stamp
from vault.tables import confirmation, dossier, dossier_person, owner_identifier, release


@dataclass(frozen=True)
class Opened:
    """One dossier: its row, its facts, its procedure as of the version it was opened on, what it asks for."""

    row: Mapping[str, Any]
    facts: DossierFacts
    procedure: Procedure
    components: tuple[Component, ...]

    @property
    def owners(self) -> tuple[str, ...]:
        """The owner ids of its persons, each once, in the order of their roles."""
        return tuple(dict.fromkeys(person.owner for person in self.facts.persons if person.owner))

    def about(self, *owner_ids: str) -> DossierFacts:
        """The same dossier with the facts of one person alone, or of the owners of one record.

        It is what an entry to them may hold.
        """
        return replace(self.facts, persons=tuple(one for one in self.facts.persons if one.owner in owner_ids))


def canonical_code(text: str) -> str:
    """Give the one writing of a dossier code, by which its row is found; what is no code stays as it is."""
    try:
        return dossier_code(text).text
    except IdentifierInvalid:
        return text


async def opened_by(db: AsyncConnection, agency: str, officer: str | None, since: datetime) -> int:
    """Count the dossiers that an officer of an agency opened after an instant; none without an officer."""
    query = select(func.count(dossier.c.code)).where(
        dossier.c.agency == agency, dossier.c.officer == officer, dossier.c.opened_at > stamp(since)
    )
    return int((await db.execute(query)).scalar_one()) if officer is not None else 0


async def one(db: AsyncConnection, code: str) -> Opened | None:
    """Read one dossier, or None."""
    row = (await db.execute(select(dossier).where(dossier.c.code == code))).mappings().first()
    if row is None:
        return None
    people = (
        await db.execute(
            select(dossier_person).where(dossier_person.c.dossier == code).order_by(dossier_person.c.role)
        )
    ).mappings()
    persons = tuple(
        PersonFacts(
            role=person["role"],
            owner=person["owner"],
            represented=person["represented"],
            representation_evidence=bool(person["representation_evidence"]),
        )
        for person in people
    )
    opened_at = instant(row["opened_at"])
    procedure = await catalogue.procedure_at(db, row["procedure"], row["procedure_version"], opened_at)
    additional, conditions = (
        tuple(json.loads(row["additional_cases"])),
        frozenset(json.loads(row["conditions"])),
    )
    components = components_for(procedure, row["case_key"], additional, conditions)
    parsed = dossier_code(code)
    facts = DossierFacts(
        code=code,
        code_agency=parsed.agency,
        code_day=parsed.day,
        agency=row["agency"],
        procedure=row["procedure"],
        case=row["case_key"],
        opened_on=legal_day(opened_at),
        state=row["state"],
        evidence=row["evidence"],
        additional_cases=additional,
        conditions=conditions,
        persons=persons,
        components=asked_components(components),
    )
    return Opened(dict(row), facts, procedure, components)


async def insert_dossier(
    db: AsyncConnection, row: dict[str, object], persons: list[dict[str, object]]
) -> None:
    """Insert a dossier with its persons."""
    await db.execute(insert(dossier).values(**row))
    if persons:
        await db.execute(insert(dossier_person), persons)


async def close(db: AsyncConnection, code: str, at: str) -> None:
    """Close a dossier; it never reopens."""
    await db.execute(update(dossier).where(dossier.c.code == code).values(state="closed", closed_at=at))


async def identifiers_by_role(db: AsyncConnection, facts: DossierFacts) -> list[tuple[str, str]]:
    """Give (role, identifier value) for every identifier of every person of a dossier."""
    found: list[tuple[str, str]] = []
    for person in facts.persons:
        if person.owner is not None:
            query = select(owner_identifier.c.value).where(owner_identifier.c.owner == person.owner)
            found.extend((person.role, row.value) for row in await db.execute(query))
    return found


async def open_using(db: AsyncConnection, record_id: str) -> Sequence[Row[str, str, str]]:
    """Read code, agency and system of each open dossier that a record was released to or confirmed for."""
    used = union(
        select(release.c.dossier).where(release.c.record == record_id, release.c.dossier.is_not(None)),
        select(confirmation.c.dossier).where(confirmation.c.record == record_id),
    )
    query = select(dossier.c.code, dossier.c.agency, dossier.c.system).where(
        dossier.c.code.in_(used), dossier.c.state == "open"
    )
    return (await db.execute(query.order_by(dossier.c.code))).all()


async def of_owner(db: AsyncConnection, owner_id: str) -> list[RowMapping]:
    """Read the dossiers that name an owner, newest first."""
    query = (
        select(dossier, dossier_person.c.role)
        .join(dossier_person, dossier_person.c.dossier == dossier.c.code)
        .where(dossier_person.c.owner == owner_id)
        .order_by(dossier.c.opened_at.desc())
    )
    return list((await db.execute(query)).mappings())
