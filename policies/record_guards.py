"""Guards about a result, a scan, and the life of a record: who may make it, and who may end it (DESIGN 7)."""

from policies.acceptance import owners_in_role
from policies.errors import IdentifierInvalid
from policies.facts import RESCAN_REASONS
from policies.identifiers import agency_code
from policies.question import Guard, Question, said, there

# --- the life of a record -----------------------------------------------------------------------------------


def issued_here(question: Question) -> tuple[bool, str]:
    """Hold when the caller's agency, or one that it succeeds to, issued the record."""
    caller, issuer = question.caller, question.record.issuer
    if issuer is None:
        return False, "record.issuer=none"
    theirs = {caller.agency, *caller.agency_codes, *caller.predecessors}
    known = issuer in theirs or _canonical(issuer) in {_canonical(code) for code in theirs}
    return known, said("record.issued_by_caller_or_predecessor", known)


def not_yet(state: str) -> Guard:
    """Make the guard that holds while a record is not in a state."""

    def guard(question: Question) -> tuple[bool, str]:
        validity = question.record.validity.value
        return validity != state, f"record.validity={validity}"

    return guard


def suspended(question: Question) -> tuple[bool, str]:
    """Hold when there is a suspension to end."""
    validity = question.record.validity.value
    return validity == "suspended", f"record.validity={validity}"


# --- a result, a scan ---------------------------------------------------------------------------------------


def type_registered(question: Question) -> tuple[bool, str]:
    """Hold when the agency is registered to issue the type."""
    kind = question.facts.result_type
    return kind in question.caller.issues, f"result.type={kind or 'none'}"


def result_type_in_force(question: Question) -> tuple[bool, str]:
    """Hold when the type is in force on the day whose rules judge."""
    kind = there(question.facts.result_type, "result.type")
    return question.book.record_type(kind, question.day) is not None, f"result.type={kind}"


def result_persons_in_dossier(question: Question) -> tuple[bool, str]:
    """Hold when there are owners, all of them persons of the dossier."""
    persons = frozenset(question.facts.result_persons)
    outside = persons - owners_in_role(question.dossier)
    return bool(persons) and not outside, f"result.persons={len(persons)},outside_dossier={len(outside)}"


def result_persons_named(question: Question) -> tuple[bool, str]:
    """Hold when the record has an owner."""
    count = len(question.facts.result_persons)
    return count > 0, f"result.persons={count}"


def names_agree(question: Question) -> tuple[bool, str]:
    """Hold unless an owner is named otherwise than their store is."""
    agree = question.facts.names_agree is not False
    return agree, said("owners.names_agree", agree)


def scanned_type_accepted(question: Question) -> tuple[bool, str]:
    """Hold when the component takes the type of the scan, or is not mapped to types at all."""
    dossier, kind = question.dossier, there(question.facts.result_type, "result.type")
    cases = (dossier.case, *dossier.additional_cases)
    component = question.facts.component or ""
    mappings = question.book.mappings_for(dossier.procedure, cases, component, question.day)
    taken = frozenset(one for mapping in mappings for one in mapping.types)
    return not taken or kind in taken, f"result.type={kind},component={component or 'none'}"


def rescan_explained(question: Question) -> tuple[bool, str]:
    """Hold when the plan had no answer, or a reason is given for scanning in spite of it."""
    answered, reason = there(question.facts.answered, "plan.state"), question.facts.rescan_reason
    explained = answered == "none" or reason in RESCAN_REASONS
    return explained, f"plan.state={answered},rescan.reason={reason or 'none'}"


# --- a confirmation -----------------------------------------------------------------------------------------


def is_candidate(question: Question) -> tuple[bool, str]:
    """Hold when the record lacks something that an officer's look can make up for."""
    lacking = len(question.fit.weaknesses)
    return lacking > 0, f"record.weaknesses={lacking}"


def not_satisfied(question: Question) -> tuple[bool, str]:
    """Hold while the component is not satisfied without the confirmation."""
    answered = there(question.facts.answered, "plan.state")
    return answered != "satisfied", f"plan.state={answered}"


def _canonical(code: str) -> str:
    """Agencies may be compared by code or by our own id: what is not a code stays as it is."""
    try:
        return agency_code(code)
    except IdentifierInvalid:
        return code
