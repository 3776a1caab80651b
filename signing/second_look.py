# mypy: allow-untyped-calls
"""A second opinion on what changed after signing: the signed pages are drawn beside those of the whole file.

Structure is judged elsewhere; here only pixels count. Both are drawn by PDFium at the same small scale, and
a pixel that differs is told with its page and box. One thing may differ: the widget of a later signature, if
that signature is valid itself and stands where the signed page was blank, or where an empty signature field
of the same place was signed along with it. Bounds: `MOST_PAGES` drawn in all, `MOST_BYTES` of file,
`MOST_SECONDS` of processor; beyond them no second look is made, and that is said.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO

import pypdfium2
from PIL import Image, ImageChops
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.findings import PageDifference
from signing.report import SecondLook, SignatureReport

MOST_PAGES = 80  # drawn, both sides of the comparison and all signatures together
MOST_BYTES = 64 * 1024 * 1024
MOST_SECONDS = 6.0  # of processor
MOST_DIFFERENCES = 20  # told
_DOTS_A_POINT = 1.0  # an A4 page has half a million pixels
_MOST_PIXELS = 600_000  # of one page
_ROOM = 2  # pixels around a widget: its edge is blended into them

Box = tuple[int, int, int, int]


class _NotMade(Exception):
    """The pages cannot be compared within the bounds."""


@dataclass(frozen=True)
class _Widget:
    """Where a later signature shows itself: page from 0, rectangle in points."""

    page: int
    rectangle: tuple[float, float, float, float]
    reserved: bool  # an empty field of the same place stood in the signed revision


def looked_again(
    stream: BinaryIO, report: SignatureReport, embedded: Sequence[EmbeddedPdfSignature]
) -> SignatureReport:
    """Add the second look to a report, where revisions follow a signature; a difference is never valid.

    Without a second look a file stays valid only if nothing but validation data and time stamps followed.
    """
    signatures = [one for one in embedded if one.sig_object_type == "/Sig" and _is_followed(one)]
    if not signatures or report.verdict == "invalid":
        return report
    try:
        found = tuple(_differences(stream, report, signatures))
        look: SecondLook = "different" if found else "same"
    except MemoryError:
        raise
    except Exception:  # both libraries raise plain errors of many kinds; what cannot be drawn is not alike
        found, look = (), "not_made"
    told = replace(report, second_look=look, differences=found[:MOST_DIFFERENCES])
    if look == "different":
        return _doubted(told, "looks_changed")
    beyond = any(set(one.changes) - {"validation_data", "timestamps"} for one in report.signatures)
    return _doubted(told, "second_look_not_made") if look == "not_made" and beyond else told


def _doubted(report: SignatureReport, reason: str) -> SignatureReport:
    reasons = tuple(dict.fromkeys((*report.reasons, reason)))
    if report.verdict != "valid":
        return replace(report, reasons=reasons)
    return replace(report, verdict="undetermined", sub_indication="GENERIC", reasons=reasons)


def _is_followed(embedded: EmbeddedPdfSignature) -> bool:
    return bool(int(embedded.reader.xrefs.total_revisions) - 1 > embedded.signed_revision)


def _differences(
    stream: BinaryIO, report: SignatureReport, signatures: Sequence[EmbeddedPdfSignature]
) -> Iterator[PageDifference]:
    stream.seek(0)
    content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _NotMade
    valid = {one.field for one in report.signatures if one.verdict == "valid"}
    budget = _Budget()
    with _opened(content) as whole:
        for one in signatures:
            end = int(one.byte_range[2]) + int(one.byte_range[3])
            widgets = list(_widgets_after(one, valid))
            with _opened(content[:end]) as signed:
                for page, box in _compared(signed, whole, widgets, budget):
                    yield PageDifference(str(one.field_name), page + 1, box)


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
    signed: pypdfium2.PdfDocument, whole: pypdfium2.PdfDocument, widgets: Sequence[_Widget], budget: _Budget
) -> Iterator[tuple[int, Box]]:
    if len(signed) != len(whole):
        yield min(len(signed), len(whole)), (0, 0, 0, 0)
        return
    for number in range(len(signed)):
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
        for widget in (one for one in widgets if one.page == number):
            _cover(before, after, widget, then, scale)
        box = ImageChops.difference(before, after).getbbox()
        if box is not None:
            yield number, _in_points(box, size[1], scale)


def _drawn(page: Any, scale: float) -> Image.Image:
    picture: Image.Image = page.render(scale=scale).to_pil()
    return picture.convert("RGB")


def _cover(before: Image.Image, after: Image.Image, widget: _Widget, page: Any, scale: float) -> None:
    """Take a later signature's widget out of the comparison, where it hides nothing that was signed."""
    if page.get_rotation():
        return  # then its place is not worked out, and what differs is told
    left, bottom, right, top = widget.rectangle
    origin_x, _, _, crop_top = page.get_cropbox()
    area = (
        max(0, int((left - origin_x) * scale) - _ROOM),
        max(0, int((crop_top - top) * scale) - _ROOM),
        min(before.width, int((right - origin_x) * scale) + _ROOM + 1),
        min(before.height, int((crop_top - bottom) * scale) + _ROOM + 1),
    )
    if area[0] >= area[2] or area[1] >= area[3]:
        return
    blank = len(before.crop(area).getcolors(1) or ()) == 1
    if blank or widget.reserved:
        after.paste(before.crop(area), area)


def _in_points(box: Box, height: float, scale: float) -> Box:
    left, top, right, bottom = box
    return (
        round(left / scale),
        round(height - bottom / scale),
        round(right / scale),
        round(height - top / scale),
    )


def _widgets_after(embedded: EmbeddedPdfSignature, valid: set[str]) -> Iterator[_Widget]:
    """Find where later valid signatures, and document time stamps, show themselves."""
    reader = embedded.reader
    later = {
        str(one.field_name): one
        for one in reader.embedded_signatures
        if one.signed_revision > embedded.signed_revision
        and (str(one.field_name) in valid or one.sig_object_type == "/DocTimeStamp")
    }
    empty = _empty_places(reader.get_historical_resolver(embedded.signed_revision))
    places = _places(reader)
    for name, one in later.items():
        for widget in one.sig_field.get("/Kids") or [one.sig_field]:
            held = widget.get_object()
            rectangle, number = _rectangle(held), places.get(held.container_ref.idnum)
            if rectangle is not None and number is not None:
                yield _Widget(number, rectangle, (name, rectangle) in empty)


def _places(handler: PdfHandler) -> dict[int, int]:
    """Map what the pages themselves list as their annotations to the page (from 0)."""
    found: dict[int, int] = {}
    for number in range(min(MOST_PAGES, int(handler.root["/Pages"]["/Count"]))):
        parent, position, _ = handler.find_page_container(number)
        for note in list.__iter__(
            parent.get_object()["/Kids"][position].get("/Annots") or generic.ArrayObject()
        ):
            if isinstance(note, generic.IndirectObject):
                found[note.idnum] = number
    return found


def _empty_places(handler: PdfHandler) -> set[tuple[str, tuple[float, float, float, float]]]:
    found = set()
    for name, _, reference in enumerate_sig_fields(handler, filled_status=False):
        rectangle = _rectangle(reference.get_object())
        if rectangle is not None:
            found.add((str(name), rectangle))
    return found


def _rectangle(widget: object) -> tuple[float, float, float, float] | None:
    if not isinstance(widget, generic.DictionaryObject) or "/Rect" not in widget:
        return None
    a, b, c, d = (float(edge) for edge in widget["/Rect"])
    return min(a, c), min(b, d), max(a, c), max(b, d)
