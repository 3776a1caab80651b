"""The one question: which components of a dossier are already there, and may they be used? (DESIGN 2.1)"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.alternatives import papers, papers_met
from policies.decision import decide
from policies.facts import AccessFacts, Action, ComponentPlan, DossierFacts
from policies.matching import plan as match
from policies.procedures import Component
from policies.recording import plain
from signing.leaf import Kind
from vault import asked_plans, dossiers, epochs, telling, trusting, waiting_seals
from vault.callers import SystemCaller
from vault.dossiers import Opened, canonical_code
from vault.entries import Logged, stamp
from vault.errors import Moved, NotFound, VaultBusy
from vault.gathering import Scene, rests_on, scene
from vault.records import Stored
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling


async def ask(vault: Vault, caller: SystemCaller, code: str) -> Answer | Refusal:
    """Answer for every component, and log the question once for each person of the dossier.

    Raises:
        NotFound: there is no such dossier, or it is another agency's.
        VaultBusy: the entries could not be written; nothing is answered.
    """
    code = canonical_code(code)
    await trusting.look(vault)
    for _ in range(MAX_AFRESH):
        async with vault.db.read() as db:
            found = await scene(vault, db, caller, code, vault.clock.now())
        refusal = await barred(vault, caller, found, code, Action.ASK_PLAN)
        if refusal is not None:
            return refusal
        try:
            told = await _asked(vault, caller, found)
        except Moved:
            continue
        return await _with_waiting(vault, told)
    raise VaultBusy("the dossier keeps changing; ask again")


async def look(vault: Vault, caller: SystemCaller, code: str) -> Answer | Refusal:
    """Show an officer's session the answer that it was given; ask where there is none that still holds.

    Raises:
        NotFound, VaultBusy: as in `ask`.
    """
    code = canonical_code(code)
    await trusting.look(vault)
    async with vault.db.read() as db:
        opened = await dossiers.one(db, code)
        if opened is not None:
            marks = await epochs.read(db, rests_on(caller, opened))
            shown = await asked_plans.kept(db, caller, code, marks, vault.clock.now())
            if shown is not None:
                return shown
    return await ask(vault, caller, code)


async def _asked(vault: Vault, caller: SystemCaller, found: Scene) -> Answer:
    opened = found_dossier(found)
    prepared = await telling.prepare(vault, caller, questions(vault, found, opened.facts, found.records))
    told = answer(vault, opened, found, [one.receipt for one in prepared])

    async def write(db: AsyncConnection, _logged: list[Logged]) -> None:
        if caller.door == "desk":
            await asked_plans.keep(db, caller, opened.facts.code, found.epochs, told)

    await vault.appender.append(prepared, found.epochs, write, moves=False)
    return told


async def _with_waiting(vault: Vault, told: Answer) -> Answer:
    """Say which components a scan waits for that has no seal yet: it is no answer, only news."""
    async with vault.db.read() as db:
        scans = await waiting_seals.scans_of(db, told["dossier"])
    by_component: dict[str | None, list[str]] = {}
    for one in scans:
        by_component.setdefault(one.component, []).append(one.id)
    lines = [
        line | ({"waiting": by_component[line["component"]]} if line["component"] in by_component else {})
        for line in told["components"]
    ]
    return told | {"components": lines}


def found_dossier(found: Scene) -> Opened:
    """Give the dossier of a scene that was already checked to have one."""
    if found.dossier is None:
        raise NotFound
    return found.dossier


async def barred(
    vault: Vault, caller: SystemCaller, found: Scene, code: str, action: Action
) -> Refusal | None:
    """Decide an action on a whole dossier, and log the refusal if there is one.

    No such dossier and one of another agency are answered alike, with NotFound; both are entries.
    """
    if found.dossier is None:
        facts = AccessFacts(action=action, caller=found.caller)
        refused = Telling(Kind.REFUSED, f"{action}_refused", facts, decide(facts, vault.book, found.at))
        await telling.refuse(vault, caller, [refused], hidden=True)
        raise NotFound
    tellings = [
        Telling(Kind.REFUSED, f"{action}_refused", facts, decision, owners=(owner,))
        for owner in found.dossier.owners
        for facts in [AccessFacts(action=action, caller=found.caller, dossier=found.dossier.about(owner))]
        for decision in [decide(facts, vault.book, found.at)]
        if not decision.permitted
    ]
    if not tellings:
        return None
    ended, hidden = found.dossier.facts.state == "closed", found.dossier.facts.agency != caller.agency
    refusal = await telling.refuse(vault, caller, tellings, ended=ended, hidden=hidden)
    if hidden:
        raise NotFound
    return refusal


def questions(vault: Vault, found: Scene, dossier: DossierFacts, records: Sequence[Stored]) -> list[Telling]:
    """Give one entry for each person, holding that person's facts alone, enough to replay the answer."""
    tellings = []
    owners = dict.fromkeys(person.owner for person in dossier.persons if person.owner is not None)
    for owner in owners:
        about = replace(dossier, persons=tuple(one for one in dossier.persons if one.owner == owner))
        facts = AccessFacts(action=Action.ASK_PLAN, caller=found.caller, dossier=about)
        own = [one.facts for one in records if owner in one.facts.owners]
        tellings.append(
            Telling(
                Kind.PLAN_ASKED,
                "plan_asked",
                facts,
                decide(facts, vault.book, found.at),
                owners=(owner,),
                details={"records": plain(own)} if own else None,
            )
        )
    return tellings


def answer(vault: Vault, opened: Opened, found: Scene, receipts: Sequence[str]) -> Answer:
    """Compose the answer: codes and plain values, no words."""
    plans = match(opened.facts, [one.facts for one in found.records], opened.components, vault.book, found.at)
    named = tuple(person.owner for person in opened.facts.persons if person.owner is not None)
    told = {one.facts.id: summary(one, named) for one in found.records}
    asked = {one.code: one for one in opened.components}
    return {
        "dossier": opened.facts.code,
        "procedure": opened.facts.procedure,
        "procedure_name": opened.procedure.name,
        **({"case": opened.facts.case} if opened.facts.case else {}),
        "state": opened.facts.state,
        "asked_at": stamp(found.at),
        "policy": vault.book.hash,
        "papers": {"asked": papers(opened.components), "met": papers_met(plans)},
        "components": [_component(asked[one.component], one, told, vault) for one in plans],
        "receipts": list(receipts),
    }


def _component(
    asked: Component, one: ComponentPlan, told: dict[str, dict[str, Any]], vault: Vault
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "component": one.component,
        "name": asked.name,
        "label": plain(asked.label),
        "kind": one.kind,
        "source": asked.source,
        "state": one.state,
        "reasons": list(one.reasons),
        "records": [told[record] for record in one.records],
        "candidates": [told[record] | {"reasons": list(reasons)} for record, reasons in one.candidates],
        "refused": [told[record] | {"reasons": list(reasons)} for record, reasons in one.refused],
    }
    if one.data_source is not None:
        line["data_source"] = plain(vault.book.data_sources[one.data_source])
    more = {"mapping": one.mapping, "alternative": asked.alternative, "met_by": one.met_by}
    return line | {name: value for name, value in more.items() if value is not None}


def summary(one: Stored, named: Sequence[str]) -> dict[str, Any]:
    """Say of a record what an officer needs to choose it; never its content.

    Args:
        named: the owner ids of the dossier's persons: a document code holds its owner's number, and nobody
            is told that of another.
    """
    line = {
        "record": one.facts.id,
        "type": one.facts.type,
        "title": one.row["title"],
        "document_codes": sorted(code for owner, code in one.document_codes.items() if owner in named),
        "issuer": one.row["issuer_name"],
        "number": one.row["number"],
        "issued_on": one.row["issued_on"],
        "valid_until": one.row["valid_until"],
        "source": one.row["source"],
        "trust": one.facts.trust.value,
        "trust_reasons": list(one.trust_reasons),
        "verdict": one.facts.verdict,
        "validity": one.facts.validity.value,
        "digest": one.row["content_sha256"].hex(),
    }
    return {name: value for name, value in line.items() if value is not None}
