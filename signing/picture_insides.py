"""What a picture carries inside beside its points: no paper, page, program or archive hides in its notes.

Looked into are the comments and unknown segments of a JPEG, the texts and unknown chunks of a PNG, the boxes
of a HEIF that nobody reads, and the bytes of a TIFF that nothing names. EXIF, XMP, profiles and the table of
further pictures are what honest programs write, and are let through when they are what they are called.
"""

import re
import struct
from collections.abc import Iterator

from signing.file_types import PDF, hidden_in
from signing.tiff_extent import unnamed

_EARLY = 1_024  # bytes in which readers look for the beginning of a PDF (ISO 32000-1, annex H, 3.4.1)
_NEXT = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")  # a marker that ends a picture or has a length
_COMMENT, _END, _APPLICATIONS = 0xFE, 0xD9, range(0xE0, 0xF0)
_HONEST_SEGMENTS = (  # as their first bytes say: EXIF (with the head of its TIFF), XMP, ICC, further pictures
    b"Exif\0\0II*\0",
    b"Exif\0\0MM\0*",
    b"http://ns.adobe.com/xap/1.0/\0",
    b"http://ns.adobe.com/xmp/extension/\0",
    b"ICC_PROFILE\0",
    b"MPF\0",
)
_HONEST_TEXT = b"XML:com.adobe.xmp\0"
_TEXTS = frozenset({b"tEXt", b"iTXt"})
# ISO/IEC 15948 and its third edition; what is packed in them is measured by whoever unpacks it.
_CHUNKS = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI zTXt bKGD hIST pHYs sPLT eXIf tIME "
    b"acTL fcTL fdAT oFFs pCAL sCAL".split()
)
_UNREAD_BOXES = frozenset({b"free", b"skip", b"uuid"})  # ISO/IEC 14496-12, 8.1.2, 11.1


def what_hides(content: bytes, media_type: str) -> str | None:
    """Give the media type of what hides in a picture; None if nothing does. Raises FileRefused."""
    notes = {"image/jpeg": _segments, "image/png": _chunks, "image/heic": _boxes, "image/tiff": unnamed}
    if media_type not in notes:
        return None
    if b"%PDF-" in content[: _EARLY + 4]:
        return PDF
    found = (hidden_in(one) for one in notes[media_type](content))
    return next((one for one in found if one is not None), None)


def _segments(content: bytes) -> Iterator[bytes]:
    """Give the comments and unknown segments of a JPEG, of the pictures behind the first one too."""
    at = 2
    while (found := _NEXT.search(content, at)) is not None:
        kind, at = found[1][0], found.end()
        if kind == _END:
            continue
        length = int.from_bytes(content[at : at + 2], "big")
        body = content[at + 2 : at + length]
        if kind == _COMMENT or (kind in _APPLICATIONS and not body.startswith(_HONEST_SEGMENTS)):
            yield body
        at += length


def _chunks(content: bytes) -> Iterator[bytes]:
    at = 8
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind not in _CHUNKS and length:
            body = content[at + 8 : at + 8 + length]
            if kind not in _TEXTS or not body.startswith(_HONEST_TEXT):
                yield body
        at += 12 + length


def _boxes(content: bytes) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8:
            return
        if kind in _UNREAD_BOXES:
            yield content[at + 8 : at + size]
        at += size
