"""Telling a system what changed: a notice is a row beside the entry that it tells of (DESIGN 2.9)."""

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.entries import new_id, stamp
from vault.tables import notice


async def notify(
    db: AsyncConnection,
    *,
    agency: str,
    system: str | None,
    event: str,
    idx: int,
    at: datetime,
    dossier: str | None = None,
    record: str | None = None,
    consent: str | None = None,
) -> None:
    """Insert a notice for an agency's system under the head lock, beside the entry at `idx`."""
    await db.execute(
        insert(notice).values(
            id=new_id("ntc"),
            agency=agency,
            system=system,
            dossier=dossier,
            record=record,
            consent=consent,
            event=event,
            idx=idx,
            at=stamp(at),
        )
    )
