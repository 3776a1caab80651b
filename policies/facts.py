"""The facts a decision is made from: plain frozen values, gathered by the vault in one read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from policies.consent_facts import ConsentAct, ConsentFacts, DelegationFacts, FetchFacts


class Action(StrEnum):
    """What a caller wants to do; every guard and basis is evaluated for one of these."""

    OPEN_DOSSIER = "open_dossier"
    ASK_PLAN = "ask_plan"
    RELEASE = "release"
    DELIVER = "deliver"
    ISSUE_RESULT = "issue_result"
    CLOSE_DOSSIER = "close_dossier"
    ISSUE_RECORD = "issue_record"  # outside any dossier
    REVOKE_RECORD = "revoke_record"
    REPLACE_RECORD = "replace_record"
    SUSPEND_RECORD = "suspend_record"
    REINSTATE_RECORD = "reinstate_record"
    SEARCH_ISSUED = "search_issued"
    CONFIRM = "confirm"
    DIGITISE = "digitise"
    HEAR_NOTICES = "hear_notices"
    READ_OWN = "read_own"
    ASK_CONSENT = "ask_consent"
    LAPSE_CONSENT = "lapse_consent"  # its requester takes a request back
    GIVE_CONSENT = "give_consent"
    REFUSE_CONSENT = "refuse_consent"
    PAUSE_CONSENT = "pause_consent"
    RESUME_CONSENT = "resume_consent"
    WITHDRAW_CONSENT = "withdraw_consent"
    FETCH = "fetch"
    DELIVER_FETCHED = "deliver_fetched"
    CLAIM_DELEGATION = "claim_delegation"
    END_DELEGATION = "end_delegation"


class TrustClass(StrEnum):
    """What a document is worth, by its evidence (DESIGN 2.6); A is best."""

    A = "A"  # signed e-result
    B = "B"  # signed conversion or certified copy on paper
    C = "C"  # e-certified copy
    D = "D"  # uploaded by the owner
    E = "E"  # unverified


class Validity(StrEnum):
    """The state of a record on the day it is asked for."""

    IN_FORCE = "in_force"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"
    SUSPENDED = "suspended"


# Why a paper is scanned although the plan had an answer for its component.
RESCAN_REASONS = ("unreadable", "outdated", "wrong_person", "officer_doubts", "applicant_insists", "other")


@dataclass(frozen=True)
class CallerFacts:
    """A system with its agency and, where one is named, its officer; all from credentials."""

    agency: str
    agency_live: bool
    system: str
    system_live: bool
    officer: str | None
    officer_live: bool
    procedures: frozenset[str] = frozenset()  # registered for the agency on that day
    issues: frozenset[str] = frozenset()  # record types the agency may issue on that day
    agency_codes: tuple[str, ...] = ()  # the agency's own codes in force on the dossier's day
    predecessors: frozenset[str] = frozenset()  # agencies whose results it may revoke
    opened_this_hour: int | None = None  # dossiers that the officer opened in the 60 minutes before
    purposes: frozenset[str] = frozenset()  # for which it may ask people for their consent


@dataclass(frozen=True)
class PersonFacts:
    """A person of the dossier: `owner` is the store's random id, None when Kho does not know the person."""

    role: str
    owner: str | None
    represented: bool = False  # acts through somebody else
    representation_evidence: bool = False
    name_agrees: bool | None = None  # with the store's, where there was one to compare with


@dataclass(frozen=True)
class DossierFacts:
    """One application as the processing system opened it."""

    code: str
    code_agency: str  # the agency code inside the dossier code
    code_day: date
    agency: str  # who opened it
    procedure: str
    case: str | None
    opened_on: date
    state: str = "open"  # open | closed
    evidence: str | None = None  # portal_submission | signed_form | officer_check
    additional_cases: tuple[str, ...] = ()
    conditions: frozenset[str] = frozenset()
    persons: tuple[PersonFacts, ...] = ()
    components: frozenset[str] = frozenset()  # codes the procedure asks for in this dossier
    code_taken: bool | None = None  # its code was opened before, with another body or by another system


@dataclass(frozen=True)
class RecordFacts:
    """One stored document, as far as deciding needs it; never its content."""

    id: str
    type: str
    owners: frozenset[str]
    trust: TrustClass
    verdict: str  # valid | invalid | undetermined
    verdict_reasons: tuple[str, ...]
    validity: Validity
    validity_ground: str | None
    issuer: str | None  # agency code, as on the document
    issued_on: date | None
    valid_until: date | None
    relations: frozenset[tuple[str, str]] = frozenset()  # (field of record, role in dossier) that agree
    damaged: bool = False
    known_fields: frozenset[str] = frozenset()  # relation fields the record's data fills: may disagree
    # (component, weakness) pairs of the dossier in question that an officer looked at and confirmed
    confirmed: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class AssuranceFacts:
    """How strongly a person was authenticated, and how many whole minutes ago."""

    level: str  # basic | high
    minutes: int


@dataclass(frozen=True)
class AccessFacts:
    """One thing one caller wants to do, with everything it depends on."""

    action: Action
    caller: CallerFacts | None  # None: the owner acts
    owner: str | None = None  # the person who acts, for themself or by a delegation
    dossier: DossierFacts | None = None
    component: str | None = None
    record: RecordFacts | None = None
    result_type: str | None = None
    result_persons: tuple[str, ...] = ()  # owners that a result is issued to
    names_agree: bool | None = None  # those of the owners with their stores', where there was one to compare
    release_own: bool | None = None  # False: the release was not given to the caller's system, or never was
    answered: str | None = None  # the plan's state of the component before a confirmation or a scan
    rescan_reason: str | None = None  # one of RESCAN_REASONS, for a scan in spite of an answer
    consent: ConsentFacts | None = None
    fetch: FetchFacts | None = None
    act: ConsentAct | None = None
    delegation: DelegationFacts | None = None  # by which the owner acts for somebody else
    age: int | None = None  # of the owner of the consent, in whole years, where a birth date is known
    refused_claims: int | None = None  # claims to act for others that were refused to the owner on this day
    waiting: int | None = None  # requests of this agency that already wait for the same person's answer
    assurance: AssuranceFacts | None = None  # how strongly the owner who acts was authenticated


@dataclass(frozen=True)
class Reason:
    """One evaluated condition: its stable code, how it came out, and the fact it rests on."""

    code: str  # snake_case, has words in wording.py
    passed: bool
    fact: str  # short, e.g. "dossier.state=closed"; never a name or an identifier
    kind: str = "guard"  # guard: must hold; basis: one of them must hold


@dataclass(frozen=True)
class Decision:
    """What `decide` answers. Deny unless a basis permits and no guard forbids."""

    permitted: bool
    action: Action
    basis: str | None  # owner | statute | consent | delegation | court | emergency
    basis_reference: str | None  # the legal reference of the basis
    reasons: tuple[Reason, ...]  # every guard and basis, in order
    policy_hash: str  # hex SHA-256 of the book
    at: datetime
    obligations: tuple[str, ...] = ()

    @property
    def against(self) -> tuple[Reason, ...]:
        """The conditions that stood in the way, in order; the bases only if none of them held."""
        founded = any(reason.passed for reason in self.reasons if reason.kind == "basis")
        return tuple(
            reason for reason in self.reasons if not reason.passed and (reason.kind == "guard" or not founded)
        )

    @property
    def failed(self) -> tuple[str, ...]:
        """Codes of the conditions that stood in the way."""
        return tuple(reason.code for reason in self.against)

    @property
    def told(self) -> tuple[str, ...]:
        """Of those, the ones worth saying: what merely lacked a fact is left out where another says why."""
        return worth_saying([(reason.code, reason.fact) for reason in self.against])


def worth_saying(failed: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Of failed (code, fact) pairs, give the codes to say; `x=missing` only where nothing else failed.

    A basis that does not hold is said only where no guard stood in the way; to an owner who acts, one that is
    for agencies is not said at all.
    """
    whole = [code for code, fact in failed if not fact.endswith("=missing")]
    guards = [code for code in whole if code not in _BASES]
    by_owner = ("no_statute_rule", "caller=none") in failed
    theirs = [code for code, fact in failed if code in _OF_OWNERS and fact != "delegation=none"]
    return tuple(guards or (theirs if by_owner else ()) or whole or [code for code, _ in failed])


_OF_OWNERS = frozenset({"not_the_owner", "delegation_not_recorded"})
_BASES = frozenset(
    {
        "no_statute_rule",
        "court_order_not_recorded",
        "consent_not_recorded",
        "delegation_not_recorded",
        "not_the_owner",
        "emergency_not_recorded",
    }
)


@dataclass(frozen=True)
class ComponentPlan:
    """The answer for one component: satisfied | candidate | data_source | none."""

    component: str
    kind: str  # document | form | identity ...
    state: str
    reasons: tuple[str, ...]  # reason codes
    records: tuple[str, ...] = ()  # the record ids that satisfy (all of an AND list)
    candidates: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (record id, why it is not more)
    refused: tuple[tuple[str, tuple[str, ...]], ...] = ()  # records of a person that do not serve, and why
    data_source: str | None = None  # key of a data source in the book: the answer or a hint
    mapping: str | None = field(default=None)  # legal reference of the mapping used
    met_by: str | None = None  # the row that speaks for this one: both ask for the same paper
