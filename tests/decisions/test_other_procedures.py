"""Building permits, births, marriages, changes of civil status, enterprises: plans and releases."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from policies.alternatives import papers, same_paper
from policies.decision import decide
from policies.facts import AccessFacts, Action, CallerFacts, DossierFacts, PersonFacts, TrustClass
from policies.matching import plan

HUSBAND, WIFE, CHILD = "owner-husband", "owner-wife", "owner-child"
LAND_ROWS = ("KQ003215", "KQ005479", "KQ005478", "KQ005477")
DAY = date(2026, 11, 24)


@dataclass(frozen=True)
class Matter:
    """A dossier of one procedure and the office that opened it."""

    dossier: DossierFacts
    caller: CallerFacts


def matter(story, procedure, case, persons, issues=(), more=(), conditions=()):
    dossier = DossierFacts(
        code="H26.14.02-261124-0031",
        code_agency="H26.14.02",
        code_day=DAY,
        agency="office",
        procedure=procedure,
        case=case,
        opened_on=DAY,
        evidence="officer_check",
        persons=tuple(PersonFacts(role, owner) for role, owner in persons.items()),
        additional_cases=tuple(more),
        conditions=frozenset(conditions),
    )
    caller = replace(
        story.commune,
        agency="office",
        procedures=frozenset({procedure}),
        issues=frozenset(issues),
        agency_codes=("H26.14.02",),
    )
    return Matter(replace(dossier, components=story.asked(dossier)), caller)


def answers(story, matter, *records):
    told = plan(matter.dossier, records, story.components(matter.dossier), story.book, story.at)
    return {one.component: one for one in told}


def releasing(story, matter, component, record):
    facts = AccessFacts(
        Action.RELEASE, matter.caller, dossier=matter.dossier, component=component, record=record
    )
    return decide(facts, story.book, story.at)


def paper(story, kind, *owners, **changes):
    changes = {"relations": frozenset(), "known_fields": frozenset(), "issuer": "land-office"} | changes
    return replace(story.certificate, id=f"record-{kind}", type=kind, owners=frozenset(owners), **changes)


# A house of one's own land ----------------------------------------------------------------------------------


@pytest.fixture
def house(story):
    return matter(story, "1.013225", "nha-o-rieng-le", {"applicant": HUSBAND})


@pytest.fixture
def land(story):
    return paper(story, "GCNQSDD", HUSBAND, WIFE)


def test_one_land_certificate_meets_the_four_rows_that_ask_for_it(story, house, land):
    told = answers(story, house, land)
    first, *others = LAND_ROWS
    assert (told[first].state, told[first].records) == ("satisfied", ("record-GCNQSDD",))
    assert told[first].reasons == ("record_satisfies",)
    for code in others:
        assert (told[code].state, told[code].records) == ("satisfied", ())
        assert (told[code].reasons, told[code].met_by) == (("met_by_alternative",), first)


def test_the_certificate_is_both_spouses_and_serves_either_alone(story, land):
    for applicant in (HUSBAND, WIFE):
        one = matter(story, "1.013225", "nha-o-rieng-le", {"applicant": applicant})
        assert answers(story, one, land)["KQ003215"].state == "satisfied"
        assert releasing(story, one, "KQ003215", land).permitted


def test_each_row_of_the_group_may_be_the_one_that_is_taken(story, house, land):
    for code in LAND_ROWS:
        decision = releasing(story, house, code, land)
        assert decision.permitted, decision.failed
        assert "Luật Xây dựng" in decision.basis_reference


def test_somebody_elses_land_is_neither_told_nor_released(story, land):
    stranger = matter(story, "1.013225", "nha-o-rieng-le", {"applicant": "owner-stranger"})
    assert answers(story, stranger, land)["KQ003215"].refused == ()
    assert "person_not_in_dossier" in releasing(story, stranger, "KQ003215", land).failed


def test_a_spouse_named_otherwise_in_the_dossier_does_not_make_it_the_applicants(story, land):
    other = matter(story, "1.013225", "nha-o-rieng-le", {"applicant": CHILD, "holder": WIFE})
    assert answers(story, other, land)["KQ003215"].refused == (
        ("record-GCNQSDD", ("not_of_required_person",)),
    )


def test_without_a_certificate_the_group_is_asked_for_once_in_the_land_database(story, house):
    told = answers(story, house)
    assert (told["KQ003215"].state, told["KQ003215"].data_source) == ("data_source", "land")
    for code in LAND_ROWS[1:]:
        assert (told[code].state, told[code].reasons) == ("none", ("asked_as_alternative",))
        assert (told[code].met_by, told[code].data_source) == ("KQ003215", None)


def test_a_weak_certificate_is_a_candidate_of_the_group_once(story, house, land):
    weak = replace(land, trust=TrustClass.E, verdict="undetermined", verdict_reasons=("no_signature",))
    told = answers(story, house, weak)
    assert [code for code in LAND_ROWS if told[code].candidates] == ["KQ003215"]


def test_the_best_row_speaks_for_the_group_wherever_it_stands(story, house, land):
    """A row whose own rule accepts the paper goes before one that only names a database."""
    entries = {
        key: () if key == ("1.013225", "KQ003215") else mappings
        for key, mappings in story.book.mappings.items()
    }
    told = plan(
        house.dossier,
        [land],
        story.components(house.dossier),
        replace(story.book, mappings=entries),
        story.at,
    )
    by_code = {one.component: one for one in told}
    assert by_code["KQ005479"].records == ("record-GCNQSDD",)
    assert by_code["KQ003215"].met_by == "KQ005479"


def test_the_group_counts_as_one_paper(story, house):
    components = story.components(house.dossier)
    assert papers(components) == 2, "the land paper and the design; the application is a form"
    assert same_paper(components, "KQ005477") == frozenset(LAND_ROWS)
    assert same_paper(components, "KQ002712") == {"KQ002712"}


# Births ----------------------------------------------------------------------------------------------------


@pytest.fixture
def birth(story):
    return matter(story, "1.001193", None, {"applicant": HUSBAND, "mother": WIFE}, issues=["GKS"])


@pytest.fixture
def notification(story):
    agrees = frozenset({("mother", "mother")})
    changes = {"relations": agrees, "known_fields": frozenset({"mother"}), "issued_on": date(2026, 11, 20)}
    return paper(story, "GCS", WIFE, **changes)


def test_a_signed_birth_notification_of_the_mother_serves(story, birth, notification):
    assert answers(story, birth, notification)["KQ004389"].state == "satisfied"
    assert releasing(story, birth, "KQ004389", notification).permitted


@pytest.mark.parametrize(
    ("change", "state", "why"),
    [
        ({"trust": TrustClass.C}, "candidate", "trust_too_low"),
        ({"issued_on": date(2026, 9, 24)}, "data_source", "record_too_old"),
        ({"owners": frozenset({HUSBAND})}, "data_source", "not_of_required_person"),
        ({"relations": frozenset()}, "data_source", "relation_disagrees"),
    ],
)
def test_a_notification_that_may_be_another_childs_does_not(story, birth, notification, change, state, why):
    answer = answers(story, birth, replace(notification, **change))["KQ004389"]
    assert answer.state == state
    assert why in str((answer.refused, answer.candidates))


def test_an_abandoned_child_has_no_birth_notification(story, notification):
    left = matter(
        story, "1.001193", None, {"applicant": HUSBAND, "mother": WIFE}, conditions=["abandoned_child"]
    )
    told = answers(story, left, notification)
    assert told["KQ003208"].reasons == ("no_mapping",)
    assert "not_to_be_asked" in told["KQ004389"].reasons


def test_a_written_authorisation_is_always_for_an_officer_to_read(story):
    by_another = matter(
        story,
        "1.001193",
        None,
        {"applicant": HUSBAND, "mother": WIFE},
        conditions=["acts_by_authorisation"],
    )
    answer = answers(story, by_another, paper(story, "UQ", WIFE))["KQ003159"]
    assert answer.state == "candidate"
    assert answer.candidates == (("record-UQ", ("needs_judgement",)),)
    assert releasing(story, by_another, "KQ003159", paper(story, "UQ", WIFE)).obligations == (
        "show_to_owner",
        "confirm_before_use",
    )


# Marriages and changes --------------------------------------------------------------------------------------


def test_a_marriage_is_data_and_forms(story):
    marriage = matter(story, "1.000894", None, {"husband": HUSBAND, "wife": WIFE, "applicant": HUSBAND})
    told = {code: (one.state, one.data_source) for code, one in answers(story, marriage).items()}
    assert told == {
        "KQ004946": ("data_source", "population"),
        "KQ003785": ("data_source", "residence"),
        "KQ003969": ("none", None),
        "KQ003229": ("none", None),
    }


def test_what_a_change_rests_on_is_a_candidate_however_good_it_is(story):
    change = matter(story, "1.004859", None, {"applicant": CHILD})
    answer = answers(story, change, paper(story, "GKS", CHILD))["KQ003434"]
    assert (answer.state, answer.records) == ("candidate", ())
    assert answer.candidates == (("record-GKS", ("needs_judgement",)),)


# Private enterprises ----------------------------------------------------------------------------------------


def test_who_declares_a_number_hands_in_the_form_alone(story):
    enterprise = matter(story, "2.001610", "doanh-nghiep-tu-nhan", {"applicant": HUSBAND})
    assert {code: one.kind for code, one in answers(story, enterprise).items()} == {"KQ3233": "form"}


def test_who_declares_none_shows_a_passport_that_the_vault_may_have(story):
    enterprise = matter(
        story,
        "2.001610",
        "doanh-nghiep-tu-nhan",
        {"applicant": HUSBAND},
        conditions=["owner_number_not_declared"],
    )
    assert answers(story, enterprise, paper(story, "HC", HUSBAND))["KQ3234"].state == "satisfied"


def test_the_additional_case_brings_its_row_and_its_rule(story):
    by_another = matter(
        story, "2.001610", "doanh-nghiep-tu-nhan", {"applicant": HUSBAND}, more=["uy-quyen-ca-nhan"]
    )
    authorisation = paper(story, "UQ", HUSBAND)
    assert answers(story, by_another, authorisation)["KQ4427"].state == "candidate"
    assert releasing(story, by_another, "KQ4427", authorisation).permitted
    alone = matter(story, "2.001610", "doanh-nghiep-tu-nhan", {"applicant": HUSBAND})
    assert "component_not_asked" in releasing(story, alone, "KQ4427", authorisation).failed


def test_a_household_business_that_becomes_an_enterprise_shows_its_certificate(story):
    converted = matter(story, "2.001610", "chuyen-doi-ho-kinh-doanh", {"applicant": HUSBAND})
    answer = answers(story, converted, paper(story, "GCNDKHKD", HUSBAND))["KQ014025"]
    assert (answer.state, answer.data_source) == ("satisfied", "enterprise")


# By which ground --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("procedure", "case", "type", "law"),
    [
        ("1.001193", None, "GKS", "Luật Hộ tịch"),
        ("1.000894", None, "GCNKH", "Luật Hộ tịch"),
        ("1.004859", None, "TLTDCC", "Luật Hộ tịch"),
        ("1.004859", None, "GKS", "Luật Hộ tịch"),
        ("1.013225", "nha-o-rieng-le", "GPXD", "Luật Xây dựng"),
        ("2.001610", "doanh-nghiep-tu-nhan", "GCNDKDN", "Luật Doanh nghiệp"),
    ],
)
def test_each_procedure_is_opened_asked_closed_and_gives_its_result_by_its_own_law(
    story, procedure, case, type, law
):
    one = matter(story, procedure, case, {"applicant": HUSBAND}, issues=[type])
    for action in (Action.OPEN_DOSSIER, Action.ASK_PLAN, Action.CLOSE_DOSSIER):
        decision = decide(AccessFacts(action, one.caller, dossier=one.dossier), story.book, story.at)
        assert decision.permitted, decision.failed
        assert law in decision.basis_reference
    result = AccessFacts(
        Action.ISSUE_RESULT, one.caller, dossier=one.dossier, result_type=type, result_persons=(HUSBAND,)
    )
    assert law in decide(result, story.book, story.at).basis_reference


def test_a_land_certificate_does_not_come_out_of_a_building_permit(story):
    one = matter(story, "1.013225", "nha-o-rieng-le", {"applicant": HUSBAND}, issues=["GCNQSDD"])
    facts = AccessFacts(
        Action.ISSUE_RESULT, one.caller, dossier=one.dossier, result_type="GCNQSDD", result_persons=(HUSBAND,)
    )
    assert "no_statute_rule" in decide(facts, story.book, story.at).failed


def test_before_the_decree_of_2024_no_rule_holds(story, house):
    earlier = replace(house.dossier, opened_on=date(2024, 12, 29), code_day=date(2024, 12, 29))
    facts = AccessFacts(Action.ASK_PLAN, house.caller, dossier=earlier)
    assert "no_statute_rule" in decide(facts, story.book, story.at).failed
