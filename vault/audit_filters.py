"""What an auditor may ask for: filters over the codes that are kept beside the entries."""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, select

from signing.leaf import Kind
from vault.days import VIETNAM
from vault.entry_facts import STAMP
from vault.errors import FieldInvalid
from vault.tables import entry_fact, entry_holder

MAX_CODE = 100  # characters
RESULTS = ("permitted", "refused")
_YEARS = (2000, 2199)  # a day beyond has no entry, and may have no instant either
_ALIKE = ("agency", "system", "officer", "procedure", "dossier", "event", "result")


@dataclass(frozen=True)
class Filters:
    """Which entries are meant; what is None does not narrow. Days are those of Viet Nam, both inclusive."""

    owner: str | None = None  # the id of a store, never a number
    agency: str | None = None
    system: str | None = None
    officer: str | None = None
    procedure: str | None = None
    dossier: str | None = None
    kind: int | None = None
    event: str | None = None
    result: str | None = None
    reason: str | None = None
    since: date | None = None
    until: date | None = None

    def recorded(self) -> dict[str, Any]:
        """Give what narrows, as an entry tells of it; the owner stands in the entry's subject."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self) if field.name != "owner")
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in pairs
            if value is not None
        }


def check(filters: Filters) -> None:
    """Refuse what can name nothing.

    Raises:
        FieldInvalid: naming the filter.
    """
    for name in (*_ALIKE, "owner", "reason"):
        value = getattr(filters, name)
        if value is not None and not 0 < len(value) <= MAX_CODE:
            raise FieldInvalid(name, "too_long" if value else "too_short")
    if filters.kind is not None and filters.kind not in set(Kind):
        raise FieldInvalid("kind", "value_unknown")
    if filters.result is not None and filters.result not in RESULTS:
        raise FieldInvalid("result", "value_unknown")
    for name, day in (("since", filters.since), ("until", filters.until)):
        if day is not None and not _YEARS[0] <= day.year <= _YEARS[1]:
            raise FieldInvalid(name, "value_invalid")
    if filters.since and filters.until and filters.since > filters.until:
        raise FieldInvalid("until", "days_reversed")


def conditions(
    filters: Filters, index: Column[int], kind: Column[int], at: Column[str]
) -> list[ColumnElement[bool]]:
    """Give the conditions on a query that reads `entry_fact`.

    Args:
        index: where to read an index from: the entry itself, or the fact where no entry is read.
        kind: likewise a kind.
        at: likewise a time.
    """
    found = [entry_fact.c[name] == value for name in _ALIKE if (value := getattr(filters, name)) is not None]
    if filters.owner is not None:
        theirs = select(entry_holder.c.idx).where(
            entry_holder.c.holder_kind == "owner", entry_holder.c.holder == filters.owner
        )
        found.append(index.in_(theirs))
    if filters.reason is not None:
        found.append(entry_fact.c.reasons.contains(f'"{filters.reason}"', autoescape=True))
    if filters.kind is not None:
        found.append(kind == filters.kind)
    if filters.since is not None:
        found.append(at >= _begin(filters.since))
    if filters.until is not None:
        found.append(at < _begin(filters.until + timedelta(days=1)))
    return found


def _begin(day: date) -> str:
    """Give the first instant of a day in Viet Nam, as rows keep it."""
    return datetime.combine(day, time(), VIETNAM).astimezone(UTC).strftime(STAMP)
