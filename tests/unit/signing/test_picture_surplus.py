"""What is packed behind the last line of a picture: a little is a habit of programs, far more is refused."""

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest

from signing.errors import FileRefused
from signing.picture_surplus import refuse_circles_of_tiff
from signing.scan_measuring import measure_scan
from tests.hostile.pictures import GOOD, chunk, coloured, png
from tests.scans import making

MEBIBYTE = 1024 * 1024


def measured(content: bytes, declared: str) -> dict[str, Any]:
    told = measure_scan(BytesIO(content), {"declared_type": declared, "paper_sizes": making.SIZES})
    return dict(told.get("measured", told))


def lines() -> tuple[bytes, bytes, int, int]:
    """Give the points of a good scan bare and as lines of a PNG, its width and its height."""
    wide, high = making.drawn(GOOD).size
    bare, line = making.drawn(GOOD).tobytes(), wide * 3
    return bare, b"".join(b"\0" + bare[at : at + line] for at in range(0, len(bare), line)), wide, high


@pytest.mark.parametrize("packed", ["tiff_adobe_deflate", "tiff_lzw", "raw"])
def test_honest_pages_without_loss_are_measured(packed: str) -> None:
    content = making.as_tiff(making.drawn(100), making.drawn(100, 1.0), dpi=100, packed=packed)
    assert [round(one["dpi"]) for one in measured(content, "image/tiff")["pages"]] == [100, 100]


@pytest.mark.parametrize(("behind", "taken"), [(0, True), (MEBIBYTE, True), (30 * MEBIBYTE, False)])
def test_a_little_behind_the_last_line_is_let_through(behind: int, taken: bool) -> None:
    bare, rows, wide, high = lines()
    as_tiff = coloured(8, zlib.compress(bare + bytes(behind), 1))
    as_png = png(wide, high, packed=zlib.compress(rows + bytes(behind), 1))
    for content, kind in ((as_tiff, "image/tiff"), (as_png, "image/png")):
        told = measured(content, kind)
        assert ("pages" in told) is taken and (taken or told == {"refusal": "too_large_inside"}), kind


def test_lines_in_many_parts_are_counted_together() -> None:
    _, rows, wide, high = lines()
    packed = zlib.compress(rows + bytes(30 * MEBIBYTE), 1)
    parts = [chunk(b"IDAT", packed[at : at + 8192]) for at in range(0, len(packed), 8192)]
    content = png(wide, high, *parts[:-1], packed=parts[-1][8:-4])
    assert measured(content, "image/png") == {"refusal": "too_large_inside"}


@pytest.mark.parametrize("order", ["<", ">"])
def test_directories_that_lead_in_a_circle_are_refused_in_either_order_of_bytes(order: str) -> None:
    def made(*following: int) -> BytesIO:
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
        return BytesIO(head + b"".join(struct.pack(f"{order}HI", 0, one) for one in following))

    for straight in (made(0), made(14, 0), made(14, 20, 0), made(99)):
        refuse_circles_of_tiff(straight, 100)
    for circle in (made(8), made(14, 8), made(14, 20, 14)):
        with pytest.raises(FileRefused):
            refuse_circles_of_tiff(circle, 100)
