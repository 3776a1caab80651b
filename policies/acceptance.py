"""Whether one record serves one component: the checks that planning and deciding share, so that they agree.

A *refusal* means the record does not serve and is not shown; a *weakness* means an officer may look at it and
must confirm it (DESIGN 2.6: what cannot be verified never satisfies by itself).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from policies.book import Book
from policies.entries import Mapping
from policies.facts import DossierFacts, RecordFacts, Validity

STATE_CODES = (
    "record_revoked",
    "record_replaced",
    "record_suspended",
    "record_expired",
    "record_damaged",
    "verdict_invalid",
)
MATCH_CODES = (
    "no_mapping",
    "type_not_in_force",
    "type_not_accepted",
    "not_to_be_asked",
    "not_of_required_person",
    "relation_disagrees",
    "record_too_old",
)
WEAKNESS_CODES = (
    "trust_too_low",
    "verdict_undetermined",
    "relation_not_known",
    "issue_date_not_known",
    "needs_judgement",
)
CODES: frozenset[str] = frozenset({*STATE_CODES, *MATCH_CODES, *WEAKNESS_CODES})


@dataclass(frozen=True)
class Acceptance:
    """How a record fares for a component: codes of refusals and of weaknesses, none of either: it serves.

    `confirmed` are weaknesses that an officer confirmed for the component of this dossier: they stand in the
    way no more, and the record's class stays what it is.
    """

    refusals: tuple[str, ...]
    weaknesses: tuple[str, ...]
    mapping: Mapping | None = None
    confirmed: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        """Say whether the record satisfies by itself."""
        return not self.refusals and not self.weaknesses


def state_refusals(record: RecordFacts, today: date) -> tuple[str, ...]:
    """Give what the record's own state holds against it on that day, whatever it is asked for."""
    ended = record.valid_until is not None and record.valid_until < today
    against = {
        "record_revoked": record.validity is Validity.REVOKED,
        "record_replaced": record.validity is Validity.REPLACED,
        "record_suspended": record.validity is Validity.SUSPENDED,
        "record_expired": record.validity is Validity.EXPIRED or ended,
        "record_damaged": record.damaged,
        "verdict_invalid": record.verdict == "invalid",
    }
    return tuple(code for code in STATE_CODES if against[code])


def match(record: RecordFacts, dossier: DossierFacts, component: str, book: Book) -> Acceptance:
    """Say how a record fits what the book accepts for a component of the dossier, on the dossier's day.

    Of several mappings the one that fits best speaks. The record's own state is `state_refusals`' matter.
    """
    day = dossier.opened_on
    cases = (dossier.case, *dossier.additional_cases)
    mappings = book.mappings_for(dossier.procedure, cases, component, day)
    if not mappings:
        return Acceptance(("no_mapping",), ())
    if book.record_type(record.type, day) is None:
        return Acceptance(("type_not_in_force",), ())
    accepting = [mapping for mapping in mappings if record.type in mapping.types]
    if not accepting:
        return Acceptance(("type_not_accepted",), ())
    answers = [_confirmed(_under(mapping, record, dossier), record, component) for mapping in accepting]
    return min(answers, key=lambda answer: (len(answer.refusals), len(answer.weaknesses)))


def accept(record: RecordFacts, dossier: DossierFacts, component: str, book: Book, today: date) -> Acceptance:
    """Say whether a record serves a component: its state today and its match, in one answer."""
    matched = match(record, dossier, component, book)
    refusals = (*state_refusals(record, today), *matched.refusals)
    return replace(matched, refusals=refusals)


def owners_in_role(dossier: DossierFacts, role: str | None = None) -> frozenset[str]:
    """Give the owners Kho knows among the dossier's persons, of one role or of all."""
    persons = (person for person in dossier.persons if role is None or person.role == role)
    return frozenset(person.owner for person in persons if person.owner is not None)


def _under(mapping: Mapping, record: RecordFacts, dossier: DossierFacts) -> Acceptance:
    refusals: list[str] = []
    weaknesses: list[str] = []
    if mapping.unless is not None and mapping.unless in dossier.conditions:
        refusals.append("not_to_be_asked")
    if not owners_in_role(dossier, mapping.role) & record.owners:
        refusals.append("not_of_required_person")
    if record.trust > mapping.least_trust:  # A is best, and letters compare that way
        weaknesses.append("trust_too_low")
    if record.verdict != "valid":
        weaknesses += ["verdict_undetermined", *record.verdict_reasons]
    match _relation(mapping, record):
        case "disagrees":
            refusals.append("relation_disagrees")
        case "not_known":
            weaknesses.append("relation_not_known")
    match _freshness(mapping, record, dossier.opened_on):
        case "too_old":
            refusals.append("record_too_old")
        case "not_known":
            weaknesses.append("issue_date_not_known")
    if mapping.confirm:
        weaknesses.append("needs_judgement")
    return Acceptance(tuple(refusals), tuple(weaknesses), mapping)


def _confirmed(answer: Acceptance, record: RecordFacts, component: str) -> Acceptance:
    """Lift the weaknesses that an officer confirmed; one that came up since then still counts."""
    lifted = tuple(code for code in answer.weaknesses if (component, code) in record.confirmed)
    left = tuple(code for code in answer.weaknesses if code not in lifted)
    return replace(answer, weaknesses=left, confirmed=lifted)


def _relation(mapping: Mapping, record: RecordFacts) -> str:
    """A relation is known once the record's data were read: one they do not name is not there."""
    relation = mapping.relation
    if relation is None or any((field, relation.role) in record.relations for field in relation.fields):
        return "agrees"
    return "disagrees" if record.known_fields.intersection(relation.fields) else "not_known"


def _freshness(mapping: Mapping, record: RecordFacts, day: date) -> str:
    if mapping.max_age_days is None:
        return "fresh"
    if record.issued_on is None:
        return "not_known"
    return "too_old" if record.issued_on < day - timedelta(days=mapping.max_age_days) else "fresh"


def newest_first(records: Sequence[RecordFacts]) -> list[RecordFacts]:
    """Order records by day of issue, newest first, undated last; the id settles what is left."""
    return sorted(records, key=lambda record: (-(record.issued_on or date.min).toordinal(), record.id))
