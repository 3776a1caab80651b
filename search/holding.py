"""Whether a condition holds for texts, said without an index: by the same words, compared the same way."""

from collections.abc import Iterable, Sequence
from datetime import date

from search.conditions import All, Begins, Condition, Either, Has, IssuedSince, Near, Phrase
from search.highlighting import near_to
from search.terms import Terms


def holds(condition: Condition, fields: Sequence[Terms], issued_on: date | None) -> bool:
    """Say whether a document whose fields have these words would be found by the condition."""
    if isinstance(condition, All):
        return all(holds(one, fields, issued_on) for one in condition.of)
    if isinstance(condition, Either):
        return any(holds(one, fields, issued_on) for one in condition.of)
    if isinstance(condition, IssuedSince):
        return issued_on is not None and issued_on >= condition.day
    return any(_in(condition, one) for one in fields)


def _in(condition: Has | Begins | Near | Phrase, terms: Terms) -> bool:
    if isinstance(condition, Has):
        return condition.word in _words(terms.exact if condition.exact else terms.folded)
    if isinstance(condition, Begins):
        return any(one.startswith(condition.letters) for one in _words(terms.folded))
    if isinstance(condition, Near):
        return any(near_to(one, condition.word) for one in _words(terms.folded))
    wanted = f" {' '.join(condition.words)} "
    return any(wanted in f" {part} " for part in terms.folded)


def _words(parts: Iterable[str]) -> Iterable[str]:
    return (one for part in parts for one in part.split(" "))
