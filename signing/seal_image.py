"""The picture of an agency's round seal: red, real size, transparent PNG (Nghị định 30/2020, Phụ lục I).

Looked at inside a worker, and written anew from its pixels: no description, profile or other part of what was
handed in is kept.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from PIL import Image, ImageChops

from signing.errors import SealImageRefused

LARGEST_HANDED_IN = 4 * 1024 * 1024  # bytes
LARGEST_KEPT = 400 * 1024  # bytes; it goes into every result of the agency
_LEAST_SIDE, _MOST_SIDE = 200, 4000  # pixels, as handed in
_KEPT_SIDE = 600  # pixels: a seal of 36 mm at 423 dpi
_LEAST_WIDTH, _MOST_WIDTH = 25.0, 42.0  # millimetres
_ROUND = 1.1  # the longer side by the shorter
_SEEN = 128  # alpha from which a pixel is part of the seal
_REDDER = 40  # by how much red exceeds green and blue where a pixel is red
_LEAST_RED = 0.95  # of what is seen
_LEAST_SEEN, _MOST_SEEN = 0.02, 0.7  # of the square; a full disc has 0.785
_CORNER = 0.05  # of a side
_INCH = 25.4


@dataclass(frozen=True)
class SealImage:
    """A picture as it is drawn: PNG with an alpha channel; how wide and high it is on paper, in points."""

    png: bytes
    width: float
    height: float


class Rewriter(Protocol):
    """What of the pool of workers is used here."""

    async def rewrite(
        self, path: Path, target: Path, request: Mapping[str, Any], *, max_bytes: int
    ) -> Mapping[str, Any]:
        """Have a worker make another file of one."""
        ...


async def checked_image(
    pool: Rewriter, path: Path, target: Path, *, millimetres: float | None = None
) -> SealImage:
    """Give the picture in `path` as it is to be kept; `target` is a scratch file of the caller's.

    `millimetres` is the seal's width on paper; without it the file must say its resolution (pHYs). Raises
    SealImageRefused with the reason as its code, RewritingFailed when the worker fails, WorkerFailed, and
    OSError.
    """
    if (await asyncio.to_thread(path.stat)).st_size > LARGEST_HANDED_IN:
        raise SealImageRefused("seal_image_too_large")
    request = {"task": "seal_image", "millimetres": millimetres}
    told = await pool.rewrite(path, target, request, max_bytes=LARGEST_HANDED_IN)
    if "refusal" in told:
        raise SealImageRefused(str(told["refusal"]))
    return SealImage(await asyncio.to_thread(target.read_bytes), float(told["width"]), float(told["height"]))


def redraw_seal_image(stream: BinaryIO, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return width and height in points and the new PNG, or a `refusal` and nothing; runs in a worker."""
    try:
        given = _opened(stream)
        width = _width(given, request.get("millimetres"))
        drawn = given.convert("RGBA")
        _check(drawn)
        made = _redrawn(drawn)
    except SealImageRefused as refused:
        return {"refusal": refused.code}, b""
    return {"width": width * 72 / _INCH, "height": width * 72 / _INCH * drawn.height / drawn.width}, made


def _opened(stream: BinaryIO) -> Image.Image:
    try:
        given = Image.open(stream, formats=["PNG"])
    except Image.DecompressionBombError as error:
        raise SealImageRefused("seal_image_size") from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's own, over what is no PNG
        raise SealImageRefused("seal_image_not_png") from error
    sides = sorted(given.size)
    if sides[0] < _LEAST_SIDE or sides[1] > _MOST_SIDE:
        raise SealImageRefused("seal_image_size")
    if sides[1] > _ROUND * sides[0]:
        raise SealImageRefused("seal_image_not_round")
    if getattr(given, "n_frames", 1) != 1:
        raise SealImageRefused("seal_image_not_png")
    try:
        given.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise SealImageRefused("seal_image_not_png") from error
    return given


def _width(given: Image.Image, millimetres: object) -> float:
    """Give the width on paper, in millimetres."""
    density = given.info.get("dpi")
    if isinstance(millimetres, int | float):
        width = float(millimetres)
    elif isinstance(density, tuple) and density[0] > 0:
        width = given.width / float(density[0]) * _INCH
    else:
        raise SealImageRefused("seal_image_no_measure")
    if not _LEAST_WIDTH <= width <= _MOST_WIDTH:
        raise SealImageRefused("seal_image_not_real_size")
    return width


def _check(drawn: Image.Image) -> None:
    """See that it is a red seal on a transparent ground."""
    red, green, blue, alpha = drawn.split()
    seen = alpha.point([255 if level >= _SEEN else 0 for level in range(256)])
    share = _share(seen)
    if share > _MOST_SEEN or not _corners_clear(alpha):
        raise SealImageRefused("seal_image_not_transparent")
    if share < _LEAST_SEEN:
        raise SealImageRefused("seal_image_blank")
    redder = ImageChops.subtract(red, ImageChops.lighter(green, blue))
    is_red = redder.point([255 if level >= _REDDER else 0 for level in range(256)])
    if _share(ImageChops.darker(is_red, seen)) < _LEAST_RED * share:
        raise SealImageRefused("seal_image_not_red")


def _share(mask: Image.Image) -> float:
    return mask.histogram()[255] / (mask.width * mask.height)


def _corners_clear(alpha: Image.Image) -> bool:
    wide, high = max(1, int(alpha.width * _CORNER)), max(1, int(alpha.height * _CORNER))
    corners = (
        (left, top, left + wide, top + high)
        for left in (0, alpha.width - wide)
        for top in (0, alpha.height - high)
    )
    return all(alpha.crop(corner).getextrema() == (0, 0) for corner in corners)


def _redrawn(drawn: Image.Image) -> bytes:
    """Write the pixels alone, no larger than is drawn; what is not seen at all has no colour left."""
    small = drawn.convert("RGBa")  # premultiplied: transparent pixels lend their colour to nobody
    small.thumbnail((_KEPT_SIDE, _KEPT_SIDE), Image.Resampling.LANCZOS)
    clean = Image.new("RGBA", small.size)
    clean.paste(small.convert("RGBA"))
    made = BytesIO()
    clean.save(made, "PNG", optimize=True)
    if made.tell() > LARGEST_KEPT:
        raise SealImageRefused("seal_image_too_large")
    return made.getvalue()
