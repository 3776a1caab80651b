"""A text of a document as the words that every back end keeps: folded, and with their accents.

Back ends split at spaces and do nothing else. Each part of the answer is a text of its own, so that no
phrase reaches from one part into the next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from search.dates import Spot, day_term, month_term, spots
from search.known_names import abbreviations, everyday_at
from search.number_atoms import runs_apart
from search.numbers import codes
from search.vietnamese import Word, aligned, normal, words

_SHORT = 300  # characters; what is longer is content, and is not kept in memory


@dataclass(frozen=True)
class Terms:
    """The words of texts, joined with spaces: a folded text a part, an exact one for each that was given."""

    folded: tuple[str, ...]
    exact: tuple[str, ...]


def analysed(texts: Iterable[str | None], day: date | None = None) -> Terms:
    """Give the words of texts, with numbers run together, days, and what abbreviations in them stand for.

    Args:
        day: when the document was issued, found as any day in its texts is.
    """
    read = [_kept(text) if len(text) <= _SHORT else _text(text) for text in texts if text]
    folded = [part for one in read for part in one.folded]
    if day is not None:
        folded.extend((day_term(day), month_term(day.year, day.month), str(day.year)))
    kept = (part for one in read for part in one.exact)
    return Terms(tuple(dict.fromkeys(one for one in folded if one)), tuple(one for one in kept if one))


@lru_cache(maxsize=1024)  # names of types and issuers come again and again
def _kept(text: str) -> Terms:
    return _text(text)


def _text(text: str) -> Terms:
    bare = normal(text)
    found = words(bare)
    plain = " ".join(one.folded for one in found)
    written_out = " ".join(_written_out(found))
    beside = [*_beside(bare), *([written_out] if written_out != plain else [])]
    return Terms((plain, *beside), (" ".join(one.exact for one in found),))


def _beside(bare: str) -> Iterable[str]:
    """Give what else numbers and days in the text are found by."""
    text = aligned(bare)
    for code in codes(text):
        for one in (code, *code.within):
            if len(one.parts) > 1:
                yield from (one.compact, *one.endings)
    days = spots(text)
    for spot in days:
        yield from date_terms(spot)
    for run in runs_apart(bare, text, days):
        yield run.compact


def _written_out(found: list[Word]) -> Iterable[str]:
    place = 0
    while place < len(found):
        one = found[place].folded
        count, meanings = everyday_at(found, place, spelled=True) or (1, abbreviations().get(one, ((one,),)))
        yield from meanings[0]
        place += count


def date_terms(spot: Spot) -> Iterable[str]:
    """Give the words by which a day or month is found: itself; where its year is sure, month and year."""
    yield from spot.terms
    if len(spot.years) == 1:
        yield from (*spot.months, str(spot.years[0]))
