"""The guards: conditions that must hold, each named by what is wrong when it does not.

A guard answers whether it holds and the fact it rests on. It fails when the fact is missing: a guard that has
nothing to look at never lets anybody through.
"""

from policies import consent_guards, record_guards
from policies.acceptance import MATCH_CODES, STATE_CODES, owners_in_role
from policies.facts import Action
from policies.identifiers import is_at_or_below
from policies.question import Guard, Question, said, there

PACE = "dossiers_per_officer_and_hour"  # a limit of the book
EVIDENCE = frozenset({"portal_submission", "signed_form", "officer_check"})


# --- who asks -----------------------------------------------------------------------------------------------


def _caller_present(question: Question) -> tuple[bool, str]:
    present = question.facts.caller is not None
    return present, f"caller={'system' if present else 'missing'}"


def _agency_live(question: Question) -> tuple[bool, str]:
    return question.caller.agency_live, said("agency.live", question.caller.agency_live)


def _system_live(question: Question) -> tuple[bool, str]:
    return question.caller.system_live, said("system.live", question.caller.system_live)


def _officer_named(question: Question) -> tuple[bool, str]:
    named = bool(question.caller.officer)
    return named, said("officer.named", named)


def _officer_live(question: Question) -> tuple[bool, str]:
    if not question.caller.officer:
        return True, "officer.named=false"  # whether one is needed is another guard's matter
    return question.caller.officer_live, said("officer.live", question.caller.officer_live)


def _procedure_registered(question: Question) -> tuple[bool, str]:
    procedure = question.dossier.procedure
    return procedure in question.caller.procedures, f"dossier.procedure={procedure}"


# --- the dossier --------------------------------------------------------------------------------------------


def _own_dossier(question: Question) -> tuple[bool, str]:
    own = question.dossier.agency == question.caller.agency
    return own, said("dossier.own", own)


def _in_territory(question: Question) -> tuple[bool, str]:
    code = question.dossier.code_agency
    inside = any(is_at_or_below(code, own) for own in question.caller.agency_codes)
    return inside, f"dossier.code_agency={code}"


def _dossier_open(question: Question) -> tuple[bool, str]:
    return question.dossier.state == "open", f"dossier.state={question.dossier.state}"


def _day_reached(question: Question) -> tuple[bool, str]:
    day = question.dossier.code_day
    return day <= question.today, f"dossier.code_day={day.isoformat()}"


def _code_free(question: Question) -> tuple[bool, str]:
    taken = bool(question.dossier.code_taken)
    return not taken, said("dossier.code_taken", taken)


def _within_pace(question: Question) -> tuple[bool, str]:
    limit = question.book.limit(PACE, question.today)
    if limit is None:
        return True, "limit=none"
    opened = there(question.caller.opened_this_hour, "officer.opened_this_hour")
    return opened < limit.most, f"officer.opened_this_hour={opened},most={limit.most}"


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


def _names_agree(question: Question) -> tuple[bool, str]:
    others = sum(person.name_agrees is False for person in question.dossier.persons)
    return others == 0, f"dossier.persons_of_another_name={others}"


def _release_own(question: Question) -> tuple[bool, str]:
    own = question.facts.release_own is not False
    return own, said("release.own", own)


def _component_asked(question: Question) -> tuple[bool, str]:
    component = question.facts.component
    return component in question.dossier.components, f"component={component or 'none'}"


# --- the record ---------------------------------------------------------------------------------------------


def _record_named(question: Question) -> tuple[bool, str]:
    named = question.facts.record is not None
    return named, said("record.named", named)


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
    return not question.record.damaged, said("record.damaged", question.record.damaged)


# --- the owner ----------------------------------------------------------------------------------------------


def _owner_acts(question: Question) -> tuple[bool, str]:
    alone = question.facts.caller is None
    return alone, f"caller={'none' if alone else 'system'}"


def _owner_named(question: Question) -> tuple[bool, str]:
    named = bool(question.facts.owner)
    return named, said("owner.named", named)


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
_SELF: dict[str, Guard] = {"caller_not_owner": _owner_acts, "owner_not_named": _owner_named}
_STATES: dict[str, Guard] = {code: _state(code) for code in STATE_CODES}
_READING: dict[str, Guard] = {
    "component_not_asked": _component_asked,
    "record_not_named": _record_named,
    "person_not_in_dossier": _person_of_dossier,
    **_STATES,
    **{code: _match(code) for code in MATCH_CODES},
}
_OF_ISSUER: dict[str, Guard] = {
    **_CALLER,
    **_OFFICER,
    "record_not_named": _record_named,
    "not_the_issuer": record_guards.issued_here,
}
_ENDING: dict[str, Guard] = {**_OF_ISSUER, "record_already_revoked": record_guards.not_yet("revoked")}

# Without an officer: no dossier, plan, release, result, confirmation, scan or revocation. A system may fetch
# what was released to it, and report that a dossier is closed, by itself; an officer it names must be live.
GUARDS: dict[Action, dict[str, Guard]] = {
    Action.OPEN_DOSSIER: {
        **_CALLER,
        **_OFFICER,
        **_OPENING,
        "dossier_day_in_future": _day_reached,
        "dossier_code_taken": _code_free,
        "too_many_dossiers_opened": _within_pace,
        "person_not_named": _person_named,
        "person_name_disagrees": _names_agree,
    },
    Action.ASK_PLAN: {**_CALLER, **_OFFICER, **_IN_DOSSIER},
    Action.RELEASE: {**_CALLER, **_OFFICER, **_IN_DOSSIER, **_READING},
    Action.DELIVER: {
        **_CALLER,
        "officer_not_live": _officer_live,
        "release_of_another_system": _release_own,
        **_IN_DOSSIER,
        **_READING,
    },
    Action.ISSUE_RESULT: {
        **_CALLER,
        **_OFFICER,
        **_IN_DOSSIER,
        "type_not_registered": record_guards.type_registered,
        "type_not_in_force": record_guards.result_type_in_force,
        "result_person_not_in_dossier": record_guards.result_persons_in_dossier,
    },
    Action.ISSUE_RECORD: {
        **_CALLER,
        **_OFFICER,
        "type_not_registered": record_guards.type_registered,
        "type_not_in_force": record_guards.result_type_in_force,
        "result_person_missing": record_guards.result_persons_named,
        "person_name_disagrees": record_guards.names_agree,
    },
    Action.CONFIRM: {
        **_CALLER,
        **_OFFICER,
        **_IN_DOSSIER,
        **_READING,
        "not_a_candidate": record_guards.is_candidate,
        "component_already_satisfied": record_guards.not_satisfied,
    },
    Action.DIGITISE: {
        **_CALLER,
        **_OFFICER,
        **_IN_DOSSIER,
        "component_not_asked": _component_asked,
        "type_not_in_force": record_guards.result_type_in_force,
        "type_not_accepted": record_guards.scanned_type_accepted,
        "result_person_not_in_dossier": record_guards.result_persons_in_dossier,
        "rescan_reason_missing": record_guards.rescan_explained,
    },
    Action.CLOSE_DOSSIER: {
        **_CALLER,
        "officer_not_live": _officer_live,
        "dossier_of_another_agency": _own_dossier,
        "dossier_closed": _dossier_open,
    },
    Action.REVOKE_RECORD: _ENDING,
    Action.REPLACE_RECORD: {**_ENDING, "record_already_replaced": record_guards.not_yet("replaced")},
    Action.SUSPEND_RECORD: {
        **_ENDING,
        "record_already_replaced": record_guards.not_yet("replaced"),
        "record_already_suspended": record_guards.not_yet("suspended"),
    },
    Action.REINSTATE_RECORD: {**_OF_ISSUER, "record_not_suspended": record_guards.suspended},
    Action.SEARCH_ISSUED: {**_CALLER, **_OFFICER},
    Action.HEAR_NOTICES: {**_CALLER, "officer_not_live": _officer_live},
    Action.READ_OWN: {
        **_SELF,
        **consent_guards.READING_FOR,
        "record_not_named": _record_named,
        "record_damaged": _not_damaged,
    },
    Action.ASK_CONSENT: {**_CALLER, "officer_not_live": _officer_live, **consent_guards.ASKING},
    Action.LAPSE_CONSENT: {**_CALLER, "officer_not_live": _officer_live, **consent_guards.LAPSING},
    Action.GIVE_CONSENT: {**_SELF, **consent_guards.GIVING},
    Action.REFUSE_CONSENT: {**_SELF, **consent_guards.REFUSING},
    Action.PAUSE_CONSENT: {**_SELF, **consent_guards.PAUSING},
    Action.RESUME_CONSENT: {**_SELF, **consent_guards.RESUMING},
    Action.WITHDRAW_CONSENT: {**_SELF, **consent_guards.WITHDRAWING},
    Action.FETCH: {
        **_CALLER,
        "officer_not_live": _officer_live,
        **consent_guards.FETCHING,
        **_STATES,
    },
    Action.DELIVER_FETCHED: {
        **_CALLER,
        "officer_not_live": _officer_live,
        **consent_guards.DELIVERING,
        **_STATES,
    },
    Action.CLAIM_DELEGATION: {**_SELF, **consent_guards.CLAIMING},
    Action.END_DELEGATION: {**_SELF, **consent_guards.ENDING},
}
CODES: frozenset[str] = frozenset(code for guards in GUARDS.values() for code in guards)
