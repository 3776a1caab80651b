"""Searching within a dossier: what its persons hold for its components, and of what use each of it is there.

A search is an entry of each person searched about; hits are checked by the rows (vault/searching.py).
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from policies.decision import decide
from policies.facts import AccessFacts, Action
from policies.matching import uses
from search.highlighting import marked
from search.index import Page
from search.query import Asked
from signing.leaf import Kind
from vault import plan, telling, trusting
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.dossiers import Opened, canonical_code
from vault.errors import Moved, VaultBusy
from vault.gathering import Scene, scene
from vault.indexing import owner_reader
from vault.records import Stored
from vault.searching import Sought, asked_of, bounded, counted, read_words
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling

_MOST_PAGES = 20  # looked at in one go for something that may be shown


async def in_dossier(vault: Vault, caller: SystemCaller, code: str, sought: Sought) -> Answer | Refusal:
    """Search what the persons of a dossier hold for its components; an entry for each person.

    The words are not in the entries: they may name another person of the dossier. Each hit says, for the
    components that accept its type, whether it can be used and why, as the plan judges it. Counts are of what
    the persons hold for the components, as the index says, none above what the rows hold.

    Raises:
        NotFound: there is no such dossier, or it is another agency's.
        FieldInvalid, SearchUnavailable: as in `searching.mine`.
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
        types = _types(vault, opened)
        types &= sought.filters.get("type", types)
        narrowed = replace(sought, filters={**sought.filters, "type": types})
        asked, page, hits = await _found(vault, found, opened, narrowed)
        try:
            receipts = await _entered(vault, caller, found, opened, hits)
        except Moved:
            continue
        told: Answer = {
            "dossier": code,
            "records": [_hit(vault, found, opened, one, asked, loose=page.loose) for one in hits],
            "loose": page.loose and bool(hits),
            **await _counts(vault, page, [one for one in found.records if one.facts.type in types]),
            "receipts": receipts,
        }
        return told | ({"next": page.next} if page.next else {})
    raise VaultBusy("the dossier keeps changing; ask again")


async def _found(
    vault: Vault, found: Scene, opened: Opened, sought: Sought
) -> tuple[Asked, Page, list[Stored]]:
    """Give the first page that holds something of this dossier's persons, as the rows say.

    After many that do not, give the last with its cursor: whoever asks may go on.
    """
    readers, day = [owner_reader(one) for one in opened.owners], legal_day(found.at)
    held = {one.facts.id: one for one in found.records if one.facts.type in sought.filters["type"]}
    for _ in range(_MOST_PAGES):
        asked, page = await asked_of(vault, readers, sought, day, names=True, facets=True)
        hits = [held[one] for one in page.ids if one in held]
        if hits or page.next is None:
            break
        sought = replace(sought, after=page.next)
    return asked, page, hits


async def _counts(vault: Vault, page: Page, held: Collection[Stored]) -> dict[str, Any]:
    async with vault.db.read() as db:
        facets, issuers = await counted(db, vault, page)
    facts = [one.facts for one in held]
    most: dict[str, Counter[str | None]] = {
        "type": Counter(one.type for one in facts),
        "issuer": Counter(one.issuer for one in facts),
        "state": Counter(one.validity.value for one in facts),
        "trust": Counter(one.trust.value for one in facts),
        "year": Counter(str(one.issued_on.year) for one in facts if one.issued_on),
    }
    told = bounded(facets, most)
    names = {code: {"vi": name.vi, "en": name.en} for code, name in issuers.items() if code in told["issuer"]}
    return {"facets": told, "issuers": names}


def _hit(
    vault: Vault, found: Scene, opened: Opened, one: Stored, asked: Asked, *, loose: bool
) -> dict[str, Any]:
    judged = uses(one.facts, opened.facts, opened.components, vault.book, found.at)
    pieces = marked(one.row["title"], asked, loose=loose)
    return plan.summary(one, tuple(opened.owners)) | {
        "components": [each.component for each in judged],
        "uses": [asdict(each) | {"reasons": list(each.reasons)} for each in judged],
        "highlight": [{"text": text, "found": sought} for text, sought in pieces],
    }


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
    logged = await vault.appender.append(prepared, found.epochs)
    return [one.receipt for one in logged]


def _types(vault: Vault, opened: Opened) -> frozenset[str]:
    """Give the record types that the dossier's components accept."""
    dossier = opened.facts
    cases = (dossier.case, *dossier.additional_cases)
    return frozenset(
        kind
        for one in opened.components
        for mapping in vault.book.mappings_for(dossier.procedure, cases, one.code, dossier.opened_on)
        for kind in mapping.types
    )
