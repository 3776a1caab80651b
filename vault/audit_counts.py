"""Counting entries by day, reason, agency and the like; a count is a look at the log, so it is an entry."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, get_args

from sqlalchemy import func, select

from vault.audit_acts import enter
from vault.audit_filters import Filters, check, conditions
from vault.auditing import concerned
from vault.callers import StaffCaller
from vault.days import legal_day
from vault.entry_facts import read_reasons
from vault.errors import FieldInvalid
from vault.services import Vault
from vault.tables import entry_fact

By = Literal["day", "reason", "agency", "system", "officer", "procedure", "kind", "event", "result"]
BYS: tuple[By, ...] = get_args(By)
DAYS = 30  # counted when no days are named
MAX_DAYS = 366
MAX_ROWS = 50  # of any other grouping; what is beyond is summed up under OTHERS
OTHERS = "*"
NOBODY = ""  # entries that name none: an owner's own acts have no agency


@dataclass(frozen=True)
class Count:
    """So many entries of one key, and how many of them say no."""

    key: str
    number: int
    refused: int


async def counts(vault: Vault, caller: StaffCaller, filters: Filters, *, by: By) -> list[Count]:
    """Count entries: each day of the span in order, else the largest groups first.

    An entry refused for two reasons counts under both.

    Raises:
        FieldInvalid: a filter can name nothing, or the span is longer than MAX_DAYS days.
        VaultBusy: the count could not be entered; nothing is shown.
    """
    if by not in BYS:
        raise FieldInvalid("by", "value_unknown")
    check(filters)
    within = spanned(filters, legal_day(vault.clock.now())) if by == "day" else filters
    asked = {"filter": within.recorded(), "by": by}
    entered = await enter(vault, caller, "entries_counted", asked, owners=await concerned(vault, within))
    column = entry_fact.c.reasons if by == "reason" else entry_fact.c[by]
    fitting = conditions(within, entry_fact.c.idx, entry_fact.c.kind, entry_fact.c.at)
    query = (
        select(column.label("key"), entry_fact.c.result, func.count().label("number"))
        .where(entry_fact.c.idx < entered.index, *fitting)
        .group_by(column, entry_fact.c.result)
    )
    every, refused = Counter[str](), Counter[str]()
    async with vault.db.read() as db:
        for row in await db.execute(query):
            for key in read_reasons(row.key) if by == "reason" else [_key(row.key)]:
                every[key] += row.number
                refused[key] += row.number if row.result == "refused" else 0
    if by == "day":
        return [Count(day, every[day], refused[day]) for day in _days(within)]
    return _largest(every, refused)


def _key(value: object) -> str:
    return NOBODY if value is None else str(value)


def spanned(filters: Filters, today: date) -> Filters:
    """Give the filters with both days set: the last DAYS days up to the day named, or to today.

    Raises:
        FieldInvalid: more than MAX_DAYS days.
    """
    until = filters.until or max(today, filters.since or today)
    since = filters.since or until - timedelta(days=DAYS - 1)
    if (until - since).days >= MAX_DAYS:
        raise FieldInvalid("since", "days_too_many")
    return replace(filters, since=since, until=until)


def _days(filters: Filters) -> Sequence[str]:
    if filters.since is None or filters.until is None:
        raise ValueError("the span of days is not known")
    return [
        (filters.since + timedelta(days=one)).isoformat()
        for one in range((filters.until - filters.since).days + 1)
    ]


def _largest(every: Counter[str], refused: Counter[str]) -> list[Count]:
    ordered = sorted(every, key=lambda key: (-every[key], key))
    shown, rest = ordered[:MAX_ROWS], ordered[MAX_ROWS:]
    found = [Count(key, every[key], refused[key]) for key in shown]
    if rest:
        found.append(Count(OTHERS, sum(every[one] for one in rest), sum(refused[one] for one in rest)))
    return found
