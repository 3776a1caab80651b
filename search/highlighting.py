"""Which letters of a text a query found: marked in the text that the rows say, never one kept in an index."""

from collections.abc import Iterator

from search.dates import spots
from search.known_names import abbreviations, everyday_at
from search.number_atoms import runs_apart
from search.numbers import Code, codes
from search.query import TYPING_ERROR_FROM, Asked
from search.vietnamese import Word, aligned, normal, other_spelling, words

Pieces = tuple[tuple[str, bool], ...]


def marked(text: str, asked: Asked, *, loose: bool = False) -> Pieces:
    """Cut a text into pieces in order, each with whether it was asked for; joined, they are its NFC.

    Args:
        loose: it was found with a typing error put right, so that words that are near count too.
    """
    bare = normal(text)
    pieces: list[tuple[str, bool]] = []
    place = 0
    for start, end in sorted(_spans(bare, asked, loose), key=lambda one: (one[0], -one[1])):
        if start < place:
            continue  # inside of what is marked already
        if place < start:
            pieces.append((bare[place:start], False))
        pieces.append((bare[start:end], True))
        place = end
    if place < len(bare):
        pieces.append((bare[place:], False))
    return tuple(pieces)


def _spans(bare: str, asked: Asked, loose: bool) -> Iterator[tuple[int, int]]:
    if not asked.words:
        return
    wanted = set(asked.words) | {other for one in asked.words if (other := other_spelling(one)) is not None}
    found, even = words(bare), aligned(bare)
    for code in (each for one in codes(even) for each in (one, *one.within)):
        if len(code.parts) > 1 and not wanted.isdisjoint((code.compact, *code.endings)):
            yield code.start, code.end
    days = spots(even)
    for run in runs_apart(bare, even, days):
        if run.compact in wanted or _begun(run, asked.begins):
            yield run.start, run.end
    for spot in days:
        if not wanted.isdisjoint((*spot.terms, *spot.months)):
            yield spot.start, spot.end
    for place, one in enumerate(found):
        yield from _of_word(one, asked, wanted, loose)
        for long in asked.runs:
            beside = found[place : place + len(long)]
            if tuple(each.folded for each in beside) == long:
                yield from ((each.start, each.end) for each in beside)
        count, meanings = everyday_at(found, place, spelled=True) or (0, ())
        if any(wanted.issuperset(meaning) for meaning in meanings):
            yield from ((each.start, each.end) for each in found[place : place + count])


def _begun(run: Code, begins: str | None) -> bool:
    """Say whether a run was being typed as one, past the first of what stands apart in it."""
    return begins is not None and len(begins) > len(run.parts[0]) and run.compact.startswith(begins)


def _of_word(one: Word, asked: Asked, wanted: set[str], loose: bool) -> Iterator[tuple[int, int]]:
    meanings = abbreviations().get(one.folded, ())
    near = loose and any(len(each) >= TYPING_ERROR_FROM and near_to(one.folded, each) for each in asked.words)
    if one.folded in wanted or near or any(wanted.issuperset(meaning) for meaning in meanings):
        yield one.start, one.end
    elif asked.begins and one.folded.startswith(asked.begins):
        yield one.start, min(one.end, one.start + len(asked.begins))


def near_to(one: str, other: str) -> bool:
    """Say whether two words differ by one letter at most: another, one more, or two changed about."""
    if abs(len(one) - len(other)) > 1:
        return False
    place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if place is None:
        return True
    a, b = one[place:], other[place:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
