"""What a scan is, measured from its bytes: size, resolution, colours, cover, ink, tilt."""

import struct
import zlib
from functools import partial
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from PIL import Image

from signing import scan_measuring, scan_tones
from signing.scan_measuring import measure_scan
from tests.scans import making

PDF = "application/pdf"


def measured(content: bytes, declared: str = PDF) -> dict[str, Any]:
    told = measure_scan(BytesIO(content), {"declared_type": declared, "paper_sizes": making.SIZES})
    return dict(told.get("measured", told))


def page(content: bytes, declared: str = PDF) -> dict[str, Any]:
    (only,) = measured(content, declared)["pages"]
    return dict(only)


@pytest.mark.parametrize("dpi", [150, 200])
def test_the_resolution_is_that_of_the_pixels_on_the_page(dpi: int) -> None:
    found = page(making.as_pdf(making.drawn(dpi), dpi=dpi))
    assert abs(found["dpi"] - dpi) < 0.5
    assert (round(found["width_mm"]), round(found["height_mm"])) == (210, 297)
    assert (found["colour"], found["covered"], found["tinted"]) == ("rgb", 1.0, True)
    assert 0.01 < found["ink"] < 0.2 and found["dark"] < 0.05 and found["skew"] == 0


def test_what_a_file_says_of_its_resolution_counts_for_nothing() -> None:
    """The picture says 600 dots an inch; stretched over A4 it has 150, and 75 the other way."""
    content = making.as_jpeg(making.drawn(150), dpi=(600, 600))
    with pikepdf.new() as paper:
        leaf = paper.add_blank_page(page_size=(595.3, 1683.8))
        image = making.jpeg_in(paper, content, making.drawn(150).size, "/DeviceRGB")
        leaf.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
        leaf.obj.Contents = paper.make_stream(b"q 595.3 0 0 1683.8 0 0 cm /Im0 Do Q")
        made = BytesIO()
        paper.save(made)
    assert round(page(made.getvalue())["dpi"]) == 75


def test_turned_pages_are_measured_as_they_are_seen() -> None:
    turned = page(making.as_pdf(making.drawn(200), Rotate=90, UserUnit=1))
    assert (round(turned["width_mm"]), round(turned["height_mm"])) == (297, 210)
    assert (round(turned["dpi"]), turned["covered"]) == (200, 1.0)
    double = page(making.as_pdf(making.drawn(200), dpi=400, UserUnit=2))
    assert (round(double["dpi"]), round(double["width_mm"])) == (200, 210)


@pytest.mark.parametrize(("mode", "colour"), [("L", "grey"), ("CMYK", "cmyk")])
def test_colours_are_those_of_the_pictures(mode: str, colour: str) -> None:
    assert page(making.as_pdf(making.drawn(75).convert(mode), dpi=75))["colour"] == colour
    bitonal = making.as_png(making.drawn(75).convert("1"))
    assert page(bitonal, "image/png")["colour"] == "bitonal"
    grey = making.as_pdf(making.drawn(75).convert("L").convert("RGB"), dpi=75)
    assert (page(grey)["colour"], page(grey)["tinted"]) == ("rgb", False)


WITHOUT_LOSS = {
    "png": (making.as_png, "image/png"),
    "tiff": (partial(making.as_tiff, packed="tiff_lzw"), "image/tiff"),
    "raw tiff": (partial(making.as_tiff, packed="raw"), "image/tiff"),
    "pdf": (making.as_pdf_without_loss, PDF),
    "pdf in strips": (partial(making.as_pdf_without_loss, strips=9), PDF),
}
WITH_LOSS = {
    "jpeg": (making.as_jpeg, "image/jpeg"),
    "tiff": (making.as_tiff, "image/tiff"),
    "heic": (making.as_heic, "image/heic"),
    "pdf": (making.as_pdf, PDF),
}


@pytest.mark.parametrize("stored", WITHOUT_LOSS)
def test_two_tones_are_counted_however_they_are_stored(stored: str) -> None:
    make, kind = WITHOUT_LOSS[stored]
    plain, tinted = making.two_toned(100), making.two_toned(100, (250, 247, 238), (28, 24, 60))
    assert [(page(make(one), kind)["colour"], page(make(one), kind)["tones"]) for one in (plain, tinted)] == [
        ("rgb", 2),
        ("rgb", 2),
    ]
    grey = making.drawn(100).convert("L").convert("RGB")
    assert [page(make(one), kind)["tones"] for one in (making.drawn(100), grey)] == [3, 3]
    blank = making.blank(100)
    assert page(make(blank), kind)["tones"] == 1
    blank.putpixel((500, 500), (0, 0, 0))
    assert page(make(blank), kind)["tones"] == 2


@pytest.mark.parametrize("stored", WITH_LOSS)
def test_tones_are_not_counted_where_some_are_lost(stored: str) -> None:
    make, kind = WITH_LOSS[stored]
    assert page(make(making.two_toned(100)), kind)["tones"] is None


def test_a_palette_and_clear_pixels_hide_no_tones() -> None:
    palette = making.two_toned(100, (250, 247, 238), (28, 24, 60)).convert(
        "P", palette=Image.Palette.ADAPTIVE, colors=2
    )
    for content, kind in (
        (making.as_png(palette, bits=8), "image/png"),
        (making.as_pdf_without_loss(palette, dpi=100), PDF),
    ):
        assert (page(content, kind)["colour"], page(content, kind)["tones"]) == ("rgb", 2)
    clear = making.two_toned(100).convert("RGBA")
    assert page(making.as_png(clear), "image/png")["tones"] == 2


def test_colours_beside_two_tones_are_counted_with_them() -> None:
    """A page in strips, of which one has a stamp in colours; and a blank page before one of two tones."""
    stamped = making.two_toned(100)
    stamped.paste((200, 30, 40), (300, 1000, 400, 1100))
    assert page(making.as_pdf_without_loss(stamped, dpi=100, strips=9))["tones"] == 3
    both = making.as_pdf_without_loss(making.blank(100), making.two_toned(100), dpi=100)
    assert [one["tones"] for one in measured(both)["pages"]] == [1, 2]


def test_counting_ends_at_the_first_page_of_two_tones_and_after_so_many_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pages = (making.drawn(100), making.two_toned(100), making.two_toned(100))
    content = making.as_pdf_without_loss(*pages, dpi=100)
    assert [one["tones"] for one in measured(content)["pages"]] == [3, 2, None]
    wide, high = pages[0].size
    monkeypatch.setattr(scan_tones, "MOST_COUNTED", wide * high * 3 // 2)
    assert [one["tones"] for one in measured(content)["pages"]] == [3, None, None]
    monkeypatch.setattr(scan_tones, "MOST_AT_ONCE", wide * high - 1)
    assert [one["tones"] for one in measured(content)["pages"]] == [None] * 3


def test_pages_of_words_are_no_scan() -> None:
    assert page(making.certificate()) | {"ink": 0} == page(making.certificate()) | {
        "ink": 0,
        "dpi": 0,
        "colour": "none",
        "covered": 0.0,
    }


def test_a_small_picture_leaves_the_page_uncovered() -> None:
    with pikepdf.open(BytesIO(making.as_pdf(making.drawn(75), dpi=75))) as paper:
        paper.pages[0].obj.MediaBox = [0, 0, 842, 1191]
        made = BytesIO()
        paper.save(made)
    assert 0.4 < page(made.getvalue())["covered"] < 0.6


@pytest.mark.parametrize("tilt", [-4.0, 1.5, 6.0])
def test_the_tilt_is_found_in_grain_too(tilt: float) -> None:
    scan = making.grained(making.drawn(75, tilt), 0.002)
    assert page(making.as_pdf(scan, dpi=75))["skew"] == pytest.approx(tilt, abs=0.3)


def test_blank_and_black_pages_show_as_such() -> None:
    blank, black = making.blank(100), making.blank(100, (9, 8, 9))
    first, second = measured(making.as_pdf(blank, black, dpi=100))["pages"]
    assert first["ink"] == 0 and first["skew"] is None and first["dark"] == 0
    assert second["dark"] == 1.0 and second["skew"] is None


def test_pictures_of_every_kind_are_taken() -> None:
    scan, photo = making.drawn(100), making.drawn(75)
    told = {"dpi": (100, 100)}
    assert page(making.as_png(scan, **told), "image/png")["scaled"]
    assert page(making.as_jpeg(scan, **told), "image/jpg")["scaled"]
    two = measured(making.as_tiff(scan, photo, dpi=100), "image/tiff")["pages"]
    assert [one["scaled"] for one in two] == [True, False], "a page of another size is of no known paper"
    heic = page(making.as_heic(photo), "image/heif")
    assert (heic["scaled"], round(heic["dpi"]), heic["colour"]) == (False, 75, "rgb")


def test_a_photo_has_no_scale_and_is_fitted_into_a4() -> None:
    photo = Image.new("RGB", (3000, 4000), (240, 240, 230))
    exif = Image.Exif()
    exif[274] = 6
    found = page(making.as_jpeg(photo, exif=exif, dpi=(72, 72)), "image/jpeg")
    assert (found["width_mm"], found["height_mm"], found["scaled"]) == (280.0, 210.0, False)
    assert found["dpi"] == pytest.approx(3000 / (210 / 25.4), abs=0.2)


def png_of(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_a_scan_of_more_pages_than_there_is_time_for_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    request = {"declared_type": "image/tiff", "paper_sizes": making.SIZES}
    one, three = (making.as_tiff(*[making.drawn(75)] * pages, dpi=75) for pages in (1, 3))
    assert len(measure_scan(BytesIO(three), request)["measured"]["pages"]) == 3
    for limit in ("PROCESSOR_SECONDS", "CLOCK_SECONDS"):
        with monkeypatch.context() as short:
            short.setattr(scan_measuring, limit, 0.0)
            assert measure_scan(BytesIO(three), request) == {"refusal": "too_many_pages"}
            assert "measured" in measure_scan(BytesIO(one), request), "one page is never too many"


@pytest.mark.parametrize(
    ("content", "declared", "refusal"),
    [
        (png_of(60_000, 60_000), "image/png", "too_complex"),
        (png_of(11_000, 11_000), "image/png", "too_complex"),
        (png_of(300, 300), "image/png", "unreadable"),
        (png_of(300, 300), "image/jpeg", "mislabelled"),
        (b"GIF89a" + bytes(40), "image/gif", "not_a_scan"),
        (b"just words", PDF, "not_a_scan"),
        (b"%PDF-1.7\nno more", PDF, "unreadable"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "image/heic", "unreadable"),
        (b"II*\0" + bytes(40), "image/tiff", "unreadable"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "image/jpeg", "unreadable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_measured_is_refused_by_name(content: bytes, declared: str, refusal: str) -> None:
    assert measured(content, declared) == {"refusal": refusal}


def test_a_picture_cut_short_is_refused() -> None:
    for content, kind in (
        (making.as_jpeg(making.drawn(75)), "image/jpeg"),
        (making.as_png(making.drawn(75)), "image/png"),
        (making.as_heic(making.drawn(75)), "image/heic"),
    ):
        assert measured(content[: len(content) // 2], kind) == {"refusal": "unreadable"}
