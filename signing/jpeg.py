"""JPEG files: written, or cleaned of everything but the picture itself (ITU-T T.81, annex B)."""

from io import BytesIO

from PIL import Image

_QUALITY = 92
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_KEPT = frozenset({0xE0, 0xEE})  # JFIF and Adobe: how many dots an inch, and how colours are coded
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
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise ValueError("a JPEG that ends early")
        following = content[at + 1]
        if following and not 0xD0 <= following <= 0xD7:
            return at
        at += 2


def opened(content: bytes) -> Image.Image | None:
    """Decode a JPEG; None if it is none, or damaged."""
    try:
        picture = Image.open(BytesIO(content), formats=["JPEG"])
        picture.load()
    except (OSError, SyntaxError, ValueError):
        return None
    return picture
