# mypy: allow-untyped-calls
"""The kind of colours that a picture in a PDF has, by its colour space (ISO 32000-1, 8.6)."""

from typing import Any

import pikepdf

_GREYS, _COLOURS = ("/DeviceGray", "/CalGray", "/G"), ("/DeviceRGB", "/CalRGB", "/RGB", "/Lab")


def colour_of_picture(image: Any) -> str:
    """Give rgb, cmyk, grey, bitonal or unknown for an image XObject."""
    if bool(image.get("/ImageMask", False)) or int(image.get("/BitsPerComponent", 8)) == 1:
        return "bitonal"
    return colour_of(image.get("/ColorSpace"))


def colour_of(space: Any) -> str:
    """Give rgb, cmyk, grey or unknown for a colour space."""
    if isinstance(space, pikepdf.Array):
        kind = str(space[0])
        if kind == "/ICCBased":
            return {1: "grey", 3: "rgb", 4: "cmyk"}.get(int(space[1].get("/N", 0)), "unknown")
        if kind in ("/Indexed", "/I"):
            return _colour_of_palette(space)
    else:
        kind = str(space)
    if kind in _GREYS:
        return "grey"
    if kind in _COLOURS:
        return "rgb"
    return "cmyk" if kind in ("/DeviceCMYK", "/CMYK") else "unknown"


def _colour_of_palette(space: Any) -> str:
    base, levels = colour_of(space[1]), space[3]
    if base != "rgb":
        return base
    rows = bytes(levels.read_bytes()) if isinstance(levels, pikepdf.Stream) else bytes(levels)
    return "grey" if rows[0::3] == rows[1::3] == rows[2::3] else "rgb"
