"""What a delegation is worth today: the evidence stands, and a child is still a child."""

from datetime import date
from typing import Literal

from policies.book import Book
from policies.consent_entries import Capacity
from policies.consent_facts import DelegationFacts
from policies.consents import age

Standing = Literal["in_force", "ended", "of_age", "not_evidenced"]


def standing(delegation: DelegationFacts, book: Book, today: date) -> Standing:
    """Say what a delegation is worth on a day; a claimed one as if it were granted."""
    capacity = book.capacity(delegation.kind, today)
    if delegation.state == "ended":
        return "ended"
    if capacity is None or delegation.represented is None or delegation.evidence is None:
        return "not_evidenced"
    if not young_enough(delegation, capacity, today):
        return "of_age"
    return "in_force"


def young_enough(delegation: DelegationFacts, capacity: Capacity, today: date) -> bool:
    """Say whether the represented person is below the age that ends it; unknown is not below it."""
    if capacity.until_age is None:
        return True
    return delegation.born_on is not None and age(delegation.born_on, today) < capacity.until_age
