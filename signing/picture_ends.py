"""Where a picture ends, and what follows it: nobody stores an archive or a page of the web as a picture.

A JPEG of a phone has more pictures behind the first (CIPA DC-007), a short film or the maker's own notes;
those are let through, and none of them gets into the copy. A PNG ends where it says (ISO/IEC 15948, IEND), a
TIFF behind the last byte that it names.
"""

import re
import struct
from typing import BinaryIO

from signing.file_types import HEAD, TAIL, UNKNOWN, archive_at_end, media_type_of
from signing.picture_insides import what_hides
from signing.tiff_extent import goes_on

_MOST_FRAMES = 64
_MARKUP = re.compile(rb"<(?:!doctype|html|script|svg|iframe|\?php)", re.IGNORECASE)
_ARCHIVES = (b"PK\x05\x06", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
_FILM = b"ftyp"  # behind four bytes of length: a film begins (ISO/IEC 14496-12)
_MAKERS = b"SEFT"  # the last bytes of one maker's notes
_NEXT = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")  # a marker that ends a picture or has a length
_PADDING = b"\x00\xff\r\n \t"


def what_follows(stream: BinaryIO, media_type: str) -> str | None:
    """Give the media type of what stands behind a picture's end or inside it; None if nothing does.

    A picture that never ends is for whoever reads it to refuse. Raises FileRefused for a TIFF of too many
    directories.
    """
    stream.seek(0)
    content = stream.read()
    if archive_at_end(content[-TAIL:]):
        return "application/zip"
    if (hidden := what_hides(content, media_type)) is not None:
        return hidden
    if media_type == "image/tiff":
        return UNKNOWN if goes_on(content) else None
    if media_type == "image/png":
        end = _png_end(content)
        return UNKNOWN if end is not None and content[end:] else None
    end = {"image/jpeg": jpeg_end, "image/heic": _boxes_end}.get(media_type, lambda _: None)(content)
    return _behind(content[end:]) if end is not None else None


def _behind(rest: bytes) -> str | None:
    film = rest[4:8] == _FILM
    rest = rest.lstrip(_PADDING)
    if not rest:
        return None
    known = media_type_of(rest[:HEAD])
    if known not in (UNKNOWN, "image/jpeg"):
        return known
    if _MARKUP.search(rest):
        return "text/html"
    if any(one in rest for one in _ARCHIVES):
        return "application/zip"
    return None if film or rest.endswith(_MAKERS) or known != UNKNOWN else UNKNOWN


def _png_end(content: bytes) -> int | None:
    at = 8
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        at += 12 + length
        if kind == b"IEND":
            return at if at <= len(content) else None
    return None


def _boxes_end(content: bytes) -> int | None:
    """Find the end of the boxes of a HEIF file (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size == 1 and at + 16 <= len(content):
            (size,) = struct.unpack_from(">Q", content, at + 8)
        if size < 8 or not kind.isalnum() or at + size > len(content):
            return None if size == 0 or kind.isalnum() else at
        at += size
    return at


def jpeg_end(content: bytes) -> int | None:
    """Find the end of the last of the pictures that follow each other; None if the first never ends."""
    at: int | None = 0
    end: int | None = None
    for _ in range(_MOST_FRAMES):
        at = _frame_end(content, at) if at is not None else None
        if at is None:
            return end
        end = at
        while at < len(content) and content[at] in (0, 0xFF) and content[at : at + 2] != b"\xff\xd8":
            at += 1
        if content[at : at + 2] != b"\xff\xd8":
            return end
    return end


def _frame_end(content: bytes, at: int) -> int | None:
    """Find what follows the end marker of the picture at a place (ITU-T T.81, annex B)."""
    at += 2
    while (found := _NEXT.search(content, at)) is not None:
        if found[1] == b"\xd9":
            return found.end()
        at = found.end() + int.from_bytes(content[found.end() : found.end() + 2], "big")
    return None
