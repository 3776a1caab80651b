"""Whom a subject of the staff's provider is here: registered by the house's command line, each an entry."""

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import agencies, epochs, sessions, staff
from vault.callers import Role
from vault.errors import FieldInvalid, NotFound
from vault.registering import act
from vault.services import Vault
from vault.tables import officer as officer_rows
from vault.tables import officer_role, officer_sign_in, staff_session


async def let_sign_in(vault: Vault, *, agency: str, officer: str, issuer: str, subject: str) -> None:
    """Register whom a subject of the staff's provider is here; said again, it changes nothing.

    Raises:
        FieldInvalid: there is no such officer, or the subject is another officer already.
    """
    async with vault.db.read() as db:
        if not await agencies.officer_live(db, agency, officer):
            raise FieldInvalid("officer", "officer_unknown")
        known = await staff.who_is(db, issuer, subject)
    if known == (agency, officer):
        return
    if known is not None:
        raise FieldInvalid("subject", "subject_taken")

    async def rows(db: AsyncConnection) -> None:
        values = {"issuer": issuer, "subject": subject, "agency": agency, "officer": officer}
        await db.execute(insert(officer_sign_in).values(**values))

    facts = {"agency": agency, "officer": officer, "provider": issuer}
    await act(vault, "staff_sign_in_given", facts, rows)


async def end_sign_in(vault: Vault, *, issuer: str, subject: str) -> None:
    """Let a subject of the staff's provider be nobody here from now on; their sessions end.

    Raises:
        NotFound: it is nobody.
    """
    async with vault.db.read() as db:
        known = await staff.who_is(db, issuer, subject)
    if known is None:
        raise NotFound

    async def rows(db: AsyncConnection) -> None:
        await db.execute(
            delete(officer_sign_in).where(
                officer_sign_in.c.issuer == issuer, officer_sign_in.c.subject == subject
            )
        )
        await sessions.end_all(db, "staff", {"agency": known[0], "officer": known[1]})

    facts = {"agency": known[0], "officer": known[1], "provider": issuer}
    await act(vault, "staff_sign_in_ended", facts, rows)


async def take_role(vault: Vault, *, agency: str, officer: str, role: Role) -> None:
    """Take a role from an officer: it cannot be signed in for any more, and its sessions end.

    Raises:
        NotFound: it is not theirs.
    """

    async def rows(db: AsyncConnection) -> None:
        await _end_sessions(db, agency, officer, staff_session.c.role == role)
        theirs = (officer_role.c.agency == agency, officer_role.c.officer == officer)
        done = await db.execute(delete(officer_role).where(*theirs, officer_role.c.role == role))
        if done.rowcount != 1:
            raise NotFound
        await epochs.advance(db, [("agency", agency)])

    await act(vault, "role_taken", {"agency": agency, "officer": officer, "role": role}, rows)


async def leave(vault: Vault, *, agency: str, officer: str) -> None:
    """Let an officer be one no more, for good: no role, no sign-in, nothing in their name by any system.

    What they did stays under their name; the id is nobody else's later.

    Raises:
        NotFound: there is no such officer, or they left already.
    """

    async def rows(db: AsyncConnection) -> None:
        who = (officer_rows.c.agency == agency, officer_rows.c.id == officer)
        gone = update(officer_rows).where(*who, officer_rows.c.live).values(live=False)
        if (await db.execute(gone)).rowcount != 1:
            raise NotFound
        await _end_sessions(db, agency, officer)
        for table in (officer_role, officer_sign_in):
            await db.execute(delete(table).where(table.c.agency == agency, table.c.officer == officer))
        await epochs.advance(db, [("agency", agency)])

    await act(vault, "officer_left", {"agency": agency, "officer": officer}, rows)


async def _end_sessions(db: AsyncConnection, agency: str, officer: str, *more: ColumnElement[bool]) -> None:
    """End sessions of an officer, and codes that would open some."""
    theirs = (staff_session.c.agency == agency, staff_session.c.officer == officer)
    await db.execute(delete(staff_session).where(*theirs, *more))


async def listed(db: AsyncConnection) -> list[tuple[str, str, str, str, str, str]]:
    """List (agency, officer, name, role, provider, subject); without sign-in or role these are empty."""
    query = (
        select(
            officer_rows.c.agency,
            officer_rows.c.id,
            officer_rows.c.name,
            officer_role.c.role,
            officer_sign_in.c.issuer,
            officer_sign_in.c.subject,
        )
        .outerjoin(
            officer_role,
            (officer_role.c.agency == officer_rows.c.agency) & (officer_role.c.officer == officer_rows.c.id),
        )
        .outerjoin(
            officer_sign_in,
            (officer_sign_in.c.agency == officer_rows.c.agency)
            & (officer_sign_in.c.officer == officer_rows.c.id),
        )
        .where(officer_rows.c.live)
        .order_by(officer_rows.c.agency, officer_rows.c.id, officer_role.c.role, officer_sign_in.c.subject)
    )
    return [tuple(value or "" for value in row) for row in await db.execute(query)]  # type: ignore[misc]
