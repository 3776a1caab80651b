"""What each row of a package is taken for, and by which rule; keys for cases that the book does not know."""

import copy
import unicodedata

import pytest

from policies.packages import HEADING_RULES, RULES, read_package, reading_digest, shipped_packages
from policies.wording import groups

PACKAGES = {row["code"]: row for row in shipped_packages()}


def item(code, name, originals=1, copies=0):
    return {"code": code, "name": name, "originalQty": originals, "copyQty": copies}


def package(*headings, code="1.999999"):
    return {
        "code": code,
        "name": "Thủ tục thử",
        "executionCases": [{"name": name, "profileComponents": rows} for name, rows in headings],
    }


def rules(procedure):
    return {row.code: (row.kind, row.rule) for _, row in procedure.rows()}


@pytest.mark.parametrize(
    ("procedure", "component", "kind", "rule"),
    [
        ("1.004884", "KQ004946", "identity", "kind_by_book"),
        ("1.004222", "KQ003621", "note", "zero_quantity_note"),
        ("1.001193", "KQ003967", "form", "form_by_name"),
        ("1.001193", "KQ003208", "document", "conditional_by_book"),
        ("1.013225", "KQ005477", "document", "alternative_of"),
        ("1.013225", "KQ005476", "note", "names_no_document"),
        ("1.001193", "KQ004389", "document", "document"),
    ],
)
def test_each_row_says_which_rule_decided_it(procedure, component, kind, rule):
    assert rules(read_package(PACKAGES[procedure]))[component] == (kind, rule)


def test_rows_without_code_and_name_are_empty():
    read = read_package(package(("", [item("", ""), item("KQ1", "Giấy A")])))
    assert rules(read) == {"": ("note", "empty_row"), "KQ1": ("document", "document")}


def test_every_rule_has_words():
    assert groups()["reading_rule"] == {*RULES, *HEADING_RULES}


def test_places_follow_the_package():
    read = read_package(PACKAGES["1.001193"])
    codes = [
        row["code"].rpartition("-")[2]
        for heading in PACKAGES["1.001193"]["executionCases"]
        for row in heading["profileComponents"]
    ]
    assert [row.code for _, row in read.rows()] == codes
    assert [row.place for _, row in read.rows()] == list(range(1, len(codes) + 1))


@pytest.mark.parametrize(
    ("heading", "group"),
    [
        ("", True),
        (" * Giấy tờ phải nộp: ", True),
        ("* Lưu ý :", True),
        ("Thành phần hồ sơ", True),
        ("* Giấy tờ phải nộp (hồ sơ của người nhận con nuôi):", True),
        ("Giấy tờ phải nộp khi cấp lại", False),
        ("(1) Trường hợp cấp mới", False),
    ],
)
def test_what_is_a_group(heading, group):
    assert (read_package(package((heading, [item("KQ1", "Giấy A")]))).cases == ()) is group


def test_a_derived_key_is_readable_stable_and_says_that_it_is_derived():
    row = package(("* Đối với trường hợp cấp lại Giấy phép bị mất:", [item("KQ1", "Giấy A")]))
    (case,) = read_package(row).cases
    assert case.key == read_package(copy.deepcopy(row)).cases[0].key
    assert case.key.startswith("doi-voi-truong-hop-cap-lai-giay-phep-")
    assert (case.derived, case.rule) == (True, "case_key_derived")
    assert case.name.vi == "Đối với trường hợp cấp lại Giấy phép bị mất"


def test_the_key_of_a_name_that_stands_once_outlives_its_rows():
    """Else an edit of the case would be lost whenever the package gains a row."""
    one, more = [item("KQ1", "Giấy A")], [item("KQ1", "Giấy A"), item("KQ2", "Giấy B")]
    assert read_package(package(("Cấp mới", one))).cases[0].key == (
        read_package(package(("Cấp mới", more))).cases[0].key
    )


def test_cases_of_one_name_have_different_keys_in_whatever_order():
    first, second = ("Cấp mới", [item("KQ1", "Giấy A")]), ("Cấp mới:", [item("KQ2", "Giấy B")])
    keys = [case.key for case in read_package(package(first, second)).cases]
    assert len(set(keys)) == 2
    assert [case.key for case in read_package(package(second, first)).cases] == keys[::-1]
    twins = [case.key for case in read_package(package(first, first)).cases]
    assert twins[1] == f"{twins[0]}-2"


def test_a_case_the_book_no_longer_fits_gets_a_derived_key():
    row = copy.deepcopy(PACKAGES["1.004222"])
    row["executionCases"][0]["profileComponents"].pop()
    assert [case.derived for case in read_package(row).cases][:2] == [True, False]


def test_a_national_code_may_stand_in_several_cases():
    read = read_package(package(("Cấp mới", [item("KQ1", "Giấy A")]), ("Cấp lại", [item("KQ1", "Giấy A")])))
    assert [case.components[0].code for case in read.cases] == ["KQ1", "KQ1"]


def test_names_lose_what_cannot_be_seen_and_keep_their_text():
    name = "Đơn\u202e <b>đề nghị</b>\x00\u200e\ncấp\u00a0phép"
    (case,) = read_package(package(("<script>\x07Cấp mới", [item("KQ\u200e1", name)]))).cases
    assert case.package_name == "<script>Cấp mới"
    assert (case.components[0].code, case.components[0].name) == ("KQ1", "Đơn <b>đề nghị</b> cấp phép")


def test_decomposed_text_is_the_same_package():
    composed = package(("Cấp mới", [item("KQ1", "Tờ khai đăng ký")]))
    decomposed = package(
        (unicodedata.normalize("NFD", "Cấp mới"), [item("KQ1", "To\u031b\u0300 khai đăng ký")])
    )
    decomposed["executionCases"][0]["profileComponents"][0]["name"] = unicodedata.normalize(
        "NFD", "Tờ khai đăng ký"
    )
    one, other = read_package(composed), read_package(decomposed)
    assert (one.version, one.cases, rules(one)) == (other.version, other.cases, rules(other))
    assert rules(one) == {"KQ1": ("form", "form_by_name")}


def test_the_digest_moves_with_the_reading_only():
    row = package(("Cấp mới", [item("KQ1", "Giấy A")]))
    renamed = package(("Cấp mới", [item("KQ1", "Giấy B")]))
    form = package(("Cấp mới", [item("KQ1", "Tờ khai A")]))
    digests = [reading_digest(read_package(one)) for one in (row, renamed, form)]
    assert digests[0] == digests[1] != digests[2]
