"""What somebody typed, read as one query for every back end (DESIGN 9).

Folded words must match; what was typed with accents ranks its own spelling first. Ranks are classes, not sums
of frequencies, so that all back ends agree, and so that the order of one's own documents tells nothing about
other people's. Typed text never reaches the syntax of a back end. Pure.
"""

import re
from dataclasses import dataclass

from search.conditions import Begins, Condition, Has, IssuedSince, Near, Phrase, either, every
from search.dates import Spot, spots
from search.errors import QueryInvalid
from search.known_names import Wider, abbreviations, province_at
from search.numbers import FEWEST_DIGITS, Code, codes
from search.vietnamese import Word, aligned, controls, exact, normal, other_spelling, scripts, words

LONGEST = 200  # characters of a query
MOST_WORDS = 20
_FEWEST_OF_A_PHRASE = 2
TYPING_ERROR_FROM = 5  # letters of a word that may hold one typing error
# Words that say nothing: as written with accents, and those that are passed over without accents too.
_STOP = frozenset(
    exact(one) for one in ["của", "và", "hoặc", "cho", "tại", "với", "những", "các", "là", "ở", "về"]
)
_STOP_PLAIN = frozenset(["cua", "va", "hoac", "voi", "nhung", "cac"])
_BEFORE_NUMBERS = frozenset(["so", "ngay", "thang", "nam"])
_QUOTED = re.compile(r'"([^"]*)"')
_QUOTES = str.maketrans({one: '"' for one in "“”„«»″"})


@dataclass(frozen=True)
class Round:
    """One try: what must hold, and in which classes what is found is shown, the first one first.

    What is in none of the classes comes last.
    """

    must: Condition
    classes: tuple[Condition, ...]


@dataclass(frozen=True)
class Asked:
    """A query: tried in rounds until one finds something. All but `rounds` is what a highlight marks."""

    rounds: tuple[Round, ...]
    words: tuple[str, ...] = ()  # folded; and numbers run together, days and months as `dates` names them
    begins: str | None = None  # folded letters of the word that was still being typed
    runs: tuple[tuple[str, ...], ...] = ()  # folded words side by side: what else was asked for is called


@dataclass(frozen=True)
class _Atom:
    """One thing that was asked for."""

    must: Condition
    whole: Condition  # as written: no prefix, no other name
    exact: Condition | None  # with its accents
    loose: Condition | None = None  # with one typing error
    plain: str | None = None  # the word, where it is one
    varied: Condition | None = None  # with its accents, or the other spelling with them


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
    return Asked(_rounds(atoms, accented, ending), _marked_words(bare, found), begins, _runs(found))


def _marked_words(bare: str, found: list[Word]) -> tuple[str, ...]:
    even = aligned(bare)
    beside = (*(one.compact for one in codes(even)), *(one.term for one in spots(even)))
    return tuple(dict.fromkeys((*(one.folded for one in found), *beside)))


def _runs(found: list[Word]) -> tuple[tuple[str, ...], ...]:
    runs = [long for one in found for long in abbreviations().get(one.folded, ())]
    for place in range(len(found)):
        named = province_at(found, place)
        runs += [one.name for one in named[1]] if named is not None else []
    return tuple(dict.fromkeys(runs))


def _check(found: list[Word]) -> None:
    if not found:
        raise QueryInvalid("query_without_words")
    if len(found) > MOST_WORDS:
        raise QueryInvalid("query_too_many_words")
    for one in found:
        if len(known := scripts(one.written)) > 1 and "LATIN" in known:
            raise QueryInvalid("query_mixed_scripts")


def _rounds(atoms: list[_Atom], accented: bool, unfinished: bool) -> tuple[Round, ...]:
    whole = every(*(one.whole for one in atoms))
    orders = _orders(atoms)
    classes: list[Condition] = []
    if accented:
        spelled = every(whole, *(one.exact for one in atoms if one.exact is not None))
        classes += [*(every(spelled, one) for one in orders), spelled]
    classes += [*(every(whole, one) for one in orders), whole]
    if accented and any(one.varied for one in atoms):
        classes.append(every(*(one.varied or one.exact or one.whole for one in atoms)))
    if unfinished and len(atoms) > 1:  # the word that is being typed may still become any
        classes += _as_one(atoms[:-1], accented)
    first = Round(every(*(one.must for one in atoms)), tuple(dict.fromkeys(classes)))
    if not any(one.loose for one in atoms):
        return (first,)
    again = Round(every(*(one.loose or one.must for one in atoms)), _fewest_errors(atoms, accented))
    return first, again


def _orders(atoms: list[_Atom]) -> list[Condition]:
    """Give the orders that count for more: as typed, then with the given name moved to the other end."""
    plain = _plain(atoms)
    if len(plain) < _FEWEST_OF_A_PHRASE:
        return []
    orders: list[Condition] = [Phrase(plain)]
    if len(plain) > _FEWEST_OF_A_PHRASE:
        orders.append(either(Phrase(plain[1:] + plain[:1]), Phrase(plain[-1:] + plain[:-1])))
    return orders


def _plain(atoms: list[_Atom]) -> tuple[str, ...]:
    """Give the words, if they are nothing but words."""
    plain = tuple(one.plain for one in atoms if one.plain is not None)
    return plain if len(plain) == len(atoms) else ()


def _as_one(atoms: list[_Atom], accented: bool) -> list[Condition]:
    """Give classes, the best first, for some of the words: spelled so, beside each other, whole."""
    whole = every(*(one.whole for one in atoms))
    plain = _plain(atoms)
    beside = [every(whole, Phrase(plain))] if len(plain) >= _FEWEST_OF_A_PHRASE else []
    spelled = [every(whole, *(one.exact for one in atoms if one.exact is not None))] if accented else []
    return [*(every(one, other) for one in spelled for other in beside), *spelled, *beside, whole]


def _fewest_errors(atoms: list[_Atom], accented: bool) -> tuple[Condition, ...]:
    """Give classes for the second try: first what is right but for one word."""
    if len(atoms) == 1:
        return ()
    ranked: list[list[Condition]] = []
    for place, one in enumerate(atoms):
        if one.loose is None:
            continue
        before, after = atoms[:place], atoms[place + 1 :]
        longer = max(before, after, key=len)
        classes = _as_one(longer, accented)
        rest = every(*(other.must for other in (*before, *after)))
        ranked.append([*(every(rest, each) for each in classes), rest])
    most = max(map(len, ranked))
    padded = [[*[each[0]] * (most - len(each)), *each] for each in ranked]
    return tuple(dict.fromkeys(either(*same) for same in zip(*padded, strict=True)))


def _phrases(bare: str) -> list[_Atom]:
    found = []
    for match in _QUOTED.finditer(bare):
        inside = words(match[1])
        if inside:
            folded = tuple(one.folded for one in inside)
            must = Phrase(folded) if len(folded) > 1 else Has(folded[0])
            found.append(_Atom(must, must, every(*(Has(one.exact, exact=True) for one in inside))))
    return found


def _atoms(text: str, unfinished: bool) -> list[_Atom]:
    """Read what stands outside of quotes: days, numbers, names of places, words."""
    even = aligned(text)
    dated, numbered = spots(even), codes(even)
    typed, atoms, place = words(text), [], 0
    while place < len(typed):
        one, last = typed[place], place == len(typed) - 1
        spot = next((s for s in dated if s.start <= one.start < s.end), None)
        code = next((c for c in numbered if c.start <= one.start < c.end), None)
        if spot is not None:
            atoms.append(_day(spot, code))
            place = _after(typed, spot.end)
        elif code is not None:
            place = _after(typed, code.end)
            atoms.append(_number(code, unfinished and place == len(typed)))
        elif _says_nothing(one, typed[place + 1] if not last else None):
            place += 1
        elif (named := province_at(typed, place)) is not None:
            count, wider = named
            these = typed[place : place + count]
            place += count
            atoms.extend(_province(these, wider, unfinished and place == len(typed)))
        else:
            atoms.append(_word(one, unfinished and last))
            place += 1
    return atoms


def _after(typed: list[Word], end: int) -> int:
    return next((place for place, one in enumerate(typed) if one.start >= end), len(typed))


def _says_nothing(one: Word, following: Word | None) -> bool:
    if one.exact in _STOP or (not one.accented and one.folded in _STOP_PLAIN):
        return True
    return one.folded in _BEFORE_NUMBERS and following is not None and following.folded[0].isdigit()


def _day(spot: Spot, code: Code | None) -> _Atom:
    term: Condition = Has(spot.term)
    if code is not None and not spot.said:  # "12/2024" is a month, or the number of a document
        term = either(term, Phrase(code.parts))
    return _Atom(term, term, None)


def _number(code: Code, unfinished: bool) -> _Atom:
    apart = Phrase(code.parts)
    whole = either(Has(code.compact), apart)
    if code.spaced:
        whole = either(whole, every(*(Has(one) for one in code.parts)))
    many = sum(one.isdigit() for one in code.compact) >= FEWEST_DIGITS
    must = either(whole, Begins(code.compact)) if unfinished or many else whole
    return _Atom(must, whole, None)


def _province(these: list[Word], wider: tuple[Wider, ...], unfinished: bool) -> list[_Atom]:
    own = [_word(one, unfinished and one is these[-1]) for one in these]
    others: list[Condition] = []
    for one in wider:
        name: Condition = Phrase(one.name)
        others.append(name if one.since is None else every(name, IssuedSince(one.since)))
    # Said of the first word too: each word may be met by the other name, so that the words stay single.
    return [
        _Atom(either(one.must, *others), one.whole, one.exact, _loose(one, others), one.plain) for one in own
    ]


def _loose(one: _Atom, others: list[Condition]) -> Condition | None:
    return either(one.loose, *others) if one.loose is not None else None


def _word(one: Word, unfinished: bool) -> _Atom:
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
    return _Atom(must, whole, spelled, loose, one.folded, either(spelled, varied) if varied else None)
