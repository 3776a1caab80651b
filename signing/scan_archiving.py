"""The copy of a scan: a new PDF/A-2b (ISO 19005-2) of nothing but its pictures, with the mark of conversion.

Runs in a worker. Nothing of the foreign file survives but what its pages show. Page 1 grows by a strip above:
the mark at its right, the QR code at its left, so that neither hides anything and the paper stays at 100 %.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, BinaryIO

import pikepdf

from signing.blank_font import ADVANCE, blank_font
from signing.errors import FileRefused
from signing.scan_measuring import Scan, open_scan
from signing.scan_sheet import Placed, Sheet

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points
_EDGE = 8.0  # points around mark and QR code
_SHARE = 10_000  # parts of a page that a word's place is told in
_FONT = "/KhoUnseen"
_LEAST_DPI = 200.0  # of a page that has to be drawn


def archive_scan(stream: BinaryIO, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return `place` (the mark's box on page 1) and the copy, or `refusal` (a code) and nothing.

    `request`: mark (base64 of a PDF: the words, and the QR code on a second page), title, at (ISO 8601),
    paper_sizes as when measuring, words: lists of page (from 1), left, top, width, height (parts of 10,000 of
    the page as seen) and text.
    """
    try:
        scan = open_scan(stream, [(float(a), float(b)) for a, b in request["paper_sizes"]])
        mark = base64.b64decode(request["mark"], validate=True)
        with pikepdf.new() as copy, pikepdf.open(BytesIO(mark)) as drawn:
            _pages(copy, scan, request["words"])
            place = _mark(copy, drawn)
            _describe(copy, drawn, str(request["title"]), datetime.fromisoformat(request["at"]))
            return {"place": list(place)}, _written(copy)
    except FileRefused as refused:
        return {"refusal": refused.code}, b""


def _pages(copy: pikepdf.Pdf, scan: Scan, words: Sequence[Sequence[Any]]) -> None:
    font = blank_font(copy) if words else None
    for number in range(scan.pages):
        sheet = scan.sheet(number)
        page = copy.add_blank_page(page_size=(sheet.width, sheet.height))
        drawing = ["q", f"0 0 {sheet.width:.4f} {sheet.height:.4f} re W n"]
        shown = pikepdf.Dictionary()
        for place, (content, laid) in enumerate(scan.pictures(number, _LEAST_DPI)):
            shown[f"/Im{place}"] = _picture(copy, content, laid)
            drawing += ["q", " ".join(f"{one:.6f}" for one in laid.matrix) + " cm", f"/Im{place} Do", "Q"]
        drawing.append("Q")
        page.obj["/Resources"] = pikepdf.Dictionary(XObject=shown)
        mine = [one for one in words if one[0] == number + 1]
        if mine and font is not None:
            page.obj["/Resources"]["/Font"] = pikepdf.Dictionary({_FONT: font})
            drawing += _text(mine, sheet)
        page.obj["/Contents"] = copy.make_stream("\n".join(drawing).encode())


def _picture(copy: pikepdf.Pdf, content: bytes, laid: Placed) -> pikepdf.Object:
    picture = pikepdf.Stream(copy, content)
    picture["/Type"] = pikepdf.Name.XObject
    picture["/Subtype"] = pikepdf.Name.Image
    picture["/Width"], picture["/Height"] = laid.width, laid.height
    picture["/ColorSpace"] = pikepdf.Name.DeviceRGB
    picture["/BitsPerComponent"] = 8
    picture["/Filter"] = pikepdf.Name.DCTDecode
    return copy.make_indirect(picture)


def _text(words: Sequence[Sequence[Any]], sheet: Sheet) -> list[str]:
    """Write words unseen (rendering mode 3) where they were read."""
    lines = ["BT", "3 Tr"]
    for _, left, top, width, height, text in words:
        letters = "".join(one for one in str(text) if ord(one) < 0x10000 and one.isprintable())
        size = height / _SHARE * sheet.height
        if not letters or size <= 0 or width <= 0:
            continue
        x, y = left / _SHARE * sheet.width, sheet.height - (top + height) / _SHARE * sheet.height
        wide = 100 * (width / _SHARE * sheet.width) / (len(letters) * size * ADVANCE / 1000)
        coded = letters.encode("utf-16-be").hex().upper()
        lines += [f"{_FONT} {size:.2f} Tf", f"{wide:.2f} Tz", f"1 0 0 1 {x:.2f} {y:.2f} Tm", f"<{coded}> Tj"]
    return [*lines, "ET"]


def _mark(copy: pikepdf.Pdf, drawn: pikepdf.Pdf) -> Box:
    page = copy.pages[0]
    _, _, width, height = (float(edge) for edge in page.mediabox)
    sizes = [(float(one.mediabox[2]), float(one.mediabox[3])) for one in drawn.pages]
    scale = min(1.0, (width - (len(sizes) + 1) * _EDGE) / sum(wide for wide, _ in sizes))
    strip = max(high for _, high in sizes) * scale + 2 * _EDGE
    page.obj["/MediaBox"] = pikepdf.Array([0, 0, round(width, 4), round(height + strip, 4)])
    top = height + strip - _EDGE
    wide, high = sizes[0][0] * scale, sizes[0][1] * scale
    place: Box = (width - _EDGE - wide, top - high, width - _EDGE, top)
    page.add_overlay(drawn.pages[0], pikepdf.Rectangle(*place))
    if len(sizes) > 1:
        wide, high = sizes[1][0] * scale, sizes[1][1] * scale
        page.add_overlay(drawn.pages[1], pikepdf.Rectangle(_EDGE, top - high, _EDGE + wide, top))
    return place


def _describe(copy: pikepdf.Pdf, drawn: pikepdf.Pdf, title: str, at: datetime) -> None:
    """Say what the file is; the colours of its pictures are those of the mark's own profile (sRGB)."""
    copy.Root["/OutputIntents"] = copy.copy_foreign(drawn.Root["/OutputIntents"])
    copy.Root["/Lang"] = pikepdf.String("vi-VN")
    with copy.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as told:
        told["pdfaid:part"], told["pdfaid:conformance"] = "2", "B"
        told["dc:title"] = title
        told["xmp:CreateDate"] = told["xmp:ModifyDate"] = at.isoformat(timespec="seconds")
        told["xmp:CreatorTool"] = "Kho"


def _written(copy: pikepdf.Pdf) -> bytes:
    made = BytesIO()
    copy.save(
        made,
        min_version="1.7",
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        deterministic_id=True,
    )
    content = made.getvalue()
    return content if content.endswith(b"\n") else content + b"\n"
