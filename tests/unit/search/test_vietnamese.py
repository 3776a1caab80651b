"""Folding, tones, and the dated names of provinces."""

import json
from datetime import date
from pathlib import Path

import pytest

import search
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


_PROVINCES = Path(search.__file__).parent / "data" / "provinces.json"


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
    data = json.loads(_PROVINCES.read_text("utf-8"))
    (last,) = [one for one in data["changes"] if one["since"] == "2025-07-01"]
    before = [one for ended in last["provinces"].values() for one in ended]
    assert (len(last["provinces"]), len(before), len(set(before))) == (34, 63, 63)
    known = provinces()
    days = {one.since for each in known.values() for one in each.wider}
    assert days == {None, date(2008, 8, 1), date(2025, 1, 1), date(2025, 7, 1)}
    assert [one.name for one in known["gia", "lai"].wider] == [("binh", "dinh")]
    vung_tau = {one.name: one.since for one in known["ba", "ria", "vung", "tau"].wider}
    assert vung_tau["ho", "chi", "minh"] == vung_tau["sai", "gon"] == date(2025, 7, 1)
    assert vung_tau["br", "vt"] is None
    (hue,) = [one for one in known["thua", "thien", "hue"].wider if one.since]
    assert (hue.name, hue.since) == (("hue",), date(2025, 1, 1)), "half a year before the others"


def test_every_spelling_is_of_a_province_and_of_one_alone() -> None:
    data = json.loads(_PROVINCES.read_text("utf-8"))
    pairs = [pair for change in data["changes"] for pair in change["provinces"].items()]
    assert set(data["spellings"]) <= {one for now, before in pairs for one in (now, *before)}
    spelled = [one for each in data["spellings"].values() for one in {fold(name) for name in each}]
    assert len(spelled) == len(set(spelled))


def test_a_document_is_kept_by_words_numbers_days_and_what_abbreviations_mean() -> None:
    terms = analysed(["GKS số 12/2024/UBND", None, ""], date(2024, 3, 1))
    assert "gks so 12 2024 ubnd" in terms.folded
    assert "122024ubnd" in terms.folded
    assert "giay khai sinh so 12 2024 uy ban nhan dan" in terms.folded
    assert {"#d20240301", "#m202403", "2024"} <= set(terms.folded)


def test_highlights_mark_what_was_asked_for_and_keep_the_text() -> None:
    asked = read("giay hoa bin")
    pieces = marked("Giấy <b>Hoà</b> Bình, ly", asked)
    assert "".join(text for text, _ in pieces) == "Giấy <b>Hoà</b> Bình, ly"
    assert [text for text, found in pieces if found] == ["Giấy", "Hoà", "Bìn"]
    assert marked("", asked) == ()
