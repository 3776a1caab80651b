"""Scans made for tests: a paper as a scanner would give it, at any resolution, tilt, grain and colour."""

import random
import zlib
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import pikepdf
import pillow_heif
import pypdfium2
from PIL import Image, ImageDraw

from reuse_api.demo import people
from signing.composing import compose

SIZES = [[210, 297], [297, 420], [148, 210], [54, 85.6]]
_AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
_PAPER, _INK = (250, 247, 238), (28, 24, 60)


@cache
def certificate() -> bytes:
    """A birth certificate as it lies on the glass."""
    return compose(
        "birth_certificate", people.certificate("118/2026", "2026-11-20", birth_place="Hà Nội"), at=_AT
    )


@cache
def drawn(dpi: int = 200, tilt: float = 0.0) -> Image.Image:
    """The certificate as a colour scanner sees it: A4, yellowish paper; `tilt` in degrees clockwise."""
    with pypdfium2.PdfDocument(certificate()) as paper:
        grey = paper[0].render(scale=dpi / 72, grayscale=True).to_pil()
    size = (round(210 / 25.4 * dpi), round(297 / 25.4 * dpi))
    grey = grey.resize(size)
    if tilt:
        grey = grey.rotate(-tilt, Image.Resampling.BICUBIC, fillcolor=255)
    bands = [
        grey.point([round(i + (p - i) * level / 255) for level in range(256)])
        for p, i in zip(_PAPER, _INK, strict=True)
    ]
    return Image.merge("RGB", bands)


def blank(dpi: int = 200, colour: tuple[int, int, int] = _PAPER) -> Image.Image:
    return Image.new("RGB", (round(210 / 25.4 * dpi), round(297 / 25.4 * dpi)), colour)


def grained(picture: Image.Image, spots: float = 0.02, seed: int = 7) -> Image.Image:
    """The same with dust on the glass: dark spots of one pixel, on this share of the pixels."""
    chance, made = random.Random(seed), picture.copy()
    draw = ImageDraw.Draw(made)
    count = round(made.width * made.height * spots)
    draw.point(
        [(chance.randrange(made.width), chance.randrange(made.height)) for _ in range(count)],
        fill=(60, 60, 70),
    )
    return made


def two_toned(dpi: int = 200, paper: Any = "white", ink: Any = "black") -> Image.Image:
    """The certificate as a black-and-white scanner sees it, stored in colours all the same."""
    flat = drawn(dpi).convert("L").point([0 if level < 140 else 255 for level in range(256)])
    return Image.composite(Image.new("RGB", flat.size, paper), Image.new("RGB", flat.size, ink), flat)


def as_pdf(*pictures: Image.Image, dpi: float = 200, version: str = "1.4", **page: Any) -> bytes:
    """A PDF as scanners write it: one JPEG a page, as large as it was scanned."""
    made = BytesIO()
    with pikepdf.new() as paper:
        for picture in pictures:
            width, height = (side / dpi * 72 for side in picture.size)
            leaf = paper.add_blank_page(page_size=(width, height))
            kind = {"RGB": "/DeviceRGB", "L": "/DeviceGray", "CMYK": "/DeviceCMYK"}[picture.mode]
            leaf.obj.Resources = pikepdf.Dictionary(
                XObject=pikepdf.Dictionary(Im0=jpeg_in(paper, as_jpeg(picture), picture.size, kind))
            )
            leaf.obj.Contents = paper.make_stream(f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Im0 Do Q".encode())
            for name, value in page.items():
                leaf.obj[f"/{name}"] = value
        paper.save(made, force_version=version)
    return made.getvalue()


def as_pdf_without_loss(*pictures: Image.Image, dpi: float = 200, strips: int = 1) -> bytes:
    """A PDF as scanners write it where nothing may be lost: each page in one picture or in strips."""
    made = BytesIO()
    with pikepdf.new() as paper:
        for picture in pictures:
            width, height = (side / dpi * 72 for side in picture.size)
            leaf, step = paper.add_blank_page(page_size=(width, height)), -(-picture.height // strips)
            placed, drawing = pikepdf.Dictionary(), b""
            for number, top in enumerate(range(0, picture.height, step)):
                strip = picture.crop((0, top, picture.width, min(picture.height, top + step)))
                placed[f"/Im{number}"] = flate_in(paper, strip)
                high = strip.height / dpi * 72
                low = height - top / dpi * 72 - high
                drawing += f"q {width:.3f} 0 0 {high:.3f} 0 {low:.3f} cm /Im{number} Do Q ".encode()
            leaf.obj.Resources = pikepdf.Dictionary(XObject=placed)
            leaf.obj.Contents = paper.make_stream(drawing)
        paper.save(made, force_version="1.4")
    return made.getvalue()


def flate_in(paper: pikepdf.Pdf, picture: Image.Image) -> pikepdf.Stream:
    colours: Any = pikepdf.Name.DeviceRGB
    if picture.mode == "P":
        levels = bytes(picture.getpalette("RGB") or [])
        colours = pikepdf.Array(
            [pikepdf.Name.Indexed, pikepdf.Name.DeviceRGB, len(levels) // 3 - 1, pikepdf.String(levels)]
        )
    return pikepdf.Stream(
        paper,
        zlib.compress(picture.tobytes(), 1),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=picture.width,
        Height=picture.height,
        ColorSpace=colours,
        BitsPerComponent=8,
        Filter=pikepdf.Name.FlateDecode,
    )


def jpeg_in(paper: pikepdf.Pdf, content: bytes, size: tuple[int, int], colour: str) -> pikepdf.Stream:
    return pikepdf.Stream(
        paper,
        content,
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=size[0],
        Height=size[1],
        ColorSpace=pikepdf.Name(colour),
        BitsPerComponent=8,
        Filter=pikepdf.Name.DCTDecode,
    )


def as_jpeg(picture: Image.Image, **more: Any) -> bytes:
    made = BytesIO()
    picture.copy().save(made, "JPEG", quality=80, **more)
    return made.getvalue()


def as_png(picture: Image.Image, **more: Any) -> bytes:
    made = BytesIO()
    picture.save(made, "PNG", compress_level=1, **more)
    return made.getvalue()


def as_tiff(*pictures: Image.Image, dpi: int = 200, packed: str = "jpeg") -> bytes:
    made = BytesIO()
    first, *rest = (one.copy() for one in pictures)
    first.save(made, "TIFF", compression=packed, dpi=(dpi, dpi), save_all=bool(rest), append_images=rest)
    return made.getvalue()


def as_heic(picture: Image.Image) -> bytes:
    made = BytesIO()
    pillow_heif.from_pillow(picture).save(made, quality=50)
    return made.getvalue()


@cache
def good_scan(mark: str = "") -> bytes:
    """A scan that passes, small and quick; another `mark` makes another file of the same picture."""
    made = BytesIO()
    with pikepdf.open(BytesIO(as_pdf(drawn(200)))) as paper:
        paper.docinfo["/Title"] = mark
        paper.save(made, static_id=True)
    return made.getvalue()
