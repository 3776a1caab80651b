"""Days, months and instants as people read them: written by Babel, always in Viet Nam time.

A fixed offset needs no zone data: Viet Nam has had no summer time since long before the first record.
"""

from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date, format_datetime, format_skeleton

from reuse_api.language import Language
from vault.days import VIETNAM, legal_day

_DAY = {"vi": "dd/MM/yyyy", "en": "d MMM yyyy"}


@dataclass(frozen=True)
class When:
    """An instant or a day: for machines in ISO 8601, for people in Viet Nam time."""

    iso: str
    words: str


def moment(at: datetime, language: Language) -> When:
    """Tell an aware instant to the second."""
    local = at.astimezone(VIETNAM)
    words = format_datetime(local, f"HH:mm:ss, {_DAY[language]}", locale=language)
    return When(local.isoformat(timespec="seconds"), words)


def day(one: date, language: Language) -> When:
    """Tell a calendar day."""
    return When(one.isoformat(), format_date(one, _DAY[language], locale=language))


def day_of(at: datetime, language: Language) -> When:
    """Tell the day in Viet Nam of an aware instant."""
    return day(legal_day(at), language)


def month(first: date, language: Language) -> When:
    """Tell a month, given by its first day; begins with a capital, as it stands alone."""
    words = str(format_skeleton("yMMMM", first, locale=language))
    return When(first.isoformat()[:7], words[:1].upper() + words[1:])
