# mypy: allow-untyped-calls
"""How many pixels a picture in a PDF really has: as its own coding says, and no more than its mask's."""

import zlib
from io import BytesIO
from typing import Any

import pikepdf
from PIL import Image

from signing.errors import FileRefused

_CODED = ("/DCTDecode", "/DCT", "/JPXDecode")  # whose bytes tell their own size
_UNPACKED = 64 * 1024 * 1024  # bytes of a JPEG that is packed once more


def pixels_of(image: Any) -> tuple[int, int]:
    """Give width and height; a mask that is coarser than its picture sets them. Raises FileRefused."""
    width, height = _own(image)
    for name in ("/SMask", "/Mask"):
        mask = image.get(name)
        if isinstance(mask, pikepdf.Stream):
            wide, high = _own(mask)
            width, height = min(width, wide), min(height, high)
    return width, height


def _own(image: Any) -> tuple[int, int]:
    width, height = int(image.get("/Width", 0)), int(image.get("/Height", 0))
    filters = image.get("/Filter")
    names = [str(one) for one in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]
    if not names or names[-1] not in _CODED:
        return width, height
    wide, high = _coded(_unpacked(bytes(image.read_raw_bytes()), names[:-1]))
    return min(width, wide), min(height, high)


def _unpacked(content: bytes, names: list[str]) -> bytes:
    for name in names:
        if name not in ("/FlateDecode", "/Fl"):
            raise FileRefused("too_complex", "a picture is packed in an unusual way")
        try:
            packed = zlib.decompressobj()
            content = packed.decompress(content, _UNPACKED)
        except zlib.error as error:
            raise FileRefused("unreadable", "a picture is damaged") from error
        if packed.unconsumed_tail:
            raise FileRefused("too_complex", "a picture is too large when unpacked")
    return content


def _coded(content: bytes) -> tuple[int, int]:
    try:
        with Image.open(BytesIO(content), formats=["JPEG", "JPEG2000"]) as picture:
            return picture.size
    except (OSError, SyntaxError, ValueError) as error:
        raise FileRefused("unreadable", f"a picture is damaged: {type(error).__name__}") from error
