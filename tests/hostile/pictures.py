"""Pictures made to harm whoever reads them as scans, and odd but honest ones; all bytes are made here."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pillow_heif
from PIL import Image, ImageCms

from tests.hostile.making import MEBIBYTE, deflated, honest
from tests.scans import making

PNG, JPEG, TIFF, HEIC = "image/png", "image/jpeg", "image/tiff", "image/heic"
Picture = Callable[[], bytes]
PICTURES: dict[str, tuple[str, Picture]] = {}
HONEST: dict[str, tuple[str, Picture]] = {}
DPI = 75
GOOD = 200  # dots an inch of those that are good scans but for what is wrong with them


def hostile(kind: str) -> Callable[[Picture], Picture]:
    """Take a recipe into the list of hostile pictures, declared as `kind`."""

    def keep(make: Picture) -> Picture:
        PICTURES[make.__name__] = kind, make
        return make

    return keep


def odd(kind: str) -> Callable[[Picture], Picture]:
    """Take a recipe into the list of pictures that are odd and must work."""

    def keep(make: Picture) -> Picture:
        HONEST[make.__name__] = kind, make
        return make

    return keep


# Building blocks ---------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    """Write a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *before: bytes, packed: bytes | None = None, colour: int = 2) -> bytes:
    """Write a PNG of 8 bits a channel; white, unless `packed` is what it holds."""
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    data = packed if packed is not None else zlib.compress((b"\0" + b"\xff" * width * 3) * height)
    ends = (chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join((*before, *ends))


def tiff(*entries: tuple[int, int, int, int], following: int = 0, data: bytes = b"") -> bytes:
    """Write a TIFF of one directory: tag, type, count, value; `following` is where the next one stands."""
    rows = b"".join(struct.pack("<HHII", *one) for one in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + rows + struct.pack("<I", following) + data


def plain(width: int = 100, height: int = 100) -> list[tuple[int, int, int, int]]:
    """Give the entries of a plain grey picture whose one strip stands behind its directory."""
    size = ((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))
    return [*size, (273, 4, 1, 134), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, width * height)]


def coloured(packing: int, strip: bytes, following: int = 0) -> bytes:
    """Write a TIFF that is a good scan by all that it says: A4 in colours, 200 dots an inch, one strip."""
    wide, high = making.drawn(GOOD).size
    bits, dots, data = 158, 164, 172  # where they stand behind the twelve entries
    size = ((256, 4, 1, wide), (257, 4, 1, high), (258, 3, 3, bits), (259, 3, 1, packing), (262, 3, 1, 2))
    place = ((273, 4, 1, data), (277, 3, 1, 3), (278, 4, 1, high), (279, 4, 1, len(strip)))
    scale = ((282, 5, 1, dots), (283, 5, 1, dots), (296, 3, 1, 2))
    behind = struct.pack("<HHH", 8, 8, 8) + struct.pack("<II", GOOD, 1)
    return tiff(*size, *place, *scale, following=following, data=behind + strip)


def and_a_gigabyte(first: bytes) -> bytes:
    """Deflate some bytes and a gigabyte of zeros behind them (RFC 1950)."""
    size, packer = 1024 * MEBIBYTE, zlib.compressobj(6, zlib.DEFLATED, -15)
    head = packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)
    high, low = divmod(zlib.adler32(first), 65_536)
    checksum = ((high + size * low) % 65_521 << 16) | low
    return b"\x78\xda" + head + deflated(size)[2:-4] + struct.pack(">I", checksum)


def segment(marker: int, body: bytes) -> bytes:
    """Write a segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def scan(**more: object) -> bytes:
    """A JPEG of a paper."""
    return making.as_jpeg(making.drawn(DPI), **more)


# Hostile -----------------------------------------------------------------------------------------------


@hostile(PNG)
def text_that_unpacks_to_a_gigabyte() -> bytes:
    return png(200, 300, chunk(b"zTXt", b"Comment\0\0" + deflated(1024 * MEBIBYTE)))


@hostile(PNG)
def international_text_that_unpacks_to_a_gigabyte() -> bytes:
    return png(200, 300, chunk(b"iTXt", b"Comment\0\1\0\0\0" + deflated(1024 * MEBIBYTE)))


@hostile(PNG)
def a_thousand_texts_of_a_mebibyte() -> bytes:
    one = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(MEBIBYTE - 1), 9))
    return png(200, 300, one * 1_000)


@hostile(PNG)
def profile_that_unpacks_to_a_gigabyte() -> bytes:
    return png(200, 300, chunk(b"iCCP", b"sRGB\0\0" + deflated(1024 * MEBIBYTE)))


@hostile(PNG)
def a_gigapixel_promised() -> bytes:
    return png(31_623, 31_623, packed=zlib.compress(b"\0" * 1_000))


@hostile(PNG)
def a_side_of_two_thousand_million() -> bytes:
    return png(2**31 - 1, 1, packed=zlib.compress(b"\0" * 1_000))


@hostile(PNG)
def a_side_longer_than_a_jpeg_has() -> bytes:
    return making.as_png(making.drawn(DPI).resize((600, 66_000)))


@hostile(TIFF)
def a_side_longer_than_a_jpeg_has_in_strips() -> bytes:
    return making.as_tiff(making.drawn(DPI).resize((66_000, 300)), dpi=DPI, packed="tiff_lzw")


@hostile(PNG)
def no_width_at_all() -> bytes:
    return png(0, 300, packed=zlib.compress(b"\0" * 300))


@hostile(PNG)
def fewer_lines_than_promised() -> bytes:
    return png(2_000, 3_000, packed=zlib.compress(b"\0" * 5_000))


@hostile(PNG)
def far_more_lines_than_promised() -> bytes:
    """A good scan, and behind its last line so many more that they would make a gigabyte."""
    wide, high = making.drawn(GOOD).size
    rows, line = making.drawn(GOOD).tobytes(), wide * 3
    lines = b"".join(b"\0" + rows[at : at + line] for at in range(0, len(rows), line))
    dots = chunk(b"pHYs", struct.pack(">IIB", 7_874, 7_874, 1))
    return png(wide, high, dots, packed=and_a_gigabyte(lines))


@hostile(PNG)
def an_animation_of_a_thousand_pictures_cut_short() -> bytes:
    control = chunk(b"acTL", struct.pack(">II", 1_000_000, 0))
    return png(2_000, 3_000, control, packed=zlib.compress(b"\0" * 99))


@hostile(PNG)
def animated_web_picture_named_png() -> bytes:
    made = io.BytesIO()
    pictures = [Image.new("RGB", (64, 64), (n, n, n)) for n in range(200)]
    pictures[0].save(made, "WEBP", save_all=True, append_images=pictures[1:])
    return made.getvalue()


@hostile(PNG)
def animated_gif_named_png() -> bytes:
    made = io.BytesIO()
    pictures = [Image.new("P", (8, 8), n % 256) for n in range(500)]
    pictures[0].save(made, "GIF", save_all=True, append_images=pictures[1:])
    return made.getvalue()


@hostile(PNG)
def a_page_of_the_web_behind_a_png() -> bytes:
    return making.as_png(making.drawn(DPI)) + b"<html><script>alert(1)</script></html>"


@hostile(JPEG)
def an_archive_behind_a_jpeg() -> bytes:
    return scan() + b"PK\x03\x04" + bytes(26) + b"PK\x05\x06" + bytes(18)


@hostile(JPEG)
def a_paper_behind_a_jpeg() -> bytes:
    return scan() + honest()


@hostile(JPEG)
def a_paper_in_a_comment() -> bytes:
    whole = scan()
    return whole[:2] + segment(0xFE, honest()[:60_000]) + whole[2:]


@hostile(JPEG)
def a_page_of_the_web_in_a_comment() -> bytes:
    whole = scan()
    return whole[:2] + segment(0xFE, bytes(2_000) + b"<script>alert(1)</script>") + whole[2:]


@hostile(JPEG)
def an_archive_in_what_is_called_exif() -> bytes:
    whole = scan()
    return whole[:2] + segment(0xE1, b"Exif\0\0" + archive()) + whole[2:]


@hostile(JPEG)
def a_page_of_the_web_in_the_second_picture() -> bytes:
    small = making.as_jpeg(Image.new("RGB", (60, 80), "white"))
    return scan() + small[:2] + segment(0xEA, b"<html><body>") + small[2:]


@hostile(PNG)
def an_archive_in_a_chunk_of_its_own() -> bytes:
    return _with_chunk(chunk(b"kzIP", archive()))


@hostile(PNG)
def a_page_of_the_web_in_a_text() -> bytes:
    return _with_chunk(chunk(b"tEXt", b"Comment\0<html><script>alert(1)</script></html>"))


@hostile(HEIC)
def a_page_of_the_web_in_a_box_that_nobody_reads() -> bytes:
    page = b"<html><script>alert(1)</script></html>"
    return making.as_heic(making.drawn(DPI)) + struct.pack(">I", len(page) + 8) + b"free" + page


@hostile(TIFF)
def a_page_of_the_web_behind_a_tiff() -> bytes:
    return paper_tiff() + b"<html><script>alert(1)</script></html>"


@hostile(TIFF)
def a_program_and_an_archive_behind_a_tiff() -> bytes:
    return paper_tiff() + b"MZ" + bytes(200) + b"Rar!\x1a\x07\0" + bytes(100)


@hostile(TIFF)
def something_unknown_behind_a_tiff() -> bytes:
    return paper_tiff() + bytes(range(1, 200))


@hostile(TIFF)
def a_paper_before_the_directory_of_a_tiff() -> bytes:
    """What the head leaves free between itself and its directory is a PDF."""
    inside, size = honest(), 2 + 9 * 12 + 4
    at = 8 + len(inside)
    rows = [(tag, kind, count, at + size if tag == 273 else value) for tag, kind, count, value in plain()]
    directory = b"".join(struct.pack("<HHII", *one) for one in rows)
    head = b"II*\0" + struct.pack("<I", at) + inside
    return head + struct.pack("<H", 9) + directory + bytes(4) + bytes(10_000)


@hostile(TIFF)
def a_thousand_directories_below_a_directory() -> bytes:
    below = 1_500
    at = 8 + 2 + 10 * 12 + 4 + 10_000
    places = b"".join(struct.pack("<I", at + 4 * below + 6 * number) for number in range(below))
    entries = [one for one in plain() if one[0] != 273] + [(273, 4, 1, 134), (330, 4, below, at)]
    return tiff(*entries, data=bytes(10_000) + places + bytes(6) * below)


def archive() -> bytes:
    """Write an archive of one file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("paper.exe", b"MZ" + bytes(200))
    return made.getvalue()


def paper_tiff() -> bytes:
    """A TIFF of a paper."""
    return making.as_tiff(making.drawn(DPI), dpi=DPI)


def _with_chunk(one: bytes) -> bytes:
    whole = making.as_png(making.drawn(DPI))
    return whole[:33] + one + whole[33:]  # behind IHDR


@hostile(TIFF)
def directory_that_leads_to_itself() -> bytes:
    return coloured(1, making.drawn(GOOD).tobytes(), following=8)


@hostile(TIFF)
def twenty_thousand_directories() -> bytes:
    made, size = bytearray(b"II*\0" + struct.pack("<I", 8)), 2 + 9 * 12 + 4
    rows = b"".join(struct.pack("<HHII", *one) for one in plain(1, 1))
    for number in range(20_000):
        following = 8 + size * (number + 1) if number < 19_999 else 0
        made += struct.pack("<H", 9) + rows + struct.pack("<I", following)
    return bytes(made)


@hostile(TIFF)
def strips_beyond_the_file() -> bytes:
    entries = [one for one in plain() if one[0] not in (273, 279)]
    return tiff(*entries, (273, 4, 1, 2**31), (279, 4, 1, 2**31), data=bytes(10_000))


@hostile(TIFF)
def a_thousand_million_strips() -> bytes:
    entries = [one for one in plain() if one[0] not in (273, 278, 279)]
    return tiff(*entries, (273, 4, 10**9, 134), (278, 4, 1, 1), (279, 4, 10**9, 134), data=bytes(10_000))


@hostile(TIFF)
def a_strip_packed_to_a_gigabyte() -> bytes:
    return coloured(8, and_a_gigabyte(making.drawn(GOOD).tobytes()))


@hostile(TIFF)
def a_tiff_of_a_gigapixel() -> bytes:
    return tiff(*plain(40_000, 40_000), data=bytes(10_000))


@hostile(HEIC)
def heic_cut_in_the_middle() -> bytes:
    whole = making.as_heic(making.drawn(DPI))
    return whole[: len(whole) // 2]


@hostile(HEIC)
def heic_of_a_giant_grid() -> bytes:
    """The size that the file tells of its picture (`ispe`) is made that of a grid of 256 tiles each way."""
    whole, wide = making.as_heic(making.drawn(DPI)), making.drawn(DPI).size
    told = b"ispe" + bytes(4)
    giant = struct.pack(">II", 131_072, 131_072)
    at = whole.index(told) + len(told)
    assert struct.unpack(">II", whole[at : at + 8])[0] >= wide[0]
    return whole[:at] + giant + whole[at + 8 :]


@hostile(HEIC)
def heic_of_nested_boxes() -> bytes:
    inner = b""
    for _ in range(20_000):
        inner = struct.pack(">I", len(inner) + 12) + b"meta" + bytes(4) + inner
    return struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + inner


@hostile(JPEG)
def progressive_without_end() -> bytes:
    """Tens of thousands of passes over eighty million points, each of a few bytes."""
    tables = scan_parts()
    frame = segment(0xC2, b"\x08" + struct.pack(">HH", 8_900, 8_900) + b"\x01\x01\x11\x00")
    first = segment(0xDA, b"\x01\x01\x00\x00\x00\x01") + b"\0"
    again = segment(0xDA, b"\x01\x01\x00\x00\x00\x10") + b"\0"
    return b"\xff\xd8" + tables + frame + first + again * 20_000 + b"\xff\xd9"


def scan_parts() -> bytes:
    """The tables of a JPEG: quantisation and Huffman codes."""
    content, at, kept = making.as_jpeg(Image.new("L", (8, 8))), 2, b""
    while content[at + 1] != 0xDA:
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        kept += content[at : at + 2 + length] if content[at + 1] in (0xDB, 0xC4) else b""
        at += 2 + length
    return kept


@hostile(JPEG)
def jpeg_of_the_largest_sides() -> bytes:
    frame = segment(0xC0, b"\x08\xff\xff\xff\xff\x01\x01\x11\x00")
    return b"\xff\xd8" + scan_parts() + frame + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\0\xff\xd9"


@hostile(JPEG)
def jpeg_of_forty_megabytes_of_markers() -> bytes:
    good = making.as_jpeg(making.drawn(GOOD), dpi=(GOOD, GOOD))
    return good[:-2] + b"\xff\xd0" * (20 * MEBIBYTE)


# Odd, and honest ---------------------------------------------------------------------------------------


@odd(JPEG)
def a_photo_that_tells_where_it_was_taken() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "where she lives"
    exif.get_ifd(0x8825).update(
        {1: "N", 2: (21.0, 2.0, 3.0), 3: "E", 4: (105.0, 48.0, 1.0), 29: "2026:11:20"}
    )
    return scan(exif=exif)


@odd(JPEG)
def a_photo_with_all_the_metadata_there_may_be() -> bytes:
    whole = scan()
    notes = segment(0xE1, b"Exif\0\0" + b"where she lives " * 4_090) * 300
    return whole[:2] + notes + whole[2:]


@odd(PNG)
def a_png_that_tells_where_it_was_taken() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (21.0, 2.0, 3.0), 29: "where she lives"})
    return making.as_png(making.drawn(DPI), exif=exif)


@odd(HEIC)
def a_heic_that_tells_where_it_was_taken() -> bytes:
    exif, made = Image.Exif(), io.BytesIO()
    exif[0x010E] = "where she lives"
    pillow_heif.from_pillow(making.drawn(DPI)).save(made, quality=50, exif=exif.tobytes())
    return made.getvalue()


@odd(JPEG)
def colours_for_printing() -> bytes:
    return making.as_jpeg(making.drawn(DPI).convert("CMYK"))


@odd(TIFF)
def colours_for_printing_without_loss() -> bytes:
    made = io.BytesIO()
    making.drawn(DPI).convert("CMYK").save(made, "TIFF", compression="tiff_lzw")
    return made.getvalue()


@odd(TIFF)
def a_tiff_with_notes_padded_at_its_end() -> bytes:
    """What Pillow writes of a TIFF with EXIF, and the few bytes that a scanner's program rounds it up by."""
    exif, made = Image.Exif(), io.BytesIO()
    exif[0x010E] = "where she lives"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:20 08:00:00"
    making.drawn(DPI).save(made, "TIFF", compression="jpeg", dpi=(DPI, DPI), exif=exif)
    return made.getvalue() + b"\0\1\2\0" + bytes(500)


@odd(JPEG)
def a_photo_with_all_that_programs_write() -> bytes:
    """EXIF, XMP, a profile, the table of further pictures, a comment, and a maker's own segment."""
    exif, profile = Image.Exif(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif[0x010E] = "where she lives <html >"
    whole = scan(exif=exif, icc_profile=profile)
    packet = b"http://ns.adobe.com/xap/1.0/\0<?xpacket begin=''?><x:xmpmeta>where she lives</x:xmpmeta>"
    table = b"MPF\0MM\0*" + struct.pack(">I", 8) + bytes(80)
    own = b"Maker\0" + bytes(range(256)) * 200 + b" MZ \x1f\x8b\x08 " + bytes(90)
    notes = segment(0xE1, packet) + segment(0xE2, table) + segment(0xE7, own)
    return whole[:2] + notes + segment(0xFE, b"CREATOR: gd-jpeg v1.0 <quality = 90>") + whole[2:]


@odd(PNG)
def a_palette() -> bytes:
    return making.as_png(making.drawn(DPI).convert("P", palette=Image.Palette.ADAPTIVE))


@odd(PNG)
def a_palette_with_a_clear_colour() -> bytes:
    return making.as_png(making.drawn(DPI).convert("P", palette=Image.Palette.ADAPTIVE), transparency=0)


@odd(PNG)
def sixteen_bits_of_grey() -> bytes:
    grey = making.drawn(DPI).convert("L")
    return making.as_png(grey.convert("I").point(lambda level: level * 257).convert("I;16"))


@odd(PNG)
def sixteen_bits_of_every_colour() -> bytes:
    wide, high = making.drawn(DPI).size
    rows = making.drawn(DPI).tobytes()
    doubled = bytes(one for level in rows for one in (level, level))
    lines = b"".join(b"\0" + doubled[at : at + wide * 6] for at in range(0, len(doubled), wide * 6))
    head = struct.pack(">IIBBBBB", wide, high, 16, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(lines, 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


@odd(JPEG)
def a_progressive_photo() -> bytes:
    return scan(progressive=True)
