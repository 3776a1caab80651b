"""A page of a scan as those who read letters want it: grey, upright, without grain. Runs in a worker."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from PIL import Image, ImageChops, ImageFilter

from signing.errors import FileRefused
from signing.scan_measuring import open_scan
from signing.scan_sheet import POINTS_AN_INCH

READ_AT = 300.0  # dots an inch at most
_GRAIN = 6  # levels: how far half of all pixels may be from their surroundings before they are smoothed
_SPECKS = 0.004  # of all pixels: how many may stand out from their surroundings far
_FAR = 96  # levels


def page_to_read(stream: BinaryIO, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return `dpi` and the page as a PGM picture (binary, 8 bits), or `refusal` (a code) and nothing.

    `request`: page (from 1), paper_sizes as when measuring.
    """
    try:
        scan = open_scan(stream, [(float(a), float(b)) for a, b in request["paper_sizes"]])
        number = int(request["page"]) - 1
        if not 0 <= number < scan.pages:
            raise FileRefused("unreadable", "there is no such page")
        sheet, picture = scan.sheet(number), scan.full(number).convert("L")
        dpi = picture.width / sheet.width * POINTS_AN_INCH
        if dpi > READ_AT:
            size = (round(picture.width * READ_AT / dpi), round(picture.height * READ_AT / dpi))
            picture, dpi = picture.resize(size, Image.Resampling.BOX), READ_AT
        picture = without_grain(picture)
    except FileRefused as refused:
        return {"refusal": refused.code}, b""
    head = f"P5\n{picture.width} {picture.height}\n255\n".encode()
    return {"dpi": round(dpi)}, head + picture.tobytes()


def without_grain(picture: Image.Image) -> Image.Image:
    """Smooth a page with grain or specks by a median; letters of a clean page are left as they are."""
    smooth = picture.filter(ImageFilter.MedianFilter(3))
    levels = ImageChops.difference(picture, smooth).histogram()
    total = picture.width * picture.height
    if sum(levels[_GRAIN:]) * 2 > total:
        return picture.filter(ImageFilter.MedianFilter(5))
    return smooth if sum(levels[_FAR:]) > total * _SPECKS else picture
