"""Reading what somebody typed: what is asked for, and what is refused before anything is searched."""

import unicodedata

import pytest

from search.conditions import Begins, Condition, Either, Has, Near, Phrase
from search.errors import QueryInvalid
from search.query import EVERYTHING, LONGEST, Asked, read
from search.ranking import leaves


def conditions(one: Condition) -> set[Condition]:
    inner = {each for part in getattr(one, "of", ()) for each in conditions(part)}
    return {one} | inner


def must(asked: Asked) -> set[Condition]:
    return conditions(asked.rounds[0].must)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a" * 10_000, "query_too_long"),
        ("giấy " * (LONGEST // 5 + 1), "query_too_long"),
        ("a " * 30, "query_too_many_words"),
        ("của và các", "query_only_stop_words"),
        ("* ? ~ ^ : ( ) [ ] { } \\ / + - ! && ||", "query_without_words"),
        ("...", "query_without_words"),
        ("giấy\x00khai", "query_control_characters"),
        ("giấy\x1b[2J", "query_control_characters"),
        ("giấy \ud800", "query_control_characters"),
        ("Nguуễn", "query_mixed_scripts"),  # with a Cyrillic letter
        ("hàn Αn", "query_mixed_scripts"),  # with a Greek one
    ],
)
def test_what_cannot_be_searched_for_is_refused_and_said_why(text: str, reason: str) -> None:
    with pytest.raises(QueryInvalid) as refused:
        read(text)
    assert refused.value.reason == reason
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "title:giay AND id:*",
        "/gi.*y/",
        "giay~2 khai^4",
        '{"match_all": {}}',
        "[a TO z]",
        "giay\\ khai",
        "'; DROP TABLE record; --",
        '"giay',
    ],
)
def test_the_syntax_of_search_servers_is_only_words(text: str) -> None:
    for one in must(read(text)):
        if isinstance(one, Has | Near):
            assert one.word.replace(".", "").isalnum()
        if isinstance(one, Begins):
            assert one.letters.isalnum()


def test_nothing_typed_asks_for_everything() -> None:
    for nothing in (None, "", "  \t\n"):
        assert read(nothing) is EVERYTHING


def test_composed_and_decomposed_ask_the_same_and_so_do_old_and_new_places_of_tones() -> None:
    text = "Đường Nguyễn Thị Thuỷ, Hoà Bình"
    assert read(unicodedata.normalize("NFD", text)) == read(unicodedata.normalize("NFC", text))
    assert read("Thuỷ Hoà") == read("Thủy Hòa")
    assert read("hoa\u200b binh") == read("hoa binh")


def test_words_that_say_nothing_are_passed_over_but_not_a_name_that_folds_to_one() -> None:
    assert Has("cua") not in must(read("giấy của Minh"))
    assert Has("cua") in must(read("Cửa Lò"))
    assert Has("va") not in must(read("cha va me"))
    assert Has("nam") in must(read("Hoàng Nam"))
    assert Has("nam") not in must(read("năm 2024"))


@pytest.mark.parametrize("text", ["Nhung", "voi ", "cua va", "VA "])
def test_what_may_be_a_name_is_asked_for_where_nothing_else_was_typed(text: str) -> None:
    for one in text.lower().split():
        assert Has(one) in must(read(text))


def test_what_may_be_a_name_need_not_be_there_but_ranks_first() -> None:
    for text in ("tran thi hong nhung ", "tran thi hong nhung"):
        asked = read(text)
        assert Has("nhung") not in must(asked)
        assert Phrase(("tran", "thi", "hong", "nhung")) in conditions(asked.rounds[0].classes[0])
        assert any(Has("nhung") not in conditions(one) for one in asked.rounds[0].classes)


@pytest.mark.parametrize("count", range(1, 21))
def test_no_query_has_more_conditions_than_a_search_server_takes(count: int) -> None:
    """OpenSearch takes 1,024 leaves; each of ours is asked of two fields."""
    long = "trường phường nguyễn khánh thành quang nghĩa đường chương nghiêng trưởng thương khuyên"
    longer = f"{long} thuyền nhường chuyển hướng quyển trương thường"
    short = "gks gcs cccd cmnd gplx ubnd hđnd tand vksnd gcn qsdđ đkkd đkdn đkkh tthn shk bhyt bhxh tp hcm"
    apart = "aa 1 bb 2 cc 3 dd 4 ee 5 ff 6 gg 7 hh 8 ii 9 kk 10"
    called = "sổ đỏ sổ hồng bằng lái xe hôn thú chứng minh thư giấy đăng ký kết hôn bằng lái xe"
    mixed = "lý my tp hcm Hồ Chí Minh Lâm Đồng Ninh Bình quý sĩ Phú Thọ thỷ Vĩnh Long 12/2024"
    for typed in (longer, short, apart, called, mixed):
        text = " ".join(typed.split()[:count])
        for ending in ("", " "):
            for one in read(text + ending).rounds:
                assert sum(map(leaves, (one.must, *one.classes))) < 500, text


def test_the_second_try_of_a_long_query_still_ranks_what_is_right_but_for_one_word() -> None:
    text = "trường phường nguyễn khánh thành quang nghĩa đường chương nghiêng trưởng thương khuyên "
    *_, last = read(text).rounds[1].classes
    assert isinstance(last, Either)
    assert len(last.of) == 13


def test_the_last_word_may_be_unfinished_only_while_it_is_typed() -> None:
    assert Begins("kha") in must(read("giấy kha"))
    assert Begins("kha") not in must(read("giấy kha "))
    assert Begins("kha") not in must(read("giấy kha", typing=False))
    assert Begins("khai") not in must(read('"giấy khai"'))


def test_only_words_of_five_letters_and_more_may_hold_a_typing_error() -> None:
    asked = read("giay truong 123456 ")
    assert Near("truong") not in must(asked)
    loose = conditions(asked.rounds[1].must)
    assert Near("truong") in loose
    assert not any(isinstance(one, Near) and one.word != "truong" for one in loose)
    assert len(read("giay khai ").rounds) == 1


@pytest.mark.parametrize(("text", "other"), [("lý", "li"), ("Mĩ", "my"), ("Quí", "quy"), ("vi", "vy")])
def test_i_and_y_are_another_spelling_that_ranks_lower(text: str, other: str) -> None:
    asked = read(f"{text} ")
    assert Has(other) in must(asked)
    assert not any(Has(other) in conditions(one) for one in asked.rounds[0].classes)


def test_i_and_y_elsewhere_are_different_words() -> None:
    assert must(read("thuy ")) == {Has("thuy")}


def test_what_was_typed_without_accents_ranks_no_spelling_before_another() -> None:
    plain, accented = read("hoa binh "), read("hoà bình ")
    assert not any(
        getattr(one, "exact", False) for each in plain.rounds[0].classes for one in conditions(each)
    )
    assert Has("hoa.2", exact=True) in conditions(accented.rounds[0].classes[0])


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("12/3/2024", "#d20240312"),
        ("12-03-2024", "#d20240312"),
        ("2024-03-12", "#d20240312"),
        ("ngày 12 tháng 3 năm 2024", "#d20240312"),
        ("tháng 3/2024", "#m202403"),
        ("03/2024", "#m202403"),
    ],
)
def test_days_and_months(text: str, term: str) -> None:
    assert Has(term) in must(read(text))


def test_a_day_that_the_calendar_does_not_have_is_a_number() -> None:
    assert Has("3022024") in must(read("30/2/2024"))
    assert not any(isinstance(one, Has) and one.word.startswith("#") for one in must(read("30/2/2024")))


def test_a_number_is_found_with_and_without_separators() -> None:
    for text in ("001 180 034 562", "001180034562", "001.180.034.562"):
        assert Has("001180034562") in must(read(text))
    assert isinstance(read("12/2024").rounds[0].must, Either)


def test_letters_beside_digits_are_asked_for_as_one_too_and_letters_beside_letters_are_not() -> None:
    for text in ("AA 261127061106 ", "aa – 261127 061106 "):
        assert Begins("aa261127061106") in must(read(text))
    for text in ("khai sinh ", "quận 3 ", "12 tháng 3 năm 2024 ", "1234 5 "):
        asked = must(read(text))
        assert not any(len(one.word) > 5 and one.word.isalnum() for one in asked if isinstance(one, Has)), (
            text
        )


def test_what_people_call_a_paper_asks_for_what_it_is_too_where_its_accents_may_be_the_name_s() -> None:
    land = Phrase(("giay", "chung", "nhan", "quyen", "su", "dung", "dat"))
    for text in ("sổ đỏ", "SỔ ĐỎ", "so do", "sổ do"):
        assert land in must(read(text))
    for text in ("sơ đồ", "số đo", "đỏ sổ", '"sổ đỏ"'):
        assert land not in must(read(text))


@pytest.mark.parametrize("short", ["GKS", "CCCD", "GPLX", "UBND", "gplx", "ubnd"])
def test_an_abbreviation_asks_for_what_it_stands_for_too(short: str) -> None:
    asked = must(read(f"{short} "))
    assert Has(short.lower()) in asked
    assert any(isinstance(one, Phrase) and len(one.words) > 2 for one in asked)


def test_the_right_order_counts_for_more_and_the_given_name_may_come_first() -> None:
    classes = read("van an nguyen ").rounds[0].classes
    assert Phrase(("van", "an", "nguyen")) in conditions(classes[0])
    assert Phrase(("nguyen", "van", "an")) in conditions(classes[1])


def test_what_is_still_typed_ranks_by_the_words_before() -> None:
    classes = read("nguyễn văn a").rounds[0].classes
    assert any(
        {Phrase(("nguyen", "van")), Has("nguyên.4", exact=True)} <= conditions(one)
        and Has("a") not in conditions(one)
        for one in classes
    )


def test_of_two_errors_the_one_among_well_spelled_words_comes_first() -> None:
    asked = read("vũ thị hươngg ")
    best, *_, last = asked.rounds[-1].classes
    assert {Phrase(("vu", "thi")), Has("vu.4", exact=True)} <= conditions(best)
    assert conditions(last) == {last, Has("vu"), Has("thi")}
