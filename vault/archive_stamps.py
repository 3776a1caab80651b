"""Until when the newest archive time stamp of each record lasts, and which are due to be renewed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.errors import RewritingFailed
from signing.report import Examination
from vault.entries import instant, stamp
from vault.evidence_tables import archive_stamp, earlier_content
from vault.services import Vault
from vault.tables import record
from vault.upserting import upsert

ARCHIVED = "B-LTA"
FIRST = timedelta(days=1)  # before what was put off is looked at again; doubled each time
LONGEST = timedelta(days=16)
_KEPT_HERE = ("result", "result_file", "digitised")  # an owner's upload stays the bytes that were uploaded


@dataclass(frozen=True)
class Due:
    """A record to look at, and until when its stamp lasts, where that is known."""

    record: str
    until: datetime | None


async def lasting(vault: Vault, file: Path, examined: Examination, source: str) -> datetime | None:
    """Ask a worker until when a file's archive stamp lasts; None where there is none to renew, or to tell."""
    archived = any(one.level == ARCHIVED for one in examined.report.signatures)
    if source in _KEPT_HERE and archived and examined.report.verdict == "valid":
        with suppress(RewritingFailed):  # not known: it is opened for that later, once
            return await vault.workers.lasts(file)
    return None


async def note(db: AsyncConnection, record_id: str, until: datetime | None, at: datetime) -> None:
    """Note until when a record's archive stamp lasts; None: its file has none."""
    await _keep(db, record_id, _until(until) | {"put_off": None, "again_at": None, "put_offs": 0}, at)


async def put_off(
    db: AsyncConnection, record_id: str, why: str, at: datetime, until: datetime | None = None
) -> None:
    """Note why a record was not renewed now (a code); it stays due, looked at again ever more seldom."""
    query = select(archive_stamp.c.put_offs).where(archive_stamp.c.record == record_id)
    before = (await db.execute(query)).scalar_one_or_none() or 0
    wait: timedelta = min(LONGEST, FIRST * 2 ** min(before, 10))
    known = {} if until is None else _until(until)
    said = {"put_off": why, "again_at": stamp(at + wait), "put_offs": before + 1}
    await _keep(db, record_id, known | said, at)


async def judged_anew(db: AsyncConnection, record_id: str, until: datetime | None, at: datetime) -> None:
    """Take a new verdict in: what was noted by the old one counts no more, and None is looked at again."""
    if until is not None:
        await note(db, record_id, until, at)
    else:
        await db.execute(delete(archive_stamp).where(archive_stamp.c.record == record_id))


async def due(db: AsyncConnection, until: datetime, at: datetime, most: int) -> Sequence[Due]:
    """Give the records whose stamp runs out by `until`, soonest first, and those of which nothing is known.

    What was put off is left out until its time; at most `most` are given.
    """
    row = archive_stamp.c
    open_ = or_(row.again_at.is_(None), row.again_at <= stamp(at))
    soon = select(row.record, row.until).where(row.until <= stamp(until), open_).order_by(row.until)
    doubtful = select(row.record, row.until).where(row.until.is_(None), row.again_at <= stamp(at))
    unknown = select(record.c.id).where(
        record.c.source.in_(_KEPT_HERE), record.c.id.not_in(select(row.record))
    )
    found = [Due(one.record, instant(one.until)) for one in await db.execute(soon.limit(most))]
    found += [Due(one.record, None) for one in await db.execute(doubtful.order_by(row.again_at).limit(most))]
    found += [Due(one.id, None) for one in await db.execute(unknown.limit(most))]
    return found[:most]


async def renewals(db: AsyncConnection, record_id: str) -> tuple[int, datetime | None]:
    """Count how often a record was renewed, and say when last."""
    query = select(func.count(), func.max(earlier_content.c.replaced_at))
    row = (await db.execute(query.where(earlier_content.c.record == record_id))).one()
    return row[0], None if row[1] is None else instant(row[1])


async def told(db: AsyncConnection) -> dict[str, int]:
    """Count the records that were put off, by the reason."""
    why = archive_stamp.c.put_off
    rows = await db.execute(select(why, func.count()).where(why.is_not(None)).group_by(why))
    return {row[0]: row[1] for row in rows}


def _until(until: datetime | None) -> dict[str, Any]:
    return {"until": None if until is None else stamp(until)}


async def _keep(db: AsyncConnection, record_id: str, values: dict[str, Any], at: datetime) -> None:
    values = values | {"looked_at": stamp(at)}
    row = upsert(archive_stamp).values(record=record_id, **values)
    await db.execute(row.on_conflict_do_update(index_elements=["record"], set_=values))
