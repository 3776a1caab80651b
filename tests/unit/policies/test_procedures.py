"""The shipped national packages, read as a clerk would."""

import copy
from datetime import date

import pytest

from policies.book import shipped_book
from policies.edits import edited, shipped_edits
from policies.errors import AskingInvalid, PackageUnreadable
from policies.packages import read_package, shipped_packages
from policies.procedures import asked_components, components_for
from policies.wording import name

PACKAGES = {row["code"]: row for row in shipped_packages()}


@pytest.fixture
def residence():
    return edited(read_package(PACKAGES["1.004222"]), shipped_edits(), date(2026, 11, 24))


@pytest.fixture
def birth_anew():
    return read_package(PACKAGES["1.004884"])


def asked(*args, **more):
    return asked_components(components_for(*args, **more))


def test_two_cases_of_one_name_have_two_keys(residence):
    same = [case for case in residence.cases if case.package_name == residence.cases[0].package_name]
    assert [case.key for case in same] == ["phuong-tien", "nha-so-huu"]


@pytest.mark.parametrize(
    ("case", "conditions", "codes"),
    [
        ("dieu-20.2", (), {"KQ003606", "CT01"}),
        ("dieu-20.2", ("newborn_first_registration",), {"KQ003606", "CT01"}),
        ("nha-so-huu", (), {"KQ003604", "KQ003605"}),
        ("phuong-tien", (), {"KQ003616", "KQ003617"}),
        ("thue-muon-o-nho", (), {"KQ003607", "KQ003608"}),
        ("cham-soc-nuoi-duong", (), {"KQ003614", "KQ003615"}),
        ("co-so-ton-giao", (), set()),
        ("co-so-ton-giao", ("religious_person",), {"KQ003610", "KQ003611"}),
        ("co-so-ton-giao", ("helped_by_religious_place",), {"KQ003613"}),
        ("don-vi-dong-quan", ("serves_in_army",), {"KQ003618", "KQ003620"}),
    ],
)
def test_what_residence_asks_for(residence, case, conditions, codes):
    assert asked(residence, case, conditions=conditions) == codes


def test_what_registering_a_birth_anew_asks_for(birth_anew):
    always = {"KQ004946", "KQ003785", "KQ003136", "KQ004947", "KQ003472"}
    assert birth_anew.cases == ()
    assert asked(birth_anew, None) == always
    more = ("applicant_is_official", "no_copy_of_birth_certificate", "acts_by_authorisation")
    assert asked(birth_anew, None, conditions=more) == always | {"KQ003479", "KQ003137", "KQ003139"}


@pytest.mark.parametrize(
    ("code", "case", "conditions", "codes"),
    [
        ("1.001193", None, (), {"KQ004389", "KQ004946", "KQ003785", "KQ003204", "KQ003967"}),
        ("1.000894", None, (), {"KQ004946", "KQ003785", "KQ003229", "KQ003969"}),
        ("1.004859", None, (), {"KQ003434", "KQ004946", "KQ003882", "KQ003431", "KQ003973"}),
        (
            "1.013225",
            "nha-o-rieng-le",
            (),
            {"KQ003215", "KQ005477", "KQ005478", "KQ005479", "KQ002695", "KQ002712"},
        ),
        ("2.001610", "doanh-nghiep-tu-nhan", (), {"KQ3233"}),
        ("2.001610", "doanh-nghiep-tu-nhan", ("owner_number_not_declared",), {"KQ3233", "KQ3234"}),
    ],
)
def test_what_the_other_procedures_ask_for(code, case, conditions, codes):
    assert asked(read_package(PACKAGES[code]), case, conditions=conditions) == codes


def test_a_birth_asks_for_more_only_where_the_dossier_says_so():
    birth = read_package(PACKAGES["1.001193"])
    always = asked(birth, None)
    for condition, code in (
        ("abandoned_child", "KQ003208"),
        ("surrogate_birth", "KQ003303"),
        ("acts_by_authorisation", "KQ003159"),
    ):
        assert asked(birth, None, conditions=(condition,)) - always == {code}


def test_a_rule_with_quantities_is_a_note():
    building = read_package(PACKAGES["1.013225"])
    rule = next(row for row in building.case("ton-giao").components if row.code == "KQ005476")
    assert (rule.kind, rule.originals, rule.copies) == ("note", 1, 1)
    assert "KQ005476" not in asked(building, "ton-giao")


def test_the_results_of_the_other_procedures_are_known():
    known = {
        one.record_type
        for code in ("1.001193", "1.000894", "1.004859", "1.013225", "2.001610")
        for one in read_package(PACKAGES[code]).results
    }
    assert known == {"GKS", "GCNKH", "TLTDCC", "GPXD", "GCNDKDN", None}


def test_additional_cases_are_asked_together(residence):
    assert asked(residence, "dieu-20.2", ("nha-so-huu",)) == {"KQ003606", "CT01", "KQ003604", "KQ003605"}


@pytest.mark.parametrize(
    ("case", "more", "field", "code"),
    [
        ("uy-quyen-ca-nhan", (), "case", "case_only_additional"),
        ("doanh-nghiep-tu-nhan", ("doanh-nghiep-xa-hoi",), "additional_cases", "case_not_additional"),
        ("doanh-nghiep-tu-nhan", ("nowhere",), "additional_cases", "case_unknown"),
        (None, ("uy-quyen-ca-nhan",), "case", "case_missing"),
    ],
)
def test_authorisation_is_only_ever_named_beside_a_main_case(case, more, field, code):
    enterprise = read_package(PACKAGES["2.001610"])
    with pytest.raises(AskingInvalid) as refused:
        components_for(enterprise, case, more)
    assert (refused.value.field, refused.value.code) == (field, code)


def test_authorisation_beside_the_main_case_asks_for_both():
    enterprise = read_package(PACKAGES["2.001610"])
    assert asked(enterprise, "doanh-nghiep-tu-nhan", ("uy-quyen-ca-nhan",)) == {"KQ3233", "KQ4427"}


def test_our_line_is_marked_as_ours(residence):
    ours = [row for row in residence.all_components() if row.source == "ours"]
    assert [(row.code, row.kind, row.national_code) for row in ours] == [("CT01", "form", "")]
    assert "Điều 21" in ours[0].legal_reference


def test_a_note_is_never_asked_for(residence, birth_anew):
    notes = [row for one in (residence, birth_anew) for row in one.all_components() if row.kind == "note"]
    assert {"KQ003621", "KQ003609", "KQ003612", "KQ003135"} <= {row.code for row in notes}
    assert all(row.originals + row.copies == 0 for row in notes)
    with pytest.raises(AskingInvalid):
        residence.component("KQ003621")


def test_a_component_is_found_by_its_full_and_short_code(residence):
    assert residence.component("000.00.00.G01-KQ003606") == residence.component("kq003606")
    assert residence.component("KQ003606").national_code == "000.00.00.G01-KQ003606"


def test_the_result_is_known_as_a_birth_certificate(birth_anew):
    assert [(one.code, one.record_type) for one in birth_anew.results] == [("KQ.G15.000031", "GKS")]


@pytest.mark.parametrize(
    ("case", "conditions", "code"),
    [
        (None, (), "case_missing"),
        ("nowhere", (), "case_unknown"),
        ("dieu-20.2", ("it_rains",), "condition_unknown"),
    ],
)
def test_what_the_procedure_does_not_know(residence, case, conditions, code):
    with pytest.raises(AskingInvalid) as refused:
        components_for(residence, case, (), conditions)
    assert refused.value.code == code


def test_the_version_moves_with_the_package_only(residence):
    changed = copy.deepcopy(PACKAGES["1.004222"])
    changed["executionCases"][0]["profileComponents"][0]["copyQty"] = 1
    assert read_package(copy.deepcopy(PACKAGES["1.004222"])).version == residence.version
    assert read_package(changed).version != residence.version


def _written_alike(row):
    twin = copy.deepcopy(row["executionCases"][0]["profileComponents"][0])
    twin["code"] = "000.00.00.H01-KQ003617"
    row["executionCases"][1]["profileComponents"].append(twin)


def _twice_in_one_case(row):
    rows = row["executionCases"][0]["profileComponents"]
    rows.append(copy.deepcopy(rows[0]))


def _without_headings(row):
    del row["executionCases"]


def _without_a_code(row):
    row["executionCases"][0]["profileComponents"][0]["code"] = ""


def _endless(row):
    row["executionCases"][0]["profileComponents"][0]["name"] = "x" * 20_001


def _quantity(value):
    def change(row):
        row["executionCases"][0]["profileComponents"][0]["originalQty"] = value

    return change


def _half_a_character(row):
    row["departmentPromulgateName"] = "\ud800"


def _no_number(row):
    row["updatedAt"] = float("nan")


def _headings_in_a_word(row):
    row["executionCases"] = "none"


def _rows_in_a_word(row):
    row["executionCases"][0]["profileComponents"] = ["KQ003616"]


@pytest.mark.parametrize(
    "change",
    [
        _written_alike,
        _twice_in_one_case,
        _without_headings,
        _headings_in_a_word,
        _rows_in_a_word,
        _without_a_code,
        _endless,
        _quantity(-1),
        _quantity(1001),
        _quantity("1"),
        _quantity(True),
        _half_a_character,
        _no_number,
    ],
)
def test_a_package_nobody_can_read_is_refused(change):
    row = copy.deepcopy(PACKAGES["1.004222"])
    change(row)
    with pytest.raises(PackageUnreadable) as refused:
        read_package(row, shipped_book())
    problem = refused.value
    for language in ("vi", "en"):
        said = name("package_fault", problem.fault, language).format_map(problem.facts)
        if change is _twice_in_one_case:
            assert "KQ003617" in said
