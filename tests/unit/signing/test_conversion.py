"""The mark of a digitised copy: its words, and that it is text alone."""

import shutil
import subprocess
import unicodedata
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from signing.conversion import compose_mark
from signing.errors import ComposingFailed

AT = datetime(2026, 11, 26, 3, 15, 32, tzinfo=UTC)
AGENCY, CONVERTER = "Công an phường Nghĩa Đô", "Trung úy Ngô Quang Huy"


@pytest.fixture(scope="module")
def mark() -> bytes:
    return compose_mark(AGENCY, CONVERTER, AT)


def shown(content: bytes, folder: Path) -> str:
    """What a reader sees."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler) is not installed")
    path = folder / "page.pdf"
    path.write_bytes(content)
    done = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True)
    return " ".join(unicodedata.normalize("NFC", done.stdout.decode()).split())


def test_it_says_what_the_law_asks_for(mark: bytes, tmp_path: Path) -> None:
    text = shown(mark, tmp_path)
    for words in (
        "BẢN SỐ HÓA TỪ VĂN BẢN GIẤY",
        f"Cơ quan chuyển đổi: {AGENCY}",
        f"Người chuyển đổi: {CONVERTER}",
        "Thời gian chuyển đổi: 2026-11-26T10:15:32+07:00",
    ):
        assert words in text
    with pikepdf.open(BytesIO(mark)) as drawn:
        assert not drawn.pages[0].get_images(), "text only"


@pytest.mark.parametrize(("agency", "converter"), [("", CONVERTER), (AGENCY, " "), (AGENCY, "x" * 501)])
def test_a_mark_without_its_words_is_none(agency: str, converter: str) -> None:
    with pytest.raises(ComposingFailed):
        compose_mark(agency, converter, AT)
