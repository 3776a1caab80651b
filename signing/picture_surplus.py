"""Pictures that hold far more than they show, packed behind their last line, and circles of directories.

Whoever reads such a picture stops where its lines end and never meets the rest; the next reader of the stored
file may. A little more than is needed is the habit of some programs and is let through.
"""

import struct
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO

from PIL import Image

from signing.errors import FileRefused

_SPARE = 1024 * 1024  # bytes beside as much again as the picture needs
_PIECE = 1024 * 1024  # bytes unpacked at once
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG by its kind of colour (ISO/IEC 15948, 11.2.2)
_DEFLATED = (8, 32946)  # compressions of TIFF that deflate
_COMPRESSION, _BITS, _STRIPS, _TILES = 259, 258, (273, 279), (324, 325)  # tags of TIFF


def refuse_surplus_of_png(stream: BinaryIO) -> None:
    """Refuse a PNG whose packed lines are far more than its picture has. Raises FileRefused."""
    stream.seek(0)
    content = stream.read()
    if len(content) < 33:
        return
    wide, high, depth, colour = struct.unpack_from(">IIBB", content, 16)
    line = (wide * depth * _CHANNELS.get(colour, 4) + 7) // 8 + 1
    _refuse_more([_packed_lines(content)], line * high)


def refuse_surplus_of_tiff(stream: BinaryIO, frame: Image.Image) -> None:
    """Refuse a picture whose deflated strips or tiles are far more than it has. Raises FileRefused."""
    tags = getattr(frame, "tag_v2", {})
    if tags.get(_COMPRESSION) not in _DEFLATED:
        return
    bits = tags.get(_BITS, (1,))
    needed = frame.width * frame.height * sum(bits if isinstance(bits, tuple) else (bits,)) // 8
    named = [(tags.get(places, ()), tags.get(sizes, ())) for places, sizes in (_STRIPS, _TILES)]
    parts = [part for places, sizes in named for part in zip(places, sizes, strict=False)]
    _refuse_more(([_read(stream, place, size)] for place, size in parts), needed)


def refuse_circles_of_tiff(stream: BinaryIO, most: int) -> None:
    """Refuse a TIFF whose directories lead back to one before (TIFF 6.0, section 2). Raises FileRefused.

    Args:
        most: directories that are followed; who has more is refused for that elsewhere.
    """
    stream.seek(0)
    order = "<" if stream.read(4)[:2] == b"II" else ">"
    seen = set[int]()
    at = _number(stream, 4, order + "I")
    while at and len(seen) <= most:
        if at in seen:
            raise FileRefused("too_complex", "the directories of the file lead in a circle")
        seen.add(at)
        at = _number(stream, at + 2 + 12 * _number(stream, at, order + "H"), order + "I")


def _number(stream: BinaryIO, at: int, form: str) -> int:
    read = _read(stream, at, struct.calcsize(form))
    return int(struct.unpack(form, read)[0]) if len(read) == struct.calcsize(form) else 0


def _read(stream: BinaryIO, at: int, size: int) -> bytes:
    stream.seek(at)
    return stream.read(size)


def _packed_lines(content: bytes) -> Iterable[bytes]:
    at = 8
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind == b"IDAT":
            yield content[at + 8 : at + 8 + length]
        at += 12 + length


def _refuse_more(packed: Iterable[Iterable[bytes]], needed: int) -> None:
    """Unpack deflated streams as far as is needed twice over; damage is for whoever reads them to refuse."""
    left = 2 * needed + _SPARE
    for pieces in packed:
        unpacking = zlib.decompressobj()
        with suppress(zlib.error):
            for piece in pieces:
                rest = piece
                while rest and left >= 0:
                    left -= len(unpacking.decompress(rest, _PIECE))
                    rest = unpacking.unconsumed_tail
        if left < 0:
            raise FileRefused("too_large_inside", "far more is packed than the picture shows")
