"""The copy of a scan: its pictures alone, the mark and the code above them, text that is not seen."""

import base64
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from signing import jpeg
from signing.conversion import compose_mark
from signing.qr import qr_drawing, qr_text
from signing.scan_archiving import archive_scan
from tests.scans import making

AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
WORDS = [[1, 1000, 1000, 1500, 150, "Nguyễn"], [1, 2600, 1000, 900, 150, "Ánh😀"]]


@cache
def mark() -> str:
    drawing = qr_drawing(qr_text("G01-1", "1.004222", "001307012347", "Giấy khai sinh"))
    return base64.b64encode(compose_mark("Công an phường Nghĩa Đô", "Ngô Quang Huy", AT, drawing)).decode()


def archived(content: bytes, **more: Any) -> tuple[dict[str, Any], bytes]:
    request = {"mark": mark(), "title": "Giấy khai sinh", "at": AT.isoformat(), "paper_sizes": making.SIZES}
    return archive_scan(BytesIO(content), request | {"words": []} | more)


def seen(content: bytes, page: int = 0, scale: float = 0.5) -> Image.Image:
    with pypdfium2.PdfDocument(content) as paper:
        return paper[page].render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")


def differ(first: Image.Image, second: Image.Image) -> float:
    """Compare from afar: the most that the mean level of a small square differs by."""
    assert all(abs(a - b) <= 1 for a, b in zip(first.size, second.size, strict=True)), (
        first.size,
        second.size,
    )
    small = (first.width // 10, first.height // 10)
    near = [one.resize(small, Image.Resampling.BOX).convert("L") for one in (first, second)]
    return ImageStat.Stat(ImageChops.difference(*near)).mean[0]


def below(copy: Image.Image, of: Image.Image) -> Image.Image:
    """Cut the strip above page 1 away."""
    return copy.crop((0, copy.height - of.height, copy.width, copy.height))


def pictures(content: bytes) -> list[bytes]:
    with pikepdf.open(BytesIO(content)) as paper:
        return [bytes(one.read_raw_bytes()) for page in paper.pages for one in page.get_images().values()]


def test_a_jpeg_alone_on_its_page_is_passed_on_bit_by_bit() -> None:
    scan = making.as_pdf(making.drawn(75), making.blank(75), dpi=75)
    _, copy = archived(scan)
    assert pictures(copy) == [jpeg.cleaned(one) for one in pictures(scan)]
    with pikepdf.open(BytesIO(copy)) as paper:
        assert [round(float(page.mediabox[2])) for page in paper.pages] == [595, 595]
        assert round(float(paper.pages[1].mediabox[3])) == 842
        assert str(paper.open_metadata()["pdfaid:part"]) == "2"
        assert not paper.docinfo.keys() and paper.pdf_version == "1.7"
    assert differ(seen(scan), below(seen(copy), seen(scan))) < 1


def test_the_mark_and_the_code_stand_above_the_paper_and_hide_nothing() -> None:
    scan = making.as_pdf(making.drawn(75), dpi=75)
    told, copy = archived(scan)
    left, bottom, right, top = told["place"]
    with pypdfium2.PdfDocument(copy) as paper:
        text = paper[0].get_textpage().get_text_bounded(left, bottom, right, top)
        _, height = paper[0].get_size()
    for words in ("BẢN SỐ HÓA", "Công an phường Nghĩa Đô", "Ngô Quang Huy", "2026-11-20T10:04:05+07:00"):
        assert words in text
    assert bottom > 842 and right > 595 - 10 and top > height - 10, "at the top right"
    strip = seen(copy, scale=2).crop((0, 0, 200, 150)).convert("L")
    assert 0.05 < strip.histogram()[0] / (200 * 150) < 0.5, "the code at the top left"


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_turned_pages_are_shown_as_they_were(turned: int) -> None:
    scan = making.as_pdf(making.drawn(75), dpi=75, Rotate=turned)
    _, copy = archived(scan)
    assert differ(seen(scan), below(seen(copy), seen(scan))) < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_stand_upright_without_being_written_anew(orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    photo = making.as_jpeg(making.drawn(75).crop((0, 0, 600, 400)), exif=exif)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(photo))).convert("RGB")
    _, copy = archived(photo)
    assert pictures(copy) == [jpeg.cleaned(photo)]
    shown = seen(copy)
    high = round(shown.width * upright.height / upright.width)
    paper = shown.crop((0, shown.height - high, shown.width, shown.height))
    assert differ(paper, upright.resize(paper.size)) < 1


def test_what_lies_on_the_picture_is_drawn_and_nothing_else_survives() -> None:
    with pikepdf.open(BytesIO(making.as_pdf(making.drawn(100), dpi=100))) as paper:
        page = paper.pages[0]
        page.contents_add(b"1 0 0 rg 100 100 300 200 re f")
        page.obj["/Thing"] = pikepdf.Dictionary(Odd=pikepdf.String("left behind"))
        paper.Root["/PieceInfo"] = pikepdf.Dictionary(Odd=pikepdf.String("left behind"))
        paper.docinfo["/Author"] = "left behind"
        made = BytesIO()
        paper.save(made)
    _, copy = archived(made.getvalue())
    assert differ(seen(made.getvalue()), below(seen(copy), seen(made.getvalue()))) < 1
    assert b"left behind" not in copy and b"/Thing" not in copy
    (picture,) = pictures(copy)
    assert Image.open(BytesIO(picture)).size[0] == pytest.approx(210 / 25.4 * 200, abs=2)


def test_pictures_of_other_kinds_become_pages() -> None:
    two = making.as_tiff(making.drawn(75), making.blank(75), dpi=75)
    for content, pages in (
        (two, 2),
        (making.as_heic(making.drawn(75)), 1),
        (making.as_png(making.drawn(75)), 1),
    ):
        _, copy = archived(content)
        with pypdfium2.PdfDocument(copy) as paper:
            assert len(paper) == pages
        shown = seen(copy)
        paper_part = shown.crop((0, shown.height - 420, shown.width, shown.height))
        assert differ(paper_part, making.drawn(75).resize(paper_part.size)) < 2


def test_words_are_found_where_they_were_read_and_not_seen() -> None:
    scan = making.as_pdf(making.drawn(75), dpi=75)
    (_, plain), (_, copy) = archived(scan), archived(scan, words=WORDS)
    assert differ(seen(plain), seen(copy)) == 0
    with pypdfium2.PdfDocument(copy) as paper:
        text = paper[0].get_textpage()
        assert "Nguyễn Ánh" in text.get_text_bounded()
        found = text.search("Nguyễn").get_next()
        assert found is not None
        left, bottom, *_ = text.get_charbox(found[0])
    assert 59 < left < 61 and 745 < bottom < 746, "a tenth from the left, 11.5 hundredths from the top"


def test_a_card_keeps_its_size_and_its_mark_shrinks() -> None:
    card = making.drawn(75).resize((1011, 638))
    told, copy = archived(making.as_png(card, dpi=(300, 300)))
    left, bottom, right, _ = told["place"]
    with pikepdf.open(BytesIO(copy)) as paper:
        width = float(paper.pages[0].mediabox[2])
    assert width == pytest.approx(242.6, abs=0.5) and 60 < left < right < width and bottom > 153


def test_what_cannot_be_read_is_refused_without_a_file() -> None:
    assert archived(making.as_png(making.drawn(75))[:5000]) == ({"refusal": "unreadable"}, b"")
    assert archived(b"%PDF-1.7\n")[0] == {"refusal": "unreadable"}


def test_a_jpeg_loses_everything_but_its_picture() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where she lives"
    content = making.as_jpeg(making.drawn(75), exif=exif, comment=b"a note") + b"PK\x05\x06 behind the end"
    kept = jpeg.cleaned(content)
    for part in (b"where she lives", b"a note", b"behind the end"):
        assert part in content and part not in kept
    first, second = Image.open(BytesIO(content)), Image.open(BytesIO(kept))
    assert first.tobytes() == second.tobytes()
    for cut in (b"", b"\xff\xd8", content[:100], kept[:-40], b"\xff\xd8\xff\xff", b"\xff\xd8\xff\xfe\0\0"):
        with pytest.raises(ValueError, match="JPEG"):
            jpeg.cleaned(cut)


def test_what_the_code_says_holds_four_fields() -> None:
    assert qr_text("G01-1", "1.0", "0013", "Giấy|khai  sinh " * 30).count("|") == 3
    with pytest.raises(ValueError, match="large"):
        qr_drawing("x" * 5000)
