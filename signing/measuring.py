"""What the objects of a document amount to: streams, pixels, signatures, sides of pages."""

from collections.abc import Sequence

import pikepdf

from signing import ceilings
from signing.active_content import Container, filters_of
from signing.errors import FileRefused
from signing.inflation import Tally
from signing.pixels import jpeg2000_pixels, jpeg_pixels


def measure(node: Container, tally: Tally) -> None:
    """Measure one dictionary or stream; raises FileRefused("too_large_inside" | "too_complex")."""
    contents = node.get("/Contents") if "/ByteRange" in node or "/SubFilter" in node else None
    if isinstance(contents, pikepdf.String) and len(bytes(contents)) > ceilings.SIGNATURE_CONTENTS:
        raise FileRefused("too_large_inside", found=("signature_contents",))
    if "/MediaBox" in node:
        _measure_sides(node)
    if isinstance(node, pikepdf.Stream):
        _measure_stream(node, tally)


def _measure_stream(stream: pikepdf.Stream, tally: Tally) -> None:
    filters = filters_of(stream)
    for parameters in _parameters(stream):
        _measure_row(parameters)
    _check_parameters(stream, len(filters))
    packed = stream.read_raw_bytes()
    pixels = image_pixels(stream, packed)
    if pixels > ceilings.IMAGE_PIXELS:
        raise FileRefused("too_large_inside", found=("image_pixels",))
    most = ceilings.IMAGE_INFLATED if pixels else ceilings.STREAM_INFLATED
    if filters:
        tally.measure(packed, filters, most)


def image_pixels(stream: pikepdf.Stream, packed: bytes) -> int:
    """Give how many pixels a picture has, by its dictionary or by its own bytes; 0 of what is none."""
    told = _number(stream, "/Width") * _number(stream, "/Height")
    return max(told, _own_pixels(packed, filters_of(stream), next(iter(_parameters(stream)), None)))


def _parameters(stream: pikepdf.Stream) -> list[pikepdf.Dictionary]:
    value = stream.get("/DecodeParms", stream.get("/DP"))
    values = list(value) if isinstance(value, pikepdf.Array) else [value]
    return [one for one in values if isinstance(one, pikepdf.Dictionary)]


def _check_parameters(stream: pikepdf.Stream, filters: int) -> None:
    """Refuse what would make a stream other than it is measured: rows undone in mid-chain, another LZW."""
    value = stream.get("/DecodeParms", stream.get("/DP"))
    inner = list(value)[: filters - 1] if isinstance(value, pikepdf.Array) else [value] * (filters > 1)
    within = [one for one in inner if isinstance(one, pikepdf.Dictionary)]
    predicted = any(_number(one, "/Predictor", 1) > 1 for one in within)
    if predicted or any(_number(one, "/EarlyChange", 1) != 1 for one in _parameters(stream)):
        raise FileRefused("too_complex", found=("filters",))


def _measure_row(parameters: pikepdf.Dictionary) -> None:
    """A predictor holds one row of what it is told, whatever comes."""
    if _number(parameters, "/Predictor", 1) < 2:
        return
    bits = _number(parameters, "/Columns", 1) * _number(parameters, "/Colors", 1)
    if bits * _number(parameters, "/BitsPerComponent", 8) > 8 * ceilings.PREDICTOR_ROW:
        raise FileRefused("too_large_inside", found=("predictor_row",))


def _own_pixels(packed: bytes, filters: Sequence[str], parameters: pikepdf.Dictionary | None) -> int:
    """What the picture says of itself, where its codec is the only filter."""
    if filters in (["/DCTDecode"], ["/DCT"]):
        return jpeg_pixels(packed)
    if filters == ["/JPXDecode"]:
        return jpeg2000_pixels(packed)
    if filters in (["/CCITTFaxDecode"], ["/CCF"]) and parameters is not None:
        return _number(parameters, "/Columns", 1728) * _number(parameters, "/Rows")
    return 0


def _number(node: Container, key: str, absent: int = 0) -> int:
    value = node.get(key)
    return max(0, int(value)) if isinstance(value, int) and not isinstance(value, bool) else absent


# Pages ---------------------------------------------------------------------------------------------------


def measure_pages(document: pikepdf.Pdf) -> int:
    """Give the number of pages; raises FileRefused for none, too many, or others than promised."""
    pages = len(document.pages)
    if pages > ceilings.MOST_PAGES:
        raise FileRefused("too_complex", found=("pages",))
    if pages == 0:
        raise FileRefused("unreadable", "the file has no page")
    promised = document.Root.Pages.get("/Count")
    if promised != pages:
        raise FileRefused("unreadable", f"{promised} pages promised, {pages} there", found=("page_count",))
    return pages


def _measure_sides(page: Container) -> None:
    """A page, or a node above pages whose sides they take over."""
    said = page.get("/UserUnit", 1)
    unit = float(said) if _is_number(said) else 0.0
    for key in ("/MediaBox", "/CropBox"):
        box = page.get(key)
        if box is None:
            continue
        if not isinstance(box, pikepdf.Array) or len(box) != 4 or not all(_is_number(one) for one in box):
            raise FileRefused("unreadable", found=("page_size",))
        left, bottom, right, top = (float(one) for one in box)
        sides = (abs(right - left) * unit, abs(top - bottom) * unit)
        if not all(0 < side <= ceilings.PAGE_SIDE for side in sides):
            raise FileRefused("too_complex", found=("page_size",))


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
    return not isinstance(value, (pikepdf.String, pikepdf.Name, str, bytes))
