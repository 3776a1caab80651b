"""Figures of scans, from what was entered: how many there were, how many in spite of an answer, and why."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select

from vault.audit_acts import enter
from vault.callers import StaffCaller
from vault.days import VIETNAM
from vault.entries import stamp
from vault.services import Vault
from vault.tables import digitisation


@dataclass(frozen=True)
class Rescans:
    """Scans of a period: all, those in spite of an answer, and these by reason and by answer."""

    scans: int
    rescans: int
    by_reason: dict[str, int]
    by_answer: dict[str, int]


async def rescans(vault: Vault, *, since: date, until: date, agency: str | None = None) -> Rescans:
    """Count the scans of some days in Viet Nam, both inclusive; each row stands beside its entry.

    Args:
        agency: whose scans; all agencies' if None.
    """
    query = select(digitisation.c.answered, digitisation.c.reason).where(
        digitisation.c.at >= _start(since), digitisation.c.at < _start(until + timedelta(days=1))
    )
    if agency is not None:
        query = query.where(digitisation.c.agency == agency)
    async with vault.db.read() as db:
        rows = (await db.execute(query)).all()
    again = [row for row in rows if row.answered != "none"]
    return Rescans(
        scans=len(rows),
        rescans=len(again),
        by_reason=dict(Counter(row.reason for row in again)),
        by_answer=dict(Counter(row.answered for row in again)),
    )


async def audited_rescans(vault: Vault, caller: StaffCaller, *, since: date, until: date) -> Rescans:
    """Count the scans of all agencies for an auditor; as every count of theirs, an entry.

    Raises:
        NotAuthenticated: the caller is no auditor.
        VaultBusy: the count could not be entered; nothing is told.
    """
    asked = {"filter": {"since": since.isoformat(), "until": until.isoformat()}, "by": "rescans"}
    await enter(vault, caller, "entries_counted", asked)
    return await rescans(vault, since=since, until=until)


def _start(day: date) -> str:
    return stamp(datetime.combine(day, time(), VIETNAM).astimezone(UTC))
