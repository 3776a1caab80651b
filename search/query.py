"""What somebody typed, read as one query for every back end (DESIGN 9).

Folded words must match; what was typed with accents ranks its own spelling first. Ranks are classes, not sums
of frequencies, so that all back ends agree, and so that the order of one's own documents tells nothing about
other people's. Typed text never reaches the syntax of a back end. Pure.
"""

import re
from dataclasses import dataclass, replace

from search.conditions import Begins, Condition, Has, IssuedSince, Near, Phrase, either, every
from search.dates import spots
from search.errors import QueryInvalid
from search.known_names import Meanings, Wider, abbreviations, everyday_at, lead_at, province_at
from search.number_atoms import apart, day_atom, number_atom, or_joined, runs_apart
from search.numbers import FEWEST_DIGITS, codes
from search.ranking import Atom, Round, rounds
from search.vietnamese import Word, aligned, controls, exact, normal, other_spelling, scripts, words

LONGEST = 200  # characters of a query
MOST_WORDS = 20
TYPING_ERROR_FROM = 5  # letters of a word that may hold one typing error
# Words that say nothing, as written with their accents.
_STOP = frozenset(
    exact(one) for one in ["của", "và", "hoặc", "cho", "tại", "với", "những", "các", "là", "ở", "về"]
)
# Typed without accents they may be names (Nhung, Voi), so that they count for the order alone.
_STOP_PLAIN = frozenset(["cua", "va", "hoac", "voi", "nhung", "cac"])
_BEFORE_NUMBERS = frozenset(["so", "ngay", "thang", "nam"])
_QUOTED = re.compile(r'"([^"]*)"')
_QUOTES = str.maketrans({one: '"' for one in "“”„«»″"})


@dataclass(frozen=True)
class Asked:
    """A query: tried in rounds until one finds something. All but `rounds` is what a highlight marks."""

    rounds: tuple[Round, ...]
    words: tuple[str, ...] = ()  # folded; and numbers run together, days and months as `dates` names them
    begins: str | None = None  # folded letters of the word that was still being typed
    runs: tuple[tuple[str, ...], ...] = ()  # folded words side by side: what else was asked for is called


EVERYTHING = Asked((Round(every(), ()),))


def read(text: str | None, *, typing: bool = True) -> Asked:
    """Read what was typed; nothing typed asks for everything.

    Args:
        typing: the last word may not be finished, so that what begins with it is found too.

    Raises:
        QueryInvalid: `query_too_long`, `query_too_many_words`, `query_control_characters`,
            `query_mixed_scripts`, `query_without_words` or `query_only_stop_words`.
    """
    if text is None or not text.strip():
        return EVERYTHING
    if len(text) > LONGEST:
        raise QueryInvalid("query_too_long")
    if controls(text):
        raise QueryInvalid("query_control_characters")
    bare = normal(text).translate(_QUOTES)
    found = words(bare)
    _check(found)
    unfinished = typing and bool(bare) and bare[-1].isalnum()
    atoms = _phrases(bare) + _atoms(_QUOTED.sub(lambda one: " " * len(one[0]), bare), unfinished)
    if not atoms:
        raise QueryInvalid("query_only_stop_words")
    accented = any(one.accented for one in found)
    ending = unfinished and bare.count('"') < 2  # a phrase in quotes is finished
    begins = found[-1].folded if ending else None
    return Asked(
        rounds(atoms, accented=accented, unfinished=ending),
        _marked_words(bare, found),
        begins,
        _called(found),
    )


def _marked_words(bare: str, found: list[Word]) -> tuple[str, ...]:
    even = aligned(bare)
    days = spots(even)
    beside = [each.compact for one in codes(even) for each in (one, *one.within)]
    beside += [one.compact for one in runs_apart(bare, even, days)]
    beside += [term for one in days for term in one.terms]
    return tuple(dict.fromkeys((*(one.folded for one in found), *beside)))


def _called(found: list[Word]) -> tuple[tuple[str, ...], ...]:
    long = [each for one in found for each in abbreviations().get(one.folded, ())]
    for place in range(len(found)):
        meant, named = everyday_at(found, place), province_at(found, place)
        long += meant[1] if meant is not None else ()
        long += [one.name for one in named[1]] if named is not None else []
    return tuple(dict.fromkeys(long))


def _check(found: list[Word]) -> None:
    if not found:
        raise QueryInvalid("query_without_words")
    if len(found) > MOST_WORDS:
        raise QueryInvalid("query_too_many_words")
    for one in found:
        if len(known := scripts(one.written)) > 1 and "LATIN" in known:
            raise QueryInvalid("query_mixed_scripts")


def _phrases(bare: str) -> list[Atom]:
    found = []
    for match in _QUOTED.finditer(bare):
        inside = words(match[1])
        if inside:
            folded = tuple(one.folded for one in inside)
            must = Phrase(folded) if len(folded) > 1 else Has(folded[0])
            found.append(Atom(must, must, every(*(Has(one.exact, exact=True) for one in inside))))
    return found


def _atoms(text: str, unfinished: bool) -> list[Atom]:
    """Read what stands outside of quotes: days, numbers, names of papers and places, words."""
    even = aligned(text)
    dated = spots(even)
    numbered = [each for one in codes(even) for each in apart(one, dated)]
    joined = runs_apart(text, even, dated)
    typed, atoms, place = words(text), list[Atom](), 0
    while place < len(typed):
        begun, had = place, len(atoms)
        one, last = typed[place], place == len(typed) - 1
        spot = next((s for s in dated if s.start <= one.start < s.end), None)
        code = next((c for c in numbered if c.start <= one.start < c.end), None)
        if spot is not None:
            atoms.append(day_atom(spot, code))
            place = _after(typed, spot.end)
        elif code is not None:
            place = _after(typed, code.end)
            atoms.append(number_atom(code, unfinished and place == len(typed)))
        elif (count := lead_at(typed, place)) > 0:  # "tỉnh" before a province need not be there
            atoms += [replace(_word(each, False), weak=True) for each in typed[place : place + count]]
            place += count
        elif (meant := everyday_at(typed, place)) is not None:
            count, meanings = meant
            these = typed[place : place + count]
            place += count
            atoms.append(_everyday(these, meanings, unfinished and place == len(typed)))
        elif _says_nothing(one, typed[place + 1] if not last else None):
            place += 1
        elif (named := province_at(typed, place)) is not None:
            count, wider = named
            these = typed[place : place + count]
            place += count
            atoms.extend(_province(these, wider, unfinished and place == len(typed)))
        else:
            read = _word(one, unfinished and last)
            weak = not one.accented and one.folded in _STOP_PLAIN
            atoms.append(replace(read, weak=weak))
            place += 1
        if len(atoms) == had + 1:
            span = typed[begun].start, typed[place - 1].end
            around = [run for run in joined if run.start <= span[0] and span[1] <= run.end]
            atoms[-1] = or_joined(atoms[-1], around, len(text.rstrip()) if unfinished else None)
    return atoms


def _after(typed: list[Word], end: int) -> int:
    return next((place for place, one in enumerate(typed) if one.start >= end), len(typed))


def _says_nothing(one: Word, following: Word | None) -> bool:
    if one.accented and one.exact in _STOP:
        return True
    return one.folded in _BEFORE_NUMBERS and following is not None and following.folded[0].isdigit()


def _everyday(these: list[Word], meanings: Meanings, unfinished: bool) -> Atom:
    """Read what people call a paper: its words, best beside each other, or what it means."""
    own = [_word(one, unfinished and one is these[-1]) for one in these]
    long = [Phrase(one) for one in meanings]
    beside = Phrase(tuple(one.folded for one in these))
    spelled = [one.exact for one in own if one.exact is not None]
    return Atom(
        must=either(every(*(one.must for one in own)), *long),
        whole=either(beside, *long),
        exact=either(every(beside, *spelled), *long),
        loose=either(every(*(one.loose or one.must for one in own)), *long)
        if any(one.loose for one in own)
        else None,
    )


def _province(these: list[Word], wider: tuple[Wider, ...], unfinished: bool) -> list[Atom]:
    own = [_word(one, unfinished and one is these[-1]) for one in these]
    others: list[Condition] = []
    for one in wider:
        name: Condition = Phrase(one.name) if len(one.name) > 1 else Has(one.name[0])
        others.append(name if one.since is None else every(name, IssuedSince(one.since)))
    # Said of the first word too: each word may be met by the other name, so that the words stay single.
    return [
        Atom(either(one.must, *others), one.whole, one.exact, _loose(one, others), one.plain) for one in own
    ]


def _loose(one: Atom, others: list[Condition]) -> Condition | None:
    return either(one.loose, *others) if one.loose is not None else None


def _word(one: Word, unfinished: bool) -> Atom:
    written: Condition = Has(one.folded)
    meanings = [Phrase(long) for long in abbreviations().get(one.folded, ())]
    whole = either(written, *meanings)
    must = whole
    varied = None
    if (other := other_spelling(one.folded)) is not None:
        must = either(must, Has(other))
        letters, dot, tone = one.exact.partition(".")
        varied = Has(f"{letters[:-1]}{other[-1]}{dot}{tone}", exact=True)
    digits = one.folded.isdigit()
    if unfinished or (digits and len(one.folded) >= FEWEST_DIGITS):
        must = either(must, Begins(one.folded))
    loose = None
    if one.folded.isalpha() and len(one.folded) >= TYPING_ERROR_FROM:
        loose = either(must, Near(one.folded))
    spelled = either(Has(one.exact, exact=True), *meanings)
    return Atom(must, whole, spelled, loose, one.folded, either(spelled, varied) if varied else None)
