# mypy: allow-untyped-calls
"""A second opinion on what changed after signing: the signed pages are drawn beside those of the whole file.

Structure is judged elsewhere; here only pixels count. Both are drawn by PDFium at the same small scale, and
a pixel that differs is told with its page and box. One thing may differ: the widget of a later signature that
is valid itself, where an empty signature field of the same place was signed along with the page. What a later
signature shows is told in any case. Pages that later widgets stand on are drawn first, and the first page.
Bounds: `MOST_PAGES` drawn in all, `MOST_BYTES` of file, `MOST_SECONDS` of processor; beyond them no second
look is made, and that is said.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

import pypdfium2
from PIL import Image, ImageChops
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.findings import PageDifference
from signing.later_fields import Rectangle, draws, later_signed, widgets_of
from signing.later_widgets import Box, LaterWidget, widgets_after
from signing.report import SecondLook, SignatureReport

MOST_PAGES = 80  # drawn, both sides of the comparison and all signatures together
MOST_BYTES = 64 * 1024 * 1024
MOST_SECONDS = 6.0  # of processor
MOST_DIFFERENCES = 20  # told
_DOTS_A_POINT = 1.0  # an A4 page has half a million pixels
_MOST_PIXELS = 600_000  # of one page
_ROOM = 2  # pixels around a widget: its edge is blended into them


class _NotMade(Exception):
    """The pages cannot be compared within the bounds."""


def looked_again(
    stream: BinaryIO, report: SignatureReport, embedded: Sequence[EmbeddedPdfSignature]
) -> SignatureReport:
    """Add the second look to a report, where revisions follow a signature; a difference is never valid.

    Without a second look a file stays valid only if nothing but validation data and time stamps that show
    nothing followed.
    """
    signatures = [one for one in embedded if one.sig_object_type == "/Sig" and _is_followed(one)]
    if not signatures or report.verdict == "invalid":
        return report
    looking = _Looking({one.field for one in report.signatures if one.verdict == "valid"})
    look: SecondLook
    try:
        looking.compare(stream, signatures)
        look = "same"
    except MemoryError:
        raise
    except Exception:  # both libraries raise plain errors of many kinds; what cannot be drawn is not alike
        look = "not_made"
    if looking.differences:
        look = "different"
    told = replace(
        report,
        second_look=look,
        differences=tuple(looking.differences[:MOST_DIFFERENCES]),
        shown_later=tuple(dict.fromkeys(looking.shown))[:MOST_DIFFERENCES],
    )
    if look == "different":
        return _doubted(_each_doubted(told), "looks_changed")
    if look == "not_made" and not _shows_nothing(signatures):
        return _doubted(told, "second_look_not_made")
    return told


def _shows_nothing(signatures: Sequence[EmbeddedPdfSignature]) -> bool:
    """Tell whether all that followed is validation data and time stamps, none with an appearance."""
    for one in signatures:
        found = one.diff_result
        if not isinstance(found, DiffResult) or found.modification_level > ModificationLevel.LTA_UPDATES:
            return False
        if any(draws(widget) for later in later_signed(one) for widget in widgets_of(later)):
            return False
    return True


def _each_doubted(report: SignatureReport) -> SignatureReport:
    """Leave no signature valid whose pages look other than when it was made."""
    fields = {one.field for one in report.differences}
    doubted = (
        replace(
            one,
            verdict="undetermined",
            sub_indication="GENERIC",
            reason="looks_changed",
            level="",
            anchor=None,
        )
        if one.verdict == "valid" and one.field in fields
        else one
        for one in report.signatures
    )
    return replace(report, signatures=tuple(doubted))


def _doubted(report: SignatureReport, reason: str) -> SignatureReport:
    reasons = tuple(dict.fromkeys((*report.reasons, reason)))
    if report.verdict != "valid":
        return replace(report, reasons=reasons)
    return replace(report, verdict="undetermined", sub_indication="GENERIC", reasons=reasons)


def _is_followed(embedded: EmbeddedPdfSignature) -> bool:
    return bool(int(embedded.reader.xrefs.total_revisions) - 1 > embedded.signed_revision)


class _Looking:
    """The comparison, with what it has found so far: that counts, even if it cannot be brought to its end."""

    def __init__(self, valid: set[str]) -> None:
        self._valid = valid
        self._budget = _Budget()
        self.differences: list[PageDifference] = []
        self.shown: list[PageDifference] = []

    def compare(self, stream: BinaryIO, signatures: Sequence[EmbeddedPdfSignature]) -> None:
        """Compare each signature's revision with the whole file. Raises whatever the libraries raise."""
        stream.seek(0)
        content = stream.read(MOST_BYTES + 1)
        widgets = {one: list(self._widgets(one)) for one in signatures}
        if len(content) > MOST_BYTES:
            raise _NotMade
        with _opened(content) as whole:
            for one in signatures:
                end = int(one.byte_range[2]) + int(one.byte_range[3])
                with _opened(content[:end]) as signed:
                    for page, box in _compared(signed, whole, widgets[one], self._budget):
                        self.differences.append(PageDifference(str(one.field_name), page + 1, box))

    def _widgets(self, embedded: EmbeddedPdfSignature) -> Iterator[LaterWidget]:
        for widget in widgets_after(embedded, self._valid):
            if widget.rectangle is None:
                self.differences.append(PageDifference(str(embedded.field_name), widget.page + 1, widget.box))
            self.shown.append(PageDifference(widget.field, widget.page + 1, widget.box))
            yield widget


class _Budget:
    def __init__(self) -> None:
        self._pages = 0
        self._until = time.process_time() + MOST_SECONDS

    def take(self, pages: int) -> None:
        self._pages += pages
        if self._pages > MOST_PAGES or time.process_time() > self._until:
            raise _NotMade


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    document = pypdfium2.PdfDocument(BytesIO(content))
    document.init_forms()  # without it the visible part of a signature is not drawn
    return document


def _compared(
    signed: pypdfium2.PdfDocument,
    whole: pypdfium2.PdfDocument,
    widgets: Sequence[LaterWidget],
    budget: _Budget,
) -> Iterator[tuple[int, Box]]:
    if len(signed) != len(whole):
        yield min(len(signed), len(whole)), (0, 0, 0, 0)
        return
    first = [0, *(one.page for one in widgets if one.page < len(signed))]
    for number in dict.fromkeys([*first, *range(len(signed))]):
        budget.take(2)
        then, now = signed[number], whole[number]
        size = then.get_size()
        if size != now.get_size() or then.get_rotation() != now.get_rotation():
            yield number, (0, 0, round(size[0]), round(size[1]))
            continue
        scale = min(_DOTS_A_POINT, (_MOST_PIXELS / (size[0] * size[1])) ** 0.5)
        before, after = _drawn(then, scale), _drawn(now, scale)
        if before.size != after.size or before.mode != after.mode:
            raise _NotMade
        for widget in widgets:
            if widget.page == number and widget.excused and widget.rectangle is not None:
                _cover(before, after, widget.rectangle, then, scale)
        box = ImageChops.difference(before, after).getbbox()
        if box is not None:
            yield number, _in_points(box, size[1], scale)


def _drawn(page: Any, scale: float) -> Image.Image:
    picture: Image.Image = page.render(scale=scale).to_pil()
    return picture.convert("RGB")


def _cover(before: Image.Image, after: Image.Image, rectangle: Rectangle, page: Any, scale: float) -> None:
    """Take a later signature's widget out of the comparison."""
    if page.get_rotation():
        return  # then its place is not worked out, and what differs is told
    left, bottom, right, top = rectangle
    origin_x, _, _, crop_top = page.get_cropbox()
    area = (
        max(0, int((left - origin_x) * scale) - _ROOM),
        max(0, int((crop_top - top) * scale) - _ROOM),
        min(before.width, int((right - origin_x) * scale) + _ROOM + 1),
        min(before.height, int((crop_top - bottom) * scale) + _ROOM + 1),
    )
    if area[0] < area[2] and area[1] < area[3]:
        after.paste(before.crop(area), area)


def _in_points(box: Box, height: float, scale: float) -> Box:
    left, top, right, bottom = box
    return (
        round(left / scale),
        round(height - bottom / scale),
        round(right / scale),
        round(height - top / scale),
    )
