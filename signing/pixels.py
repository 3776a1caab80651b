"""How many pixels a picture has: as its dictionary declares, and as its own bytes say."""

import struct

# Start of frame of JPEG (ITU-T T.81, B.1.1.3); all but the tables that share the range.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SIZE = b"\xff\x4f\xff\x51"  # start of codestream and image size of JPEG 2000 (ITU-T T.800, A.5.1)


def jpeg_pixels(content: bytes) -> int:
    """Give width times height of the largest frame of a JPEG, 0 where none is found."""
    at, most = 2, 0
    while at + 9 <= len(content):
        if content[at] != 0xFF:
            break  # the data of a scan: frames come before it
        kind = content[at + 1]
        if kind == 0xFF or 0xD0 <= kind <= 0xD9 or kind == 0x01:
            at += 1 if kind == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        if kind in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            most = max(most, width * height)
        at += 2 + length
    return most


def jpeg2000_pixels(content: bytes) -> int:
    """Give width times height that a JPEG 2000 codestream declares, 0 where none is found."""
    at = content.find(_SIZE)
    if at < 0 or at + 24 > len(content):
        return 0
    width, height, left, top = struct.unpack_from(">IIII", content, at + 8)
    return int(max(0, width - left) * max(0, height - top))
