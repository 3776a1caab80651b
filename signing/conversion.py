"""The mark of a digitised copy: what it says, and how it is put on the paper.

Nghị định 137/2024/NĐ-CP, Điều 4: words that the paper was converted, the time, the converter's full name;
Nghị định 30/2020/NĐ-CP, Phụ lục I: at the top right of page 1, text only, 10 pt black, the time in ISO 8601.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from io import BytesIO
from typing import BinaryIO

import pikepdf

from signing.composing import compose

_VIETNAM = timezone(timedelta(hours=7))
_EDGE = 8.0  # points between the mark and the edges of the page
_DEEPEST = 64  # page tree nodes above a page

Box = tuple[float, float, float, float]  # left, bottom, right, top, in the page's own space


def compose_mark(agency: str, converter: str, at: datetime, qr: str | None = None) -> bytes:
    """Compose the mark as a PDF page of its own size; a second page holds the QR code.

    Args:
        agency: whose officer converts; shown as it is.
        converter: the officer's full name.
        at: aware; shown to the second with the zone of Viet Nam.
        qr: the code as a drawing (`qr.qr_drawing`).

    Raises:
        ComposingFailed: a name is empty, too long or no text.
    """
    shown = at.astimezone(_VIETNAM).isoformat(timespec="seconds")
    fields = {"agency": agency, "converter": converter, "converted_at": shown, "qr": qr}
    return compose("conversion_mark", fields, at=at)


def apply_mark(stream: BinaryIO, mark: bytes) -> tuple[bytes, Box]:
    """Give the paper with a strip for the mark above page 1, and the mark's place; runs in a worker.

    Page 1 grows by the strip, so that the mark hides nothing and nothing disturbs it; what was shown of the
    page is shown as it was. The paper is written anew as one revision. Raises what pikepdf raises.
    """
    with (
        pikepdf.open(stream, attempt_recovery=False, suppress_warnings=True) as paper,
        pikepdf.open(BytesIO(mark)) as drawn,
    ):
        place = _place(paper.pages[0], drawn.pages[0])
        made = BytesIO()
        paper.save(
            made,
            min_version="1.7",
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
        )
    content = made.getvalue()
    return (content if content.endswith(b"\n") else content + b"\n"), place


def _place(page: pikepdf.Page, mark: pikepdf.Page) -> Box:
    left, bottom, right, top = (float(edge) for edge in page.cropbox)
    shown: Box = (min(left, right), min(bottom, top), max(left, right), max(bottom, top))
    rotation = int(_inherited(page, "/Rotate", 0)) % 360
    unit = float(_inherited(page, "/UserUnit", 1))
    wide, high = (float(mark.mediabox[2]) / unit, float(mark.mediabox[3]) / unit)
    edge = _EDGE / unit
    width, _ = _size(shown, rotation)
    scale = min(1.0, (width - 2 * edge) / wide)
    strip = high * scale + 2 * edge
    grown = _grown(shown, rotation, strip)
    _clip(page, shown)
    for name in ("/MediaBox", "/CropBox"):
        page.obj[name] = pikepdf.Array(list(grown))
    for name in ("/TrimBox", "/BleedBox", "/ArtBox"):
        if name in page.obj:
            del page.obj[name]
    to_page = _seen(grown, rotation)
    _, height = _size(grown, rotation)
    corners = [
        to_page(width - edge - wide * scale, height - edge - high * scale),
        to_page(width - edge, height - edge),
    ]
    (x1, y1), (x2, y2) = corners
    place: Box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    page.add_overlay(mark, pikepdf.Rectangle(*place))
    return place


def _inherited(page: pikepdf.Page, name: str, default: int) -> pikepdf.Object | int:
    node: pikepdf.Object = page.obj
    for _ in range(_DEEPEST):
        if name in node:
            return node[name]
        if "/Parent" not in node:
            return default
        node = node["/Parent"]
    return default


def _size(box: Box, rotation: int) -> tuple[float, float]:
    """Give width and height as the page is seen."""
    across, up = box[2] - box[0], box[3] - box[1]
    return (up, across) if rotation in (90, 270) else (across, up)


def _grown(box: Box, rotation: int, strip: float) -> Box:
    """Add a strip above the page as it is seen: `/Rotate` turns clockwise."""
    left, bottom, right, top = box
    if rotation == 90:
        return left - strip, bottom, right, top
    if rotation == 180:
        return left, bottom - strip, right, top
    if rotation == 270:
        return left, bottom, right + strip, top
    return left, bottom, right, top + strip


def _seen(box: Box, rotation: int) -> Callable[[float, float], tuple[float, float]]:
    """Give the way from a point of the page as it is seen (from its lower left) to the page's own space."""
    left, bottom, right, top = box
    if rotation == 90:
        return lambda x, y: (right - y, bottom + x)
    if rotation == 180:
        return lambda x, y: (right - x, top - y)
    if rotation == 270:
        return lambda x, y: (left + y, top - x)
    return lambda x, y: (left + x, bottom + y)


def _clip(page: pikepdf.Page, shown: Box) -> None:
    """Keep what lay outside the page out of the strip."""
    left, bottom, right, top = shown
    around = f"q {left:.4f} {bottom:.4f} {right - left:.4f} {top - bottom:.4f} re W n\n"
    page.contents_add(around.encode(), prepend=True)
    page.contents_add(b"\nQ\n")
