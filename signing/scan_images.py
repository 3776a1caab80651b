"""Pictures of papers (JPEG, PNG, TIFF, HEIC), laid on pages; runs in a worker process.

A picture that says how many dots an inch it has, and is the size of a paper by that, is a scan. Any other is
a photo: it is fitted into A4, so that its resolution can be told, but its scale cannot.
"""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

import pillow_heif
from PIL import Image, ImageCms, ImageOps

from signing import jpeg
from signing.errors import FileRefused
from signing.picture_ends import jpeg_end
from signing.picture_surplus import refuse_circles_of_tiff, refuse_surplus_of_png, refuse_surplus_of_tiff
from signing.scan_sheet import (
    MM_A_POINT,
    MOST_DOTS,
    MOST_PAGES,
    MOST_PIXELS,
    POINTS_AN_INCH,
    Placed,
    Sheet,
    upright,
)
from signing.scan_tones import MOST_AT_ONCE, is_without_loss, tones_of

pillow_heif.options.DECODE_THREADS = 1
pillow_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = (
    None  # Pillow only warns at first; every picture is counted here before it is decoded
)

FORMATS = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # of phones: the first picture is the paper, others are its depth or a preview
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
}
_OPENED = ("JPEG", "PNG", "TIFF", "HEIF")  # what looks like a JPEG may turn out to be an MPO
_ORIENTATION = 274  # tag of TIFF and EXIF
_A4 = (210.0, 297.0)
_LEAST_SAID = 99  # dots an inch: cameras write 72 or 96, which says nothing
_MOST_PASSES = 200  # over the points of a JPEG; four channels, bit by bit, take less than a hundred
_BAD = (OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError, RuntimeError, EOFError)


class PictureScan:
    """A file of one picture, or a TIFF of one or more, each a page. Raises FileRefused.

    What other files hold behind their first picture (moving ones, depth, previews) is no page.
    """

    version = None

    def __init__(self, stream: BinaryIO, paper_sizes: Sequence[tuple[float, float]]) -> None:
        stream.seek(0)
        self._stream = stream
        self._sizes = paper_sizes
        try:
            self._file = Image.open(stream, formats=_OPENED)
            if self._file.format == "TIFF":
                refuse_circles_of_tiff(stream, MOST_PAGES)
            self.pages = _pages(self._file, stream)
        except _BAD as error:
            raise FileRefused("unreadable", f"the picture is damaged: {type(error).__name__}") from error
        media_type = FORMATS.get(self._file.format or "")
        if media_type is None:
            raise FileRefused("not_a_scan", f"the picture is {self._file.format}")
        self.media_type = media_type
        if media_type == "image/jpeg":
            stream.seek(0)
            content = stream.read()
            if jpeg_end(content) is None:
                raise FileRefused("unreadable", "a JPEG that never ends")
            if jpeg.passes(content) > _MOST_PASSES:
                raise FileRefused("too_complex", f"the picture is made of more than {_MOST_PASSES} passes")

        if media_type == "image/png":
            refuse_surplus_of_png(stream)

    def sheet(self, page: int) -> Sheet:
        """Lay a picture (pages from 0) on its page."""
        frame = self._frame(page)
        turned = _orientation(frame)
        across, up = frame.size if turned < 5 else frame.size[::-1]
        size = self._said(frame, (across, up))
        width, height = size or _fitted(across, up)
        placed = Placed(*frame.size, _colour(frame), upright(width, height, turned), page)
        return Sheet(width, height, (placed,), alone=True, scaled=size is not None)

    def small(self, page: int, dpi: float) -> Image.Image:
        """Give the page at a low resolution, in red, green and blue."""
        frame, sheet = self._frame(page), self.sheet(page)
        longest = math.ceil(max(sheet.width, sheet.height) / POINTS_AN_INCH * dpi)
        frame.draft("RGB", (longest, longest))  # a JPEG is read at an eighth of its size where that will do
        picture = _read(frame)
        picture.thumbnail((longest, longest), Image.Resampling.BOX, reducing_gap=2.0)
        return picture

    def tones(self, page: int) -> int | None:
        """Count the colours of the page, as `scan_tones` does; None where it is stored with loss."""
        frame = self._frame(page)
        told = is_without_loss(self.media_type, str(frame.info.get("compression")))
        small = frame.width * frame.height <= MOST_AT_ONCE
        return tones_of([self.full(page)]) if told and small else None

    def full(self, page: int) -> Image.Image:
        """Give the page with every pixel that it has, upright."""
        return _read(self._frame(page))

    def pictures(self, page: int, dpi: float) -> list[tuple[bytes, Placed]]:
        """Give what the page shows as JPEG; a JPEG in plain colours is passed on bit by bit."""
        frame, sheet = self._frame(page), self.sheet(page)
        if self.media_type == "image/jpeg" and frame.mode == "RGB" and _is_srgb(frame):
            _read(frame)  # whole, or refused
            self._stream.seek(0)
            return [(_cleaned(self._stream.read()), sheet.images[0])]
        picture = _read(self._frame(page))
        matrix = upright(sheet.width, sheet.height, 1)
        return [(jpeg.write(picture), Placed(*picture.size, "rgb", matrix))]

    def _frame(self, page: int) -> Image.Image:
        try:
            if self.pages == 1:  # a file read already is read afresh, at the size that is wanted now
                self._stream.seek(0)
                self._file = Image.open(self._stream, formats=_OPENED)
            if self.media_type == "image/tiff":
                self._file.seek(page)
        except _BAD as error:
            raise FileRefused("unreadable", f"the picture is damaged: {type(error).__name__}") from error
        return _counted(self._file)

    def _said(self, frame: Image.Image, size: tuple[int, int]) -> tuple[float, float] | None:
        """Give the size in points by the dots an inch that it says it has, if that is a paper's."""
        said = frame.info.get("dpi")
        try:
            across, up = (float(one) for one in said) if said else (0.0, 0.0)
        except (TypeError, ValueError):
            return None
        if _orientation(frame) >= 5:
            across, up = up, across
        if not (math.isfinite(across + up) and min(across, up) >= _LEAST_SAID):
            return None
        width, height = size[0] / across * POINTS_AN_INCH, size[1] / up * POINTS_AN_INCH
        shown = sorted((width * MM_A_POINT, height * MM_A_POINT))
        near = any(abs(shown[0] - a) <= 5 and abs(shown[1] - b) <= 5 for a, b in self._sizes)
        return (width, height) if near else None


def _pages(file: Image.Image, stream: BinaryIO) -> int:
    """Count the pictures of a TIFF, no further than is taken."""
    if file.format != "TIFF":
        return 1
    for page in range(1, MOST_PAGES + 1):
        refuse_surplus_of_tiff(stream, file)
        try:
            file.seek(page)
        except EOFError:
            return page
    raise FileRefused("too_many_pages", f"the file has more than {MOST_PAGES} pages")


def _counted(frame: Image.Image) -> Image.Image:
    if frame.width * frame.height > MOST_PIXELS or max(frame.size) > MOST_DOTS:
        raise FileRefused("too_complex", "the picture has too many pixels")
    return frame


def _fitted(across: int, up: int) -> tuple[float, float]:
    short, long = (side / MM_A_POINT for side in _A4)
    width, height = (short, long) if up >= across else (long, short)
    scale = min(width / across, height / up)
    return across * scale, up * scale


def _orientation(frame: Image.Image) -> int:
    try:
        said = int(frame.getexif().get(_ORIENTATION, 1))
    except _BAD:
        return 1  # EXIF that cannot be read says nothing
    return said if 1 <= said <= 8 else 1


def _colour(frame: Image.Image) -> str:
    if frame.mode == "1":
        return "bitonal"
    if frame.mode in ("L", "LA", "La", "I", "F") or frame.mode.startswith("I;"):
        return "grey"
    if frame.mode in ("P", "PA"):
        levels = (frame.getpalette("RGB") or []) if frame.palette else []
        return "grey" if levels[0::3] == levels[1::3] == levels[2::3] else "rgb"
    return "cmyk" if frame.mode == "CMYK" else "rgb"


def _read(frame: Image.Image) -> Image.Image:
    """Decode a picture upright, on white where it is transparent, in sRGB."""
    try:
        picture = ImageOps.exif_transpose(frame)
        if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
            clear = picture.convert("RGBA")
            picture = Image.new("RGB", clear.size, "white")
            picture.paste(clear, mask=clear.getchannel("A"))
            return picture
        return _in_srgb(picture)
    except MemoryError:
        raise
    except _BAD as error:
        raise FileRefused("unreadable", f"the picture is damaged: {type(error).__name__}") from error


def _in_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK") and not _is_srgb(picture):
        try:
            wanted = ImageCms.createProfile("sRGB")
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, given, wanted, outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that is none is as good as no profile
    if picture.mode.startswith("I;16"):  # 65,536 levels of grey, which Pillow would cut at the 256th
        picture = picture.convert("I").point(lambda level: level * (1 / 257)).convert("L")
    return picture.convert("RGB")


def _is_srgb(picture: Image.Image) -> bool:
    profile = picture.info.get("icc_profile")
    return not profile or b"sRGB" in profile[:4096] or b"s\x00R\x00G\x00B" in profile[:4096]


def _cleaned(content: bytes) -> bytes:
    try:
        return jpeg.cleaned(content)
    except ValueError as error:
        raise FileRefused("unreadable", f"the picture is damaged: {error}") from error
