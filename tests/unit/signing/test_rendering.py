"""Pictures of pages: whole, never larger than they may be, drawn where foreign bytes are touched."""

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from signing.errors import WorkerFailed
from signing.picture import LONGEST_SIDE, MOST_PIXELS, NoPicture, Picture
from signing.rendering import draw_page, png, scale_of
from signing.workers import Limits, WorkerPool

pytestmark = pytest.mark.anyio


def paper(width: float, height: float, pages: int = 1, **saving: Any) -> bytes:
    made = BytesIO()
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page(page_size=(width, height))
        document.save(made, **saving)
    return made.getvalue()


def unpacked(picture: bytes) -> tuple[int, int, int, bytes]:
    """Read a PNG as a browser would, every checksum included: width, height, colour type, rows."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(picture):
        (size,) = struct.unpack_from(">I", picture, at)
        kind, content = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", picture, at + 8 + size) == (zlib.crc32(kind + content),)
        chunks[kind] = content
        at += size + 12
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, _, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    return width, height, colour, zlib.decompress(chunks[b"IDAT"])


@contextmanager
def opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)


@pytest.mark.parametrize(
    ("width", "height"),
    [(595.3, 841.9), (14_400, 14_400), (0.01, 14_400), (14_400, 1), (3, 3), (100_000, 70_000)],
)
def test_no_page_makes_a_picture_larger_than_it_may_be(width: float, height: float) -> None:
    scale = scale_of(width, height)
    across, down = -(-width * scale // 1), -(-height * scale // 1)
    assert across * down <= MOST_PIXELS
    assert max(across, down) <= LONGEST_SIDE
    assert scale <= 2


@pytest.mark.parametrize("size", [(0, 100), (-5, 100), (0, 0)])
def test_a_page_without_a_size_has_no_scale(size: tuple[float, float]) -> None:
    with pytest.raises((ValueError, ZeroDivisionError)):
        scale_of(*size)


def test_rows_are_packed_in_colour_only_where_there_is_any() -> None:
    red = bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    assert unpacked(png(red, 2)) == (2, 2, 2, b"\x00" + red[:6] + b"\x00" + red[6:])
    grey = bytes([7, 7, 7, 8, 8, 8])
    assert unpacked(png(grey, 1)) == (1, 2, 0, b"\x00\x07\x00\x08")


@pytest.mark.parametrize(
    ("content", "page", "expected"),
    [
        (paper(100, 100, pages=2), 3, {"failure": "page_not_there", "pages": 2}),
        (paper(100, 100), 0, {"failure": "page_not_there", "pages": 1}),
        (paper(100, 100)[:200], 1, {"failure": "unreadable"}),
        (b"%PDF-1.7\n%%EOF\n", 1, {"failure": "unreadable"}),
        (paper(9, 9, encryption=pikepdf.Encryption(owner="o", user="u")), 1, {"failure": "encrypted"}),
    ],
)
def test_what_cannot_be_drawn_is_named(content: bytes, page: int, expected: dict[str, Any]) -> None:
    assert draw_page(BytesIO(content), {"page": page}) == expected


async def test_a_worker_draws_the_page_of_an_open_file(workers: WorkerPool, sealed_certificate: Any) -> None:
    with opened(sealed_certificate.sealed) as file:
        drawn = await workers.picture(file, 1)
    assert isinstance(drawn, Picture)
    width, height, _, rows = unpacked(drawn.png)
    assert (width, height, drawn.pages) == (drawn.width, drawn.height, 1)
    assert width * height <= MOST_PIXELS and height > width > 1000
    assert len(set(rows)) > 10, "something is written on it"


async def test_a_huge_page_is_drawn_small(workers: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "huge.pdf").write_bytes(paper(14_400, 14_400))
    with opened(tmp_path / "huge.pdf") as file:
        drawn = await workers.picture(file, 1)
    assert isinstance(drawn, Picture) and drawn.width * drawn.height <= MOST_PIXELS


async def test_a_worker_that_cannot_says_why(sealed_certificate: Any) -> None:
    pool = WorkerPool(size=1, limits=Limits(memory_bytes=1024 * 1024))
    await pool.start()
    with opened(sealed_certificate.sealed) as file:
        assert await pool.picture(file, 1) == NoPicture("worker_memory")
    await pool.close()
    with pytest.raises(WorkerFailed), opened(sealed_certificate.sealed) as file:
        await pool.picture(file, 1)


async def test_a_broken_file_is_no_picture(workers: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    with opened(tmp_path / "broken.pdf") as file:
        assert await workers.picture(file, 1) == NoPicture("unreadable")
