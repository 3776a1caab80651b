"""Searching: one's own documents, and what every search has in common; never over owners.

The index gives ids and decides nothing: every hit is read from the rows and checked there before it is shown,
so that a wrong or poisoned index shows nothing foreign. An officer's search is an entry
(vault/dossier_search.py, vault/issued_search.py); an owner's own is none.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.entries import Text
from policies.facts import TrustClass, Validity
from search.errors import CursorInvalid, QueryInvalid, SearchError
from search.highlighting import Pieces, marked
from search.index import Page, Search
from search.query import Asked, read
from vault import finding, records, trust_rows
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.errors import FieldInvalid, SearchUnavailable
from vault.finding import MyRecord
from vault.indexing import owner_reader
from vault.services import Vault
from vault.tables import agency, record, record_owner

MAX_PAGE = 50  # hits in one page


@dataclass(frozen=True)
class Sought:
    """What is looked for: the words, and of each facet the values of which one is wanted."""

    text: str
    filters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    after: str | None = None
    limit: int = 20


@dataclass(frozen=True)
class Hit:
    """One document of mine that was found, and its title cut into pieces that were asked for or not."""

    record: MyRecord
    title: Pieces


@dataclass(frozen=True)
class Found:
    """A page of hits; total and facets are the index's counts, none larger than the rows allow.

    Args:
        issuers: the names of the issuers that `facets` counts.
        loose: a typing error was put right.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    issuers: Mapping[str, Text]
    next: str | None
    loose: bool


async def mine(vault: Vault, caller: OwnerCaller, sought: Sought) -> Found:
    """Search the owner's own documents; no entry.

    Raises:
        FieldInvalid: the words or the cursor cannot be used.
        SearchUnavailable: the index is away.
    """
    day = legal_day(vault.clock.now())
    asked, page = await asked_of(vault, [owner_reader(caller.owner)], sought, day, names=True, facets=True)
    async with vault.db.read() as db:
        stored = await trust_rows.explained(db, await records.several(db, page.ids, day))
        reasons = await finding.validity_reasons(db, page.ids)
        facets, issuers = await counted(db, vault, page)
        total, facets = await _bounded(db, caller.owner, page.total, facets)
    own = {one.facts.id: one for one in stored if caller.owner in one.facts.owners}
    told = [finding.my_record(own[one], caller.owner, reasons.get(one)) for one in page.ids if one in own]
    hits = tuple(Hit(one, marked(one.title, asked, loose=page.loose)) for one in told)
    known = {code: name for code, name in issuers.items() if code in facets["issuer"]}
    return Found(hits, total, facets, known, page.next, page.loose and bool(hits))


async def _bounded(
    db: AsyncConnection, owner_id: str, total: int, facets: Mapping[str, Mapping[str, int]]
) -> tuple[int, dict[str, dict[str, int]]]:
    """Leave out values that none of the owner's records has, and count no more than there are of them.

    States and classes are more than a column; of these nothing is counted above all that is owned.
    """
    query = select(record.c.type, record.c.issuer, record.c.issued_on)
    query = query.join(record_owner, record_owner.c.record == record.c.id)
    rows = (await db.execute(query.where(record_owner.c.owner == owner_id))).all()
    most = {
        "type": Counter(row.type for row in rows),
        "issuer": Counter(row.issuer for row in rows),
        "year": Counter((row.issued_on or "")[:4] for row in rows),
    }
    most |= {name: Counter(dict.fromkeys(facets[name], len(rows))) for name in ("state", "trust")}
    return min(total, len(rows)), bounded(facets, most)


def bounded(
    facets: Mapping[str, Mapping[str, int]], most: Mapping[str, Mapping[str | None, int]]
) -> dict[str, dict[str, int]]:
    """Count no value above what there is of it; leave out those of which there is nothing."""
    return {
        name: {
            value: min(count, most[name].get(value, 0))
            for value, count in counts.items()
            if most[name].get(value)
        }
        for name, counts in facets.items()
    }


async def asked_of(
    vault: Vault,
    readers: Collection[str],
    sought: Sought,
    day: date,
    *,
    names: bool,
    facets: bool,
    **more: Any,
) -> tuple[Asked, Page]:
    """Ask the index for what some readers may find.

    Raises:
        FieldInvalid, SearchUnavailable.
    """
    asked = read_words(sought.text)
    if any(not values for values in sought.filters.values()) or not readers:
        return asked, Page((), 0, {}, None)
    if vault.index is None:
        raise SearchUnavailable("none is set")
    wanted = Search(
        visible_to=frozenset(readers),
        day=day,
        asked=asked,
        names=names,
        filters=sought.filters,
        after=sought.after,
        limit=min(max(sought.limit, 1), MAX_PAGE),
        facets=facets,
        **more,
    )
    try:
        return asked, await vault.index.search(wanted)
    except CursorInvalid as problem:
        raise FieldInvalid("cursor", "cursor_malformed") from problem
    except QueryInvalid as problem:  # more than this server takes
        raise FieldInvalid("q", problem.reason) from problem
    except SearchError as problem:
        vault.search.away = True
        raise SearchUnavailable(problem.code) from problem


def read_words(text: str) -> Asked:
    """Read what was typed. Raises FieldInvalid, naming `q`."""
    try:
        return read(text)
    except QueryInvalid as problem:
        raise FieldInvalid("q", problem.reason) from problem


def marker(text: str, *, loose: bool) -> Callable[[str | None], Pieces]:
    """Give what marks in a text of a hit what was asked for.

    Raises:
        FieldInvalid: as in `read_words`.
    """
    asked = read_words(text)
    return lambda shown: marked(shown or "", asked, loose=loose)


async def counted(
    db: AsyncConnection, vault: Vault, page: Page, among: Collection[str] | None = None
) -> tuple[dict[str, dict[str, int]], dict[str, Text]]:
    """Give the counts of values that there are, and the names of the issuers among them.

    Whatever else an index may say is left out. How many there are of each is what the index says.

    Args:
        among: the issuers that there can be; any that there is if not given.
    """
    wanted = [one for one in page.facets.get("issuer", ()) if among is None or one in among]
    query = select(agency).where(agency.c.id.in_(wanted))
    issuers = {row.id: Text(row.name_vi, row.name_en) for row in await db.execute(query)}
    known: dict[str, Collection[str]] = {
        "type": {one.code for one in vault.book.record_types},
        "issuer": issuers,
        "state": {one.value for one in Validity},
        "trust": {one.value for one in TrustClass},
    }
    told = {
        name: {value: count for value, count in page.facets.get(name, {}).items() if value in values}
        for name, values in known.items()
    }
    years = page.facets.get("year", {})
    told["year"] = {
        one: count for one, count in years.items() if one.isascii() and one.isdigit() and len(one) == 4
    }
    return told, issuers
