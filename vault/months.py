"""The months, as they are counted in Viet Nam, in which there are entries about an owner."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import case, func, select

from vault.callers import OwnerCaller
from vault.days import VIETNAM, legal_day
from vault.entries import instant, stamp
from vault.services import Vault
from vault.tables import entry_holder, log_entry


@dataclass(frozen=True)
class Month:
    """A calendar month; `first` is its first day."""

    first: date

    @classmethod
    def of(cls, iso: str) -> "Month":
        """Read YYYY-MM; ValueError if it is no month."""
        return cls(date.fromisoformat(f"{iso}-01"))

    @property
    def iso(self) -> str:
        """The month as YYYY-MM."""
        return self.first.isoformat()[:7]

    @property
    def next(self) -> "Month":
        """The month that follows."""
        over = self.first.month == 12
        return Month(date(self.first.year + over, 1 if over else self.first.month + 1, 1))

    def begins(self) -> str:
        """The instant at which it begins in Viet Nam, as rows keep instants."""
        return stamp(datetime(self.first.year, self.first.month, 1, tzinfo=VIETNAM).astimezone(UTC))


def month_of(at: datetime) -> Month:
    """Give the month in Viet Nam of an aware instant."""
    return Month(legal_day(at).replace(day=1))


async def my_months(vault: Vault, caller: OwnerCaller) -> list[tuple[Month, int]]:
    """Give the months that have entries about the owner, with how many, the newest first."""
    mine = (entry_holder.c.holder_kind == "owner") & (entry_holder.c.holder == caller.owner)
    held = entry_holder.join(log_entry, log_entry.c.idx == entry_holder.c.idx)
    ends = select(func.min(log_entry.c.at), func.max(log_entry.c.at)).select_from(held).where(mine)
    async with vault.db.read() as db:
        first, last = (await db.execute(ends)).one()
        if first is None:
            return []
        months = {one.iso: one for one in _from_to(instant(first), instant(last))}
        named = case(*((log_entry.c.at < one.next.begins(), iso) for iso, one in months.items()))
        counting = select(named.label("month"), func.count()).select_from(held).where(mine).group_by("month")
        counts = {iso: count for iso, count in await db.execute(counting)}
    return [(months[iso], counts[iso]) for iso in sorted(counts, reverse=True)]


def _from_to(first: datetime, last: datetime) -> Iterator[Month]:
    month, until = month_of(first), legal_day(last)
    while month.first <= until:
        yield month
        month = month.next
