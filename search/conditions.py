"""What a document must hold to be found: a small algebra that every back end can say exactly.

Words are those of `terms.analysed`; every back end compares them as they are, by no rules of its own.
"""

from dataclasses import dataclass
from datetime import date

MOST_ENDINGS = 50  # what tantivy takes; the others are told the same


@dataclass(frozen=True)
class Has:
    """The word stands in the document; `exact` with its accents."""

    word: str
    exact: bool = False


@dataclass(frozen=True)
class Begins:
    """A word of the document begins with these letters."""

    letters: str


@dataclass(frozen=True)
class Near:
    """A word of the document differs by one letter: another, one more, one less, or two changed about."""

    word: str


@dataclass(frozen=True)
class Phrase:
    """The words stand beside each other in this order, in one part of the document."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class PhraseBegins:
    """The words stand beside each other, and beside the last of them a word that begins with these letters.

    Of such words the first `MOST_ENDINGS` by their letters are looked at: it ranks, and never decides.
    """

    words: tuple[str, ...]
    letters: str


@dataclass(frozen=True)
class IssuedSince:
    """The document was issued on that day or later; one without a day was not."""

    day: date


@dataclass(frozen=True)
class All:
    """Every one of them holds; of none, everything is found."""

    of: tuple["Condition", ...]


@dataclass(frozen=True)
class Either:
    """At least one of them holds."""

    of: tuple["Condition", ...]


Condition = Has | Begins | Near | Phrase | PhraseBegins | IssuedSince | All | Either


def either(*conditions: Condition) -> Condition:
    """Join conditions of which one is enough, each once."""
    once = tuple(dict.fromkeys(conditions))
    return once[0] if len(once) == 1 else Either(once)


def every(*conditions: Condition) -> Condition:
    """Join conditions that must all hold, each once."""
    once = tuple(dict.fromkeys(conditions))
    return once[0] if len(once) == 1 else All(once)
