# mypy: allow-untyped-calls
"""Drawing one page of a PDF as PNG, inside a worker process. No key and no network are needed."""

import base64
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import pypdfium2

from signing.picture import DOTS_AN_INCH, LONGEST_SIDE, MOST_PIXELS

_POINTS_AN_INCH = 72
_LOCKED = 4  # pdfium's FPDF_ERR_PASSWORD
_GREY, _COLOUR = 0, 2  # colour types of PNG


def draw_page(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: png (base64), width, height, pages; or failure (a code), pages if known.

    `request`: page, from 1. Raises MemoryError when the process has no more, nothing else for the sake of
    the file.
    """
    try:
        with pypdfium2.PdfDocument(stream) as document:
            document.init_forms()  # without it the visible part of a signature is not drawn
            pages, number = len(document), int(request["page"])
            if not 1 <= number <= pages:
                return {"failure": "page_not_there", "pages": pages}
            return _drawn(document[number - 1]) | {"pages": pages}
    except pypdfium2.PdfiumError as error:
        locked = error.err_code == _LOCKED
        return {"failure": "encrypted" if locked else "unreadable"}
    except (ValueError, OverflowError, ZeroDivisionError):
        return {"failure": "unreadable"}  # a page without a size


def _drawn(page: Any) -> dict[str, Any]:
    bitmap = page.render(scale=scale_of(*page.get_size()), rev_byteorder=True)
    width, height = bitmap.width, bitmap.height
    rows = memoryview(bytes(bitmap.buffer))
    line = width * bitmap.n_channels
    pixels = b"".join(rows[at : at + line] for at in range(0, bitmap.stride * height, bitmap.stride))
    return {"png": base64.b64encode(png(pixels, width)).decode(), "width": width, "height": height}


def scale_of(width: float, height: float) -> float:
    """Give pixels per point for a page of this size in points, so that no picture has more than it may.

    Raises:
        ValueError, ZeroDivisionError: the page has no size.
    """
    scale = min(
        DOTS_AN_INCH / _POINTS_AN_INCH,
        math.sqrt(MOST_PIXELS / (width * height)),
        LONGEST_SIDE / max(width, height),
    )
    while math.ceil(width * scale) * math.ceil(height * scale) > MOST_PIXELS:
        scale *= 0.99  # each side is rounded up
    return scale


def png(pixels: bytes, width: int) -> bytes:
    """Pack rows of red, green and blue bytes as a PNG (ISO/IEC 15948), grey if there is no colour in it."""
    grey = pixels[0::3]
    colour = _COLOUR if grey != pixels[1::3] or grey != pixels[2::3] else _GREY
    content, line = (pixels, width * 3) if colour else (grey, width)
    height = len(content) // line
    packed = zlib.compress(b"".join(b"\x00" + content[at : at + line] for at in range(0, len(content), line)))
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
