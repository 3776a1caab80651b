"""The question that guards and bases look at; a fact it does not have is a fault of the question."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TypeVar

from policies.acceptance import Acceptance, match, state_refusals
from policies.book import Book, local_day
from policies.consent_facts import ConsentAct, ConsentFacts, DelegationFacts, FetchFacts
from policies.facts import AccessFacts, CallerFacts, DossierFacts, RecordFacts

T = TypeVar("T")


class FactMissing(Exception):
    """A guard asked for a fact that the question does not have; it then does not hold."""


@dataclass(frozen=True)
class Question:
    """What is being decided: the facts, the book, the instant."""

    facts: AccessFacts
    book: Book
    at: datetime

    @cached_property
    def today(self) -> date:
        """The day in Viet Nam."""
        return local_day(self.at)

    @property
    def day(self) -> date:
        """The day whose rules judge: the dossier's, today's where there is no dossier."""
        return self.facts.dossier.opened_on if self.facts.dossier else self.today

    @property
    def caller(self) -> CallerFacts:
        """The caller; raises FactMissing when the owner acts."""
        return there(self.facts.caller, "caller")

    @property
    def dossier(self) -> DossierFacts:
        """The dossier; raises FactMissing when there is none."""
        return there(self.facts.dossier, "dossier")

    @property
    def record(self) -> RecordFacts:
        """The record; raises FactMissing when there is none."""
        return there(self.facts.record, "record")

    @property
    def consent(self) -> ConsentFacts:
        """The consent; raises FactMissing when there is none."""
        return there(self.facts.consent, "consent")

    @property
    def fetch(self) -> FetchFacts:
        """What is fetched under the consent; raises FactMissing when nothing is."""
        return there(self.facts.fetch, "fetch")

    @property
    def act(self) -> ConsentAct:
        """What the owner says to the consent; raises FactMissing when nothing was said."""
        return there(self.facts.act, "act")

    @property
    def delegation(self) -> DelegationFacts:
        """The delegation; raises FactMissing when there is none."""
        return there(self.facts.delegation, "delegation")

    @cached_property
    def fit(self) -> Acceptance:
        """How the record fits the component; several guards look at it. Raises FactMissing."""
        return match(self.record, self.dossier, there(self.facts.component, "component"), self.book)

    @cached_property
    def state(self) -> tuple[str, ...]:
        """What the record's own state holds against it today. Raises FactMissing."""
        return state_refusals(self.record, self.today)


def there(value: T | None, name: str) -> T:
    """Give the value that must be there; raises FactMissing, naming it."""
    if value is None:
        raise FactMissing(f"{name}=missing")
    return value


def said(name: str, value: bool) -> str:
    """Say a fact that is true or false."""
    return f"{name}={str(value).lower()}"


Guard = Callable[[Question], tuple[bool, str]]  # whether it holds, and the fact that it rests on
