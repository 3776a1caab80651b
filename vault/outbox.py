"""The outbox: what is still to be done elsewhere because of what was committed here (DESIGN 5).

A row is written in the transaction of what it tells of, so that neither is there without the other, and it is
removed once it was carried out: at least once, so that carrying out must be idempotent. Rows of one subject
are carried out in order: while some are leased, nobody takes a later one. What keeps failing by itself is
given up after many attempts, ever further apart, and waits for a person.

Any number of workers share it. A worker locks the oldest row of each subject that it takes, passing over what
others have locked, and commits its lease before it begins; what it does takes place outside any transaction.
Dying there leaves the lease, which runs out.

What has another end than the database needs a topic here: the search index, and whatever is sent to somebody
who does not ask. Notices need none: they are rows themselves, written with what they tell of and read by
whoever asks for them, so that there is nothing to carry out. Sending them is a topic for each web hook, whose
subjects are records, releases and consents (vault/hooks.py).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import SystemRandom

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import tracing
from vault.entries import instant, stamp
from vault.tables import outbox

INDEX = "index"  # the topic of the search index; its subjects are records
HOOKS = "webhook"  # each hook has a topic of its own, "webhook:ID"
MOST_ATTEMPTS = 16  # some eight hours
FIRST = timedelta(seconds=2)  # before it is tried again; doubled each time
LONGEST = timedelta(hours=1)
NEVER_ENDED = "never_ended"  # why something was given up that nobody came back from
_LEASE = timedelta(minutes=5)  # whoever dies meanwhile, it is due again after that
_SPREAD = SystemRandom()


@dataclass(frozen=True)
class Due:
    """A subject that is due, with the rows that tell of it: carried out once for all of them.

    `lease` says until when it is ours; whoever took it after that has another one. `trace` is that of the
    newest row: carry it out under `tracing.resumed(trace)`.
    """

    subject: str
    rows: tuple[int, ...]
    attempts: int
    lease: str
    trace: str | None = None


@dataclass(frozen=True)
class Letter:
    """A dead letter: a subject that was given up, why, and when."""

    topic: str
    subject: str
    reason: str
    attempts: int
    dead_at: datetime


@dataclass(frozen=True)
class Lag:
    """How far behind a topic is: subjects that wait, since when the oldest does, and those given up."""

    waiting: int
    since: datetime | None
    dead: int


async def add(db: AsyncConnection, topic: str, subjects: Collection[str], at: datetime) -> None:
    """Have something done for each of the subjects, once the transaction is committed.

    The rows keep the trace that this is done under.
    """
    now = stamp(at)
    said = {"topic": topic, "attempts": 0, "next_at": now, "created_at": now, "trace": tracing.kept()}
    if subjects:
        await db.execute(insert(outbox), [said | {"subject": one} for one in dict.fromkeys(subjects)])


async def add_one(db: AsyncConnection, topic: str, subject: str, at: datetime) -> int:
    """Have one thing done, not before an instant; gives the row, for whoever keeps more of it beside."""
    row = {"topic": topic, "subject": subject, "attempts": 0, "next_at": stamp(at), "created_at": stamp(at)}
    added = insert(outbox).values(**row, trace=tracing.kept()).returning(outbox.c.n)
    return int((await db.execute(added)).scalar_one())


async def take(
    db: AsyncConnection, topic: str, at: datetime, limit: int, *, apart: bool = False
) -> list[Due]:
    """Lease what is due, the oldest first; called under `Database.beside`.

    The attempt is counted before it is made, so that one which kills us is counted too; what nobody came
    back from so often is given up here.

    Args:
        apart: what was tried before is handed out alone, so that whatever it does, it does to nothing else.
    """
    now, lease = stamp(at), stamp(at + _LEASE)
    row, other = outbox.c, outbox.alias("other").c
    free = or_(row.leased_until.is_(None), row.leased_until <= now)
    spent = and_(_waits(topic), row.attempts >= MOST_ATTEMPTS, row.next_at <= now, free)
    given_up = {"dead_at": now, "leased_until": None, "reason": func.coalesce(row.reason, NEVER_ENDED)}
    await db.execute(update(outbox).where(spent).values(**given_up))
    before = and_(other.n < row.n, other.dead_at.is_(None))
    in_the_way = exists().where(
        other.topic == topic, other.subject == row.subject, or_(before, other.leased_until > now)
    )
    # What is asked of the row itself, PostgreSQL asks again once the row is locked.
    oldest = (
        select(row.n, row.subject, row.attempts)
        .where(_waits(topic), row.next_at <= now, free)
        .where(~in_the_way)
        .order_by(row.n)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    due = (await db.execute(oldest)).all()
    if apart:
        due = due[:1] if due and due[0].attempts else [one for one in due if not one.attempts]
    subjects = [one.subject for one in due]
    found: dict[str, list[int]] = {one: [] for one in subjects}
    tried: dict[str, int] = {}
    traces: dict[str, str | None] = {}
    mine = and_(_waits(topic), row.subject.in_(subjects))
    for one in await db.execute(select(outbox).where(mine).order_by(row.n)):
        found[one.subject].append(one.n)
        tried[one.subject] = max(tried.get(one.subject, 0), one.attempts + 1)
        traces[one.subject] = one.trace or traces.get(one.subject)
    taken = [Due(one, tuple(found[one]), tried[one], lease, traces[one]) for one in subjects]
    values = {"leased_until": lease, "attempts": row.attempts + 1}
    await db.execute(update(outbox).where(_rows(taken)).values(**values))
    return taken


async def renew(db: AsyncConnection, due: Sequence[Due], at: datetime) -> list[Due]:
    """Have our leases begin anew; gives what is still ours, without what another took meanwhile."""
    lease, kept = stamp(at + _LEASE), []
    for old in dict.fromkeys(one.lease for one in due):
        ours = [one for one in due if one.lease == old]
        mine = update(outbox).where(_rows(ours), outbox.c.leased_until == old)
        rows = set((await db.execute(mine.values(leased_until=lease).returning(outbox.c.n))).scalars())
        kept += [replace(one, lease=lease) for one in ours if rows.issuperset(one.rows)]
    return kept


async def done(db: AsyncConnection, due: Sequence[Due]) -> list[str]:
    """Remove what was carried out; gives the subjects that another took meanwhile, our lease having run out.

    Whatever we did of those late may stand over what the other did after: where that matters it is added
    again.
    """
    lost = []
    for lease in dict.fromkeys(one.lease for one in due):
        ours = [one for one in due if one.lease == lease]
        mine = delete(outbox).where(_rows(ours), outbox.c.leased_until == lease)
        rows = set((await db.execute(mine.returning(outbox.c.n))).scalars())
        lost += [one.subject for one in ours if not rows.issuperset(one.rows)]
    return lost


async def put_off(
    db: AsyncConnection, due: Sequence[Due], reason: str, at: datetime, *, counts: bool
) -> None:
    """Try again later.

    Args:
        counts: it failed by itself, and is given up after MOST_ATTEMPTS; else what it needs is away, and it
            waits for that as long as it takes.
    """
    for one in due:
        values: dict[str, object] = {"reason": reason, "leased_until": None}
        if counts and one.attempts >= MOST_ATTEMPTS:
            values["dead_at"] = stamp(at)
        wait = min(LONGEST, FIRST * 2 ** min(one.attempts - 1, 20))
        values["next_at"] = stamp(at + wait * _SPREAD.uniform(0.75, 1.25))
        if not counts:
            soon = stamp(at + FIRST * _SPREAD.uniform(0.75, 1.25))
            values |= {"attempts": outbox.c.attempts - 1, "next_at": soon}
        ours = and_(_rows([one]), outbox.c.leased_until == one.lease)
        await db.execute(update(outbox).where(ours).values(**values))


async def give_up(db: AsyncConnection, topic: str, before: datetime, reason: str, at: datetime) -> int:
    """Give up what has waited since before an instant, whatever it waits for; gives how many rows."""
    old = and_(_waits(topic), outbox.c.created_at < stamp(before))
    values = {"dead_at": stamp(at), "reason": reason, "leased_until": None}
    return int((await db.execute(update(outbox).where(old).values(**values))).rowcount)


async def dead_letters(db: AsyncConnection, limit: int = 1000, topic: str | None = None) -> list[Letter]:
    """List what was given up, the oldest first; a subject once, whatever number of rows told of it."""
    query = select(outbox).where(outbox.c.dead_at.is_not(None)).order_by(outbox.c.n).limit(limit)
    if topic is not None:
        query = query.where(outbox.c.topic == topic)
    found = {(row.topic, row.subject): row for row in await db.execute(query)}
    return [
        Letter(row.topic, row.subject, row.reason or "", row.attempts, instant(row.dead_at or ""))
        for row in found.values()
    ]


async def replay(
    db: AsyncConnection, at: datetime, subjects: Collection[str] | None = None, topic: str | None = None
) -> int:
    """Have what was given up tried again: all of it, of some subjects, of one topic; gives how many rows."""
    dead: ColumnElement[bool] = outbox.c.dead_at.is_not(None)
    if topic is not None:
        dead = and_(dead, outbox.c.topic == topic)
    if subjects is not None:
        dead = and_(dead, outbox.c.subject.in_(subjects))
    values = {"dead_at": None, "attempts": 0, "next_at": stamp(at), "leased_until": None}
    values["created_at"] = stamp(at)  # what waited too long has waited from now on
    return int((await db.execute(update(outbox).where(dead).values(**values))).rowcount)


async def lags(db: AsyncConnection) -> dict[str, Lag]:
    """Say how far behind every topic is, those of all web hooks together as HOOKS; the index is always there.

    So names in figures are of the program alone, and one look at the rows is enough for all.
    """
    hooks = outbox.c.topic.startswith(f"{HOOKS}:", autoescape=True)
    each = select(
        case((hooks, HOOKS), else_=outbox.c.topic).label("topic"),
        (outbox.c.topic + " " + outbox.c.subject).label("what"),  # one subject may be told to several
        outbox.c.dead_at,
        outbox.c.created_at,
    ).subquery()
    waits = each.c.dead_at.is_(None)
    query = select(
        each.c.topic,
        func.count(func.distinct(case((waits, each.c.what)))).label("waiting"),
        func.min(case((waits, each.c.created_at))).label("since"),
        func.count(func.distinct(case((~waits, each.c.what)))).label("dead"),
    ).group_by(each.c.topic)
    found = {
        row.topic: Lag(row.waiting, instant(row.since) if row.since else None, row.dead)
        for row in await db.execute(query)
    }
    return {INDEX: Lag(0, None, 0)} | found


async def lag(db: AsyncConnection, topic: str) -> Lag:
    """Say how far behind a topic is."""
    waiting = select(func.count(func.distinct(outbox.c.subject)), func.min(outbox.c.created_at))
    count, since = (await db.execute(waiting.where(_waits(topic)))).one()
    dead = select(func.count(func.distinct(outbox.c.subject)))
    given_up = (
        await db.execute(dead.where(outbox.c.topic == topic, outbox.c.dead_at.is_not(None)))
    ).scalar_one()
    return Lag(count, instant(since) if since else None, given_up)


def _waits(topic: str) -> ColumnElement[bool]:
    return and_(outbox.c.topic == topic, outbox.c.dead_at.is_(None))


def _rows(due: Sequence[Due]) -> ColumnElement[bool]:
    return outbox.c.n.in_([row for one in due for row in one.rows])
