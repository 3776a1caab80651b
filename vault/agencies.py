"""Rows of agencies, their codes with history, systems, officers and rights with dates."""

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import CallerFacts
from vault.callers import SystemCaller
from vault.entries import stamp
from vault.errors import NotAuthenticated
from vault.tables import agency, agency_code, agency_right, key_pair, officer, system, system_key


def _in_force(table: Table, day: date) -> ColumnElement[bool]:
    on = day.isoformat()
    return and_(table.c.valid_from <= on, or_(table.c.valid_until.is_(None), table.c.valid_until >= on))


async def caller_facts(
    db: AsyncConnection, caller: SystemCaller, day: date, about: Collection[str] = ()
) -> CallerFacts:
    """Read what a decision needs to know of a system, its agency and its officer on a day.

    Args:
        about: the procedures, record types and purposes in question; an agency's other rights stay out of
            the facts.
    """
    found = (
        await db.execute(
            select(system.c.live.label("system_live"), agency.c.live.label("agency_live"))
            .join(agency, agency.c.id == system.c.agency)
            .where(system.c.id == caller.system, system.c.agency == caller.agency)
        )
    ).first()
    rights = (
        await db.execute(
            select(agency_right.c.right, agency_right.c.object).where(
                agency_right.c.agency == caller.agency,
                _in_force(agency_right, day),
                or_(agency_right.c.right == "succeed", agency_right.c.object.in_(about)),
            )
        )
    ).all()
    live = False
    if caller.officer is not None:
        query = select(officer.c.live).where(
            officer.c.agency == caller.agency, officer.c.id == caller.officer
        )
        live = bool((await db.execute(query)).scalar_one_or_none())
    return CallerFacts(
        agency=caller.agency,
        agency_live=bool(found and found.agency_live),
        system=caller.system,
        system_live=bool(found and found.system_live),
        officer=caller.officer,
        officer_live=live,
        procedures=frozenset(row.object for row in rights if row.right == "process"),
        issues=frozenset(row.object for row in rights if row.right == "issue"),
        agency_codes=await codes(db, caller.agency, day),
        predecessors=frozenset(row.object for row in rights if row.right == "succeed"),
        purposes=frozenset(row.object for row in rights if row.right == "consent"),
    )


async def codes(db: AsyncConnection, agency_id: str, day: date) -> tuple[str, ...]:
    """Give the codes of an agency that are in force on a day."""
    query = (
        select(agency_code.c.code)
        .where(agency_code.c.agency == agency_id, _in_force(agency_code, day))
        .order_by(agency_code.c.code)
    )
    return tuple(row.code for row in await db.execute(query))


async def rights(db: AsyncConnection, agency_id: str, day: date) -> dict[str, list[str]]:
    """Give an agency's rights in force on a day: for `process`, `issue` and `succeed` each its objects."""
    query = (
        select(agency_right.c.right, agency_right.c.object)
        .where(agency_right.c.agency == agency_id, _in_force(agency_right, day))
        .distinct()
        .order_by(agency_right.c.right, agency_right.c.object)
    )
    held: dict[str, list[str]] = {}
    for row in await db.execute(query):
        held.setdefault(row.right, []).append(row.object)
    return held


async def name(db: AsyncConnection, agency_id: str) -> tuple[str, str]:
    """Give an agency's name in Vietnamese and English."""
    row = (await db.execute(select(agency.c.name_vi, agency.c.name_en).where(agency.c.id == agency_id))).one()
    return row.name_vi, row.name_en


async def registered(db: AsyncConnection, agency_id: str) -> bool:
    """Say whether there is such an agency."""
    return (await db.execute(select(agency.c.id).where(agency.c.id == agency_id))).first() is not None


async def live(db: AsyncConnection, agency_id: str) -> bool:
    """Say whether there is such an agency and it has not ended."""
    found = await db.execute(select(agency.c.live).where(agency.c.id == agency_id))
    return bool(found.scalar_one_or_none())


async def live_systems(db: AsyncConnection, agency_id: str) -> list[str]:
    """List the live systems of an agency, its desk among them."""
    mine = select(system.c.id).where(system.c.agency == agency_id, system.c.live)
    return list((await db.execute(mine.order_by(system.c.id))).scalars())


async def live_officers(db: AsyncConnection, agency_id: str) -> list[str]:
    """List the live officers of an agency by their ids."""
    mine = select(officer.c.id).where(officer.c.agency == agency_id, officer.c.live)
    return list((await db.execute(mine.order_by(officer.c.id))).scalars())


async def public_keys(db: AsyncConnection, system_id: str, day: date) -> list[dict[str, Any]]:
    """Give a system's public keys (JWK) in force on a day; none for an unknown system."""
    query = select(system_key.c.jwk).where(system_key.c.system == system_id, _in_force(system_key, day))
    return [json.loads(row.jwk) for row in await db.execute(query)]


async def agency_of(db: AsyncConnection, system_id: str) -> str | None:
    """Give the agency of a live system."""
    query = (
        select(system.c.agency)
        .join(agency, agency.c.id == system.c.agency)
        .where(system.c.id == system_id, system.c.live, agency.c.live)
    )
    return (await db.execute(query)).scalar_one_or_none()


async def require_live(db: AsyncConnection, caller: SystemCaller) -> None:
    """Refuse a system that ended, or whose agency did, since its token was issued.

    Raises:
        NotAuthenticated: system_ended.
    """
    if await agency_of(db, caller.system) != caller.agency:
        raise NotAuthenticated("system_ended")


async def officer_live(db: AsyncConnection, agency_id: str, officer_id: str) -> bool:
    """Say whether an officer is registered and live at an agency."""
    query = select(officer.c.live).where(officer.c.agency == agency_id, officer.c.id == officer_id)
    return bool((await db.execute(query)).scalar_one_or_none())


async def officers(db: AsyncConnection, agency_id: str) -> dict[str, str]:
    """Give the names of an agency's officers by their ids, of those who left too."""
    rows = await db.execute(select(officer.c.id, officer.c.name).where(officer.c.agency == agency_id))
    return {row.id: row.name for row in rows}


async def create_agency(
    db: AsyncConnection,
    *,
    code: str,
    name_vi: str,
    name_en: str,
    key_row: dict[str, Any],
    since: date,
    at: datetime,
) -> None:
    """Insert an agency with its code in force since a day, and its log key pair."""
    await db.execute(
        insert(agency).values(id=code, name_vi=name_vi, name_en=name_en, live=True, created_at=stamp(at))
    )
    await db.execute(insert(agency_code).values(agency=code, code=code, valid_from=since.isoformat()))
    await db.execute(insert(key_pair).values(**key_row))


async def grant(db: AsyncConnection, agency_id: str, right: str, objects: list[str], since: date) -> None:
    """Insert rights of an agency: see the column `right` of `agency_right`."""
    rows = [
        {"agency": agency_id, "right": right, "object": one, "valid_from": since.isoformat()}
        for one in objects
    ]
    if rows:
        await db.execute(insert(agency_right), rows)


async def create_system(
    db: AsyncConnection,
    *,
    system_id: str,
    agency_id: str,
    name: str,
    jwk: dict[str, Any],
    thumbprint: str,
    since: date,
) -> None:
    """Insert a system with its first public key."""
    await db.execute(insert(system).values(id=system_id, agency=agency_id, name=name, live=True))
    await db.execute(
        insert(system_key).values(
            system=system_id,
            thumbprint=thumbprint,
            jwk=json.dumps(jwk, sort_keys=True),
            valid_from=since.isoformat(),
        )
    )


async def create_desk(db: AsyncConnection, *, system_id: str, agency_id: str) -> None:
    """Insert the system that an agency's officers at the desk work through; it can get no token."""
    query = select(agency.c.name_vi).where(agency.c.id == agency_id)
    name = f"Bàn làm việc · {(await db.execute(query)).scalar_one()}"
    await db.execute(insert(system).values(id=system_id, agency=agency_id, name=name, live=True))


async def create_officer(db: AsyncConnection, *, agency_id: str, officer_id: str, name: str) -> None:
    """Insert an officer of an agency."""
    await db.execute(insert(officer).values(agency=agency_id, id=officer_id, name=name, live=True))
