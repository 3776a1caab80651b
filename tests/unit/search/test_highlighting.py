"""Which letters of a text are marked as what was asked for."""

import unicodedata

import pytest

from search.highlighting import marked, near_to
from search.query import read


def found(text: str, asked: str, *, loose: bool = False) -> list[str]:
    pieces = marked(text, read(asked), loose=loose)
    assert "".join(piece for piece, _ in pieces) == unicodedata.normalize("NFC", text)
    return [piece for piece, sought in pieces if sought]


@pytest.mark.parametrize(
    ("text", "asked", "wanted"),
    [
        ("Số 123/2024/GKS", "1232024gks", ["123/2024/GKS"]),
        ("Số 123/2024/GKS", "123-2024-gks", ["123/2024/GKS"]),
        ("001180034562", "001 180 034 562", ["001180034562"]),
        ("Giấy khai sinh", "gks", ["Giấy", "khai", "sinh"]),
        ("GKS số 5", "giay khai sinh", ["GKS"]),
        ("UBND phường", "uy ban nhan dan", ["UBND"]),
        ("cấp ngày 12/03/2024", "12-3-2024", ["12/03/2024"]),
        ("cấp ngày 12/03/2024", "tháng 3 năm 2024", ["12/03/2024"]),
        ("tỉnh Hà Giang", "tuyên quang", ["Hà", "Giang"]),
        ("Nguyễn Văn Lý", "li", ["Lý"]),
        ("giâ\u0301y ĐẤT", "dat giay", ["giấy", "ĐẤT"]),
        ("<b>Hoà</b>", "hòa <b>", ["b", "Hoà", "b"]),
        ("Giấy khai", "", []),
        ("Số AA 261127061106", "aa261127061106", ["AA 261127061106"]),
        ("Số AA 261127061106", "AA2611", ["AA 261127061106"]),
        ("Số AA261127061106", "aa 261127061106 ", ["AA261127061106"]),
        ("Số AA 261127061106", "aax", []),
        ("Biển số 29A 123.45", "29a12345 ", ["29A 123.45"]),
        ("Quyền sử dụng đất", "sổ đỏ", []),
        ("Giấy phép lái xe", "bằng lái", ["Giấy", "phép", "lái", "xe"]),
        ("Bản quét sổ đỏ", "giấy chứng nhận quyền sử dụng đất", ["sổ", "đỏ"]),
        ("Sơ đồ", "giấy chứng nhận quyền sử dụng đất", []),
    ],
)
def test_what_was_asked_for_is_marked_however_it_is_written(text: str, asked: str, wanted: list[str]) -> None:
    assert found(text, asked) == wanted


def test_a_typing_error_is_marked_only_where_one_was_put_right() -> None:
    assert found("Phường Nghĩa Đô", "phuogn ", loose=True) == ["Phường"]
    assert found("Phường Nghĩa Đô", "phuogn ") == []
    assert found("Phường Nghĩa Đô", "nghi ", loose=True) == []


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("truong", "truong", True),
        ("truong", "truonk", True),
        ("truong", "trruong", True),
        ("truong", "ruong", True),
        ("truong", "rtuong", True),
        ("truong", "turong", True),
        ("truong", "truogn", True),
        ("truong", "truon", True),
        ("truong", "tuorng", False),
        ("truong", "trunk", False),
        ("truong", "truo", False),
        ("", "a", True),
    ],
)
def test_near_is_one_letter(one: str, other: str, near: bool) -> None:
    assert near_to(one, other) is near
    assert near_to(other, one) is near
