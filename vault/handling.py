"""Opening and closing a dossier. Opening is an entry that each named person sees (DESIGN 2.4)."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.errors import AskingInvalid, IdentifierInvalid
from policies.facts import AccessFacts, Action, CallerFacts, DossierFacts, PersonFacts
from policies.identifiers import DossierCode, dossier_code, identifier, procedure_code
from policies.procedures import Component, Procedure, asked_components, components_for
from policies.recording import plain
from signing.leaf import Kind
from vault import agencies, asked_plans, catalogue, dossiers, epochs, newcomers, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.dossiers import Opened
from vault.entries import Prepared, stamp
from vault.errors import FieldInvalid, Moved, NotFound, RequestConflict, VaultBusy
from vault.gathering import Scene, holdings, rests_on, scene
from vault.owners import NewOwner
from vault.plan import answer, barred, found_dossier, questions
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling

EVIDENCE = ("portal_submission", "signed_form", "officer_check")


@dataclass(frozen=True)
class Person:
    """A person of a dossier as the processing system names them."""

    role: str
    scheme: str
    value: str
    name: str
    born_on: date | None = None
    represented: bool = False
    representation_evidence: str | None = None


@dataclass(frozen=True)
class OpenDossier:
    """What a system says when it opens a dossier; who it is comes from its credentials alone."""

    procedure: str
    case: str | None
    additional_cases: tuple[str, ...]
    conditions: tuple[str, ...]
    persons: tuple[Person, ...]
    evidence: str | None
    evidence_reference: str | None
    channel: str


@dataclass(frozen=True)
class _Draft:
    """A dossier about to be opened: checked, its persons found or prepared, nothing written."""

    body: OpenDossier
    code: DossierCode
    asked: bytes
    version: int
    opened: Opened
    caller: CallerFacts
    newcomers: tuple[NewOwner, ...]
    found: Scene


async def open_dossier(vault: Vault, caller: SystemCaller, code: str, body: OpenDossier) -> Answer | Refusal:
    """Open a dossier and answer its plan; the same body again gives the same answer.

    Raises:
        FieldInvalid: a field cannot be accepted; nothing is stored.
        RequestConflict: the code is open with another body.
    """
    asked = requests.body_hash("open_dossier", {"code": code} | plain(asdict(body)))
    for _ in range(MAX_AFRESH):
        draft = await _draft(vault, caller, code, body, asked)
        refusal = await _refused(vault, caller, draft)
        if refusal is not None:
            return refusal
        try:
            return await _open(vault, caller, draft)
        except Moved:
            continue
    raise VaultBusy("the dossier keeps changing; try again")


async def close_dossier(vault: Vault, caller: SystemCaller, code: str, *, key: str) -> Answer | Refusal:
    """Close a dossier: it releases nothing any more, and never reopens.

    Raises:
        NotFound: there is no such dossier, or it is another agency's.
    """
    asked = requests.body_hash("close_dossier", {"code": code})
    for _ in range(MAX_AFRESH):
        async with vault.db.read() as db:
            earlier = await requests.answered(db, caller.id, key, asked)
            found = await scene(vault, db, caller, code, vault.clock.now())
        if earlier is not None:
            return earlier
        refusal = await barred(vault, caller, found, code, Action.CLOSE_DOSSIER)
        if refusal is not None:
            return refusal
        prepared = await telling.prepare(
            vault, caller, _events(vault, found, Action.CLOSE_DOSSIER, "dossier_closed")
        )

        async def change(
            tx: Transaction, found: Scene = found, prepared: list[Prepared] = prepared
        ) -> Answer:
            done = await requests.answered(tx.db, caller.id, key, asked)
            if done is not None:
                return done
            await epochs.hold(tx.db, found.epochs)
            at = stamp(found.at)
            await dossiers.close(tx.db, code, at)
            await epochs.advance(tx.db, [("dossier", code)])
            logged = await tx.append(prepared)
            told: Answer = {"dossier": code, "state": "closed", "receipts": [one.receipt for one in logged]}
            await requests.keep(tx.db, caller.id, key, asked, told, found.at)
            return told

        try:
            return await vault.appender.commit(change)
        except Moved:
            continue
    raise VaultBusy("the dossier keeps changing; try again")


def _events(vault: Vault, found: Scene, action: Action, event: str) -> list[Telling]:
    opened = found_dossier(found)
    tellings = []
    for owner in opened.owners:
        facts = AccessFacts(action=action, caller=found.caller, dossier=opened.about(owner))
        decision = decide(facts, vault.book, found.at)
        tellings.append(Telling(Kind.DOSSIER_EVENT, event, facts, decision, owners=(owner,)))
    return tellings


# Opening, step by step -----------------------------------------------------------------------------------


async def _draft(vault: Vault, caller: SystemCaller, code: str, body: OpenDossier, asked: bytes) -> _Draft:
    at = vault.clock.now()
    parsed = _checked(body, code)
    async with vault.db.read() as db:
        version, procedure = await _procedure(db, body.procedure, at)
        components = _components(procedure, body)
        persons, new = await _persons(vault, db, caller, body)
        who = await agencies.caller_facts(db, caller, legal_day(at), [procedure.code])
        facts = _facts(caller, code, parsed, body, components, persons, at)
        keys = [epochs.BOOK, ("agency", caller.agency), ("dossier", code)]
        known = {one.owner for one in persons if one.owner} - {one.id for one in new}
        marks = await epochs.read(db, [*keys, *(("owner", owner) for owner in known)])
        named = [(one.role, identifier(one.scheme, one.value)) for one in body.persons]
        held = await holdings(vault, db, facts, at, named)
    opened = Opened({}, facts, procedure, components)
    return _Draft(body, parsed, asked, version, opened, who, new, Scene(who, opened, held, marks, at))


def _checked(body: OpenDossier, code: str) -> DossierCode:
    if body.evidence is not None and body.evidence not in EVIDENCE:
        raise FieldInvalid("evidence.kind", "evidence_unknown")
    if not body.persons:
        raise FieldInvalid("persons", "persons_missing")
    roles = [person.role for person in body.persons]
    if len(set(roles)) != len(roles):
        raise FieldInvalid("persons", "role_twice")
    try:
        procedure_code(body.procedure)
    except IdentifierInvalid as problem:
        raise FieldInvalid("procedure", problem.code) from problem
    try:
        return dossier_code(code)
    except IdentifierInvalid as problem:
        raise FieldInvalid("code", problem.code) from problem


async def _procedure(db: AsyncConnection, code: str, at: datetime) -> tuple[int, Procedure]:
    found = await catalogue.latest(db, procedure_code(code), at)
    if found is None:
        raise FieldInvalid("procedure", "procedure_unknown")
    return found


def _components(procedure: Procedure, body: OpenDossier) -> tuple[Component, ...]:
    try:
        return components_for(procedure, body.case, body.additional_cases, body.conditions)
    except AskingInvalid as problem:
        raise FieldInvalid(problem.field, problem.code) from problem


async def _persons(
    vault: Vault, db: AsyncConnection, caller: SystemCaller, body: OpenDossier
) -> tuple[list[PersonFacts], tuple[NewOwner, ...]]:
    """Find each person's store; for one without, prepare a new store outside the lock."""
    found = await newcomers.find(vault, db, body.persons, field="persons", checked_by=caller.agency)
    facts = [
        PersonFacts(
            role=person.role,
            owner=owner,
            represented=person.represented,
            representation_evidence=bool(person.representation_evidence),
        )
        for person, owner in zip(body.persons, found.owners, strict=True)
    ]
    return sorted(facts, key=lambda one: one.role), found.newcomers


def _facts(
    caller: SystemCaller,
    code: str,
    parsed: DossierCode,
    body: OpenDossier,
    components: tuple[Component, ...],
    persons: list[PersonFacts],
    at: datetime,
) -> DossierFacts:
    return DossierFacts(
        code=code,
        code_agency=parsed.agency,
        code_day=parsed.day,
        agency=caller.agency,
        procedure=body.procedure,
        case=body.case,
        opened_on=legal_day(at),
        evidence=body.evidence,
        additional_cases=body.additional_cases,
        conditions=frozenset(body.conditions),
        persons=tuple(persons),
        components=asked_components(components),
    )


async def _refused(vault: Vault, caller: SystemCaller, draft: _Draft) -> Refusal | None:
    """Decide for each person; a person who has no store yet has nobody to be told, so the agency is."""
    strangers = {one.id for one in draft.newcomers}
    tellings = []
    for owner in draft.opened.owners:
        facts = AccessFacts(Action.OPEN_DOSSIER, draft.caller, dossier=draft.opened.about(owner))
        decision = decide(facts, vault.book, draft.found.at)
        if not decision.permitted:
            about = () if owner in strangers else (owner,)
            tellings.append(Telling(Kind.REFUSED, "open_dossier_refused", facts, decision, owners=about))
    return await telling.refuse(vault, caller, tellings) if tellings else None


async def _open(vault: Vault, caller: SystemCaller, draft: _Draft) -> Answer:
    found, facts = draft.found, draft.opened.facts
    events = _events(vault, _renamed(draft), Action.OPEN_DOSSIER, "dossier_opened")
    tellings = [*events, *questions(vault, found, facts, found.records)]
    prepared = await telling.prepare(vault, caller, tellings, newcomers.holders(draft.newcomers))
    told = answer(vault, draft.opened, found, [one.receipt for one in prepared])

    async def change(tx: Transaction) -> Answer:
        existing = await dossiers.one(tx.db, facts.code)
        if existing is not None:
            if existing.facts.agency != caller.agency:
                raise NotFound
            if existing.row["body_hash"] != draft.asked:
                raise RequestConflict
            stored: Answer = json.loads(existing.row["answer"])
            return stored
        await epochs.hold(tx.db, found.epochs)
        await newcomers.create(tx.db, draft.newcomers, found.at)
        await dossiers.insert_dossier(tx.db, _row(caller, draft, told), _person_rows(draft))
        await tx.append(prepared)
        if caller.door == "desk":
            marks = await epochs.read(tx.db, rests_on(caller, draft.opened))
            await asked_plans.keep(tx.db, caller, facts.code, marks, told)
        return told

    return await vault.appender.commit(change)


def _renamed(draft: _Draft) -> Scene:
    return replace(draft.found, dossier=draft.opened)


def _row(caller: SystemCaller, draft: _Draft, told: Answer) -> dict[str, Any]:
    body, facts = draft.body, draft.opened.facts
    return {
        "code": facts.code,
        "agency": caller.agency,
        "system": caller.system,
        "officer": caller.officer,
        "procedure": facts.procedure,
        "procedure_version": draft.version,
        "case_key": facts.case,
        "additional_cases": json.dumps(body.additional_cases),
        "conditions": json.dumps(sorted(body.conditions)),
        "evidence": body.evidence,
        "evidence_reference": body.evidence_reference,
        "channel": body.channel,
        "state": "open",
        "body_hash": draft.asked,
        "answer": json.dumps(told, ensure_ascii=False, sort_keys=True),
        "opened_at": stamp(draft.found.at),
    }


def _person_rows(draft: _Draft) -> list[dict[str, Any]]:
    by_role = {person.role: person for person in draft.body.persons}
    return [
        {
            "dossier": draft.opened.facts.code,
            "role": one.role,
            "owner": one.owner,
            "represented": one.represented,
            "representation_evidence": by_role[one.role].representation_evidence,
        }
        for one in draft.opened.facts.persons
    ]
