"""Edits of the catalogue: what an administrator decided beside or instead of what a package says."""

from dataclasses import replace
from datetime import date

import pytest

from policies.edits import Change, Edit, change_of, check, edited, idle, shipped_edits
from policies.entries import InForce, Text
from policies.errors import BookInvalid, EditInvalid
from policies.packages import read_package, shipped_packages
from policies.procedures import asked_components, components_for
from policies.recording import plain

PACKAGES = {row["code"]: row for row in shipped_packages()}
DAY = date(2026, 11, 24)
NAME = Text("Giấy xác nhận", "Confirmation")


def edit(
    change, *, procedure="1.004222", case="dieu-20.2", component="KQ003606", start=DAY, end=None, id="e1"
):
    return Edit(
        id=id,
        procedure=procedure,
        case=case,
        component=component,
        change=change,
        in_force=InForce(start, end),
        legal_reference="Luật Cư trú 68/2020/QH14, Điều 21",
        reason=Text("vì vậy", "because"),
    )


@pytest.fixture
def residence():
    return read_package(PACKAGES["1.004222"])


def asked(procedure, *edits, case="dieu-20.2", on=DAY, conditions=()):
    return asked_components(components_for(edited(procedure, edits, on), case, conditions=conditions))


def test_the_shipped_edit_adds_the_declaration_where_the_package_forgot_it(residence):
    (ct01,) = (one for one in shipped_edits() if one.component == "CT01")
    assert asked(residence, ct01) == {"KQ003606", "CT01"}
    assert asked(residence, ct01, on=date(2025, 6, 30)) == {"KQ003606"}
    assert asked(residence, ct01, case="nha-so-huu") == {"KQ003604", "KQ003605"}
    row = edited(residence, [ct01], DAY).component("CT01")
    assert (row.source, row.rule, row.edit) == ("ours", "own_edit", "kho-ct01-dieu-20.2")


def test_an_edit_holds_from_its_first_to_its_last_day(residence):
    removal = edit(Change("remove"), start=date(2026, 11, 24), end=date(2026, 11, 25))
    days = [date(2026, 11, day) for day in (23, 24, 25, 26)]
    assert [asked(residence, removal, on=day) for day in days] == [{"KQ003606"}, set(), set(), {"KQ003606"}]


def test_a_row_is_read_otherwise_and_says_so(residence):
    overruled = edited(residence, [edit(Change("overrule", kind="form", name=NAME))], DAY)
    row = overruled.component("KQ003606")
    assert (row.kind, row.label, row.rule, row.edit) == ("form", NAME, "own_edit", "e1")
    assert row.name == residence.component("KQ003606").name, "the national text stays as it is"
    assert row.legal_reference == "Luật Cư trú 68/2020/QH14, Điều 21"


def test_a_note_becomes_a_document(residence):
    note = edit(Change("overrule", kind="document"), component="KQ003621", case=None)
    assert "KQ003621" in asked(residence, note)


def test_a_condition_may_be_set_and_lifted(residence):
    conditional = edit(Change("overrule", condition="newborn_first_registration"))
    assert asked(residence, conditional) == set()
    assert asked(residence, conditional, conditions=["newborn_first_registration"]) == {"KQ003606"}
    lifted = edit(Change("overrule", condition=""), case="don-vi-dong-quan", component="KQ003619")
    assert "KQ003619" in asked(residence, lifted, case="don-vi-dong-quan")


def test_a_condition_of_its_own_comes_with_its_name(residence):
    new = edit(Change("overrule", condition="lives_abroad", condition_name=NAME))
    check(residence, new, [])
    assert asked(residence, new, conditions=["lives_abroad"]) == {"KQ003606"}
    assert edited(residence, [new], DAY).conditions["lives_abroad"] == NAME
    with pytest.raises(EditInvalid) as refused:
        check(residence, edit(Change("overrule", condition="lives_abroad")), [])
    assert (refused.value.field, refused.value.code) == ("condition_name", "condition_name_missing")


def test_rows_may_be_made_alternatives_and_parted_again():
    building = read_package(PACKAGES["1.013225"])
    where = {"procedure": "1.013225", "case": "nha-o-rieng-le"}
    apart = edited(building, [edit(Change("overrule", alternative=""), component="KQ005479", **where)], DAY)
    rows = {row.code: row.alternative for row in apart.case("nha-o-rieng-le").components}
    assert (rows["KQ005479"], rows["KQ005478"]) == (None, "giay-to-dat")
    other = {row.code: row.alternative for row in apart.case("khong-theo-tuyen").components}
    assert other["KQ005479"] == "giay-to-dat", "the other cases keep their reading"


def test_a_groups_row_is_removed_for_one_case_alone():
    row = {
        "code": "1.999999",
        "name": "Thử",
        "executionCases": [
            {
                "name": name,
                "profileComponents": [{"code": code, "name": code, "originalQty": 1, "copyQty": 0}],
            }
            for name, code in (("Cấp mới", "KQ1"), ("Cấp lại", "KQ2"), ("", "KQ3"))
        ],
    }
    read = read_package(row)
    first, second = (case.key for case in read.cases)
    removal = edit(Change("remove"), procedure="1.999999", case=first, component="KQ3")
    assert asked(read, removal, case=first) == {"KQ1"}
    assert asked(read, removal, case=second) == {"KQ2", "KQ3"}
    everywhere = replace(removal, case=None)
    assert asked(read, everywhere, case=second) == {"KQ2"}


def test_an_edit_of_one_case_goes_before_one_of_every_case(residence):
    every = edit(Change("overrule", kind="note"), case=None, id="a")
    one = edit(Change("overrule", kind="document"), id="b", start=date(2020, 1, 1))
    assert asked(residence, every, one) == {"KQ003606"}


def test_an_added_line_that_the_package_gains_later_speaks_for_the_packages_row(residence):
    line = edit(Change("add", kind="form", name=NAME, originals=1), component="KQ003606")
    row = edited(residence, [line], DAY).component("KQ003606")
    assert (row.source, row.kind, row.edit) == ("package", "form", "e1")


def test_what_finds_nothing_is_named_and_passed_over(residence):
    gone = [
        edit(Change("remove"), component="KQ999999", id="no-row"),
        edit(Change("remove"), case="nowhere", id="no-case"),
        edit(Change("add", kind="form", name=NAME), case="nowhere", component="CT02", id="no-case-to-add-to"),
        edit(Change("remove"), procedure="1.004884", id="another-procedure"),
    ]
    assert edited(residence, gone, DAY) == residence
    assert [one.id for one in idle(residence, gone)] == ["no-row", "no-case", "no-case-to-add-to"]


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        (edit(Change("remove"), end=date(2026, 11, 23)), "valid_until", "dates_in_wrong_order"),
        (edit(Change("remove"), case="nowhere"), "case", "case_unknown"),
        (edit(Change("remove"), component="KQ003605"), "component", "component_unknown"),
        (edit(Change("add", kind="form", name=NAME)), "component", "component_known"),
        (edit(Change("add", kind="form"), component="CT02"), "name", "field_missing"),
        (edit(Change("add", name=NAME), component="CT02"), "kind", "field_missing"),
        (edit(Change("overrule")), "change", "edit_changes_nothing"),
    ],
)
def test_what_cannot_be_an_edit(residence, wrong, field, code):
    with pytest.raises(EditInvalid) as refused:
        check(residence, wrong, [])
    assert (refused.value.field, refused.value.code) == (field, code)


def test_two_edits_do_not_speak_of_one_row_on_one_day(residence):
    first = edit(Change("remove"), end=date(2026, 12, 31))
    check(residence, edit(Change("remove"), start=date(2027, 1, 1)), [first])
    check(residence, edit(Change("remove"), case=None), [first])
    with pytest.raises(EditInvalid) as refused:
        check(residence, edit(Change("remove"), start=date(2026, 12, 31)), [first])
    assert refused.value.code == "edit_overlaps"
    withdrawn = replace(first, in_force=InForce(DAY, date(2026, 11, 23)))
    check(residence, edit(Change("remove")), [withdrawn])


@pytest.mark.parametrize(
    "change",
    [
        Change("remove"),
        Change("add", kind="document", name=NAME, originals=1, copies=2, alternative="giay-to"),
        Change("overrule", condition="", condition_name=NAME),
    ],
)
def test_a_change_is_read_back_from_its_json(change):
    assert change_of(plain(change)) == change


@pytest.mark.parametrize(
    "value", [{}, {"act": "burn"}, {"act": "add", "kind": "poem"}, {"act": "add", "why": "x"}]
)
def test_what_is_no_change_is_refused(value):
    with pytest.raises(BookInvalid):
        change_of(value)
