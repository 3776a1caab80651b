"""A dossier about to be opened: what is said of it checked, its persons found, nothing written."""

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.errors import AskingInvalid, IdentifierInvalid
from policies.facts import CallerFacts, DossierFacts, PersonFacts
from policies.identifiers import DossierCode, dossier_code, identifier, procedure_code
from policies.procedures import Component, Procedure, asked_components, components_for
from policies.recording import plain
from vault import agencies, catalogue, dossiers, epochs, newcomers, requests
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.dossiers import Opened
from vault.entries import stamp
from vault.errors import FieldInvalid
from vault.gathering import Scene, holdings
from vault.owners import NewOwner
from vault.services import Answer, Vault

HOUR = timedelta(hours=1)
_DIGEST = re.compile(r"[0-9a-f]{64}")


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
class Draft:
    """A dossier about to be opened: checked, its persons found or prepared, nothing written."""

    body: OpenDossier
    code: DossierCode
    asked: bytes
    version: int
    opened: Opened
    caller: CallerFacts
    newcomers: tuple[NewOwner, ...]
    found: Scene
    existing: Opened | None  # the dossier that was opened under this code before

    def evidence(self) -> dict[str, dict[str, str]]:
        """Give the evidence as an entry tells it beside the facts; nothing where none was named."""
        named = {"kind": self.body.evidence, "reference": self.body.evidence_reference}
        known = {name: value for name, value in named.items() if value is not None}
        return {"evidence": known} if known else {}


async def draft(vault: Vault, caller: SystemCaller, code: str, body: OpenDossier) -> Draft:
    """Check what is said of a dossier, and read everything that opening it depends on.

    Raises:
        FieldInvalid: a field cannot be accepted.
    """
    at = vault.clock.now()
    body, parsed = _checked(body, code)
    asked = requests.body_hash("open_dossier", {"code": parsed.text} | plain(asdict(body)))
    async with vault.db.read() as db:
        existing = await dossiers.one(db, parsed.text)
        version, procedure = await _procedure(db, body.procedure, at)
        components = _components(procedure, body)
        persons, new = await _persons(vault, db, caller, body)
        who = replace(
            await agencies.caller_facts(db, caller, legal_day(at), [procedure.code]),
            opened_this_hour=await dossiers.opened_by(db, caller.agency, caller.officer, at - HOUR),
        )
        facts = _facts(caller, parsed, body, components, persons, at)
        keys = [epochs.BOOK, ("agency", caller.agency), ("dossier", facts.code)]
        known = {one.owner for one in persons if one.owner} - {one.id for one in new}
        marks = await epochs.read(db, [*keys, *(("owner", owner) for owner in known)])
        named = [(one.role, identifier(one.scheme, one.value)) for one in body.persons]
        held = await holdings(vault, db, facts, at, named)
    opened = Opened({}, facts, procedure, components)
    found = Scene(who, opened, held, marks, at)
    return Draft(body, parsed, asked, version, opened, who, new, found, existing)


def _checked(body: OpenDossier, code: str) -> tuple[OpenDossier, DossierCode]:
    """Give the body and the code in their canonical writing."""
    if not body.persons:
        raise FieldInvalid("persons", "persons_missing")
    roles = [person.role for person in body.persons]
    if len(set(roles)) != len(roles):
        raise FieldInvalid("persons", "role_twice")
    try:
        procedure = procedure_code(body.procedure)
    except IdentifierInvalid as problem:
        raise FieldInvalid("procedure", problem.code) from problem
    try:
        parsed = dossier_code(code)
    except IdentifierInvalid as problem:
        raise FieldInvalid("code", problem.code) from problem
    return replace(body, procedure=procedure, evidence_reference=_reference(body)), parsed


def _reference(body: OpenDossier) -> str | None:
    """Check what the evidence refers to: the submission on the portal, or the SHA-256 of the signed form.

    What an officer saw at the counter may be said in words, and need not be.
    """
    if body.evidence is not None and body.evidence not in EVIDENCE:
        raise FieldInvalid("evidence.kind", "evidence_unknown")
    reference = (body.evidence_reference or "").strip()
    if not reference and body.evidence in ("portal_submission", "signed_form"):
        raise FieldInvalid("evidence.reference", "evidence_reference_missing")
    if body.evidence == "signed_form":
        reference = reference.lower()
        if not _DIGEST.fullmatch(reference):
            raise FieldInvalid("evidence.reference", "evidence_not_a_digest")
    return reference or None


async def _procedure(db: AsyncConnection, code: str, at: datetime) -> tuple[int, Procedure]:
    found = await catalogue.latest(db, code, at)
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
            name_agrees=agrees,
        )
        for person, owner, agrees in zip(body.persons, found.owners, found.name_agrees, strict=True)
    ]
    return sorted(facts, key=lambda one: one.role), found.newcomers


def _facts(
    caller: SystemCaller,
    parsed: DossierCode,
    body: OpenDossier,
    components: tuple[Component, ...],
    persons: list[PersonFacts],
    at: datetime,
) -> DossierFacts:
    return DossierFacts(
        code=parsed.text,
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


def row_of(draft: Draft, caller: SystemCaller, told: Answer) -> dict[str, Any]:
    """Give the row of the dossier, with the answer that the same body gets again."""
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


def person_rows(draft: Draft) -> list[dict[str, Any]]:
    """Give the rows of its persons."""
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
