# mypy: allow-untyped-calls
"""Which letters of a page are seen: it is drawn with its letters and without, and the pixels compared."""

import ctypes
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import pypdfium2
from PIL import Image, ImageChops, ImageDraw

from signing.letters import Box, Letter, hide_letters, runs_of

_RAW: Any = pypdfium2.raw
_DOTS_A_POINT = 2.0
_MOST_PIXELS = 4_500_000  # of one picture; an A3 page has four million
_FAR = 1000.0  # points
_HAIR = 0.02  # of a pixel: places are not told more exactly
_FINE = 64  # PDFium tells places in whole dots: of a picture so many times larger
_CONTRAST = 32  # of 255 in one colour, at least, between a letter and what it stands on
_FILLED = 0.6  # of its width and height a letter shows, at least
_LEAST_HEIGHT = 1.6  # points of ink: a small letter of 4-point type (its x-height is 0.4 em and more)
_LEAST_CAPITAL = 2.5  # points of ink: a capital or a digit of 4-point type
_OVERLAP = 0.2  # of the smaller of two letters: one lies over the other
_MOST_OVER = 2  # letters of a page: close lines touch here and there
_CELL = 12.0  # points
_STRAY = 0.03  # of the ink of all letters, at most, may be drawn where no letter is said to be
Pixels = tuple[int, int, int, int]  # left, top, right, bottom


def without_unseen(page: Any, letters: Sequence[Letter]) -> tuple[list[Letter], bool]:
    """Give the letters that are seen, with what is between them, and whether all are.

    Letters over others are not all seen, whichever they are; nor are the measures of letters to be trusted
    that draw beside their places.
    """
    if not any(one.said for one in letters):
        return list(letters), True
    ink = _ink(page)
    place = _placing(page, ink.size)
    boxes = [place(one.box) if one.said else None for one in letters]
    seen = [box is None or _is_seen(one, box, ink) for one, box in zip(letters, boxes, strict=True)]
    kept = [one for one, is_seen in zip(letters, seen, strict=True) if is_seen]
    whole = all(seen) and not _over_others(kept) and not _strays(ink, [box for box in boxes if box])
    return kept, whole


def _ink(page: Any) -> Image.Image:
    """Draw what the letters alone add to a page: white where they are, else black."""
    width, height = page.get_size()
    scale = min(_DOTS_A_POINT, math.sqrt(_MOST_PIXELS / (width * height)))
    drawn = page.render(scale=scale).to_pil().convert("RGB")
    hide_letters(page)
    rest = page.render(scale=scale).to_pil().convert("RGB")
    red, green, blue = ImageChops.difference(drawn, rest).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.point([255 if one >= _CONTRAST else 0 for one in range(256)])


def _placing(page: Any, size: tuple[int, int]) -> Callable[[Box], Pixels]:
    """Give what turns a box on the page into the pixels it touches, in a picture of this size."""
    width, height = size[0] * _FINE, size[1] * _FINE

    def corner(x: float, y: float) -> tuple[float, float]:
        across, down = ctypes.c_int(), ctypes.c_int()
        _RAW.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, across, down)
        return across.value / _FINE, down.value / _FINE

    (x0, y0), (x1, y1), (x2, y2) = corner(0, 0), corner(_FAR, 0), corner(0, _FAR)
    a, b, c, d = ((one - from_) / _FAR for one, from_ in ((x1, x0), (x2, x0), (y1, y0), (y2, y0)))

    def place(box: Box) -> Pixels:
        left, bottom, right, top = box
        across = (x0 + a * left + b * bottom, x0 + a * right + b * top)
        down = (y0 + c * left + d * bottom, y0 + c * right + d * top)
        return (
            math.floor(min(across) + _HAIR),
            math.floor(min(down) + _HAIR),
            math.ceil(max(across) - _HAIR),
            math.ceil(max(down) - _HAIR),
        )

    return place


def _is_seen(letter: Letter, box: Pixels, ink: Image.Image) -> bool:
    left, top, right, bottom = box
    if left < 0 or top < 0 or right > ink.width or bottom > ink.height or right <= left or bottom <= top:
        return False
    if letter.sign.isalnum() and letter.height < (
        _LEAST_CAPITAL if letter.sign.isupper() or letter.sign.isdigit() else _LEAST_HEIGHT
    ):
        return False
    found = ink.crop(box).getbbox()
    if found is None:
        return False
    wide, high = found[2] - found[0], found[3] - found[1]
    # The outer dots of a letter may be only touched.
    return wide >= _FILLED * (right - left - 2) and high >= _FILLED * (bottom - top - 2)


def _over_others(letters: Sequence[Letter]) -> bool:
    """Tell whether lines lie over each other: then one of them is hidden, whichever it is."""
    cells: dict[tuple[int, int], list[tuple[int, Letter]]] = defaultdict(list)
    over = 0
    for number, run in enumerate(runs_of(letters)):
        signs = [one for one in run if one.sign.isalnum()]
        over += sum(
            any(of != number and _hides(one, other) for cell in _cells(one) for of, other in cells[cell])
            for one in signs
        )
        for one in signs:
            for cell in _cells(one):
                cells[cell].append((number, one))
    return over > _MOST_OVER


def _cells(letter: Letter) -> Iterator[tuple[int, int]]:
    left, bottom, right, top = (int(one // _CELL) for one in letter.box)
    return product(range(left, min(right, left + 99) + 1), range(bottom, min(top, bottom + 99) + 1))


def _hides(one: Letter, other: Letter) -> bool:
    if one.sign == other.sign:
        return False  # printed twice to look bold
    wide = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    high = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    if wide <= 0 or high <= 0:
        return False
    areas = ((each.box[2] - each.box[0]) * each.height for each in (one, other))
    return wide * high > _OVERLAP * min(areas)


def _strays(ink: Image.Image, boxes: Sequence[Pixels]) -> bool:
    """Tell whether letters draw more than a little beside their places; uses the ink up."""
    all_of_it = ink.histogram()[255]
    pen = ImageDraw.Draw(ink)
    for left, top, right, bottom in boxes:
        pen.rectangle((left - 2, top - 2, right + 1, bottom + 1), fill=0)
    return ink.histogram()[255] > _STRAY * all_of_it
