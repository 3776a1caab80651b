"""The one question of a dossier: for each component, is there already something?

`satisfied` beats `candidate`, which beats `data_source` (then shown as a hint), which beats `none`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from policies import acceptance, alternatives
from policies.acceptance import Acceptance, accept, newest_first, owners_in_role
from policies.alternatives import asked_once
from policies.book import Book, local_day
from policies.entries import Mapping
from policies.facts import ComponentPlan, DossierFacts, RecordFacts
from policies.procedures import Component

CODES: frozenset[str] = (
    acceptance.CODES
    | {
        "record_satisfies",
        "confirmed_by_officer",
        "candidate_needs_confirmation",
        "data_source_answers",
        "no_record_found",
        "records_refused",
        "part_of_list_missing",
        "form_not_reusable",
    }
    | alternatives.CODES
)

Judged = dict[str, tuple[RecordFacts, Acceptance]]


@dataclass(frozen=True)
class Use:
    """What one record is for one component: satisfied | candidate | refused, and why."""

    component: str
    state: str
    reasons: tuple[str, ...]


def plan(
    dossier: DossierFacts,
    records: Sequence[RecordFacts],
    components: Sequence[Component],
    book: Book,
    at: datetime,
) -> tuple[ComponentPlan, ...]:
    """Answer every component in order, from the records of the dossier's persons; others are passed over.

    `components` is what `procedures.components_for` asks for; `at` is an aware instant. Mappings are those of
    the dossier's day, the records' state is today's.
    """
    persons = owners_in_role(dossier)
    theirs = newest_first([record for record in records if record.owners & persons])
    return asked_once(components, [_answer(dossier, theirs, component, book, at) for component in components])


def _answer(
    dossier: DossierFacts, records: Sequence[RecordFacts], component: Component, book: Book, at: datetime
) -> ComponentPlan:
    if component.kind == "form":
        return ComponentPlan(component.code, component.kind, "none", ("form_not_reusable",))
    cases = (dossier.case, *dossier.additional_cases)
    mappings = book.mappings_for(dossier.procedure, cases, component.code, dossier.opened_on)
    if not mappings:
        return ComponentPlan(component.code, component.kind, "none", ("no_mapping",))
    types = frozenset(kind for mapping in mappings for kind in mapping.types)
    judged = {
        record.id: (record, accept(record, dossier, component.code, book, local_day(at)))
        for record in records
        if record.type in types
    }
    return _with_records(component, mappings, judged, _withheld(mappings, dossier))


def _with_records(
    component: Component, mappings: Sequence[Mapping], judged: Judged, withheld: bool
) -> ComponentPlan:
    refused = tuple((key, answer.refusals) for key, (_, answer) in judged.items() if answer.refusals)
    source = next((mapping.data_source for mapping in mappings if mapping.data_source), None)
    serving = _first_list(mappings, judged, weak=False)
    usable = serving or _first_list(mappings, judged, weak=True)
    mapping = _mapping_of(usable, judged) or mappings[0]
    weak = tuple(
        (key, answer.weaknesses)
        for key, (_, answer) in judged.items()
        if not answer.refusals and answer.weaknesses
    )
    if serving:
        looked_at = any(judged[key][1].confirmed for key in serving)
        state, reasons = "satisfied", ["confirmed_by_officer" if looked_at else "record_satisfies"]
    elif usable:
        state, reasons = "candidate", ["candidate_needs_confirmation"]
    elif source:
        state, reasons = "data_source", ["data_source_answers"]
    else:
        state, reasons = "none", ["no_record_found"]
    if not usable:
        reasons += ["not_to_be_asked"] if withheld else []
        reasons += ["records_refused"] if refused else []
        reasons += (
            ["part_of_list_missing"] if any(not answer.refusals for _, answer in judged.values()) else []
        )
    return ComponentPlan(
        component=component.code,
        kind=component.kind,
        state=state,
        reasons=tuple(reasons),
        records=serving,
        candidates=() if serving else weak,
        refused=refused,
        data_source=source,
        mapping=mapping.legal_reference,
    )


def _first_list(mappings: Sequence[Mapping], judged: Judged, *, weak: bool) -> tuple[str, ...]:
    """Find the first list of types of which every one has a record; newest records first."""
    for mapping in mappings:
        for together in mapping.alternatives:
            found = [_first_of(kind, mapping, judged, weak=weak) for kind in together]
            if all(found):
                return tuple(key for key in found if key)
    return ()


def _first_of(kind: str, mapping: Mapping, judged: Judged, *, weak: bool) -> str | None:
    for key, (record, answer) in judged.items():
        fits = record.type == kind and answer.mapping == mapping
        if fits and (answer.serves or (weak and not answer.refusals)):
            return key
    return None


def _mapping_of(found: Sequence[str], judged: Judged) -> Mapping | None:
    return judged[found[0]][1].mapping if found else None


def _withheld(mappings: Sequence[Mapping], dossier: DossierFacts) -> bool:
    return any(mapping.unless in dossier.conditions for mapping in mappings if mapping.unless)


def uses(
    record: RecordFacts, dossier: DossierFacts, components: Sequence[Component], book: Book, at: datetime
) -> tuple[Use, ...]:
    """Say what a record is for every component that accepts its type, judged as `plan` judges it."""
    found = []
    cases = (dossier.case, *dossier.additional_cases)
    for one in components:
        mappings = book.mappings_for(dossier.procedure, cases, one.code, dossier.opened_on)
        if one.kind != "form" and any(record.type in mapping.types for mapping in mappings):
            answer = accept(record, dossier, one.code, book, local_day(at))
            found.append(Use(one.code, *_use(answer)))
    return tuple(found)


def _use(answer: Acceptance) -> tuple[str, tuple[str, ...]]:
    if answer.refusals:
        return "refused", answer.refusals
    if answer.weaknesses:
        return "candidate", answer.weaknesses
    return "satisfied", ("confirmed_by_officer" if answer.confirmed else "record_satisfies",)
