"""Folding, tones, and the dated names of provinces."""

from datetime import date

import pytest

from search.highlighting import marked
from search.known_names import provinces
from search.query import read
from search.terms import analysed
from search.vietnamese import exact, fold, normal, other_spelling


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Đường", "duong"), ("Hoà", "hoa"), ("ƯỚC", "uoc"), ("e\u0302\u0301", "e"), ("giấy-tờ", "giay-to")],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_the_place_of_a_tone_does_not_matter_the_tone_does() -> None:
    assert exact("hoà") == exact("hòa") == exact("HOÀ")
    assert len({exact(one) for one in ("hoa", "hòa", "hóa", "hỏa", "hõa", "họa", "hơa", "hoă")}) == 8
    assert exact("đất") != exact("dất")


def test_normal_text_has_no_marks_of_format_and_no_broken_characters() -> None:
    assert normal("a\u200bb\u00ad \ud800\x00c\u00a0d") == "ab   c d"


def test_only_names_that_end_in_one_i_or_y_have_another_spelling() -> None:
    assert [other_spelling(one) for one in ("ly", "li", "quy", "huy", "mai", "y", "thi")] == [
        "li",
        "ly",
        "qui",
        None,
        None,
        None,
        None,
    ]


def test_the_63_provinces_and_the_34_that_they_are_since() -> None:
    known = provinces()
    assert len(known) == 63 + 1  # Huế has a name of its own since
    going_on = [name for name, (_, wider) in known.items() if not any(one.since for one in wider)]
    assert len(going_on) == 34
    assert {one.since for _, wider in known.values() for one in wider} == {None, date(2025, 7, 1)}
    assert [one.name for one in known["gia", "lai"][1]] == [("binh", "dinh")]
    assert [one.name for one in known["ba", "ria", "vung", "tau"][1]] == [("ho", "chi", "minh")]


def test_a_document_is_kept_by_words_numbers_days_and_what_abbreviations_mean() -> None:
    terms = analysed(["GKS số 12/2024/UBND", None, ""], date(2024, 3, 1))
    assert "gks so 12 2024 ubnd" in terms.folded
    assert "122024ubnd" in terms.folded
    assert "giay khai sinh so 12 2024 uy ban nhan dan" in terms.folded
    assert {"d20240301", "m202403", "2024"} <= set(terms.folded)


def test_highlights_mark_what_was_asked_for_and_keep_the_text() -> None:
    asked = read("giay hoa bin")
    pieces = marked("Giấy <b>Hoà</b> Bình, ly", asked)
    assert "".join(text for text, _ in pieces) == "Giấy <b>Hoà</b> Bình, ly"
    assert [text for text, found in pieces if found] == ["Giấy", "Hoà", "Bìn"]
    assert marked("", asked) == ()
