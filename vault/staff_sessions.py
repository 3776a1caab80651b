"""Sessions of officers as an administrator sees them, and their end: an entry that names the reason."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from policies.headings import clean
from signing.leaf import Kind, Parts
from vault import entries, requests, sessions
from vault.appending import Transaction
from vault.callers import StaffCaller
from vault.errors import FieldInvalid, NotAuthenticated, NotFound
from vault.services import Answer, Vault
from vault.sessions import Line
from vault.tables import officer, staff_session
from vault.telling import VAULT_HOLDER

ENDED = "staff_session_ended"
MAX_REASON = 1000


async def every(vault: Vault, caller: StaffCaller, limit: int) -> list[Line]:
    """List the sessions of officers that stand, newest first, `limit` at most.

    Raises:
        NotAuthenticated: the caller is no administrator.
    """
    _allowed(caller)
    query = (
        select(staff_session, officer.c.name)
        .join(
            officer, (officer.c.agency == staff_session.c.agency) & (officer.c.id == staff_session.c.officer)
        )
        .where(sessions.standing(staff_session, vault.clock.now()))
        .order_by(staff_session.c.began_at.desc())
        .limit(limit)
    )
    mine = sessions.hash_of(caller.session)
    async with vault.db.read() as db:
        rows = (await db.execute(query)).mappings().all()
    return [sessions.line(row, current=row["secret_hash"] == mine, name=row["name"]) for row in rows]


async def end(vault: Vault, caller: StaffCaller, session_id: str, reason: str, *, key: str) -> Answer:
    """End an officer's session; the entry says whose, and why.

    Raises:
        NotAuthenticated: the caller is no administrator.
        NotFound: no such session stands.
        FieldInvalid: a reason is missing, or too long.
        RequestConflict: the key was used for another request.
    """
    _allowed(caller)
    why = clean(reason)
    if not why or len(why) > MAX_REASON:
        raise FieldInvalid("reason", "too_long" if why else "too_short")
    asked = requests.body_hash(ENDED, {"session": session_id, "reason": why})
    async with vault.db.read() as db:
        done = await requests.answered(db, caller.id, key, asked)
        if done is not None:
            return done
        query = select(staff_session.c.agency, staff_session.c.officer, staff_session.c.role).where(
            staff_session.c.id == session_id, sessions.standing(staff_session, vault.clock.now())
        )
        row = (await db.execute(query)).mappings().first()
        held = await entries.holders(db, [VAULT_HOLDER])
    if row is None:
        raise NotFound
    at, who = vault.clock.now(), dict(row)
    parts = _parts(caller, who | {"reason": why}, at)
    prepared = entries.prepare(
        Kind.ADMINISTRATOR_ACT, parts, held, at=at, caller_kind=caller.kind, caller=caller.id
    )

    async def change(tx: Transaction) -> Answer:
        before = await requests.answered(tx.db, caller.id, key, asked)
        if before is not None:
            return before
        if not await sessions.end_by_id(tx.db, "staff", session_id, who):
            raise NotFound
        (logged,) = await tx.append([prepared])
        answer: Answer = {"session": session_id, "receipt": logged.receipt, "index": logged.index}
        await requests.keep(tx.db, caller.id, key, asked, answer, at)
        return answer

    return await vault.appender.commit(change)


def _parts(caller: StaffCaller, facts: dict[str, Any], at: datetime) -> Parts:
    event = {"type": ENDED, "result": "permitted", "at": at.isoformat()}
    return Parts(subject={}, actor=caller.actor(), purpose={}, basis={"facts": facts}, event=event)


def _allowed(caller: StaffCaller) -> None:
    if caller.role != "administrator":
        raise NotAuthenticated("role_missing")
