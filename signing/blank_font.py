"""A font without ink for text that is found but not seen: each letter an empty glyph, half as wide as high.

Made here as a TrueType file (OpenType 1.9, glyf outlines) of two empty glyphs, so that a text layer carries
its font as PDF/A wants, whatever letters it has.
"""

import struct

import pikepdf

_UNITS = 1000
ADVANCE = 500  # units of 1,000 an em, of every letter
_NAME = "KhoUnseen"
_GLYPHS = 2  # the first stands for what is missing and is never used


def blank_font(document: pikepdf.Pdf) -> pikepdf.Object:
    """Add the font to a document; a text in it is UTF-16 (big-endian), and reads as that."""
    program = pikepdf.Stream(document, _truetype())
    program["/Length1"] = len(_truetype())
    descriptor = pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor,
        FontName=pikepdf.Name("/" + _NAME),
        Flags=5,
        FontBBox=[0, 0, ADVANCE, _UNITS],
        ItalicAngle=0,
        Ascent=_UNITS,
        Descent=0,
        CapHeight=_UNITS,
        StemV=80,
        FontFile2=document.make_indirect(program),
    )
    letters = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.CIDFontType2,
        BaseFont=pikepdf.Name("/" + _NAME),
        CIDSystemInfo=pikepdf.Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        FontDescriptor=document.make_indirect(descriptor),
        CIDToGIDMap=document.make_indirect(pikepdf.Stream(document, struct.pack(">H", 1) * 65_536)),
        DW=ADVANCE,
    )
    return document.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type0,
            BaseFont=pikepdf.Name("/" + _NAME),
            Encoding=pikepdf.Name("/Identity-H"),
            DescendantFonts=[document.make_indirect(letters)],
            ToUnicode=document.make_indirect(pikepdf.Stream(document, _to_unicode())),
        )
    )


def _to_unicode() -> bytes:
    rows = [f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>" for high in range(256)]
    blocks = [rows[at : at + 64] for at in range(0, len(rows), 64)]
    ranges = "\n".join(f"{len(one)} beginbfrange\n" + "\n".join(one) + "\nendbfrange" for one in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{ranges}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode()


def _truetype() -> bytes:
    tables = {
        b"cmap": struct.pack(">HH", 0, 1) + struct.pack(">HHI", 3, 1, 12) + _empty_map(),
        b"glyf": b"\0\0\0\0",
        b"head": struct.pack(
            ">IIIIHHqqhhhhHHhhh",
            0x00010000,
            0x00010000,
            0,
            0x5F0F3CF5,
            0,
            _UNITS,
            0,
            0,
            0,
            0,
            ADVANCE,
            _UNITS,
            0,
            8,
            2,
            0,
            0,
        ),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x00010000, _UNITS, 0, 0, ADVANCE, *[0] * 11, _GLYPHS),
        b"hmtx": struct.pack(">HhHh", ADVANCE, 0, ADVANCE, 0),
        b"loca": struct.pack(">HHH", 0, 0, 0),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 0x00010000, _GLYPHS, *[0] * 4, 1, *[0] * 8),
        b"post": struct.pack(">IIhhIIIII", 0x00030000, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    directory, body = b"", b""
    start = 12 + 16 * len(tables)
    for tag, content in tables.items():
        directory += tag + struct.pack(">III", _sum(content), start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    power = len(tables).bit_length() - 1
    search = 16 * 2**power
    head = struct.pack(">IHHHH", 0x00010000, len(tables), search, power, 16 * len(tables) - search)
    return head + directory + body


def _empty_map() -> bytes:
    """A character map (format 4) with nothing but its end: letters are found by their own numbers."""
    return struct.pack(">HHHHHHH", 4, 24, 0, 2, 2, 0, 0) + struct.pack(">HHHhH", 0xFFFF, 0, 0xFFFF, 1, 0)


def _sum(content: bytes) -> int:
    padded = content + b"\0" * (-len(content) % 4)
    numbers: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(numbers) & 0xFFFFFFFF
