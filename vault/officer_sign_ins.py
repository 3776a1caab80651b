"""Whom a subject of the staff's provider is here: registered by the house's command line, each an entry."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import agencies, sessions, staff
from vault.errors import FieldInvalid, NotFound
from vault.registering import act
from vault.services import Vault
from vault.tables import officer, officer_role, officer_sign_in


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


async def listed(db: AsyncConnection) -> list[tuple[str, str, str, str, str, str]]:
    """List (agency, officer, name, role, provider, subject); without sign-in or role these are empty."""
    query = (
        select(
            officer.c.agency,
            officer.c.id,
            officer.c.name,
            officer_role.c.role,
            officer_sign_in.c.issuer,
            officer_sign_in.c.subject,
        )
        .outerjoin(
            officer_role,
            (officer_role.c.agency == officer.c.agency) & (officer_role.c.officer == officer.c.id),
        )
        .outerjoin(
            officer_sign_in,
            (officer_sign_in.c.agency == officer.c.agency) & (officer_sign_in.c.officer == officer.c.id),
        )
        .where(officer.c.live)
        .order_by(officer.c.agency, officer.c.id, officer_role.c.role, officer_sign_in.c.subject)
    )
    return [tuple(value or "" for value in row) for row in await db.execute(query)]  # type: ignore[misc]
