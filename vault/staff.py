"""Officers who sign in: at the desk, as auditors, as administrators. Codes are the demo's way."""

import os
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import sessions
from vault.callers import Role, StaffCaller
from vault.clock import Clock
from vault.database import Database
from vault.entries import instant, stamp
from vault.session_marks import Marking, SessionMarks
from vault.tables import agency, officer, officer_role, officer_sign_in, staff_session

CODE_LIFETIME = timedelta(minutes=30)
SESSION_LIFETIME = timedelta(minutes=30)


async def give_role(db: AsyncConnection, *, agency_id: str, officer_id: str, role: Role) -> None:
    """Insert a role of an officer."""
    await db.execute(insert(officer_role).values(agency=agency_id, officer=officer_id, role=role))


async def has_role(db: AsyncConnection, agency_id: str, officer_id: str, role: Role) -> bool:
    """Say whether an officer has a role."""
    query = select(officer_role.c.role).where(
        officer_role.c.agency == agency_id, officer_role.c.officer == officer_id, officer_role.c.role == role
    )
    return (await db.execute(query)).first() is not None


async def who_is(db: AsyncConnection, issuer: str, subject: str) -> tuple[str, str] | None:
    """Find the agency and the officer that a person of a provider is here, live or not."""
    query = select(officer_sign_in.c.agency, officer_sign_in.c.officer).where(
        officer_sign_in.c.issuer == issuer, officer_sign_in.c.subject == subject
    )
    row = (await db.execute(query)).first()
    return (row.agency, row.officer) if row is not None else None


async def roles(db: AsyncConnection, agency_id: str, officer_id: str) -> list[Role]:
    """Give the roles of an officer, none unless officer and agency are live."""
    query = (
        select(officer_role.c.role)
        .join(officer, (officer.c.agency == officer_role.c.agency) & (officer.c.id == officer_role.c.officer))
        .join(agency, agency.c.id == officer_role.c.agency)
        .where(
            officer_role.c.agency == agency_id,
            officer_role.c.officer == officer_id,
            officer.c.live,
            agency.c.live,
        )
        .order_by(officer_role.c.role)
    )
    return [row.role for row in await db.execute(query)]


async def signed_in(db: AsyncConnection, secret: str, marks: SessionMarks) -> StaffCaller | None:
    """Read whose session a secret is, while officer and agency are live; None for any other."""
    query = (
        select(staff_session, officer.c.name)
        .join(
            officer, (officer.c.agency == staff_session.c.agency) & (officer.c.id == staff_session.c.officer)
        )
        .join(agency, agency.c.id == staff_session.c.agency)
        .where(
            staff_session.c.secret_hash == _hash(secret),
            staff_session.c.kind == "session",
            officer.c.live,
            agency.c.live,
        )
    )
    row = (await db.execute(query)).first()
    if row is None or not marks.hold("staff", dict(row._mapping)):
        return None
    return StaffCaller(
        row.agency,
        row.officer,
        row.role,
        row.name,
        instant(row.expires),
        secret,
        **sessions.strength(row),
    )


async def new_code(db: Database, clock: Clock, *, agency_id: str, officer_id: str, role: Role) -> str:
    """Make a one-time code for an officer in a role; the demo prints it in its terminal."""
    code = "-".join(os.urandom(2).hex() for _ in range(4))
    row = {"agency": agency_id, "officer": officer_id, "role": role}
    async with db.write() as writing:
        await _keep(writing, row, "code", code, clock.now() + CODE_LIFETIME)
    return code


async def redeem_code(db: Database, gate: Marking, clock: Clock, code: str) -> tuple[str, Role] | None:
    """Turn a one-time code into a session secret and its role; None when it is unknown, used or too old."""
    at = clock.now()
    asked = staff_session.c.secret_hash == _hash(code.strip().lower()), staff_session.c.kind == "code"
    async with db.read() as reading:
        query = select(staff_session).where(*asked, staff_session.c.expires > stamp(at))
        found = (await reading.execute(query)).first()
    if found is None:
        return None
    who = {"agency": found.agency, "officer": found.officer, "role": found.role}
    secret, row = await sessions.by_code(gate, "staff", who, at, SESSION_LIFETIME)
    async with db.write() as writing:
        if (await writing.execute(delete(staff_session).where(*asked))).rowcount != 1:
            return None  # somebody was faster
        await writing.execute(delete(staff_session).where(staff_session.c.expires < stamp(at)))
        await writing.execute(insert(staff_session).values(**row))
    return secret, found.role


async def sign_out(db: Database, secret: str) -> None:
    """End a session; an unknown one is ended already."""
    async with db.write() as writing:
        await writing.execute(delete(staff_session).where(staff_session.c.secret_hash == _hash(secret)))


async def _keep(db: AsyncConnection, row: dict[str, str], kind: str, secret: str, expires: datetime) -> None:
    values = {**row, "kind": kind, "secret_hash": _hash(secret), "expires": stamp(expires)}
    await db.execute(insert(staff_session).values(**values))


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
