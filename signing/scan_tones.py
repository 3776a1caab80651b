# mypy: allow-untyped-calls
"""How many tones the pictures of a page have: a page of two is black and white, however it is stored.

Only what is stored without loss tells. A JPEG of such a page has greys of its own making at every edge.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import pikepdf
from PIL import Image

from signing.scan_sheet import Placed, Sheet

MANY = 3  # more than two: nobody counts on
MOST_COUNTED = 300_000_000  # pixels of one scan: some 35 pages of A4 at 300 dots an inch, in a few seconds
MOST_AT_ONCE = (
    40_000_000  # pixels of one picture, which is unpacked whole: A4 at 600 dots an inch has 35 million
)
_WITH_LOSS = frozenset(("/DCTDecode", "/DCT", "/JPXDecode", "/JBIG2Decode"))
_TIFF_WITHOUT_LOSS = frozenset(
    ("raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "lzma", "zstd")
)
_MODES = {"rgb": "RGB", "cmyk": "CMYK"}
_BAD = (
    *(pikepdf.PikepdfError, OSError, ValueError, TypeError, LookupError, ArithmeticError),
    *(AttributeError, NotImplementedError, RuntimeError),  # whatever a foreign file makes of a library
)


class Counted(Protocol):
    """A scan whose pages can be counted: None where nothing can be told."""

    def tones(self, page: int) -> int | None:
        """Count the colours of a page (from 0)."""


class Counting:
    """Counts page by page, until one of two tones is found: that is enough to refuse the scan."""

    def __init__(self, scan: Counted) -> None:
        self._scan = scan
        self._left = MOST_COUNTED

    def of(self, page: int, sheet: Sheet) -> int | None:
        """Count the colours of a page (from 0); None where nothing tells, or nobody counts any more."""
        pixels = sum(one.width * one.height for one in sheet.telling)
        if pixels > self._left:
            return None
        tones = self._scan.tones(page)
        if tones is not None:
            self._left = 0 if tones == MANY - 1 else self._left - pixels
        return tones


def tones_of(pictures: Iterable[Image.Image]) -> int:
    """Count the colours of some pictures together: 0, 1, 2 or MANY; it ends at the third."""
    seen = set[object]()
    for picture in pictures:
        plain = picture if picture.mode == "RGB" else picture.convert("RGB")
        found = plain.getcolors(MANY - 1)
        if found is None:
            return MANY
        seen |= {colour for _, colour in found}
    return min(len(seen), MANY)


def tones_of_images(images: Sequence[Placed]) -> int | None:
    """Count the colours of pictures in a PDF; None where one is stored with loss, or cannot be told."""
    if not images or any(_untold(one) for one in images):
        return None
    try:
        return tones_of(_unpacked(one) for one in images)
    except _BAD:
        return None


def is_without_loss(media_type: str, packed: str) -> bool:
    """Say whether a picture's pixels are the scanner's own; `packed` names a TIFF's compression."""
    return media_type == "image/png" or (media_type == "image/tiff" and packed in _TIFF_WITHOUT_LOSS)


def _untold(image: Placed) -> bool:
    source = image.source
    if source is None or "/SMask" in source or image.width * image.height > MOST_AT_ONCE:
        return True
    filters = source.get("/Filter")
    names = filters if isinstance(filters, pikepdf.Array) else [filters]
    return any(str(one) in _WITH_LOSS for one in names)


def _unpacked(image: Placed) -> Image.Image:
    source, mode = image.source, _MODES.get(image.colour)
    plain = (
        not isinstance(source.get("/ColorSpace"), pikepdf.Array) or str(source.ColorSpace[0]) == "/ICCBased"
    )
    if mode is not None and plain and int(source.get("/BitsPerComponent", 0)) == 8:
        return Image.frombytes(mode, (int(source.Width), int(source.Height)), source.read_bytes())
    return pikepdf.PdfImage(source).as_pil_image(apply_decode_array=False, apply_mask=False)
