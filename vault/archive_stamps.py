"""Until when the newest archive time stamp of each record lasts, and which are due to be renewed."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.errors import RewritingFailed
from signing.report import Examination
from vault.entries import stamp
from vault.evidence_tables import archive_stamp
from vault.services import Vault
from vault.tables import record

ARCHIVED = "B-LTA"
_KEPT_HERE = ("result", "result_file", "digitised")  # an owner's upload stays the bytes that were uploaded


async def lasting(vault: Vault, file: Path, examined: Examination, source: str) -> datetime | None:
    """Ask a worker until when a file's archive stamp lasts; None where there is none to renew, or to tell."""
    archived = any(one.level == ARCHIVED for one in examined.report.signatures)
    if source in _KEPT_HERE and archived and examined.report.verdict == "valid":
        with suppress(RewritingFailed):  # not known: it is opened for that later, once
            return await vault.workers.lasts(file)
    return None


async def note(db: AsyncConnection, record_id: str, until: datetime | None, at: datetime) -> None:
    """Note until when a record's archive stamp lasts; None: it has none to renew."""
    values = {"until": stamp(until) if until is not None else None, "looked_at": stamp(at)}
    row = upsert(archive_stamp).values(record=record_id, **values)
    await db.execute(row.on_conflict_do_update(index_elements=["record"], set_=values))


async def due(db: AsyncConnection, until: datetime) -> Sequence[str]:
    """Give the records whose stamp runs out by then, soonest first, and those of which nothing is known."""
    known = select(archive_stamp.c.record)
    soon = select(archive_stamp.c.record).where(archive_stamp.c.until <= stamp(until))
    unknown = select(record.c.id).where(record.c.source.in_(_KEPT_HERE), record.c.id.not_in(known))
    rows = [*await db.execute(soon.order_by(archive_stamp.c.until)), *await db.execute(unknown)]
    return [row[0] for row in rows]
