"""The guards: conditions that must hold, each named by what is wrong when it does not.

A guard answers whether it holds and the fact it rests on. It fails when the fact is missing: a guard that has
nothing to look at never lets anybody through.
"""

from collections.abc import Callable

from policies.acceptance import MATCH_CODES, STATE_CODES, owners_in_role
from policies.errors import IdentifierInvalid
from policies.facts import Action
from policies.identifiers import agency_code, is_at_or_below
from policies.question import Question, there

EVIDENCE = frozenset({"portal_submission", "signed_form", "officer_check"})


Guard = Callable[[Question], tuple[bool, str]]


# --- who asks -----------------------------------------------------------------------------------------------


def _caller_present(question: Question) -> tuple[bool, str]:
    present = question.facts.caller is not None
    return present, f"caller={'system' if present else 'missing'}"


def _agency_live(question: Question) -> tuple[bool, str]:
    return question.caller.agency_live, _said("agency.live", question.caller.agency_live)


def _system_live(question: Question) -> tuple[bool, str]:
    return question.caller.system_live, _said("system.live", question.caller.system_live)


def _officer_named(question: Question) -> tuple[bool, str]:
    named = bool(question.caller.officer)
    return named, _said("officer.named", named)


def _officer_live(question: Question) -> tuple[bool, str]:
    if not question.caller.officer:
        return True, "officer.named=false"  # whether one is needed is another guard's matter
    return question.caller.officer_live, _said("officer.live", question.caller.officer_live)


def _procedure_registered(question: Question) -> tuple[bool, str]:
    procedure = question.dossier.procedure
    return procedure in question.caller.procedures, f"dossier.procedure={procedure}"


# --- the dossier --------------------------------------------------------------------------------------------


def _own_dossier(question: Question) -> tuple[bool, str]:
    own = question.dossier.agency == question.caller.agency
    return own, _said("dossier.own", own)


def _in_territory(question: Question) -> tuple[bool, str]:
    code = question.dossier.code_agency
    inside = any(is_at_or_below(code, own) for own in question.caller.agency_codes)
    return inside, f"dossier.code_agency={code}"


def _dossier_open(question: Question) -> tuple[bool, str]:
    return question.dossier.state == "open", f"dossier.state={question.dossier.state}"


def _day_reached(question: Question) -> tuple[bool, str]:
    day = question.dossier.code_day
    return day <= question.today, f"dossier.code_day={day.isoformat()}"


def _evidence_recorded(question: Question) -> tuple[bool, str]:
    evidence = question.dossier.evidence
    return evidence in EVIDENCE, f"dossier.evidence={evidence if evidence in EVIDENCE else 'none'}"


def _representation_evidenced(question: Question) -> tuple[bool, str]:
    represented = [person for person in question.dossier.persons if person.represented]
    lacking = [person for person in represented if not person.representation_evidence]
    return not lacking, f"dossier.represented={len(represented)},without_evidence={len(lacking)}"


def _person_named(question: Question) -> tuple[bool, str]:
    count = len(question.dossier.persons)
    return count > 0, f"dossier.persons={count}"


def _component_asked(question: Question) -> tuple[bool, str]:
    component = question.facts.component
    return component in question.dossier.components, f"component={component or 'none'}"


# --- the record ---------------------------------------------------------------------------------------------


def _record_named(question: Question) -> tuple[bool, str]:
    named = question.facts.record is not None
    return named, _said("record.named", named)


def _person_of_dossier(question: Question) -> tuple[bool, str]:
    common = len(question.record.owners & owners_in_role(question.dossier))
    return common > 0, f"record.owners_in_dossier={common}"


def _state(code: str) -> Guard:
    def guard(question: Question) -> tuple[bool, str]:
        record = question.record
        fact = f"record.validity={record.validity.value},verdict={record.verdict},damaged={record.damaged}"
        return code not in question.state, fact.lower()

    return guard


def _match(code: str) -> Guard:
    def guard(question: Question) -> tuple[bool, str]:
        fact = f"record.type={question.record.type},component={question.facts.component or 'none'}"
        return code not in question.fit.refusals, fact

    return guard


def _not_damaged(question: Question) -> tuple[bool, str]:
    return not question.record.damaged, _said("record.damaged", question.record.damaged)


def _issued_here(question: Question) -> tuple[bool, str]:
    caller, issuer = question.caller, question.record.issuer
    if issuer is None:
        return False, "record.issuer=none"
    theirs = {caller.agency, *caller.agency_codes, *caller.predecessors}
    known = issuer in theirs or _canonical(issuer) in {_canonical(code) for code in theirs}
    return known, _said("record.issued_by_caller_or_predecessor", known)


def _not_yet_revoked(question: Question) -> tuple[bool, str]:
    validity = question.record.validity.value
    return validity != "revoked", f"record.validity={validity}"


# --- the result ---------------------------------------------------------------------------------------------


def _type_registered(question: Question) -> tuple[bool, str]:
    kind = question.facts.result_type
    return kind in question.caller.issues, f"result.type={kind or 'none'}"


def _result_type_in_force(question: Question) -> tuple[bool, str]:
    kind = there(question.facts.result_type, "result.type")
    return question.book.record_type(kind, question.day) is not None, f"result.type={kind}"


def _result_persons_in_dossier(question: Question) -> tuple[bool, str]:
    persons = frozenset(question.facts.result_persons)
    outside = persons - owners_in_role(question.dossier)
    return bool(persons) and not outside, f"result.persons={len(persons)},outside_dossier={len(outside)}"


# --- the owner ----------------------------------------------------------------------------------------------


def _owner_acts(question: Question) -> tuple[bool, str]:
    alone = question.facts.caller is None
    return alone, f"caller={'none' if alone else 'system'}"


def _owner_named(question: Question) -> tuple[bool, str]:
    named = bool(question.facts.owner)
    return named, _said("owner.named", named)


def _said(name: str, value: bool) -> str:
    return f"{name}={str(value).lower()}"


def _canonical(code: str) -> str:
    """Agencies may be compared by code or by our own id: what is not a code stays as it is."""
    try:
        return agency_code(code)
    except IdentifierInvalid:
        return code


_CALLER: dict[str, Guard] = {
    "caller_missing": _caller_present,
    "agency_not_live": _agency_live,
    "system_not_live": _system_live,
}
_OFFICER: dict[str, Guard] = {"officer_not_named": _officer_named, "officer_not_live": _officer_live}
_OPENING: dict[str, Guard] = {
    "dossier_of_another_agency": _own_dossier,
    "procedure_not_registered": _procedure_registered,
    "outside_territory": _in_territory,
    "evidence_not_recorded": _evidence_recorded,
    "representation_not_evidenced": _representation_evidenced,
}
_IN_DOSSIER: dict[str, Guard] = {**_OPENING, "dossier_closed": _dossier_open}
_READING: dict[str, Guard] = {
    "component_not_asked": _component_asked,
    "record_not_named": _record_named,
    "person_not_in_dossier": _person_of_dossier,
    **{code: _state(code) for code in STATE_CODES},
    **{code: _match(code) for code in MATCH_CODES},
}

# Without an officer: no dossier, plan, release, result or revocation. A system may fetch what was released to
# it, and report that a dossier is closed, by itself; an officer it names must still be a live one.
GUARDS: dict[Action, dict[str, Guard]] = {
    Action.OPEN_DOSSIER: {
        **_CALLER,
        **_OFFICER,
        **_OPENING,
        "dossier_day_in_future": _day_reached,
        "person_not_named": _person_named,
    },
    Action.ASK_PLAN: {**_CALLER, **_OFFICER, **_IN_DOSSIER},
    Action.RELEASE: {**_CALLER, **_OFFICER, **_IN_DOSSIER, **_READING},
    Action.DELIVER: {**_CALLER, "officer_not_live": _officer_live, **_IN_DOSSIER, **_READING},
    Action.ISSUE_RESULT: {
        **_CALLER,
        **_OFFICER,
        **_IN_DOSSIER,
        "type_not_registered": _type_registered,
        "type_not_in_force": _result_type_in_force,
        "result_person_not_in_dossier": _result_persons_in_dossier,
    },
    Action.CLOSE_DOSSIER: {
        **_CALLER,
        "officer_not_live": _officer_live,
        "dossier_of_another_agency": _own_dossier,
        "dossier_closed": _dossier_open,
    },
    Action.REVOKE_RECORD: {
        **_CALLER,
        **_OFFICER,
        "record_not_named": _record_named,
        "not_the_issuer": _issued_here,
        "record_already_revoked": _not_yet_revoked,
    },
    Action.READ_OWN: {
        "caller_not_owner": _owner_acts,
        "owner_not_named": _owner_named,
        "record_not_named": _record_named,
        "record_damaged": _not_damaged,
    },
}
CODES: frozenset[str] = frozenset(code for guards in GUARDS.values() for code in guards)
