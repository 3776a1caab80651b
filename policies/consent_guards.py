"""Guards about consents and delegations: each named by what is wrong when it does not hold."""

from collections.abc import Collection

from policies import consents, delegations
from policies.facts import AssuranceFacts
from policies.question import Guard, Question, said, there

_UNGIVEN = frozenset({"requested", "refused", "lapsed"})

# --- the consent --------------------------------------------------------------------------------------------


def _of_recipient(question: Question) -> tuple[bool, str]:
    theirs = question.consent.agency == question.caller.agency
    return theirs, said("consent.recipient_is_caller", theirs)


def _of_owner(question: Question) -> tuple[bool, str]:
    """The owner of the consent acts, or somebody acts for them."""
    facts = question.facts
    acting = facts.delegation.represented if facts.delegation is not None else facts.owner
    own = acting is not None and question.consent.owner == acting
    return own, said("consent.own", own)


def _state_is(*states: str) -> Guard:
    def guard(question: Question) -> tuple[bool, str]:
        state = question.consent.state
        return state in states, f"consent.state={state}"

    return guard


def _state_is_not(states: Collection[str]) -> Guard:
    def guard(question: Question) -> tuple[bool, str]:
        state = question.consent.state
        return state not in states, f"consent.state={state}"

    return guard


def _answer_in_time(question: Question) -> tuple[bool, str]:
    last = question.consent.answer_until
    return question.today <= last, f"consent.answer_until={last.isoformat()}"


def _reached(question: Question) -> tuple[bool, str]:
    first = question.consent.valid_from
    return first <= question.today, f"consent.valid_from={first.isoformat()}"


def _not_over(question: Question) -> tuple[bool, str]:
    last = question.consent.valid_until
    return question.today <= last, f"consent.valid_until={last.isoformat()}"


def _reads_left(question: Question) -> tuple[bool, str]:
    consent = question.consent
    left = consent.used < consent.max_reads and consent.state != "exhausted"
    return left, f"consent.used={consent.used},max_reads={consent.max_reads}"


# --- asking -------------------------------------------------------------------------------------------------

MAX_WAITING = 5  # requests of one agency that may wait for one person's answer


def _purpose_registered(question: Question) -> tuple[bool, str]:
    purpose = question.consent.purpose
    return purpose in question.caller.purposes, f"consent.purpose={purpose}"


def _purpose_in_force(question: Question) -> tuple[bool, str]:
    purpose = question.consent.purpose
    return question.book.purpose(purpose, question.today) is not None, f"consent.purpose={purpose}"


def _few_waiting(question: Question) -> tuple[bool, str]:
    waiting = there(question.facts.waiting, "consent.waiting")
    return waiting < MAX_WAITING, f"consent.waiting={waiting}"


# --- answering ----------------------------------------------------------------------------------------------


def _text_shown(question: Question) -> tuple[bool, str]:
    act, consent = question.act, question.consent
    texts = {"vi": consent.text_vi, "en": consent.text_en}
    shown = bool(act.displayed) and act.displayed == texts.get(act.language)
    return shown, f"text.shown={'none' if not act.displayed else 'right' if shown else 'wrong'}"


def _records_chosen(question: Question) -> tuple[bool, str]:
    count = len(question.act.records)
    return count > 0, f"records.chosen={count}"


def _records_asked_for(question: Question) -> tuple[bool, str]:
    outside = len(question.act.records - question.consent.offered)
    return outside == 0, f"records.not_asked_for={outside}"


def _child_asked(question: Question) -> tuple[bool, str]:
    """From seven years on a child is asked beside the parent (Luật 91/2025/QH15, Điều 24)."""
    age, agrees = question.facts.age, question.act.child_agrees
    asked = agrees or not _is_parent(question) or age is None or age < consents.AGE_ASKED
    return asked, f"owner.age={'none' if age is None else age},child.agrees={str(agrees).lower()}"


def _child_represented(question: Question) -> tuple[bool, str]:
    """Below sixteen a child gives no consent alone."""
    age = question.facts.age
    alone = question.facts.delegation is None and age is not None and age < consents.AGE_ALONE
    return not alone, f"owner.age={'none' if age is None else age}"


def _is_parent(question: Question) -> bool:
    delegation = question.facts.delegation
    return delegation is not None and delegation.kind == "parent"


STRONG = "minutes_after_strong_sign_in"  # a limit of the book


def _strongly_authenticated(question: Question) -> tuple[bool, str]:
    """A yes is given by whoever was authenticated strongly, and not long ago."""
    limit = question.book.limit(STRONG, question.today)
    if limit is None:
        return True, "limit=none"
    return strong_enough(there(question.facts.assurance, "assurance"), limit.most)


def strong_enough(assurance: AssuranceFacts, most: int) -> tuple[bool, str]:
    """Say whether an authentication is strong and at most so many minutes old, and the fact of that."""
    strong = assurance.level == "high" and 0 <= assurance.minutes <= most
    return strong, f"assurance.level={assurance.level},minutes={assurance.minutes},most={most}"


# --- fetching -----------------------------------------------------------------------------------------------


def _same_purpose(question: Question) -> tuple[bool, str]:
    same = question.fetch.purpose == question.consent.purpose
    return same, said("fetch.purpose_is_consents", same)


def _named(question: Question) -> tuple[bool, str]:
    """Hold when the consent names the record; one that was never given names none, and is told as such."""
    consent = question.consent
    named = question.fetch.record in consent.records or consent.state in _UNGIVEN
    return named, said("consent.names_record", named)


def _same_record(question: Question) -> tuple[bool, str]:
    same = question.record.id == question.fetch.record
    return same, said("fetch.names_record", same)


def _giver_owns(question: Question) -> tuple[bool, str]:
    owns = question.consent.owner in question.record.owners
    return owns, said("record.of_consents_owner", owns)


def _fetch_stands(question: Question) -> tuple[bool, str]:
    until = there(question.fetch.until, "fetch.until")
    return question.at < until, f"fetch.until={until.isoformat()}"


# --- delegations --------------------------------------------------------------------------------------------


TOO_MANY = "too_many_claims_refused"
CLAIMS = "refused_claims_per_person_and_day"  # a limit of the book


def _few_claims_refused(question: Question) -> tuple[bool, str]:
    limit = question.book.limit(CLAIMS, question.today)
    if limit is None:
        return True, "limit=none"
    refused = there(question.facts.refused_claims, "owner.refused_claims")
    return refused < limit.most, f"owner.refused_claims={refused},most={limit.most}"


def _another_person(question: Question) -> tuple[bool, str]:
    other = question.delegation.represented != question.delegation.representative
    return other, said("delegation.of_another", other)


def _party(question: Question) -> tuple[bool, str]:
    delegation = question.delegation
    party = question.facts.owner in (delegation.represented, delegation.representative)
    return party, said("delegation.party", party)


def _delegation(fails_at: delegations.Standing, *, optional: bool) -> Guard:
    def guard(question: Question) -> tuple[bool, str]:
        if optional and question.facts.delegation is None:
            return True, "delegation=none"  # the owner acts for themself
        worth = delegations.standing(question.delegation, question.book, question.today)
        return worth != fails_at, f"delegation.standing={worth}"

    return guard


def _of_represented(question: Question) -> tuple[bool, str]:
    """Who acts for another reads in that store, and not in their own beside it."""
    delegation = question.facts.delegation
    theirs = delegation is None or delegation.represented in question.record.owners
    return theirs, said("record.of_represented", theirs)


def _not_ended(question: Question) -> tuple[bool, str]:
    state = question.delegation.state
    return state != "ended", f"delegation.state={state}"


ACTING: dict[str, Guard] = {
    "delegation_ended": _delegation("ended", optional=True),
    "delegation_not_evidenced": _delegation("not_evidenced", optional=True),
    "delegation_of_age": _delegation("of_age", optional=True),
}
READING_FOR: dict[str, Guard] = {**ACTING, "record_not_of_represented": _of_represented}
CLAIMING: dict[str, Guard] = {
    TOO_MANY: _few_claims_refused,
    "delegation_of_oneself": _another_person,
    "delegation_not_evidenced": _delegation("not_evidenced", optional=False),
    "delegation_of_age": _delegation("of_age", optional=False),
}
ENDING: dict[str, Guard] = {"delegation_not_yours": _party, "delegation_ended": _not_ended}

ASKING: dict[str, Guard] = {
    "consent_other_recipient": _of_recipient,
    "consent_purpose_not_registered": _purpose_registered,
    "consent_purpose_not_in_force": _purpose_in_force,
    "consent_too_many_waiting": _few_waiting,
}
LAPSING: dict[str, Guard] = {
    "consent_other_recipient": _of_recipient,
    "consent_already_answered": _state_is("requested"),
}
_OWN: dict[str, Guard] = {**ACTING, "consent_not_yours": _of_owner}
_GIVEN: dict[str, Guard] = {
    "consent_not_given": _state_is_not(_UNGIVEN),
    "consent_withdrawn": _state_is_not({"withdrawn"}),
}
REFUSING: dict[str, Guard] = {
    **_OWN,
    "consent_already_answered": _state_is("requested"),
    "consent_lapsed": _answer_in_time,
}
GIVING: dict[str, Guard] = {
    **REFUSING,
    "consent_expired": _not_over,
    "consent_text_not_shown": _text_shown,
    "consent_record_not_chosen": _records_chosen,
    "consent_record_not_asked": _records_asked_for,
    "consent_child_not_asked": _child_asked,
    "consent_child_alone": _child_represented,
    "assurance_too_low": _strongly_authenticated,
}
WITHDRAWING: dict[str, Guard] = {**_OWN, **_GIVEN}
_IN_USE: dict[str, Guard] = {**WITHDRAWING, "consent_expired": _not_over, "consent_exhausted": _reads_left}
PAUSING: dict[str, Guard] = {**_IN_USE, "consent_paused": _state_is_not({"paused"})}
RESUMING: dict[str, Guard] = {**_IN_USE, "consent_not_paused": _state_is_not({"given"})}

_USING: dict[str, Guard] = {
    "consent_other_recipient": _of_recipient,
    "consent_purpose_not_registered": _purpose_registered,
    "consent_other_purpose": _same_purpose,
    **_GIVEN,
    "consent_paused": _state_is_not({"paused"}),
    "consent_not_yet_valid": _reached,
    "consent_expired": _not_over,
}
_OF_RECORD: dict[str, Guard] = {
    "consent_record_not_named": _named,
    "record_not_named": _same_record,
    "consent_giver_not_owner": _giver_owns,
}
FETCHING: dict[str, Guard] = {**_USING, "consent_exhausted": _reads_left, **_OF_RECORD}
# The last read of a consent is still one: what was fetched by it can be read for as long as the fetch stands.
DELIVERING: dict[str, Guard] = {**_USING, **_OF_RECORD, "fetch_ended": _fetch_stands}
