"""What a release was last decided on, remembered by this process for as long as its epochs stand (DESIGN 5).

A decision is made at every fetch. What it is made on is read again only once an epoch moved, or the day did:
whatever could change a decision raises an epoch, in the same transaction as the change.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import AccessFacts
from vault import epochs
from vault.callers import SystemCaller
from vault.records import Stored

MOST = 1_000  # releases; some 10 kB each


@dataclass(frozen=True)
class Known:
    """The facts of one fetch, its record, and the epochs that both were read under."""

    facts: AccessFacts
    record: Stored
    epochs: dict[str, int]


@dataclass(frozen=True)
class FactsKept:
    """The releases that were fetched last. Losing it costs time alone."""

    _known: OrderedDict[tuple[str, ...], Known] = field(default_factory=OrderedDict)

    async def still(self, db: AsyncConnection, release: str, caller: SystemCaller, day: date) -> Known | None:
        """Give what is known of a release for this caller on this day, if no epoch moved since."""
        key = _key(release, caller, day)
        known = self._known.get(key)
        if known is None:
            return None
        if await epochs.now(db, known.epochs) != known.epochs:
            self._known.pop(key, None)
            return None
        self._known.move_to_end(key)
        return known

    def keep(self, release: str, caller: SystemCaller, day: date, known: Known) -> None:
        """Remember what a release was decided on; the one that was not asked for longest is forgotten."""
        self._known[_key(release, caller, day)] = known
        while len(self._known) > MOST:
            self._known.popitem(last=False)


def _key(release: str, caller: SystemCaller, day: date) -> tuple[str, ...]:
    return release, caller.agency, caller.system, caller.officer or "", day.isoformat()
