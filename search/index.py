"""The contract of every search index (suite: tests/contracts/test_index.py).

It is derived from the rows: it may be lost, it is built again, and it decides nothing. It gives ids; what
is shown is read from the rows. Every search names who may see what it finds.
"""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol, Self

from search.errors import CursorInvalid
from search.query import EVERYTHING, Asked

LAYOUT = 4  # raised when what a document is kept as changes; an older one is built again, a newer one refused
MOST_HITS = 100  # of one page
FACETS = ("type", "issuer", "state", "trust", "year")
IN_FORCE, EXPIRED = "in_force", "expired"
NEVER = 99_991_231  # the day that ends the validity of what has no end
_DAY_BITS, _STORED_BITS, _SPREAD_BITS = 17, 16, 30
_ORDERS = 2 ** (_DAY_BITS + _STORED_BITS + _SPREAD_BITS)  # all fit into a signed number of 64 bits
_NO_DAY = date(1900, 1, 1)
_NOTHING_STORED = date(2000, 1, 1)


@dataclass(frozen=True)
class Document:
    """One record as some readers find it; what they find it by differs for others, who have one of their own.

    Args:
        readers: who may find it ("owner:ID", "issuer:ID"); a search names some of them.
        texts: what anybody who may find it finds it by.
        names: texts that only searches with `names` look at: of owners, codes that hold their numbers, and
            content, which names persons too.
        state: as the last event says it; that its term is over is seen from `valid_until`.
    """

    id: str
    readers: tuple[str, ...]
    texts: tuple[str, ...]
    names: tuple[str, ...]
    type: str
    issuer: str | None
    state: str
    trust: str
    issued_on: date | None
    valid_until: date | None
    stored_on: date

    @property
    def order(self) -> int:
        """Newer first by this number: the day of issue, then of storing, then what the id scatters."""
        issued = _kept((self.issued_on or self.stored_on) - _NO_DAY, _DAY_BITS)
        stored = _kept(self.stored_on - _NOTHING_STORED, _STORED_BITS)
        scattered = int.from_bytes(hashlib.sha256(self.id.encode()).digest()[:8], "big")
        return ((issued << _STORED_BITS | stored) << _SPREAD_BITS) | (scattered >> (64 - _SPREAD_BITS))

    @property
    def year(self) -> str | None:
        """The year it was issued in."""
        return f"{self.issued_on.year:04d}" if self.issued_on else None


@dataclass(frozen=True)
class Search:
    """What is searched for.

    Args:
        visible_to: documents of at least one of these readers are found; never empty.
        day: the day that decides what has expired.
        filters: facet -> values, one of which must be the document's.
        issued_from, issued_until: days of issue, both inclusive.
        names: whether names of owners are searched, too.
        after: the cursor of the page before.
    """

    visible_to: frozenset[str]
    day: date
    asked: Asked = EVERYTHING
    names: bool = False
    filters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    issued_from: date | None = None
    issued_until: date | None = None
    after: str | None = None
    limit: int = 20
    facets: bool = False

    def __post_init__(self) -> None:
        if not self.visible_to or "" in self.visible_to:
            raise ValueError("a search names who may see what it finds")
        if not 1 <= self.limit <= MOST_HITS:
            raise ValueError(f"a page holds 1 to {MOST_HITS} hits")
        if strange := set(self.filters) - set(FACETS):
            raise ValueError(f"there is no facet {min(strange)!r}")


@dataclass(frozen=True)
class Page:
    """What was found: ids in order, how many in all, and how many of each value of the facets.

    The best class comes first; within it what is in force on the day of the search, and then the newest.

    Args:
        loose: nothing was found as it was typed; these are found with a typing error put right.
    """

    ids: tuple[str, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    next: str | None
    loose: bool = False


@dataclass(frozen=True)
class Cursor:
    """Where a page ended: in which round of the query, in which class, at which order.

    Args:
        ended: 0 among those of the class that are in force, 1 among the others, which come after.
    """

    round: int
    rank: int
    ended: int
    order: int

    def __str__(self) -> str:
        text = json.dumps([self.round, self.rank, self.ended, self.order])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str | None, asked: Asked) -> Self | None:
        """Read a cursor of a query.

        Raises:
            CursorInvalid: no search of this query gave it, or one of a Kho that knew another order.
        """
        if text is None:
            return None
        try:
            padded = text + "=" * (-len(text) % 4)
            parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, RecursionError):
            raise CursorInvalid from None
        if not isinstance(parts, list) or [type(one) for one in parts] != [int] * 4:
            raise CursorInvalid
        known = 0 <= parts[0] < len(asked.rounds) and 0 <= parts[1] <= len(asked.rounds[parts[0]].classes)
        if not known or parts[2] not in (0, 1) or not 0 <= parts[3] < _ORDERS:
            raise CursorInvalid
        return cls(*parts)


class Building(Protocol):
    """A new index that nobody searches yet."""

    async def put(self, documents: Sequence[Document]) -> None:
        """Add documents, all of one id in one go. Raises DocumentsRefused, IndexUnavailable."""
        ...


class Index(Protocol):
    """A search index; safe from many tasks at once."""

    async def search(self, search: Search) -> Page:
        """Find documents. Raises CursorInvalid, QueryInvalid, IndexMissing, IndexNewer, IndexUnavailable."""
        ...

    async def put(self, documents: Sequence[Document], gone: Sequence[str] = ()) -> None:
        """Add documents, in place of all that has their ids, and take away others by id; all or a part of it.

        Documents of one id, for different readers, are put in one go.

        What is put is found by searches that begin after the return. Doing it again changes nothing.

        Raises:
            DocumentsRefused: some can never be put, as they are; all others were, and are found as above.
            IndexMissing, IndexNewer, IndexUnavailable: it is no document's fault; the same may be put later.
        """
        ...

    def building(self) -> AbstractAsyncContextManager[Building]:
        """Build a new index beside the one in use; leaving without an error puts it in its place at once.

        Searches go on in the old one meanwhile. Dying inside leaves the old one in use; what was built is
        swept away by the next building. Raises, before anything is built, IndexNameTaken, IndexUnavailable.
        """
        ...

    async def ready(self) -> int:
        """Give how many documents there are. Raises IndexMissing, IndexNewer, IndexUnavailable."""
        ...

    async def close(self) -> None:
        """Give back threads and connections; the index is not used afterwards."""
        ...


def _kept(since: timedelta, bits: int) -> int:
    most: int = 2**bits - 1
    return min(max(since.days, 0), most)


def day_number(day: date | None, none: int) -> int:
    """Give a day as the number that indexes compare: 20260131; `none` where there is none."""
    return day.year * 10_000 + day.month * 100 + day.day if day else none


def with_expired(states: Mapping[str, int], expired: int) -> dict[str, int]:
    """Move from the count of what is in force what expired since it was put."""
    counted = dict(states)
    counted[IN_FORCE] = counted.get(IN_FORCE, 0) - expired
    counted[EXPIRED] = counted.get(EXPIRED, 0) + expired
    return {name: count for name, count in counted.items() if count > 0}


async def batches(documents: AsyncIterator[Document], size: int) -> AsyncIterator[list[Document]]:
    """Give documents in lists of `size`, the last one shorter."""
    batch: list[Document] = []
    async for one in documents:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
