"""What web hooks are still to be told: written with what it tells of, and a row of the outbox beside it.

Each hook is a topic of its own, so that one receiver that is slow or away holds up no other. Its subjects are
records, releases and consents, which keeps the order in which a receiver hears of each.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import outbox, tracing
from vault.entries import instant, new_id, stamp
from vault.hook_tables import ACTIVE, PAUSED, webhook, webhook_event
from vault.tables import agency, release, system
from vault.tables import outbox as outbox_rows

TOPICS = (
    "record.revoked",
    "record.replaced",
    "record.suspended",
    "record.reinstated",
    "release.ended",
    "consent.given",
    "consent.refused",
    "consent.paused",
    "consent.resumed",
    "consent.withdrawn",
    "result.sealed",
    "result.given_up",
)
CHALLENGE = "webhook.challenge"  # what an address is asked with, before anything else is told there
# What a notice calls its event, and what a hook calls it.
_OF_NOTICES = {one.partition(".")[2]: one for one in TOPICS if one.startswith("record.")}
_OF_NOTICES |= {one.replace(".", "_"): one for one in TOPICS if one.startswith("consent.")}
_OF_NOTICES |= dict.fromkeys(("result_sealed", "scan_sealed"), "result.sealed")
_OF_NOTICES |= dict.fromkeys(("seal_given_up", "scan_given_up"), "result.given_up")


@dataclass(frozen=True)
class Event:
    """One thing to be told; `n` is its row of the outbox, `id` the same at every try."""

    n: int
    id: str
    type: str
    subject: str
    data: dict[str, Any]
    at: datetime
    trace: str


def topic_of(hook: str) -> str:
    """Give the topic of the outbox that is a hook's alone."""
    return f"{outbox.HOOKS}:{hook}"


async def tell(
    db: AsyncConnection,
    system_id: str,
    topic: str,
    subject: str,
    data: Mapping[str, Any],
    at: datetime,
    *,
    not_before: datetime | None = None,
) -> None:
    """Have a system told at every address that it registered for this, under the head lock.

    Args:
        data: ids and codes alone; the receiver asks the API for more.
        not_before: when it happens, if that is still to come.
    """
    live = and_(webhook.c.state.in_((ACTIVE, PAUSED)), system.c.live, agency.c.live)
    query = select(webhook.c.id, webhook.c.topics).where(webhook.c.system == system_id, live)
    query = query.join(system, system.c.id == webhook.c.system)
    query = query.join(agency, agency.c.id == webhook.c.agency).order_by(webhook.c.id)
    for row in (await db.execute(query)).all():
        if topic in json.loads(row.topics):
            await queue(db, row.id, topic, subject, data, not_before or at)


async def tell_of_notice(
    db: AsyncConnection, system_id: str, event: str, about: Mapping[str, Any], at: datetime
) -> None:
    """Have a system told of a notice that was written for it."""
    topic = _OF_NOTICES.get(event)
    if topic is not None:
        subject = about.get("record") or about.get("consent") or about.get("dossier") or about["notice"]
        await tell(db, system_id, topic, str(subject), about, at)


async def tell_of_closing(db: AsyncConnection, dossier: str, idx: int, at: datetime) -> None:
    """Have every system told whose releases end because a dossier was closed."""
    query = select(release.c.id, release.c.system).where(release.c.dossier == dossier).order_by(release.c.idx)
    for row in (await db.execute(query)).all():
        data = {"release": row.id, "dossier": dossier, "reason": "dossier_closed", "index": idx}
        await tell(db, row.system, "release.ended", row.id, data, at)


async def queue(
    db: AsyncConnection, hook: str, topic: str, subject: str, data: Mapping[str, Any], at: datetime
) -> None:
    """Have one hook told of one thing, not before an instant."""
    n = await outbox.add_one(db, topic_of(hook), subject, at)
    row = {"n": n, "id": new_id("evt"), "webhook": hook, "type": topic, "subject": subject}
    row |= {"data": json.dumps(dict(data), sort_keys=True), "at": stamp(at)}
    row["trace"] = tracing.kept() or tracing.begun().traceparent
    await db.execute(insert(webhook_event).values(**row))


async def events(db: AsyncConnection, rows: Sequence[int]) -> list[Event]:
    """Read what rows of the outbox stand for, in order; what is no longer to be told is left out."""
    query = select(webhook_event).where(webhook_event.c.n.in_(rows)).order_by(webhook_event.c.n)
    return [
        Event(row.n, row.id, row.type, row.subject, json.loads(row.data), instant(row.at), row.trace)
        for row in await db.execute(query)
    ]


async def told(db: AsyncConnection, n: int) -> None:
    """Forget an event that its receiver has."""
    await db.execute(delete(webhook_event).where(webhook_event.c.n == n))


async def forget(db: AsyncConnection, hook: str) -> None:
    """Drop all that a hook was still to be told."""
    await db.execute(delete(webhook_event).where(webhook_event.c.webhook == hook))
    await db.execute(delete(outbox_rows).where(outbox_rows.c.topic == topic_of(hook)))
