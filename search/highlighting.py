"""Which letters of a text a query found: marked in the text that the rows say, never one kept in an index."""

from search.query import Asked
from search.vietnamese import normal, other_spelling, words


def marked(text: str, asked: Asked) -> list[tuple[str, bool]]:
    """Cut a text into pieces in order, each with whether it was asked for; joined, they are its NFC."""
    bare = normal(text)
    pieces: list[tuple[str, bool]] = []
    place = 0
    for start, end in _spans(bare, asked):
        if place < start:
            pieces.append((bare[place:start], False))
        pieces.append((bare[start:end], True))
        place = end
    if place < len(bare):
        pieces.append((bare[place:], False))
    return pieces


def _spans(bare: str, asked: Asked) -> list[tuple[int, int]]:
    wanted = set(asked.words) | {other for one in asked.words if (other := other_spelling(one)) is not None}
    found = []
    for one in words(bare):
        if one.folded in wanted:
            found.append((one.start, one.end))
        elif asked.begins and one.folded.startswith(asked.begins):
            found.append((one.start, min(one.end, one.start + len(asked.begins))))
    return found
