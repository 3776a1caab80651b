"""What the one question answers, family by family."""

from dataclasses import replace
from datetime import date

import pytest

from policies.facts import PersonFacts, TrustClass, Validity
from policies.matching import plan


def kinship(story, *records, dossier=None):
    dossier = dossier or story.residence
    answers = plan(dossier, records, story.components(dossier), story.book, story.at)
    return next(answer for answer in answers if answer.component == "KQ003606")


@pytest.fixture
def upload(story):
    return replace(
        story.certificate,
        id="record-upload",
        trust=TrustClass.D,
        verdict="undetermined",
        verdict_reasons=("no_signature",),
        relations=frozenset(),
        known_fields=frozenset(),
    )


@pytest.fixture
def mothers_own(story):
    return replace(
        story.certificate, id="record-mother-gks", owners=frozenset({story.mother}), relations=frozenset()
    )


def test_the_daughters_certificate_satisfies_and_the_database_is_a_hint(story):
    answer = kinship(story, story.certificate)
    assert (answer.state, answer.records) == ("satisfied", ("record-daughter-gks",))
    assert answer.reasons == ("record_satisfies",)
    assert answer.data_source == "population"
    assert "154/2024/NĐ-CP" in answer.mapping


def test_the_form_is_listed_and_never_reused(story):
    form = plan(
        story.residence, [story.certificate], story.components(story.residence), story.book, story.at
    )[-1]
    assert (form.component, form.kind, form.state) == ("CT01", "form", "none")
    assert form.reasons == ("form_not_reusable",)


def test_the_mothers_own_certificate_does_not_satisfy(story, mothers_own):
    answer = kinship(story, mothers_own)
    assert answer.state == "data_source"
    assert answer.refused == (("record-mother-gks", ("not_of_required_person", "relation_disagrees")),)
    assert answer.candidates == ()


def test_the_mothers_own_is_named_beside_the_daughters(story, mothers_own):
    answer = kinship(story, mothers_own, story.certificate)
    assert answer.records == ("record-daughter-gks",)
    assert [key for key, _ in answer.refused] == ["record-mother-gks"]


def test_a_family_with_an_upload_only_has_a_candidate(story, upload):
    answer = kinship(story, upload)
    assert answer.state == "candidate"
    assert answer.records == ()
    why = ("trust_too_low", "verdict_undetermined", "no_signature", "relation_not_known")
    assert answer.candidates == (("record-upload", why),)
    assert answer.data_source == "population"


def test_an_upload_beside_the_certificate_is_not_offered(story, upload):
    answer = kinship(story, upload, story.certificate)
    assert answer.state == "satisfied"
    assert answer.candidates == ()


@pytest.mark.parametrize(
    ("validity", "code"),
    [
        (Validity.REVOKED, "record_revoked"),
        (Validity.REPLACED, "record_replaced"),
        (Validity.SUSPENDED, "record_suspended"),
        (Validity.EXPIRED, "record_expired"),
    ],
)
def test_the_next_plan_says_why_a_certificate_no_longer_serves(story, validity, code):
    answer = kinship(story, replace(story.certificate, validity=validity))
    assert answer.state == "data_source"
    assert answer.refused == (("record-daughter-gks", (code,)),)
    assert answer.reasons == ("data_source_answers", "records_refused")


def test_a_strangers_household_is_not_proven(story):
    other = replace(story.certificate, relations=frozenset({("mother", "witness")}))
    assert kinship(story, other).refused == (("record-daughter-gks", ("relation_disagrees",)),)


def test_a_father_serves_as_well_as_a_mother(story):
    by_father = replace(story.certificate, relations=frozenset({("father", "householder")}))
    assert kinship(story, by_father).state == "satisfied"


def test_a_marriage_certificate_proves_a_spouse(story):
    married = replace(
        story.certificate,
        id="record-marriage",
        type="GCNKH",
        owners=frozenset({story.daughter, story.stranger}),
        relations=frozenset({("husband", "householder")}),
    )
    husband = replace(
        story.residence,
        persons=(PersonFacts("applicant", story.daughter), PersonFacts("householder", story.stranger)),
    )
    assert kinship(story, married, dossier=husband).records == ("record-marriage",)


def test_records_of_persons_not_in_the_dossier_are_not_even_named(story):
    strangers = replace(story.certificate, owners=frozenset({story.stranger}))
    answer = kinship(story, strangers)
    assert answer.refused == ()
    assert answer.state == "data_source"


def test_other_types_are_passed_over_in_silence(story):
    passport = replace(story.certificate, type="HC")
    assert kinship(story, passport).refused == ()


def test_a_newborn_is_not_asked_for_a_birth_certificate(story):
    newborn = replace(story.residence, conditions=frozenset({"newborn_first_registration"}))
    answer = kinship(story, story.certificate, dossier=newborn)
    assert answer.state == "data_source"
    assert "not_to_be_asked" in answer.reasons
    assert answer.records == ()


def test_the_newest_certificate_is_taken(story):
    older = replace(story.certificate, id="record-older", issued_on=date(2020, 1, 1))
    undated = replace(story.certificate, id="record-undated", issued_on=None)
    assert kinship(story, undated, older, story.certificate).records == ("record-daughter-gks",)


def test_registering_a_birth_anew_asks_databases_first(story):
    answers = plan(story.birth_anew, [], story.components(story.birth_anew), story.book, story.at)
    told = {answer.component: (answer.kind, answer.state, answer.data_source) for answer in answers}
    assert told == {
        "KQ004946": ("identity", "data_source", "population"),
        "KQ003785": ("residence", "data_source", "residence"),
        "KQ003136": ("document", "data_source", "civil_status"),
        "KQ004947": ("form", "none", None),
        "KQ003472": ("form", "none", None),
    }


def test_a_component_without_a_rule_says_so(story):
    vehicle = replace(story.residence, case="phuong-tien")
    answers = plan(vehicle, [story.certificate], story.components(vehicle), story.book, story.at)
    assert {answer.reasons for answer in answers} == {("no_mapping",)}
