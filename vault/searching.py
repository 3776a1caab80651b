"""Searching: within one's own documents, within a dossier's persons and components, not over owners.

The index gives ids and decides nothing: every hit is read from the rows and checked there before it is shown,
so that a wrong or poisoned index shows nothing foreign. An officer's search is an entry of each person
searched about; an owner's own is none.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from policies.decision import decide
from policies.facts import AccessFacts, Action, TrustClass, Validity
from search.errors import CursorInvalid, QueryInvalid, SearchError
from search.highlighting import marked
from search.index import Page, Search
from search.query import Asked, read
from signing.leaf import Kind
from vault import epochs, finding, plan, records, telling, trust_rows, trusting
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.dossiers import Opened, canonical_code
from vault.errors import FieldInvalid, Moved, SearchUnavailable, VaultBusy
from vault.finding import MyRecord
from vault.gathering import Scene, scene
from vault.indexing import owner_reader
from vault.records import Stored
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling

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
    title: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Found:
    """A page of hits; total and facets are the index's counts. `loose`: a typing error was put right."""

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
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
    own = {one.facts.id: one for one in stored if caller.owner in one.facts.owners}
    told = [finding.my_record(own[one], caller.owner, reasons.get(one)) for one in page.ids if one in own]
    hits = tuple(Hit(one, tuple(marked(one.title, asked))) for one in told)
    return Found(hits, page.total, known_facets(vault, page), page.next, page.loose)


async def in_dossier(vault: Vault, caller: SystemCaller, code: str, sought: Sought) -> Answer | Refusal:
    """Search what the persons of a dossier hold for its components; an entry for each person.

    The words are not in the entries: they may name another person of the dossier.

    Raises:
        NotFound: there is no such dossier, or it is another agency's.
        FieldInvalid, SearchUnavailable: as in `mine`.
        VaultBusy: the entries could not be written; nothing is answered.
    """
    code = canonical_code(code)
    read_words(sought.text)  # before anything is entered
    await trusting.look(vault)
    for _ in range(MAX_AFRESH):
        async with vault.db.read() as db:
            found = await scene(vault, db, caller, code, vault.clock.now())
        refusal = await plan.barred(vault, caller, found, code, Action.ASK_PLAN)
        if refusal is not None:
            return refusal
        opened = plan.found_dossier(found)
        components = _components(vault, opened)
        readers = [owner_reader(one) for one in opened.owners]
        narrowed = replace(sought, filters={**sought.filters, "type": frozenset(components)})
        asked, page = await asked_of(vault, readers, narrowed, legal_day(found.at), names=True, facets=False)
        held = {one.facts.id: one for one in found.records if one.facts.type in components}
        hits = [held[one] for one in page.ids if one in held]  # of this dossier's persons, as the rows say
        try:
            receipts = await _entered(vault, caller, found, opened, hits)
        except Moved:
            continue
        named = tuple(opened.owners)
        told: Answer = {
            "dossier": code,
            "records": [
                plan.summary(one, named)
                | {"components": components[one.facts.type], "highlight": highlighted(one, asked)}
                for one in hits
            ],
            "loose": page.loose,
            "receipts": receipts,
        }
        return told | ({"next": page.next} if page.next else {})
    raise VaultBusy("the dossier keeps changing; ask again")


async def _entered(
    vault: Vault, caller: SystemCaller, found: Scene, opened: Opened, hits: Collection[Stored]
) -> list[str]:
    tellings = []
    for owner in opened.owners:
        facts = AccessFacts(Action.ASK_PLAN, found.caller, dossier=opened.about(owner))
        own = [one.facts.id for one in hits if owner in one.facts.owners]
        details = {"found": own} if own else None
        decision = decide(facts, vault.book, found.at)
        tellings.append(
            Telling(Kind.SEARCH, "dossier_searched", facts, decision, owners=(owner,), details=details)
        )
    prepared = await telling.prepare(vault, caller, tellings)
    logged = await vault.appender.append(prepared, lambda db: epochs.hold(db, found.epochs))
    return [one.receipt for one in logged]


def _components(vault: Vault, opened: Opened) -> dict[str, list[str]]:
    """Give record type -> the components of the dossier that it may answer."""
    dossier = opened.facts
    accepted: dict[str, list[str]] = {}
    for one in opened.components:
        cases = (dossier.case, *dossier.additional_cases)
        known = vault.book.mappings_for(dossier.procedure, cases, one.code, dossier.opened_on)
        for kind in sorted({kind for each in known for kind in each.types}):
            accepted.setdefault(kind, []).append(one.code)
    return accepted


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
    except SearchError as problem:
        raise SearchUnavailable(problem.code) from problem


def read_words(text: str) -> Asked:
    """Read what was typed. Raises FieldInvalid, naming `q`."""
    try:
        return read(text)
    except QueryInvalid as problem:
        raise FieldInvalid("q", problem.reason) from problem


def highlighted(one: Stored, asked: Asked) -> list[dict[str, Any]]:
    """Give a record's title in pieces, each with whether it was asked for."""
    return [{"text": text, "found": found} for text, found in marked(one.row["title"], asked)]


def known_facets(vault: Vault, page: Page) -> dict[str, dict[str, int]]:
    """Give the counts of values that there are; whatever else an index may say is left out."""
    known: dict[str, Collection[str]] = {
        "type": {one.code for one in vault.book.record_types},
        "state": {one.value for one in Validity},
        "trust": {one.value for one in TrustClass},
    }
    told = {
        name: {value: count for value, count in counts.items() if value in known[name]}
        for name, counts in page.facets.items()
        if name in known
    }
    years = page.facets.get("year", {})
    told["year"] = {one: count for one, count in years.items() if one.isdigit() and len(one) == 4}
    return told
