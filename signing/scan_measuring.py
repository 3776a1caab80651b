"""A scan, measured: what its pages are, never what anybody says of them. Runs in a worker process."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from signing.errors import FileRefused
from signing.file_types import HEAD, PDF, media_type_of
from signing.measured import MeasuredPage, MeasuredScan
from signing.picture_ends import what_follows
from signing.scan_images import PictureScan
from signing.scan_looks import LOOKED_AT, looks
from signing.scan_pdf import PdfScan
from signing.scan_sheet import MM_A_POINT
from signing.scan_tones import Counting

Scan = PdfScan | PictureScan
# Of the 20 and the 30 that a worker has; copying a page takes less of them than measuring it does.
PROCESSOR_SECONDS, CLOCK_SECONDS = 16.0, 24.0
HEIC = "image/heic"
PICTURES = ("image/jpeg", "image/png", "image/tiff", HEIC)
_SAME = {"image/heif": HEIC, "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg"}


def declared(name: str) -> str:
    """Give the one name of a media type that has several, without parameters."""
    plain = name.partition(";")[0].strip().lower()
    return _SAME.get(plain, plain)


def open_scan(stream: BinaryIO, paper_sizes: Sequence[tuple[float, float]]) -> Scan:
    """Open a PDF or a picture. Raises FileRefused."""
    found = found_type(stream)
    if found == PDF:
        return PdfScan(stream)
    if found in PICTURES:
        return PictureScan(stream, paper_sizes)
    raise FileRefused("not_a_scan", f"the file is {found}")


def found_type(stream: BinaryIO) -> str:
    """Give the media type that the bytes give away."""
    stream.seek(0)
    return media_type_of(stream.read(HEAD))


def measure_scan(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: `measured` (MeasuredScan), or `refusal` (a code).

    `request`: declared_type, paper_sizes (pairs of millimetres, the shorter side first). Raises MemoryError
    when the process has no more, nothing else for the sake of the file.
    """
    try:
        found = found_type(stream)
        if found != declared(str(request["declared_type"])):
            raise FileRefused("mislabelled" if found in (PDF, *PICTURES) else "not_a_scan")
        if found != PDF and (also := what_follows(stream, found)) is not None:
            raise FileRefused("polyglot", f"a picture and {also} at once", found=("two_kinds",))
        scan = open_scan(stream, [(float(a), float(b)) for a, b in request["paper_sizes"]])
        counting = Counting(scan)
        pages = tuple(_measured(scan, page, counting) for page in _in_time(scan.pages))
    except FileRefused as refused:
        return {"refusal": refused.code}
    return {"measured": MeasuredScan(scan.media_type, scan.version, pages).to_json()}


def _in_time(pages: int) -> Iterator[int]:
    """Count the pages of a scan as far as a worker has time, so that it says itself that they are many."""
    begun, at_first = time.monotonic(), time.process_time()
    for page in range(pages):
        used, passed = time.process_time() - at_first, time.monotonic() - begun
        if page and (used > PROCESSOR_SECONDS or passed > CLOCK_SECONDS):
            raise FileRefused("too_many_pages", f"{page} of {pages} pages could be measured in time")
        yield page


def _measured(scan: Scan, page: int, counting: Counting) -> MeasuredPage:
    sheet = scan.sheet(page)
    seen = looks(scan.small(page, LOOKED_AT))
    return MeasuredPage(
        width_mm=round(sheet.width * MM_A_POINT, 1),
        height_mm=round(sheet.height * MM_A_POINT, 1),
        dpi=round(sheet.dpi, 1),
        colour=("rgb" if seen.tinted else "grey") if sheet.colour == "unknown" else sheet.colour,
        covered=round(sheet.covered, 3),
        ink=round(seen.ink, 5),
        dark=round(seen.dark, 4),
        tinted=seen.tinted,
        skew=seen.skew,
        scaled=sheet.scaled,
        others=sheet.others,
        tones=counting.of(page, sheet),
    )
