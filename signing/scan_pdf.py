# mypy: allow-untyped-calls
"""A scan that came as PDF: which pictures lie on its pages, and what a page shows; runs in a worker process.

The content streams are followed as far as they place pictures. Where a page shows anything beside one
picture, it is drawn by PDFium, so that the copy shows what the scan showed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pikepdf
import pypdfium2
from PIL import Image

from signing import jpeg
from signing.errors import FileRefused
from signing.scan_sheet import (
    LONGEST_SIDE,
    MOST_PAGES,
    MOST_PIXELS,
    POINTS_AN_INCH,
    Matrix,
    Placed,
    Sheet,
    times,
    upright,
)

_MOST_OPERATORS = 200_000  # of one page
_DEEPEST = 4  # forms within forms
_MOST_DRAWN = 300.0  # dots an inch of a page that has to be drawn
_STILL: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_TEXT = frozenset(("Tj", "TJ", "'", '"'))
_PATHS = frozenset(("f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh"))
_PAINTING = _TEXT | _PATHS | {"gs", "W", "W*"}  # also what blends or cuts what is painted
_UNSEEN = 3  # text rendering mode
_GREYS, _COLOURS = ("/DeviceGray", "/CalGray", "/G"), ("/DeviceRGB", "/CalRGB", "/RGB", "/Lab")


@dataclass
class _Walk:
    """What was met on a page so far."""

    images: list[Placed] = field(default_factory=list)
    painted: int = 0  # things seen beside pictures, and pictures that are more than their pixels
    left: int = _MOST_OPERATORS


class PdfScan:
    """A PDF whose pages are pictures. Raises FileRefused for what cannot be read."""

    media_type = "application/pdf"

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        stream.seek(0)
        try:
            self._paper = pikepdf.open(stream, attempt_recovery=False, suppress_warnings=True)
            self.pages = len(self._paper.pages)
            self._drawing = pypdfium2.PdfDocument(stream)
            self._drawing.init_forms()
            same = len(self._drawing) == self.pages
        except (pikepdf.PdfError, pypdfium2.PdfiumError, ValueError, RuntimeError) as error:
            raise FileRefused("unreadable", f"the file is damaged: {type(error).__name__}") from error
        if self.pages > MOST_PAGES:
            raise FileRefused("too_complex", f"the file has {self.pages} pages")
        if not same:
            raise FileRefused("unreadable", "the pages cannot be counted")
        self.version = self._paper.pdf_version
        self._sheets: dict[int, Sheet] = {}

    def sheet(self, page: int) -> Sheet:
        """Find the pictures of a page (from 0)."""
        if page not in self._sheets:
            try:
                self._sheets[page] = self._found(self._paper.pages[page])
            except RecursionError as error:
                raise FileRefused("too_complex") from error
            except (pikepdf.PdfError, ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
                raise FileRefused("unreadable", f"a page is damaged: {type(error).__name__}") from error
        return self._sheets[page]

    def small(self, page: int, dpi: float) -> Image.Image:
        """Draw the page at a low resolution, in red, green and blue."""
        return self._drawn(page, dpi)

    def full(self, page: int) -> Image.Image:
        """Draw the page as finely as its pictures are, up to 300 dots an inch."""
        return self._drawn(page, min(self.sheet(page).dpi, _MOST_DRAWN))

    def pictures(self, page: int, dpi: float) -> list[tuple[bytes, Placed]]:
        """Give what the page shows as JPEG; a JPEG alone on its page is passed on bit by bit."""
        sheet = self.sheet(page)
        if sheet.alone:
            content = _passed(sheet.images[0])
            if content is not None:
                return [(content, sheet.images[0])]
        drawn = self._drawn(page, min(max(sheet.dpi, dpi), max(_MOST_DRAWN, dpi)))
        return [(jpeg.write(drawn), Placed(*drawn.size, "rgb", upright(sheet.width, sheet.height, 1)))]

    def _drawn(self, page: int, dpi: float) -> Image.Image:
        sheet = self.sheet(page)
        most = math.sqrt(MOST_PIXELS / 2 / (sheet.width * sheet.height))
        try:
            scale = min(dpi / POINTS_AN_INCH, most)
            bitmap = self._drawing[page].render(scale=scale, rev_byteorder=True)
            picture: Image.Image = bitmap.to_pil().convert("RGB")
        except (pypdfium2.PdfiumError, ValueError) as error:
            raise FileRefused("unreadable", "a page cannot be drawn") from error
        return picture

    def _found(self, page: pikepdf.Page) -> Sheet:
        seen, width, height = _seen(page)
        if not 1 <= min(width, height) <= max(width, height) <= LONGEST_SIDE:
            raise FileRefused("too_complex", "a page is no larger than A0 and no smaller than a point")
        walk = _Walk()
        _follow(page.obj, page.resources, seen, walk, 0)
        layered = "/OCProperties" in self._paper.Root
        noted = "/Annots" in page.obj and len(page.obj["/Annots"]) > 0
        alone = len(walk.images) == 1 and not walk.painted and not layered and not noted
        return Sheet(width, height, tuple(walk.images), alone)


def _seen(page: pikepdf.Page) -> tuple[Matrix, float, float]:
    """Give the way from the page's own space to the page as it is seen, and its size in points."""
    corners = [float(edge) for edge in page.cropbox]
    left, right = sorted(corners[0::2])
    bottom, top = sorted(corners[1::2])
    unit = float(page.obj.get("/UserUnit", 1))
    across, up = (right - left) * unit, (top - bottom) * unit
    turned = int(_inherited(page, "/Rotate")) % 360
    matrix: Matrix = {
        90: (0.0, -1.0, 1.0, 0.0, -bottom, right),
        180: (-1.0, 0.0, 0.0, -1.0, right, top),
        270: (0.0, 1.0, -1.0, 0.0, top, -left),
    }.get(turned, (1.0, 0.0, 0.0, 1.0, -left, -bottom))
    matrix = times(matrix, (unit, 0.0, 0.0, unit, 0.0, 0.0))
    return (matrix, up, across) if turned in (90, 270) else (matrix, across, up)


def _inherited(page: pikepdf.Page, name: str) -> Any:
    node: Any = page.obj
    for _ in range(64):
        if name in node:
            return node[name]
        if "/Parent" not in node:
            return 0
        node = node["/Parent"]
    return 0


def _follow(content: Any, resources: Any, matrix: Matrix, walk: _Walk, depth: int) -> None:
    """Follow the operators of a page or a form; what changes the matrix, and what paints."""
    stack: list[tuple[Matrix, int]] = []
    mode = 0
    for operands, operator in _operators(content, walk):
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
        elif operator == "INLINE IMAGE" or (
            operator in _PAINTING and not (operator in _TEXT and mode == _UNSEEN)
        ):
            walk.painted += 1


def _operators(content: Any, walk: _Walk) -> Iterator[tuple[Any, str]]:
    for step in pikepdf.parse_content_stream(content):
        operands, operator = step.operands, step.operator
        walk.left -= 1
        if walk.left < 0:
            raise FileRefused("too_complex", "a page has too many operators")
        yield operands, str(operator)


def _matrix(operands: Any) -> Matrix:
    a, b, c, d, e, f = (float(one) for one in operands)
    return (a, b, c, d, e, f)


def _place(resources: Any, name: str, matrix: Matrix, walk: _Walk, depth: int) -> None:
    found = resources.get("/XObject", {}).get(name)
    if not isinstance(found, pikepdf.Stream):
        return
    if found.get("/Subtype") == pikepdf.Name.Form:
        if depth >= _DEEPEST:
            raise FileRefused("too_complex", "forms lie too deep in each other")
        walk.painted += 1  # it may clip and blend: drawn, to be sure
        inner = times(_matrix(found.get("/Matrix", _STILL)), matrix)
        _follow(found, found.get("/Resources", resources), inner, walk, depth + 1)
        return
    width, height = int(found.get("/Width", 0)), int(found.get("/Height", 0))
    if width * height > MOST_PIXELS or min(width, height) < 1:
        raise FileRefused("too_complex", "a picture has too many pixels, or none")
    walk.images.append(Placed(width, height, _colour(found), matrix, found))


def _colour(image: Any) -> str:
    if bool(image.get("/ImageMask", False)) or int(image.get("/BitsPerComponent", 8)) == 1:
        return "bitonal"
    return _colour_of(image.get("/ColorSpace"))


def _colour_of(space: Any) -> str:
    if isinstance(space, pikepdf.Array):
        kind = str(space[0])
        if kind == "/ICCBased":
            return {1: "grey", 3: "rgb", 4: "cmyk"}.get(int(space[1].get("/N", 0)), "unknown")
        if kind in ("/Indexed", "/I"):
            return _colour_of_palette(space)
    else:
        kind = str(space)
    if kind in _GREYS:
        return "grey"
    if kind in _COLOURS:
        return "rgb"
    return "cmyk" if kind in ("/DeviceCMYK", "/CMYK") else "unknown"


def _colour_of_palette(space: Any) -> str:
    base, levels = _colour_of(space[1]), space[3]
    if base != "rgb":
        return base
    rows = bytes(levels.read_bytes()) if isinstance(levels, pikepdf.Stream) else bytes(levels)
    return "grey" if rows[0::3] == rows[1::3] == rows[2::3] else "rgb"


def _passed(image: Placed) -> bytes | None:
    """Give the picture's own JPEG if that is all there is to it; None if it has to be drawn."""
    found = image.source
    special = found.keys() & {"/SMask", "/Mask", "/Decode", "/OC", "/Alternates", "/Matte"}
    filters = found.get("/Filter")
    if isinstance(filters, pikepdf.Array):
        filters = filters[0] if len(filters) == 1 else None
    parameters = "/DecodeParms" in found
    if special or parameters or filters != pikepdf.Name.DCTDecode or image.colour != "rgb":
        return None
    if str(found.get("/ColorSpace")) not in ("/DeviceRGB", "/RGB") and not _icc_of_three(found):
        return None
    content = bytes(found.read_raw_bytes())
    return jpeg.cleaned(content) if _is_plain(content, (image.width, image.height)) else None


def _icc_of_three(image: Any) -> bool:
    """Say whether the colours are given by a profile that calls itself sRGB."""
    space = image.get("/ColorSpace")
    if not isinstance(space, pikepdf.Array) or str(space[0]) != "/ICCBased":
        return False
    profile = bytes(space[1].read_bytes())[:4096]
    return b"sRGB" in profile or b"s\x00R\x00G\x00B" in profile


def _is_plain(content: bytes, size: tuple[int, int]) -> bool:
    read = jpeg.opened(content)
    return read is not None and read.size == size and read.mode == "RGB"
