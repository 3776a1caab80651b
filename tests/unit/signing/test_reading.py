"""Suggestions from what was read: where they stand, how sure they are, and when there are none."""

from dataclasses import replace

import pytest

from signing.ocr import ReadPage, Word
from signing.reading import Suggestion, folded, suggestions

TYPES = {"GKS": "Giấy khai sinh", "TLKS": "Trích lục khai sinh", "HDTN": "Hợp đồng thuê nhà"}
PAPER = """CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
GIÂY KHAI SINH
Số: 118/2026-TPHT
Họ, chữ đệm, tên: NGUYỄN MINH ANH
Ngày, tháng, năm sinh: 14/03/2007
Số định danh cá nhân: 001307012347
Họ, chữ đệm, tên người mẹ: Trần Thị Hồng Nhung
Họ, chữ đệm, tên người cha: ............1..
Nơi đăng ký khai sinh: Ủy ban nhân dân phường Cầu Giấy
Ngày, tháng, năm đăng ký: 02/01/2020
Hà Nội, ngày 20 tháng 11 năm 2026
CHỦ TỊCH"""


def read(text: str, confidence: float = 90.0) -> ReadPage:
    words = [
        Word(word, 1000 + 300 * place, 500 + 400 * row, 250, 100, confidence, row)
        for row, line in enumerate(text.splitlines())
        for place, word in enumerate(line.split())
    ]
    return ReadPage(1, tuple(words))


def values(page: ReadPage) -> list[tuple[str, str]]:
    return [(one.field, one.value) for one in suggestions([page], TYPES)]


def test_a_certificate_suggests_what_it_says() -> None:
    assert values(read(PAPER)) == [
        ("type", "GKS"),
        ("number", "118/2026-TPHT"),
        ("issued_on", "2026-11-20"),
        ("issuer_name", "Ủy ban nhân dân phường Cầu Giấy"),
        ("name", "NGUYỄN MINH ANH"),
        ("name", "Trần Thị Hồng Nhung"),
    ]


def test_each_says_where_it_stands_and_how_sure_it_is() -> None:
    page = read(PAPER)
    unsure = tuple(replace(one, confidence=71.5) if "118" in one.text else one for one in page.words)
    (number,) = [one for one in suggestions([replace(page, words=unsure)], TYPES) if one.field == "number"]
    assert number == Suggestion("number", "118/2026-TPHT", 1, 1300, 1300, 250, 100, 71.5)


def test_one_tone_mark_read_unsurely_leaves_a_type_and_takes_a_number() -> None:
    page = read(PAPER)
    unsure = tuple(
        replace(one, confidence=45.0) if one.text == "GIÂY" or "118" in one.text else one
        for one in page.words
    )
    found = {one.field: one for one in suggestions([replace(page, words=unsure)], TYPES)}
    assert found["type"].confidence == 75.0 and "number" not in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ngày 31 tháng 02 năm 2020 ghi sai hoàn toàn", []),
        ("Ngày cấp: 03-02-2019 tại Hà Nội", [("issued_on", "2019-02-03")]),
        ("SỞ XÂY DỰNG THÀNH PHỐ HÀ NỘI", [("issuer_name", "SỞ XÂY DỰNG THÀNH PHỐ HÀ NỘI")]),
        ("giấy khai sinh viết thường giữa câu", []),
        ("Họ và tên: Vũ Đức Toàn và 12 người", []),
        ("một dòng không có gì cả", []),
    ],
)
def test_patterns_take_what_they_mean_alone(text: str, expected: list[tuple[str, str]]) -> None:
    assert values(read(text)) == expected


def test_what_needs_a_person_suggests_nothing() -> None:
    poor = read(PAPER, confidence=65.0)
    assert poor.needs_person and suggestions([poor], TYPES) == ()
    few = read("GIẤY KHAI SINH")
    assert few.needs_person and suggestions([few], TYPES) == ()
    assert ReadPage(1, (), "ocr_timeout").needs_person
    unsure = replace(read(PAPER), words=tuple(replace(one, confidence=55.0) for one in read(PAPER).words[:3]))
    assert suggestions([unsure], TYPES) == ()


def test_folding_keeps_the_places_of_letters() -> None:
    for text in ("Đường Lâm", "ỦY BAN NHÂN DÂN", "Hồng Nhung", "ngày 20"):
        assert len(folded(text)) == len(text)
    assert folded("ĐƯỜNG Ủy") == "duong uy"
