"""The facts about consents and delegations: who said yes to what, and who may speak for whom."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class ConsentFacts:
    """One consent: one owner, one recipient, one purpose. `state` is what its last event left it in.

    What the clock makes of it (lapsed, expired) is `policies.consents.standing`.
    """

    id: str
    owner: str | None  # None: nobody whom Kho knows was asked
    agency: str  # the recipient
    purpose: str
    state: str  # requested | given | refused | lapsed | paused | withdrawn | exhausted
    valid_from: date
    valid_until: date  # the last day
    answer_until: date  # the last day on which the request may be answered
    max_reads: int
    used: int
    records: frozenset[str] = frozenset()  # named in it
    offered: frozenset[str] = frozenset()  # the owner's records that fit what was asked
    text_vi: str = ""  # hex SHA-256 of the exact text, as shown in that language
    text_en: str = ""


@dataclass(frozen=True)
class ConsentAct:
    """What an owner says by a positive act: which text was shown, which records are meant."""

    displayed: str | None  # hex SHA-256 of the text that was shown
    language: str  # vi | en
    records: frozenset[str]
    child_agrees: bool = False  # a child of seven or older was asked too, and agrees


@dataclass(frozen=True)
class DelegationFacts:
    """Who acts for whom, on which evidence; `evidence` is a record that stands today, None when none does."""

    id: str
    kind: str  # parent | legal_representative
    represented: str | None  # None: nobody whom Kho knows
    representative: str
    state: str  # claimed | in_force | ended
    evidence: str | None
    born_on: date | None = None  # of a represented person, by the evidence


@dataclass(frozen=True)
class FetchFacts:
    """A fetch under a consent: the purpose and record it names, and how long what was fetched can be read."""

    purpose: str
    record: str
    until: datetime | None = None  # None while it is only asked for
