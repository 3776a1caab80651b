"""In which order what is found is shown: classes, the best first, that all back ends agree on. Pure.

A round is bounded, so that no query has more conditions than a search server takes (1,024 leaves in
OpenSearch, https://docs.opensearch.org: `indices.query.bool.max_clause_count`).
"""

from dataclasses import dataclass

from search.conditions import All, Condition, Either, Phrase, PhraseBegins, either, every

MOST_LEAVES = 450  # of a round; each is asked of two fields, and filters come on top
_FEWEST_OF_A_PHRASE = 2


@dataclass(frozen=True)
class Round:
    """One try: what must hold, and in which classes what is found is shown, the first one first.

    What is in none of the classes comes last. In each of them what is in force is shown before what is not.
    """

    must: Condition
    classes: tuple[Condition, ...]


@dataclass(frozen=True)
class Atom:
    """One thing that was asked for."""

    must: Condition
    whole: Condition  # as written: no prefix, no other name
    exact: Condition | None  # with its accents
    loose: Condition | None = None  # with one typing error
    plain: str | None = None  # the word, where it is one
    varied: Condition | None = None  # with its accents, or the other spelling with them
    weak: bool = False  # need not be there, where anything else was asked for


def rounds(atoms: list[Atom], *, accented: bool, unfinished: bool) -> tuple[Round, ...]:
    """Give the rounds in which atoms are tried: as they were typed, then with typing errors put right."""
    strong = [one for one in atoms if not one.weak] or atoms
    classes = _classes(atoms, accented)
    if unfinished and len(atoms) > 1:  # the word that is being typed may still become any
        classes += [*_begun(atoms, accented), *_as_one(atoms[:-1], accented)]
    if len(strong) < len(atoms):
        classes += _classes(strong, accented)
    must = every(*(one.must for one in strong))
    first = Round(must, _bounded(must, tuple(dict.fromkeys(classes))))
    if not any(one.loose for one in strong):
        return (first,)
    must = every(*(one.loose or one.must for one in strong))
    ranked = _fewest_errors(strong, accented)
    while ranked and leaves(must) + sum(map(leaves, ranked)) > MOST_LEAVES:
        ranked = ranked[1:]  # the last one says it all: right but for one word
    return first, Round(must, ranked)


def leaves(condition: Condition) -> int:
    """Count the conditions that are not made of others."""
    return sum(map(leaves, condition.of)) if isinstance(condition, All | Either) else 1


def _bounded(must: Condition, classes: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Give the first classes, as many as a server takes."""
    left = MOST_LEAVES - leaves(must)
    for count, one in enumerate(classes):
        left -= leaves(one)
        if left < 0:
            return classes[:count]
    return classes


def _classes(atoms: list[Atom], accented: bool) -> list[Condition]:
    whole = every(*(one.whole for one in atoms))
    orders = _orders(atoms)
    classes: list[Condition] = []
    if accented:
        spelled = every(whole, *(one.exact for one in atoms if one.exact is not None))
        classes += [*(every(spelled, one) for one in orders), spelled]
    classes += [*(every(whole, one) for one in orders), whole]
    if accented and any(one.varied for one in atoms):
        classes.append(every(*(one.varied or one.exact or one.whole for one in atoms)))
    return classes


def _orders(atoms: list[Atom]) -> list[Condition]:
    """Give the orders that count for more: as typed, then with the given name moved to the other end."""
    plain = _plain(atoms)
    if len(plain) < _FEWEST_OF_A_PHRASE:
        return []
    orders: list[Condition] = [Phrase(plain)]
    if len(plain) > _FEWEST_OF_A_PHRASE:
        orders.append(either(Phrase(plain[1:] + plain[:1]), Phrase(plain[-1:] + plain[:-1])))
    return orders


def _plain(atoms: list[Atom]) -> tuple[str, ...]:
    """Give the words, if they are nothing but words."""
    plain = tuple(one.plain for one in atoms if one.plain is not None)
    return plain if len(plain) == len(atoms) else ()


def _begun(atoms: list[Atom], accented: bool) -> list[Condition]:
    """Give classes for words that stand beside what the last one may become."""
    plain = _plain(atoms)
    if len(plain) < _FEWEST_OF_A_PHRASE or not plain[-1].isalpha():
        return []
    beside = PhraseBegins(plain[:-1], plain[-1])
    if not accented:
        return [beside]
    return [every(beside, *(one.exact for one in atoms[:-1] if one.exact is not None)), beside]


def _as_one(atoms: list[Atom], accented: bool) -> list[Condition]:
    """Give classes, the best first, for some of the words: spelled so, beside each other, whole."""
    whole = every(*(one.whole for one in atoms))
    plain = _plain(atoms)
    beside = [every(whole, Phrase(plain))] if len(plain) >= _FEWEST_OF_A_PHRASE else []
    spelled = [every(whole, *(one.exact for one in atoms if one.exact is not None))] if accented else []
    return [*(every(one, other) for one in spelled for other in beside), *spelled, *beside, whole]


def _fewest_errors(atoms: list[Atom], accented: bool) -> tuple[Condition, ...]:
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
