"""What a consent is worth today, and the exact text that a person says yes or no to.

Listing and deciding both go by `standing`, so that what is shown as given is what can be used.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from policies.consent_entries import ConsentText, Purpose
from policies.consent_facts import ConsentFacts
from policies.entries import Text

Standing = Literal[
    "requested", "given", "refused", "lapsed", "paused", "withdrawn", "exhausted", "not_yet_valid", "expired"
]
ENDED: frozenset[str] = frozenset({"refused", "lapsed", "withdrawn", "exhausted", "expired"})
AGE_ASKED = 7  # from this age a child is asked too (Luật 91/2025/QH15, Điều 24)
AGE_ALONE = 16  # below it a child gives no consent without a representative (Luật Trẻ em 102/2016, Điều 1)


@dataclass(frozen=True)
class Scope:
    """What a text says beside the purpose: names as they are shown, in both languages."""

    owner: str
    recipient: Text
    documents: Sequence[Text]
    types: frozenset[str]
    reason: str  # in the recipient's own words
    valid_from: date
    valid_until: date
    answer_until: date
    max_reads: int


def standing(consent: ConsentFacts, today: date) -> Standing:
    """Say what a consent is worth on a day: its last event, and what the clock and its uses make of it."""
    if consent.state == "requested":
        return "lapsed" if today > min(consent.answer_until, consent.valid_until) else "requested"
    if consent.state in ("given", "paused"):
        if today > consent.valid_until:
            return "expired"
        if consent.used >= consent.max_reads:
            return "exhausted"
        if consent.state == "given" and today < consent.valid_from:
            return "not_yet_valid"
    return consent.state  # type: ignore[return-value]


def compose(template: ConsentText, purpose: Purpose, scope: Scope) -> Text:
    """Write the exact text of one consent in both languages."""
    return Text(_written(template, purpose, scope, "vi"), _written(template, purpose, scope, "en"))


def text_hash(text: str) -> str:
    """Give the hex SHA-256 of a text's UTF-8 bytes: what proves which text was shown."""
    return hashlib.sha256(text.encode()).hexdigest()


def age(born_on: date, today: date) -> int:
    """Give the whole years of a person on a day; who was born on 29 February is a year older on 1 March."""
    before_birthday = (today.month, today.day) < (born_on.month, born_on.day)
    return today.year - born_on.year - int(before_birthday)


def _written(template: ConsentText, purpose: Purpose, scope: Scope, language: Literal["vi", "en"]) -> str:
    lines = template.lines_vi if language == "vi" else template.lines_en
    flagged = [
        _in(words, language) for kind, words in sorted(template.sensitive.items()) if kind in scope.types
    ]
    values = {
        "owner": scope.owner,
        "recipient": _in(scope.recipient, language),
        "documents": "; ".join(_in(one, language) for one in scope.documents),
        "sensitive": "; ".join(flagged),
        "purpose": _in(purpose.name, language),
        "purpose_reference": purpose.legal_reference,
        "reason": scope.reason,
        "consequence": _in(purpose.consequence, language),
        "from": _day(scope.valid_from, language),
        "until": _day(scope.valid_until, language),
        "answer_until": _day(scope.answer_until, language),
        "reads": str(scope.max_reads),
    }
    # A line whose one value is empty says nothing: it is left out.
    told = [line for line in lines if flagged or "{sensitive}" not in line]
    return "\n".join(line.format_map(values) for line in told)


def _in(text: Text, language: Literal["vi", "en"]) -> str:
    return text.vi if language == "vi" else text.en


def _day(day: date, language: Literal["vi", "en"]) -> str:
    return f"{day:%d/%m/%Y}" if language == "vi" else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
