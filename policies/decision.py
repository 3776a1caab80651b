"""Deciding: every guard and basis is evaluated; deny unless a basis permits and no guard forbids.

Pure: no clock, no input or output, no randomness. The same facts, book and instant give the same decision.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from policies import consents, delegations, guards
from policies.book import BASES, Book
from policies.entries import Rule
from policies.facts import AccessFacts, Action, Decision, Reason
from policies.guards import GUARDS
from policies.question import FactMissing, Guard, Question

BASIS_CODES: dict[str, str] = {
    "statute": "no_statute_rule",
    "court": "court_order_not_recorded",
    "consent": "consent_not_recorded",
    "delegation": "delegation_not_recorded",
    "owner": "not_the_owner",
    "emergency": "emergency_not_recorded",
}
OBLIGATIONS: frozenset[str] = frozenset({"show_to_owner", "confirm_before_use"})
CODES: frozenset[str] = guards.CODES | frozenset(BASIS_CODES.values()) | {"rule_failed"}

_READS = frozenset({Action.RELEASE, Action.DELIVER})


def decide(facts: AccessFacts, book: Book, at: datetime) -> Decision:
    """Decide one access by one book at one instant (aware); never raises for the facts' sake.

    Reasons come in order: guards, then bases in the order of `BASES`; each is named by what is wrong when it
    does not hold (`passed` false). The first basis that holds is the decision's. A guard or basis that fails
    to evaluate counts as a forbid, reason `rule_failed`.
    """
    question = Question(facts, book, at)
    guarded = tuple(_evaluate(code, guard, question) for code, guard in GUARDS[facts.action].items())
    founded = tuple(_basis(kind, question) for kind in BASES)
    broken = any(reason.code == "rule_failed" for reason, _ in founded)
    rule = next((found for _, found in founded if found is not None), None)
    permitted = rule is not None and not broken and all(reason.passed for reason in guarded)
    return Decision(
        permitted=permitted,
        action=facts.action,
        basis=rule.basis if rule and permitted else None,
        basis_reference=rule.legal_reference if rule and permitted else None,
        reasons=(*guarded, *(reason for reason, _ in founded)),
        policy_hash=book.hash,
        at=at,
        obligations=tuple(_obligations(question)) if permitted else (),
    )


def _evaluate(code: str, guard: Guard, question: Question) -> Reason:
    try:
        passed, fact = guard(question)
    except FactMissing as missing:
        return Reason(code, False, str(missing))
    except Exception as error:  # a rule that cannot be evaluated forbids, whatever broke it
        return Reason("rule_failed", False, f"guard={code},error={type(error).__name__}")
    return Reason(code, passed, fact)


def _basis(kind: str, question: Question) -> tuple[Reason, Rule | None]:
    try:
        rule, fact = _FOUND[kind](question)
    except FactMissing as missing:
        return Reason(BASIS_CODES[kind], False, str(missing), "basis"), None
    except Exception as error:  # as above; kind "guard" so that it always stands in the way
        return Reason("rule_failed", False, f"basis={kind},error={type(error).__name__}"), None
    return Reason(BASIS_CODES[kind], rule is not None, fact, "basis"), rule


def _statute(question: Question) -> tuple[Rule | None, str]:
    """A state duty: an agency's system, and a rule in force for the procedure or the record type."""
    facts = question.facts
    if facts.caller is None:
        return None, "caller=none"
    rule = _rule("statute", question)
    return rule, f"rule={rule.key if rule else 'none'}"


def _owner(question: Question) -> tuple[Rule | None, str]:
    """An owner acts for themself, in a matter of their own."""
    facts = question.facts
    if facts.caller is not None or not facts.owner or facts.owner not in _concerned(question):
        return None, "owner.of_record=false"
    rule = _rule("owner", question)
    return rule, f"rule={rule.key if rule else 'none'}"


def _delegation(question: Question) -> tuple[Rule | None, str]:
    """Somebody acts for an owner, on evidence that stands today."""
    facts, delegation = question.facts, question.facts.delegation
    if facts.caller is not None or delegation is None or delegation.state != "in_force":
        return None, "delegation=none"
    if facts.owner != delegation.representative or delegation.represented not in _concerned(question):
        return None, "delegation.covers=false"
    worth = delegations.standing(delegation, question.book, question.today)
    capacity = question.book.capacity(delegation.kind, question.today)
    rule = _rule("delegation", question)
    if worth != "in_force" or capacity is None or rule is None:
        return None, f"delegation.standing={worth},rule={rule.key if rule else 'none'}"
    ground = f"{capacity.legal_reference}; {rule.legal_reference}"
    return replace(rule, legal_reference=ground), f"rule={rule.key}"


def _consent(question: Question) -> tuple[Rule | None, str]:
    """The owner said yes, for this recipient; the last read was still one of those agreed to."""
    facts, consent = question.facts, question.facts.consent
    if facts.caller is None or consent is None or consent.agency != facts.caller.agency:
        return None, "consent=none"
    worth = consents.standing(consent, question.today)
    if worth not in ("given", "exhausted"):
        return None, f"consent.standing={worth}"
    rule = _rule("consent", question)
    return rule, f"rule={rule.key if rule else 'none'}"


def _concerned(question: Question) -> frozenset[str | None]:
    """Whose matter it is: the record's owners', the consent's owner's, the parties' of a delegation."""
    facts = question.facts
    if facts.consent is not None:
        return frozenset({facts.consent.owner})
    if facts.record is None and facts.delegation is not None:
        return frozenset({facts.delegation.representative, facts.delegation.represented})
    return frozenset(question.record.owners)


def _not_recorded(name: str) -> Callable[[Question], tuple[Rule | None, str]]:
    # Facts of this kind do not exist yet: the basis is evaluated and does not hold.
    return lambda _: (None, f"{name}=none")


def _rule(kind: str, question: Question) -> Rule | None:
    facts = question.facts
    procedure = facts.dossier.procedure if facts.dossier else None
    record_type = facts.result_type or (facts.record.type if facts.record else None)
    return question.book.rule_for(kind, facts.action, procedure, record_type, question.day)


_FOUND: dict[str, Callable[[Question], tuple[Rule | None, str]]] = {
    "statute": _statute,
    "court": _not_recorded("court_order"),
    "consent": _consent,
    "delegation": _delegation,
    "owner": _owner,
    "emergency": _not_recorded("emergency"),
}


def _obligations(question: Question) -> Iterator[str]:
    facts = question.facts
    if facts.action not in _READS or facts.component is None:
        return
    yield "show_to_owner"
    if question.fit.weaknesses:
        yield "confirm_before_use"
