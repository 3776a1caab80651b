"""Letters put together to lines as they stand on the page, and to the text in the order of the file."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from unicodedata import normalize

from signing.letters import CAPITALS, SAME_HEIGHT, WORDS_APART, Letter, runs_of
from signing.worded import Line

_SMALL = 0.45  # of the size of the type is the ink of a small letter high; fonts differ by less than a tenth
_TALL, _LOW = frozenset("bdfhkl"), frozenset("acemnorsuvwxz")
_SIZES_OF_ONE_LINE = 1.15


def text_of(letters: Sequence[Letter]) -> str:
    """Give the words in the order of the file."""
    return "".join(one.sign for one in letters)


def lines_of(letters: Sequence[Letter]) -> list[Line]:
    """Give the lines as they stand on the page, from the top down, those side by side from the left."""
    found = [_line(run) for run in runs_of(letters) if any(one.said for one in run)]
    return _joined(sorted(found, key=lambda one: (-one.bottom, one.left)))


def _line(run: Sequence[Letter]) -> Line:
    said = [one for one in run if one.said]
    return Line(
        " ".join(text_of(run).split()),
        round(_size(said), 2),
        min(one.box[0] for one in said),
        max(one.box[2] for one in said),
        median(one.baseline for one in said),
    )


def _size(said: Sequence[Letter]) -> float:
    """Give the size of type by what is seen: the height of letters without marks."""
    known = [size for one in said if (size := _size_by(one)) is not None]
    return median(known) if known else max(one.height for one in said) / CAPITALS


def _size_by(one: Letter) -> float | None:
    if normalize("NFD", one.sign) != one.sign:
        return None
    if one.sign.isdigit() or one.sign.isupper() or one.sign in _TALL:
        return one.height / CAPITALS
    return one.height / _SMALL if one.sign in _LOW else None


def _joined(lines: Sequence[Line]) -> list[Line]:
    """Put the pieces of one line together that came apart in the file."""
    found: list[Line] = []
    for one in lines:
        before = next((each for each in found[-4:] if _continues(each, one)), None)
        if before is None:
            found.append(one)
        else:
            joined = replace(before, text=f"{before.text} {one.text}", right=max(before.right, one.right))
            found[found.index(before)] = joined
    return found


def _continues(before: Line, one: Line) -> bool:
    size = max(before.size, one.size)
    return (
        abs(before.bottom - one.bottom) <= SAME_HEIGHT * size
        and size <= _SIZES_OF_ONE_LINE * min(before.size, one.size)
        and 0 <= one.left - before.right <= WORDS_APART * size / 2
    )
