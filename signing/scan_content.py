# mypy: allow-untyped-calls
"""What the content of a page draws: its pictures, and whether anything else; runs in a worker process.

A scan is pictures and nothing else. Whatever paints besides them (letters that are seen, lines, fills,
patterns, soft masks, clips that are no plain box) is counted, so that nobody hides a coarse or a typed page
behind a fine blank one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf

from signing.errors import FileRefused
from signing.scan_colours import colour_of, colour_of_picture
from signing.scan_pixels import pixels_of
from signing.scan_sheet import MOST_DOTS, MOST_PIXELS, Matrix, Placed, times

_MOST_OPERATORS = 200_000  # of one page
_MOST_PICTURES = 5_000  # of one page: A3 at 600 dots an inch in strips of two rows
_DEEPEST = 4  # forms within forms
_STILL: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_TEXT = frozenset(("Tj", "TJ", "'", '"'))
_PAINTS = frozenset(("f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh"))
_CONSTRUCTS = frozenset(("m", "l", "c", "v", "y", "h", "re"))
_ENDS = _PAINTS | {"n"}
_CLIPS = frozenset(("W", "W*"))
_UNSEEN = 3  # text rendering mode; 4 to 7 cut what follows to the shape of letters
_HARMLESS = {"/BM": ("/Normal", "/Compatible"), "/SMask": ("/None",)}


@dataclass
class Walk:
    """What was met on a page so far."""

    images: list[Placed] = field(default_factory=list)
    others: int = 0  # things that are seen and are no pictures
    mixed: bool = False  # forms, clips and states: the page has to be drawn as a whole
    left: int = _MOST_OPERATORS

    def add(self, image: Placed) -> None:
        """Take a picture in. Raises FileRefused."""
        sides = image.width, image.height
        if image.width * image.height > MOST_PIXELS or min(sides) < 1 or max(sides) > MOST_DOTS:
            raise FileRefused("too_complex", "a picture has too many pixels, or none")
        if len(self.images) >= _MOST_PICTURES:
            raise FileRefused("too_complex", "a page has too many pictures")
        self.images.append(image)

    def other(self) -> None:
        """Count something that is no picture."""
        self.others += 1
        self.mixed = True


def follow(content: Any, resources: Any, matrix: Matrix, walk: Walk, depth: int = 0) -> None:
    """Follow the operators of a page or a form; what changes the matrix, and what paints."""
    stack: list[tuple[Matrix, int]] = []
    mode, path = 0, []
    for operands, operator, step in _operators(content, walk):
        if operator == "q":
            stack.append((matrix, mode))
        elif operator == "Q":
            matrix, mode = stack.pop() if stack else (matrix, mode)
        elif operator == "cm":
            matrix = times(_matrix(operands), matrix)
        elif operator == "Tr":
            mode = int(operands[0])
        elif operator == "Do":
            _place(resources, str(operands[0]), matrix, walk, depth)
        elif operator == "INLINE IMAGE":
            walk.mixed = True
            walk.add(_inline(step.iimage, resources, matrix))
        elif operator in _CONSTRUCTS:
            path.append(operator)
        else:
            _paint(operator, operands, resources, walk, mode, path)
            path = [] if operator in _ENDS else path


def _paint(operator: str, operands: Any, resources: Any, walk: Walk, mode: int, path: list[str]) -> None:
    if operator in _PAINTS or (operator in _TEXT and mode != _UNSEEN):
        walk.other()
    elif operator in _CLIPS:
        walk.mixed = True
        if path != ["re"]:
            walk.other()
    elif operator == "gs":
        walk.mixed = True
        state = resources.get("/ExtGState", {}).get(str(operands[0]))
        if state is not None and not _harmless(state):
            walk.other()


def _harmless(state: Any) -> bool:
    plain = all(str(state[name]) in said for name, said in _HARMLESS.items() if name in state)
    return plain and all(float(state[name]) == 1 for name in ("/ca", "/CA") if name in state)


def _operators(content: Any, walk: Walk) -> Iterator[tuple[Any, str, Any]]:
    for step in pikepdf.parse_content_stream(content):
        walk.left -= 1
        if walk.left < 0:
            raise FileRefused("too_complex", "a page has too many operators")
        yield step.operands, str(step.operator), step


def _matrix(operands: Any) -> Matrix:
    a, b, c, d, e, f = (float(one) for one in operands)
    return (a, b, c, d, e, f)


def _place(resources: Any, name: str, matrix: Matrix, walk: Walk, depth: int) -> None:
    found = resources.get("/XObject", {}).get(name)
    if not isinstance(found, pikepdf.Stream):
        return
    if found.get("/Subtype") == pikepdf.Name.Form:
        if depth >= _DEEPEST:
            raise FileRefused("too_complex", "forms lie too deep in each other")
        walk.mixed = True  # it may clip and blend: drawn, to be sure
        inner = times(_matrix(found.get("/Matrix", _STILL)), matrix)
        follow(found, found.get("/Resources", resources), inner, walk, depth + 1)
        return
    walk.add(Placed(*pixels_of(found), colour_of_picture(found), matrix, found))


def _inline(image: Any, resources: Any, matrix: Matrix) -> Placed:
    space = image.colorspace
    named = resources.get("/ColorSpace", {}).get(str(space)) if space is not None else None
    colour = "bitonal" if image.image_mask or image.bits_per_component == 1 else colour_of(named or space)
    return Placed(int(image.width), int(image.height), colour, matrix)
