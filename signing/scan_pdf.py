# mypy: allow-untyped-calls
"""A scan that came as PDF: which pictures lie on its pages, and what a page shows; runs in a worker process.

The content streams are followed as far as they place pictures. Where a page shows anything beside one
picture, it is drawn by PDFium, so that the copy shows what the scan showed.
"""

import math
import re
from typing import Any, BinaryIO

import pikepdf
import pypdfium2
from PIL import Image

from signing import jpeg
from signing.errors import FileRefused
from signing.scan_content import Walk, follow
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
from signing.scan_tones import tones_of_images

_VERSION = re.compile(r"[12]\.[0-9]")
_MOST_DRAWN = 300.0  # dots an inch of a page that has to be drawn


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
            raise FileRefused("too_many_pages", f"the file has {self.pages} pages")
        if not same:
            raise FileRefused("unreadable", "the pages cannot be counted")
        self.version = _version(self._paper)
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

    def tones(self, page: int) -> int | None:
        """Count the colours of the page, as `scan_tones` does; None where a picture is stored with loss."""
        return tones_of_images(self.sheet(page).telling)

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
        walk = Walk()
        follow(page.obj, page.resources, seen, walk)
        layered = "/OCProperties" in self._paper.Root
        notes = list(page.obj.get("/Annots", []))
        alone = len(walk.images) == 1 and not walk.mixed and not layered and not notes
        others = walk.others + sum(map(_shows, notes))
        return Sheet(width, height, tuple(walk.images), alone, others=others)


def _version(paper: pikepdf.Pdf) -> str:
    """Give the PDF version: the catalogue's where it names one (ISO 32000-1, 7.5.2), else the header's."""
    said = str(paper.Root.get("/Version", "")).removeprefix("/")
    return said if _VERSION.fullmatch(said) else paper.pdf_version


def _shows(note: Any) -> bool:
    """Say whether an annotation may show something: any but a plain link."""
    return not (note.get("/Subtype") == pikepdf.Name.Link and "/AP" not in note)


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
