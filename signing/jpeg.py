"""JPEG files: written, or cleaned of everything but the picture itself (ITU-T T.81, annex B)."""

import re
from contextlib import suppress
from io import BytesIO

from PIL import Image

_QUALITY = 92
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_KEPT = frozenset({0xE0, 0xEE})  # JFIF and Adobe: how many dots an inch, and how colours are coded
_NEXT = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def write(picture: Image.Image) -> bytes:
    """Give a picture as JPEG in red, green and blue, without loss of colour detail."""
    made = BytesIO()
    picture.convert("RGB").save(made, "JPEG", quality=_QUALITY, subsampling=0)
    return made.getvalue()


def cleaned(content: bytes) -> bytes:
    """Give the same picture bit by bit, without comments, metadata, previews and what follows its end.

    Raises:
        ValueError: it is no JPEG, or it ends early.
    """
    if content[:2] != bytes((0xFF, _START)):
        raise ValueError("no JPEG")
    kept, at = [content[:2]], 2
    while True:
        marker, start = _marker(content, at)
        if marker == _END:
            return b"".join([*kept, bytes((0xFF, _END))])
        if marker in _ALONE:
            at = start
            continue
        length = int.from_bytes(content[start : start + 2], "big")
        stop = start + length
        if length < 2 or stop > len(content):
            raise ValueError("a JPEG that ends early")
        if marker == _SCAN:
            stop = _after_scan(content, stop)
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or marker in _KEPT:
            kept.append(bytes((0xFF, marker)) + content[start:stop])
        at = stop


def passes(content: bytes) -> int:
    """Count the passes that a decoder makes over a JPEG: one, or some dozens if it gets finer by and by.

    Counted as far as it can be followed; what is no JPEG has none.
    """
    count, at = 0, 2
    with suppress(ValueError):
        while True:
            marker, at = _marker(content, at)
            if marker == _END:
                break
            if marker in _ALONE:
                continue
            length = int.from_bytes(content[at : at + 2], "big")
            at += length
            if length < 2 or at > len(content):
                break
            if marker == _SCAN:
                count, at = count + 1, _after_scan(content, at)
    return count


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """Read the marker at a place, fill bytes before it skipped; gives it and what follows it."""
    if content[at : at + 1] != b"\xff":
        raise ValueError("a JPEG with bytes between its parts")
    while content[at : at + 1] == b"\xff":
        at += 1
    if at >= len(content):
        raise ValueError("a JPEG that ends early")
    return content[at], at + 1


def _after_scan(content: bytes, at: int) -> int:
    """Find the next marker behind coded data; 00 and restart markers belong to the data."""
    found = _NEXT.search(content, at)
    if found is None:
        raise ValueError("a JPEG that ends early")
    return found.start()


def opened(content: bytes) -> Image.Image | None:
    """Decode a JPEG; None if it is none, or damaged."""
    try:
        picture = Image.open(BytesIO(content), formats=["JPEG"])
        picture.load()
    except (OSError, SyntaxError, ValueError):
        return None
    return picture
