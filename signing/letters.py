# mypy: allow-untyped-calls
"""The letters of a page as PDFium finds them, each with its place, size and how it is painted."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import category

import pypdfium2

_RAW: Any = pypdfium2.raw
_DEPTH = 15  # of forms in forms; PDFium reads no deeper
_OCR_COVERED = 0.5  # of the page, at least, is a picture where letters may lie unseen over it
CAPITALS = 0.67  # of the size of the type is the ink of a capital high; fonts differ by less than a tenth
WORDS_APART = 2.0  # of the size: what is farther apart on one height is not one line
SAME_HEIGHT = 0.3  # of the size
Box = tuple[float, float, float, float]  # left, bottom, right, top
_NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Letter:
    """One letter, or the space or line end between letters: then `box` is that of nothing.

    `box` is that of its ink, in points; `painted` is False where it is set to be invisible (render mode 3).
    `baseline` is what it stands on.
    """

    sign: str
    box: Box
    baseline: float
    painted: bool

    @property
    def said(self) -> bool:
        """Whether it says anything: no space, no line end, no sign that is never seen (hyphenation)."""
        return bool(self.sign.strip())

    @property
    def height(self) -> float:
        """Give the height of its ink, in points."""
        return self.box[3] - self.box[1]


def letters_of(page: Any, most: int) -> tuple[list[Letter], bool]:
    """Give the letters of a page in the order of the file, at most so many, and whether those are all."""
    text = page.get_textpage()
    count = text.count_chars()
    return [_letter(text.raw, at) for at in range(min(count, most))], count <= most


def layer_of(page: Any, letters: Sequence[Letter]) -> tuple[list[Letter], list[Letter]]:
    """Set letters apart that are invisible over a picture of the page, as character recognition lays them."""
    if all(one.painted for one in letters) or not _is_scan(page):
        return list(letters), []
    return (
        [one for one in letters if one.painted or not one.said],
        [one for one in letters if not one.painted or not one.said],
    )


def _letter(text: Any, at: int) -> Letter:
    code = _RAW.FPDFText_GetUnicode(text, at)
    sign = chr(code) if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else "�"
    if category(sign) == "Cf":
        return Letter("", _NOWHERE, 0.0, True)
    if _RAW.FPDFText_IsGenerated(text, at) == 1 or sign.isspace():
        return Letter("\n" if sign in "\r\n" else " ", _NOWHERE, 0.0, True)
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    _RAW.FPDFText_GetCharBox(text, at, left, right, bottom, top)
    _RAW.FPDFText_GetCharOrigin(text, at, x, y)
    piece = _RAW.FPDFText_GetTextObject(text, at)
    painted = not piece or _RAW.FPDFTextObj_GetTextRenderMode(piece) != _RAW.FPDF_TEXTRENDERMODE_INVISIBLE
    box = (left.value, bottom.value, right.value, top.value)
    return Letter(sign, box if painted else _room(text, at), y.value, painted)


def _room(text: Any, at: int) -> Box:
    """Give the room that a letter takes up: character recognition lays letters without any ink."""
    room = _RAW.FS_RECTF()
    _RAW.FPDFText_GetLooseCharBox(text, at, room)
    return room.left, room.bottom, room.right, room.top


def _is_scan(page: Any) -> bool:
    width, height = page.get_size()
    pictures = page.get_objects(filter=[_RAW.FPDF_PAGEOBJ_IMAGE], max_depth=_DEPTH)
    areas = (
        (right - left) * (top - bottom) for left, bottom, right, top in (one.get_bounds() for one in pictures)
    )
    return bool(max(areas, default=0) >= _OCR_COVERED * width * height)


def hide_letters(page: Any) -> None:
    """Leave every letter of a page undrawn, in memory alone."""
    for one in page.get_objects(filter=[_RAW.FPDF_PAGEOBJ_TEXT], max_depth=_DEPTH):
        _RAW.FPDFTextObj_SetTextRenderMode(one.raw, _RAW.FPDF_TEXTRENDERMODE_INVISIBLE)


def runs_of(letters: Sequence[Letter]) -> list[list[Letter]]:
    """Part letters where a line ends: those of a part stand side by side, in the order of the file."""
    runs: list[list[Letter]] = [[]]
    last: Letter | None = None
    for one in letters:
        if one.sign == "\n" or (one.said and last is not None and not _goes_on(last, one)):
            runs.append([])
            last = None
        if one.sign != "\n":
            runs[-1].append(one)
        last = one if one.said else last
    return runs


def _goes_on(before: Letter, one: Letter) -> bool:
    """Tell whether a letter stands on the line of the one before it, and not far from it."""
    size = max(before.height, one.height, 1.0) / CAPITALS
    return abs(one.baseline - before.baseline) <= SAME_HEIGHT * size and (
        -size <= one.box[0] - before.box[2] <= WORDS_APART * size
    )
