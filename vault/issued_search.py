"""What an agency issued: searched by document, never by owner (DESIGN 7); each search is an entry."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.entries import Text
from policies.facts import AccessFacts, Action, CallerFacts, TrustClass, Validity
from policies.recording import plain
from search.index import FACETS
from search.vietnamese import controls
from signing.leaf import Kind
from vault import agencies, epochs, records, searching, telling, trust_rows
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.errors import FieldInvalid, Moved, SearchUnavailable, VaultBusy
from vault.indexing import issuer_reader
from vault.records import Stored
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.tables import record, validity_event
from vault.telling import Telling

MAX_PAGE = 100  # records in one page


@dataclass(frozen=True)
class Sought:
    """What is looked for; what is None is not looked at. Days are days of issue, both inclusive.

    Args:
        issuer: the agency, or one that it follows.
        year: of issue, in four digits.
    """

    type: str | None = None
    state: Validity | None = None
    number: str | None = None
    text: str | None = None
    issued_from: date | None = None
    issued_until: date | None = None
    issuer: str | None = None
    trust: TrustClass | None = None
    year: str | None = None

    @property
    def indexed(self) -> bool:
        """Whether the index is asked: for words, and for the class, which rows alone do not tell."""
        return self.text is not None or self.trust is not None


@dataclass(frozen=True)
class _Found:
    """What was found, in order; `next` is the cursor of the page after it."""

    records: list[Stored]
    next: str | None
    loose: bool = False
    facets: Mapping[str, Mapping[str, int]] | None = None
    issuers: Mapping[str, Text] = field(default_factory=dict)


async def search(
    vault: Vault,
    caller: SystemCaller,
    sought: Sought,
    *,
    after: str | None = None,
    limit: int = 50,
    facets: bool = False,
) -> Answer | Refusal:
    """List what the caller's agency, or its predecessor, issued; the newest first, or as the index ranks it.

    Owners are counted, not named: a document code holds its owner's number.

    Args:
        after: the cursor of the page before.
        facets: count what was found by type, issuer, state, class and year; without words nothing is counted
            while the index is away.

    Raises:
        FieldInvalid: `after` names no record of theirs, the days are in the wrong order, or the words cannot
            be searched for.
        SearchUnavailable: there are words, and the index is away.
        VaultBusy: the entry could not be written; nothing is answered.
    """
    if sought.issued_from and sought.issued_until and sought.issued_until < sought.issued_from:
        raise FieldInvalid("issued_until", "ends_before_it_begins")
    for name, value in {**asdict(sought), "cursor": after}.items():
        if name != "text" and isinstance(value, str) and controls(value):
            raise FieldInvalid(name, "query_control_characters")
    if sought.text is not None:
        searching.read_words(sought.text)  # before anything is entered
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        async with vault.db.read() as db:
            who = await agencies.caller_facts(db, caller, legal_day(at))
            marks = await epochs.read(db, [epochs.BOOK, ("agency", caller.agency)])
        if sought.indexed:
            found = await _worded(vault, who, sought, after, limit, legal_day(at), facets)
        else:
            found = await _listed(vault, who, sought, after, min(limit, MAX_PAGE), legal_day(at), facets)
        facts = AccessFacts(Action.SEARCH_ISSUED, who)
        decision = decide(facts, vault.book, at)
        if not decision.permitted:
            refused = Telling(Kind.REFUSED, "search_issued_refused", facts, decision)
            return await telling.refuse(vault, caller, [refused])
        details = {"sought": plain(sought), "found": len(found.records)}
        told = Telling(Kind.SEARCH, "issued_searched", facts, decision, details=details)
        prepared = await telling.prepare(vault, caller, [told])
        try:
            logged = await vault.appender.append(prepared, marks)
        except Moved:
            continue
        return _told(found, logged[0].receipt)
    raise VaultBusy("the agency keeps changing; try again")


def _told(found: _Found, receipt: str) -> Answer:
    told: Answer = {
        "records": [_line(one) for one in found.records],
        "loose": found.loose,
        "receipt": receipt,
    }
    if found.facets is not None:
        names = {code: {"vi": name.vi, "en": name.en} for code, name in found.issuers.items()}
        told |= {"facets": found.facets, "issuers": names}
    return told | ({"next": found.next} if found.next else {})


async def _listed(
    vault: Vault, who: CallerFacts, sought: Sought, after: str | None, limit: int, day: date, facets: bool
) -> _Found:
    """List from the rows, the newest first."""
    async with vault.db.read() as db:
        found = await _page(db, who, sought, after, limit, day)
    onward = found[-1].facts.id if len(found) == limit else None
    if not facets or sought.number is not None:  # the index does not know what a number is
        return _Found(found, onward)
    try:
        counted = await _worded(vault, who, replace(sought, text=""), None, 1, day, facets)
    except SearchUnavailable:
        return _Found(found, onward)  # /readyz says that it is away
    return replace(counted, records=found, next=onward)


async def _page(
    db: AsyncConnection, who: CallerFacts, sought: Sought, after: str | None, limit: int, day: date
) -> list[Stored]:
    query = _matching(who, sought, day)
    if after is not None:
        mark = (await db.execute(_matching(who, Sought(), day).where(record.c.id == after))).first()
        if mark is None:
            raise FieldInvalid("cursor", "cursor_malformed")
        older = and_(record.c.created_at == mark.created_at, record.c.id < after)
        query = query.where(or_(record.c.created_at < mark.created_at, older))
    query = query.order_by(record.c.created_at.desc(), record.c.id.desc()).limit(limit)
    ids = [row.id for row in await db.execute(query)]
    held = await trust_rows.explained(db, await records.several(db, ids, day))
    stored = {one.facts.id: one for one in held}
    return [stored[one] for one in ids]


async def _worded(
    vault: Vault, who: CallerFacts, sought: Sought, after: str | None, limit: int, day: date, facets: bool
) -> _Found:
    """Find by words, in the index: among what they issued; each hit is checked again by the rows."""
    chosen = {name: getattr(sought, name) for name in FACETS}
    filters = {name: frozenset([str(value)]) for name, value in chosen.items() if value is not None}
    asking = searching.Sought(sought.text or "", filters, after, limit)
    readers = [issuer_reader(one) for one in sorted(_theirs(who))]
    days = {"issued_from": sought.issued_from, "issued_until": sought.issued_until}
    _, page = await searching.asked_of(vault, readers, asking, day, names=False, facets=facets, **days)
    async with vault.db.read() as db:
        query = _matching(who, sought, day).where(record.c.id.in_(page.ids))
        theirs = {row.id for row in await db.execute(query)}
        held = await trust_rows.explained(db, await records.several(db, theirs, day))
        counted, issuers = await searching.counted(db, vault, page, _theirs(who))
    stored = {one.facts.id: one for one in held if sought.trust in (None, one.facts.trust)}
    hits = [stored[one] for one in page.ids if one in stored]
    return _Found(hits, page.next, page.loose and bool(hits), counted if facets else None, issuers)


def _theirs(who: CallerFacts) -> set[str]:
    return {who.agency, *who.agency_codes, *who.predecessors}


def _matching(who: CallerFacts, sought: Sought, day: date) -> Select[Any]:
    wanted: list[ColumnElement[bool]] = [record.c.issuer.in_(_theirs(who))]
    if sought.type is not None:
        wanted.append(record.c.type == sought.type)
    if sought.number is not None:
        wanted.append(record.c.number == sought.number)
    if sought.issued_from is not None:
        wanted.append(record.c.issued_on >= sought.issued_from.isoformat())
    if sought.issued_until is not None:
        wanted.append(record.c.issued_on <= sought.issued_until.isoformat())
    if sought.issuer is not None:
        wanted.append(record.c.issuer == sought.issuer)
    if sought.year is not None:
        wanted.append(func.substr(record.c.issued_on, 1, 4) == sought.year)
    if sought.state is not None:
        wanted.append(_state(day) == sought.state.value)
    return select(record.c.id, record.c.created_at).where(*wanted)


def _state(day: date) -> ColumnElement[str]:
    """Give a record's validity on a day, as `records` reads it: the last event, then its own term."""
    newest = (
        select(func.max(validity_event.c.n))
        .where(validity_event.c.record == record.c.id)
        .correlate(record)
        .scalar_subquery()
    )
    last = (
        select(validity_event.c.state)
        .where(validity_event.c.record == record.c.id, validity_event.c.n == newest)
        .correlate(record)
        .scalar_subquery()
    )
    held: ColumnElement[str] = func.coalesce(last, Validity.IN_FORCE.value)
    over = and_(held == Validity.IN_FORCE.value, record.c.valid_until < day.isoformat())
    return case((over, Validity.EXPIRED.value), else_=held)


def _line(one: Stored) -> dict[str, Any]:
    line = {
        "record": one.facts.id,
        "type": one.facts.type,
        "title": one.row["title"],
        "number": one.row["number"],
        "issued_on": one.row["issued_on"],
        "valid_until": one.row["valid_until"],
        "owners": len(one.facts.owners),
        "dossier": one.row["dossier"],
        "source": one.row["source"],
        "trust": one.facts.trust.value,
        "trust_reasons": list(one.trust_reasons),
        "verdict": one.facts.verdict,
        "validity": one.facts.validity.value,
        "validity_ground": one.facts.validity_ground or None,
        "replaced_by": one.row["replaced_by"],
        "digest": one.row["content_sha256"].hex(),
        "stored_at": one.row["created_at"],
    }
    return {name: value for name, value in line.items() if value is not None}
