"""What streams become is counted exactly, and never beyond the ceiling."""

import zlib
from base64 import a85encode

import pytest

from signing import ceilings
from signing.errors import FileRefused
from signing.inflation import Tally
from signing.pixels import jpeg2000_pixels, jpeg_pixels

MEBIBYTE = 2**20


@pytest.mark.parametrize(
    ("packed", "filters", "size"),
    [
        (zlib.compress(bytes(1000)), ["/FlateDecode"], 1000),
        (zlib.compress(zlib.compress(bytes(1000))), ["/Fl", "/FlateDecode"], 1000),
        (zlib.compress(bytes(1000)).hex().encode() + b">", ["/ASCIIHexDecode", "/FlateDecode"], 1000),
        (b"68 65 6c6c\n6F>rest", ["/AHx"], 5),
        (a85encode(zlib.compress(bytes(1000))) + b"~>", ["/ASCII85Decode", "/FlateDecode"], 1000),
        (a85encode(bytes(8) + b"abc") + b"~>", ["/A85"], 11),
        (b"\x02abc\xfed\x80rest", ["/RunLengthDecode"], 6),
        # The example of ISO 32000-2, 7.4.4.2.
        (bytes.fromhex("800B6050220C0C8501"), ["/LZWDecode"], 10),
        (b"jpeg", ["/DCTDecode"], 4),
        (b"plain", [], 5),
        (zlib.compress(bytes(1000))[:-4] + b"\xff" * 4, ["/FlateDecode"], 1000),  # a wrong checksum
        (zlib.compress(bytes(1000)) + b"\r\n", ["/FlateDecode"], 1000),
        (b"\x04ab", ["/RunLengthDecode"], 5),  # cut off: readers fill it up
        (b"", ["/FlateDecode"], 0),
    ],
)
def test_streams_are_measured_as_readers_read_them(packed: bytes, filters: list[str], size: int) -> None:
    assert Tally().measure(packed, filters, 64 * MEBIBYTE) == size


@pytest.mark.parametrize(
    ("packed", "filters", "found"),
    [
        (zlib.compress(bytes(2 * MEBIBYTE)), ["/FlateDecode"], "stream_inflated"),
        (zlib.compress(zlib.compress(bytes(2 * MEBIBYTE))), ["/FlateDecode"] * 2, "stream_inflated"),
        (b"\x81\x00" * 20_000 + b"\x80", ["/RunLengthDecode"], "stream_inflated"),
        (b"z" * (5 * MEBIBYTE), ["/ASCII85Decode"], "ascii85_packed"),
        (bytes(5 * MEBIBYTE), ["/FlateDecode"] * 5, "filters"),
        (b"", ["/Nobody"], "filters"),
        (b"", ["/DCTDecode", "/FlateDecode"], "filters"),
    ],
)
def test_what_goes_beyond_is_named(packed: bytes, filters: list[str], found: str) -> None:
    with pytest.raises(FileRefused) as raised:
        Tally().measure(packed, filters, MEBIBYTE)
    assert raised.value.found == (found,)


@pytest.mark.parametrize(
    ("packed", "filters"),
    [
        (b"?" + zlib.compress(bytes(1000)).hex().encode() + b">", ["/ASCIIHexDecode", "/FlateDecode"]),
        (b"\x00" + zlib.compress(bytes(1000)), ["/FlateDecode"]),
        (zlib.compress(bytes(1000))[:2] + b"\xff" * 9, ["/FlateDecode"]),
        (a85encode(bytes(range(8))) + b"\x7f!!!!!~>", ["/ASCII85Decode"]),
        (b"ab" + a85encode(bytes(8)) + b"~>", ["/ASCII85Decode"]),
        (b"!!\x0b!!!~>", ["/ASCII85Decode"]),
        (b"uuuuu~>", ["/ASCII85Decode"]),
    ],
    ids=["no digit", "no head", "bad block", "no letter", "zeros within a group", "a tab down", "too large"],
)
def test_what_readers_read_differently_is_refused(packed: bytes, filters: list[str]) -> None:
    with pytest.raises(FileRefused) as raised:
        Tally().measure(packed, filters, MEBIBYTE)
    assert (raised.value.code, raised.value.found) == ("unreadable", ("stream_unfinished",))


def test_the_streams_of_a_file_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceilings, "FILE_INFLATED", 3 * MEBIBYTE)
    tally, packed = Tally(), zlib.compress(bytes(MEBIBYTE))
    for _ in range(3):
        tally.measure(packed, ["/FlateDecode"], MEBIBYTE)
    with pytest.raises(FileRefused) as raised:
        tally.measure(packed, ["/FlateDecode"], MEBIBYTE)
    assert raised.value.found == ("file_inflated",)


def test_a_picture_says_its_own_size() -> None:
    frame = b"\xff\xc0\x00\x11\x08\xc3\x50\xea\x60\x03" + bytes(9)
    assert jpeg_pixels(b"\xff\xd8\xff\xe0\x00\x04xx" + frame) == 50_000 * 60_000
    assert jpeg_pixels(b"\xff\xd8") == jpeg_pixels(b"") == jpeg_pixels(b"\xff" * 50) == 0
    size = b"\xff\x4f\xff\x51\x00\x29\x00\x00" + (40_000).to_bytes(4, "big") * 2 + bytes(8)
    assert jpeg2000_pixels(b"jP  " + size) == 40_000 * 40_000
    assert jpeg2000_pixels(size[:10]) == 0
