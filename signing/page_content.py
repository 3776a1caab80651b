"""What the content of a page, form or glyph does, counted by its operators (ISO 32000-2, annex A).

Nothing is interpreted that readers read in different ways: whatever is written so that the name before an
operator is not plain counts as `odd`, and may be any of the names. What is counted is never less than what
is drawn.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from signing import ceilings
from signing.errors import FileRefused

_REGULAR = rb"!-$&'*-.0-;=?-Z\\^-z|~"  # no white space, no delimiter
_SPACES = b"\x00\t\n\x0c\r "
_SPACE = rb"[\x00\t\n\x0c\r ]+"
_NAME = rb"/([" + _REGULAR + rb"]*)" + _SPACE
_BEGINS = rb"(?<![" + _REGULAR + rb"(</])"
_ENDS = rb"(?![" + _REGULAR + rb"])"
_OPERATOR = re.compile(rb"(?:Do|gs|sh|scn|SCN|Tf)" + _ENDS)
_NAMED = re.compile(_NAME + rb"(?:[-+.0-9]+" + _SPACE + rb")?")
_LONGEST_NAME = 160  # bytes, with what stands between it and its operator
_WITHIN = re.compile(rb"[" + _REGULAR + rb"(</]")  # before what is no operator, but part of something
_PAINTS = rb"f\*?|F|B\*?|b\*?|S|s|sh|Do|Tj|TJ|'|\"|EI"
_PAINT = re.compile(_BEGINS + rb"(?:" + _PAINTS + rb")" + _ENDS)
_COLOUR = re.compile(_BEGINS + rb"(?:scn?|SCN?)" + _ENDS)
_STRING = rb"\((?:[^()\\]|\\.)*+\)"
_LETTERS = re.compile(_STRING + rb"|<[0-9A-Fa-f\x00\t\n\x0c\r ]*>", re.DOTALL)
_INLINE = re.compile(_BEGINS + rb"BI(?=" + _SPACE + rb"|/|%)")
_IN_INLINE = re.compile(
    rb"%[^\r\n]*|" + _STRING + rb"|<[^<>]*>|/[" + _REGULAR + rb"]*|([-+.0-9]+)|(true|false|null)"
    rb"|([A-Za-z][" + _REGULAR + rb"]*)",
    re.DOTALL,
)
_LONGEST_INLINE = 100_000  # bytes of what stands before the data of a picture within the content
_STATES = re.compile(
    rb"%[^\r\n]*|" + _STRING + rb"|<[^<>]*>|([(])|(?:" + _NAME + rb")?" + _BEGINS
    + rb"(q|Q|gs|cs|CS|scn?|SCN?|g|G|rg|RG|k|K|" + _PAINTS + rb")" + _ENDS,
    re.DOTALL,
)  # fmt: skip
_FILLS, _STROKES = {b"cs", b"sc", b"scn", b"g", b"rg", b"k"}, {b"CS", b"SC", b"SCN", b"G", b"RG", b"K"}

Named = Mapping[str, Counter[str]]


@dataclass(frozen=True)
class State:
    """What one more thing painted costs: for the soft mask, and for the pattern it is filled with."""

    mask: int = 0
    fill: int = 0
    stroke: int = 0

    @property
    def cost(self) -> int:
        """What it costs together."""
        return self.mask + self.fill + self.stroke


class Content:
    """Counts one content; `read` gives its bytes, and is asked again rather than they are kept."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        content = read()
        self.size = len(content)
        self._named: dict[str, Counter[str]] = {}
        self._odd: Counter[str] = Counter()
        for found in _OPERATOR.finditer(content):
            before = content[max(0, found.start() - _LONGEST_NAME) : found.start()]
            if not _WITHIN.match(before[-1:]):
                self._count(found[0].decode().lower(), before)
        starts = [one.end() for one in _INLINE.finditer(content)]
        self.inline = len(starts)
        self.inline_pixels = sum(_pixels_told(content, at) for at in starts)

    def _count(self, operator: str, before: bytes) -> None:
        named = _NAMED.fullmatch(before, before.rfind(b"/")) if b"/" in before else None
        if named is not None and b"#" not in named[1]:
            self._named.setdefault(operator, Counter())["/" + named[1].decode("ascii")] += 1
        elif operator != "scn" or not before.rstrip(_SPACES)[-1:].isdigit():  # no plain colour
            self._odd[operator] += 1

    def named(self, operator: str) -> Counter[str]:
        """Give how often an operator (do, gs, sh, scn, tf) is used with each name."""
        return self._named.get(operator, Counter())

    def odd(self, operator: str) -> int:
        """Give how often it is used with what may be any name."""
        return self._odd[operator]

    @cached_property
    def paints(self) -> int:
        """How many things are painted."""
        return len(_PAINT.findall(self._read()))

    @cached_property
    def colours(self) -> int:
        """How often a colour is chosen by its parts."""
        return len(_COLOUR.findall(self._read()))

    @cached_property
    def letters(self) -> int:
        """How many letters are shown at most."""
        content = self._read()
        strings = sum(len(one) for one in _LETTERS.findall(content))
        nested = b"(" in _LETTERS.sub(b"", content)  # or in what is no text at all
        return len(content) if nested else strings

    def states(
        self, gs: Callable[[str], int | None], pattern: Callable[[str], int]
    ) -> Iterator[tuple[int, str | None]] | None:
        """Give what each thing painted costs, and the name of what `Do` draws; None where that is not plain.

        Args:
            gs: what the mask of a graphics state costs, None where it sets none.
            pattern: what a pattern costs.
        """
        if self.inline or sum(self._odd.values()):
            return None
        content = self._read()
        plain = b"(" not in re.sub(rb"%[^\r\n]*|" + _STRING, b"", content, flags=re.DOTALL)
        return _followed(content, gs, pattern) if plain else None


def _followed(
    content: bytes, gs: Callable[[str], int | None], pattern: Callable[[str], int]
) -> Iterator[tuple[int, str | None]]:
    state, stack = State(), list[State]()
    for found in _STATES.finditer(content):
        name, operator = found[2], found[3]
        if operator is None:
            continue
        named = "/" + name.decode("ascii") if name is not None else None
        if operator == b"q":
            stack.append(state)
        elif operator == b"Q":
            state = stack.pop() if stack else state
        elif operator == b"gs":
            mask = gs(named) if named is not None else None
            state = state if mask is None else State(mask, state.fill, state.stroke)
        elif operator in _FILLS or operator in _STROKES:
            cost = pattern(named) if named is not None and operator in (b"scn", b"SCN") else 0
            fills = operator in _FILLS
            state = State(state.mask, cost if fills else state.fill, state.stroke if fills else cost)
        elif state.cost:
            yield state.cost, named if operator == b"Do" else None


def _pixels_told(content: bytes, at: int) -> int:
    """Give the two largest numbers of a picture within the content, multiplied: no less than its pixels."""
    numbers = [0, 0]
    for found in _IN_INLINE.finditer(content, at, at + _LONGEST_INLINE):
        if found[3] is not None:
            break  # ID, or whatever ends it
        if found[1] is not None:
            numbers.append(_number(found[1]))
    numbers.sort()
    pixels = numbers[-1] * numbers[-2]
    if pixels > ceilings.IMAGE_PIXELS:
        raise FileRefused("too_large_inside", found=("image_pixels",))
    return pixels


def _number(text: bytes) -> int:
    try:
        return int(min(abs(float(text)), 1e12))
    except ValueError:
        return 0
