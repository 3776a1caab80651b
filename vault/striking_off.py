"""A system or an agency is one no more, for good: struck off by the house's command line, each an entry.

From the next call on no token, key or session of theirs counts, at the doors and at the gate. What they did
stays: records that the agency issued are worth what they were, its dossiers stay as they are, and nobody goes
on with them. A successor (the right `succeed`) may revoke what it issued; it opens dossiers of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import agencies, epochs, hooks
from vault.callers import desk_system
from vault.enrolling import said_reason
from vault.errors import NotFound
from vault.hook_tables import ENDED
from vault.registering import act
from vault.sealer import Sealer
from vault.services import Vault
from vault.tables import agency as agency_rows
from vault.tables import officer, officer_role, officer_sign_in, staff_session, system


@dataclass(frozen=True)
class Ended:
    """What ended with an agency, and whether its seal key did: not where another process holds the keys."""

    systems: Sequence[str]
    officers: Sequence[str]
    seal_key: bool


async def end_system(vault: Vault, code: str, *, reason: str) -> str:
    """Let a system be one no more; its web hooks end. Gives its agency.

    Raises:
        NotFound: there is no such system, or it ended already; or it is a desk, which ends with its agency.
        FieldInvalid: a reason is missing, or too long.
    """
    why = said_reason(reason)
    async with vault.db.read() as db:
        agency = await agencies.agency_of(db, code)
    if agency is None or code == desk_system(agency):
        raise NotFound

    async def rows(db: AsyncConnection) -> None:
        await _end_system(db, code, vault.clock.now())
        await epochs.advance(db, [("agency", agency)])

    await act(vault, "system_ended", {"agency": agency, "system": code, "reason": why}, rows)
    return agency


async def end_agency(vault: Vault, code: str, *, reason: str) -> Ended:
    """Let an agency be one no more, and with it its systems, its desk, its officers and its seal key.

    Raises:
        NotFound: there is no such agency, or it ended already.
        FieldInvalid: a reason is missing, or too long.
    """
    why = said_reason(reason)
    async with vault.db.read() as db:
        systems = await agencies.live_systems(db, code)
        officers = await agencies.live_officers(db, code)

    async def rows(db: AsyncConnection) -> None:
        gone = update(agency_rows).where(agency_rows.c.id == code, agency_rows.c.live).values(live=False)
        if (await db.execute(gone)).rowcount != 1:
            raise NotFound
        for one in await agencies.live_systems(db, code):
            await _end_system(db, one, vault.clock.now())
        await db.execute(update(officer).where(officer.c.agency == code).values(live=False))
        for table in (staff_session, officer_role, officer_sign_in):
            await db.execute(delete(table).where(table.c.agency == code))
        await epochs.advance(db, [("agency", code)])

    told = {"agency": code, "systems": systems, "officers": officers, "reason": why}
    await act(vault, "agency_ended", told, rows)
    here = isinstance(vault.sealer, Sealer)
    if isinstance(vault.sealer, Sealer):
        vault.sealer.keys.end(code)
    return Ended(systems, officers, here)


async def _end_system(db: AsyncConnection, code: str, at: datetime) -> None:
    gone = update(system).where(system.c.id == code, system.c.live).values(live=False)
    if (await db.execute(gone)).rowcount != 1:
        raise NotFound
    for hook in await hooks.of_system(db, code, at):
        if hook.state != ENDED:
            await hooks.end(db, hook.id, hooks.STRUCK_OFF, at)
