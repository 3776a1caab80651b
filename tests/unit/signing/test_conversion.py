"""The mark of a digitised copy: its words, its place as the page is seen, and that it hides nothing."""

import shutil
import subprocess
import unicodedata
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from signing.composing import compose
from signing.conversion import apply_mark, compose_mark
from signing.errors import ComposingFailed

AT = datetime(2026, 11, 26, 3, 15, 32, tzinfo=UTC)
AGENCY, CONVERTER = "Công an phường Nghĩa Đô", "Trung úy Ngô Quang Huy"
NOTE = {
    "title": "Hợp đồng thuê nhà",
    "body": "Chữ ở đầu trang",
    "issued_on": "2026-11-20",
    "issuer_name": "Bên cho thuê",
    "issuer_title": "Chủ nhà",
    "signer": "Lê Văn Đạt",
}


@pytest.fixture(scope="module")
def mark() -> bytes:
    return compose_mark(AGENCY, CONVERTER, AT)


def paper(**changes: Any) -> BytesIO:
    """A page as a scanner might leave it: turned, cropped, of another unit."""
    made = BytesIO()
    with pikepdf.open(BytesIO(compose("general_result", NOTE, at=AT))) as document:
        for name, value in changes.items():
            document.pages[0].obj[f"/{name}"] = value
        document.save(made)
    made.seek(0)
    return made


def shown(content: bytes, folder: Path, *arguments: str) -> str:
    """What a reader sees, of the whole page or of a part of it."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler) is not installed")
    path = folder / "page.pdf"
    path.write_bytes(content)
    done = subprocess.run(["pdftotext", *arguments, path, "-"], capture_output=True, check=True)
    return " ".join(unicodedata.normalize("NFC", done.stdout.decode()).split())


def seen_size(content: bytes) -> tuple[float, float]:
    with pikepdf.open(BytesIO(content)) as document:
        page = document.pages[0]
        left, bottom, right, top = (float(edge) for edge in page.cropbox)
        turned = int(page.obj.get("/Rotate", 0)) in (90, 270)
    return (top - bottom, right - left) if turned else (right - left, top - bottom)


def test_it_says_what_the_law_asks_for(mark: bytes, tmp_path: Path) -> None:
    content, _ = apply_mark(paper(), mark)
    text = shown(content, tmp_path)
    for words in (
        "BẢN SỐ HÓA TỪ VĂN BẢN GIẤY",
        f"Cơ quan chuyển đổi: {AGENCY}",
        f"Người chuyển đổi: {CONVERTER}",
        "Thời gian chuyển đổi: 2026-11-26T10:15:32+07:00",
        "HỢP ĐỒNG THUÊ NHÀ",
    ):
        assert words in text
    with pikepdf.open(BytesIO(mark)) as drawn:
        assert not drawn.pages[0].get_images(), "text only"


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_it_stands_at_the_top_right_as_the_page_is_seen(mark: bytes, tmp_path: Path, turned: int) -> None:
    content, _ = apply_mark(paper(Rotate=turned), mark)
    width, height = (int(edge) for edge in seen_size(content))
    half = f"-x {width - 260} -y 0 -W 260 -H 75 -r 72 -cropbox".split()
    assert "BẢN SỐ HÓA TỪ VĂN BẢN GIẤY" in shown(content, tmp_path, *half)
    rest = f"-x 0 -y 76 -W {width} -H {height} -r 72 -cropbox".split()
    below = shown(content, tmp_path, *rest)
    assert "BẢN SỐ HÓA" not in below
    assert "HỢP ĐỒNG THUÊ NHÀ" in below or turned, "the paper is whole below it"


def test_the_page_grows_by_the_strip_and_shows_no_more_than_before(mark: bytes, tmp_path: Path) -> None:
    cropped = paper(CropBox=pikepdf.Array([0, 0, 595, 600]))
    content, place = apply_mark(cropped, mark)
    with pikepdf.open(BytesIO(content)) as document:
        page = document.pages[0]
        assert [float(edge) for edge in page.mediabox] == [float(edge) for edge in page.cropbox]
        assert float(page.cropbox[3]) > 600
        assert place[1] >= 600, "the mark hides nothing"
        drawn = page.obj.Contents.read_bytes()
        assert drawn.index(b"600.0000 re W n") < drawn.index(b"BT"), "and what was cut stays cut"


def test_a_small_page_takes_a_smaller_mark(mark: bytes) -> None:
    card = paper(MediaBox=pikepdf.Array([0, 0, 153, 243]))
    _, (left, bottom, right, top) = apply_mark(card, mark)
    assert 0 < left < right < 153
    assert top > bottom >= 243


def test_rotation_and_size_are_inherited(mark: bytes, tmp_path: Path) -> None:
    made = BytesIO()
    with pikepdf.open(paper()) as document:
        page = document.pages[0].obj
        box = page.MediaBox
        del page["/MediaBox"]
        document.Root.Pages.MediaBox = box
        document.Root.Pages.Rotate = 90
        document.save(made)
    _, (left, _, right, _) = apply_mark(BytesIO(made.getvalue()), mark)
    assert left < right <= 0, "the left side of the page is its top"


@pytest.mark.parametrize(("agency", "converter"), [("", CONVERTER), (AGENCY, " "), (AGENCY, "x" * 501)])
def test_a_mark_without_its_words_is_none(agency: str, converter: str) -> None:
    with pytest.raises(ComposingFailed):
        compose_mark(agency, converter, AT)
