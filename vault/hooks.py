"""Rows of web hooks: where a system is told of what concerns it, and which worker tells it now."""

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import hook_queue
from vault.entries import instant, stamp
from vault.hook_queue import CHALLENGE, topic_of
from vault.hook_tables import ACTIVE, ENDED, PAUSED, PENDING, webhook
from vault.tables import outbox as outbox_rows

TAKEN_BACK, GONE, UNCONFIRMED = "taken_back", "receiver_gone", "not_confirmed"  # why one ended
STRUCK_OFF = "system_ended"
RESTORED = "restored"  # another reason: it was not confirmed yet when the backup was made
CONFIRMED_WITHIN = timedelta(hours=24)
_LEASE = timedelta(minutes=5)
_CODE = 32  # bytes


@dataclass(frozen=True)
class Hook:
    """One registered address; `state` is pending until the system hands in the code that was sent there."""

    id: str
    system: str
    agency: str
    url: str
    topics: tuple[str, ...]
    state: str
    reason: str | None
    code: str | None
    answer_until: datetime
    created_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    failures: int
    next_at: datetime
    last_ok_at: datetime | None
    last_failure: str | None
    last_failed_at: datetime | None

    @property
    def outbox(self) -> str:
        """The topic of the outbox that is this hook's alone."""
        return topic_of(self.id)


def read(row: RowMapping, at: datetime) -> Hook:
    """Read a row as it stands at an instant: one that nobody confirmed in time has ended by itself."""
    late = row["state"] == PENDING and row["answer_until"] <= stamp(at)
    return Hook(
        id=row["id"],
        system=row["system"],
        agency=row["agency"],
        url=row["url"],
        topics=tuple(json.loads(row["topics"])),
        state=ENDED if late else row["state"],
        reason=UNCONFIRMED if late else row["reason"],
        code=row["code"],
        answer_until=instant(row["answer_until"]),
        created_at=instant(row["created_at"]),
        confirmed_at=_maybe(row["confirmed_at"]),
        ended_at=instant(row["answer_until"]) if late else _maybe(row["ended_at"]),
        failures=row["failures"],
        next_at=instant(row["next_at"]),
        last_ok_at=_maybe(row["last_ok_at"]),
        last_failure=row["last_failure"],
        last_failed_at=_maybe(row["last_failed_at"]),
    )


async def one(db: AsyncConnection, hook: str, at: datetime) -> Hook | None:
    """Read one hook, or None."""
    row = (await db.execute(select(webhook).where(webhook.c.id == hook))).mappings().first()
    return read(row, at) if row is not None else None


async def of_system(db: AsyncConnection, system_id: str, at: datetime) -> list[Hook]:
    """Read every hook that a system ever had, the oldest first."""
    query = select(webhook).where(webhook.c.system == system_id).order_by(webhook.c.created_at, webhook.c.id)
    return [read(row, at) for row in (await db.execute(query)).mappings()]


async def add(
    db: AsyncConnection,
    hook: str,
    system_id: str,
    agency_id: str,
    *,
    url: str,
    topics: Sequence[str],
    at: datetime,
) -> None:
    """Insert a hook that is still to be confirmed, and have its address asked."""
    code = urlsafe_b64encode(os.urandom(_CODE)).rstrip(b"=").decode()
    until = at + CONFIRMED_WITHIN
    row = {"id": hook, "system": system_id, "agency": agency_id, "url": url, "topics": json.dumps(topics)}
    row |= {"state": PENDING, "code": code, "answer_until": stamp(until), "created_at": stamp(at)}
    await db.execute(insert(webhook).values(**row, failures=0, next_at=stamp(at)))
    data = {"webhook": hook, "code": code, "until": until.isoformat()}
    await hook_queue.queue(db, hook, CHALLENGE, hook, data, at)


async def confirm(db: AsyncConnection, hook: str, at: datetime) -> None:
    """Begin to tell: the system has handed in what was sent to the address."""
    await hook_queue.forget(db, hook)  # the code, if it is still being sent
    values = {"state": ACTIVE, "code": None, "confirmed_at": stamp(at), "failures": 0, "next_at": stamp(at)}
    await db.execute(update(webhook).where(webhook.c.id == hook).values(**values))


async def end(db: AsyncConnection, hook: str, reason: str, at: datetime) -> None:
    """End a hook: what it was still to be told is not told any more."""
    await hook_queue.forget(db, hook)
    values = {"state": ENDED, "reason": reason, "code": None, "ended_at": stamp(at)}
    await db.execute(update(webhook).where(webhook.c.id == hook).values(**values))


async def pause_all(db: AsyncConnection, at: datetime) -> int:
    """Let a restored vault tell nobody by itself; gives how many hooks wait for an administrator's word.

    Whoever took an address back after the backup did not mean to be told again, and a rehearsal is no vault
    that anybody should hear of. What waits, and what comes, is kept. Addresses not yet confirmed have ended.
    """
    pending = select(webhook.c.id).where(webhook.c.state == PENDING)
    for row in (await db.execute(pending)).all():
        await end(db, row.id, RESTORED, at)
    paused = update(webhook).where(webhook.c.state == ACTIVE).values(state=PAUSED, leased_until=None)
    return int((await db.execute(paused)).rowcount)


async def resume(db: AsyncConnection, hook: str, at: datetime) -> None:
    """Go on telling a hook that was paused."""
    mine = update(webhook).where(webhook.c.id == hook, webhook.c.state == PAUSED)
    await db.execute(mine.values(state=ACTIVE, failures=0, next_at=stamp(at)))


# Who sends -----------------------------------------------------------------------------------------------


async def due(db: AsyncConnection, at: datetime, limit: int) -> list[str]:
    """Give the hooks that something may be sent to now and that nobody sends to, the longest due first."""
    now = stamp(at)
    waits = and_(
        outbox_rows.c.topic == literal(topic_of("")) + webhook.c.id,
        outbox_rows.c.dead_at.is_(None),
        outbox_rows.c.next_at <= now,
        or_(outbox_rows.c.leased_until.is_(None), outbox_rows.c.leased_until <= now),
    )
    query = select(webhook.c.id).where(_free(now), select(outbox_rows.c.n).where(waits).exists())
    return [row.id for row in await db.execute(query.order_by(webhook.c.next_at, webhook.c.id).limit(limit))]


async def lease(db: AsyncConnection, hook: str, at: datetime) -> tuple[Hook, str] | None:
    """Be the one worker that sends to a hook, until the lease runs out; None where another is."""
    now, until = stamp(at), stamp(at + _LEASE)
    mine = update(webhook).where(webhook.c.id == hook, _free(now)).values(leased_until=until)
    if not (await db.execute(mine)).rowcount:
        return None
    found = await one(db, hook, at)
    return (found, until) if found is not None else None


async def try_now(db: AsyncConnection, hook: str, at: datetime) -> None:
    """Try again at once, however often it failed."""
    await db.execute(update(webhook).where(webhook.c.id == hook).values(failures=0, next_at=stamp(at)))


async def forget_unconfirmed(db: AsyncConnection, at: datetime) -> None:
    """Drop what was still to be sent to addresses that nobody confirmed in time."""
    late = and_(webhook.c.state == PENDING, webhook.c.answer_until <= stamp(at), webhook.c.code.is_not(None))
    for row in (await db.execute(select(webhook.c.id).where(late))).all():
        await hook_queue.forget(db, row.id)
        await db.execute(update(webhook).where(webhook.c.id == row.id).values(code=None))


async def give_back(db: AsyncConnection, hook: str, until: str, health: Mapping[str, Any]) -> None:
    """End a lease that is still ours, with what was seen of the receiver (`Hook`'s columns)."""
    mine = update(webhook).where(webhook.c.id == hook, webhook.c.leased_until == until)
    await db.execute(mine.values(leased_until=None, **health))


def _free(now: str) -> ColumnElement[bool]:
    live = or_(webhook.c.state == ACTIVE, and_(webhook.c.state == PENDING, webhook.c.answer_until > now))
    unleased = or_(webhook.c.leased_until.is_(None), webhook.c.leased_until <= now)
    return and_(live, unleased, webhook.c.next_at <= now)


def _maybe(value: str | None) -> datetime | None:
    return instant(value) if value is not None else None
