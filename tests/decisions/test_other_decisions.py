"""Opening, asking, issuing, closing, revoking and reading one's own: each row one change to the story."""

from dataclasses import replace
from datetime import date

import pytest

from policies.decision import decide
from policies.facts import AccessFacts, Action, PersonFacts, Validity


def opening(story, caller, dossier):
    return decide(AccessFacts(Action.OPEN_DOSSIER, caller, dossier=dossier), story.book, story.at)


def test_both_agencies_open_their_dossiers(story):
    assert opening(story, story.police, story.residence).permitted
    assert opening(story, story.commune, story.birth_anew).permitted


def test_an_agency_opens_a_dossier_of_an_agency_below_it(story):
    province = replace(story.commune, agency_codes=("H01",))
    assert opening(story, province, story.birth_anew).permitted


@pytest.mark.parametrize(
    ("why", "change", "failed"),
    [
        ("a stranger, without evidence", {"evidence": None}, ("evidence_not_recorded",)),
        ("outside the territory", {"code_agency": "G01.02"}, ("outside_territory",)),
        ("old writing, outside too", {"code_agency": "000.00.02.G01"}, ("outside_territory",)),
        ("a day that has not come", {"code_day": date(2026, 11, 25)}, ("dossier_day_in_future",)),
        ("about nobody", {"persons": ()}, ("person_not_named",)),
        ("opened by somebody else before", {"agency": "commune"}, ("dossier_of_another_agency",)),
        ("a procedure not theirs", {"procedure": "1.004884"}, ("procedure_not_registered",)),
        (
            "for somebody else without authority",
            {"persons": (PersonFacts("applicant", None, represented=True),)},
            ("representation_not_evidenced",),
        ),
    ],
)
def test_a_dossier_is_not_opened(story, why, change, failed):
    decision = opening(story, story.police, replace(story.residence, **change))
    assert not decision.permitted
    assert decision.failed == failed


def test_an_officer_opens_so_many_within_an_hour(story):
    most = story.book.limit("dossiers_per_officer_and_hour", story.residence.opened_on).most

    def opened(count):
        caller = replace(story.police, opened_this_hour=count)
        return opening(story, caller, story.residence)

    assert opened(0).permitted and opened(most - 1).permitted
    assert opened(most).failed == opened(most + 50).failed == ("too_many_dossiers_opened",)
    assert not opened(None).permitted, "what was not counted is not let through"


def test_the_old_writing_of_a_code_below_is_inside(story):
    assert opening(story, story.police, replace(story.residence, code_agency="000.02.01.G01")).permitted


@pytest.mark.parametrize("action", [Action.OPEN_DOSSIER, Action.ASK_PLAN, Action.CLOSE_DOSSIER])
def test_without_a_caller_or_a_dossier_nothing_is_permitted(story, action):
    assert not decide(AccessFacts(action, None, dossier=story.residence), story.book, story.at).permitted
    assert not decide(AccessFacts(action, story.police), story.book, story.at).permitted


def test_the_plan_is_asked_for_open_dossiers_only(story):
    asked = AccessFacts(Action.ASK_PLAN, story.police, dossier=story.residence)
    closed = replace(asked, dossier=replace(story.residence, state="closed"))
    assert decide(asked, story.book, story.at).permitted
    assert decide(closed, story.book, story.at).failed == ("dossier_closed",)


def test_a_system_closes_its_dossier_once(story):
    alone = replace(story.police, officer=None, officer_live=False, procedures=frozenset())
    closing = AccessFacts(Action.CLOSE_DOSSIER, alone, dossier=story.residence)
    again = replace(closing, dossier=replace(story.residence, state="closed"))
    assert decide(closing, story.book, story.at).permitted
    assert decide(again, story.book, story.at).failed == ("dossier_closed",)


def issuing(story, caller=None, dossier=None, result_type="GKS", persons=None):
    facts = AccessFacts(
        Action.ISSUE_RESULT,
        caller or story.commune,
        dossier=dossier or story.birth_anew,
        result_type=result_type,
        result_persons=(story.daughter,) if persons is None else persons,
    )
    return decide(facts, story.book, story.at)


def test_the_commune_issues_the_certificate_by_statute(story):
    decision = issuing(story)
    assert decision.permitted
    assert "Luật Hộ tịch" in decision.basis_reference


def test_results_are_refused(story):
    assert "type_not_registered" in issuing(story, result_type="GCNKH").failed
    assert "type_not_registered" in issuing(story, caller=replace(story.commune, issues=frozenset())).failed
    assert issuing(story, persons=(story.stranger,)).failed == ("result_person_not_in_dossier",)
    assert issuing(story, persons=(story.daughter, story.stranger)).failed == (
        "result_person_not_in_dossier",
    )
    assert issuing(story, persons=()).failed == ("result_person_not_in_dossier",)
    assert issuing(story, dossier=replace(story.birth_anew, state="closed")).failed == ("dossier_closed",)


def test_a_type_may_be_registered_and_still_not_come_from_that_procedure(story):
    """An office that issues birth certificates does not issue one out of a residence dossier."""
    both = replace(story.police, issues=frozenset({"GKS"}))
    decision = issuing(story, caller=both, dossier=story.residence)
    assert not decision.permitted
    assert "no_statute_rule" in decision.failed


def revoking(story, caller=None, **change):
    record = replace(story.certificate, **change)
    return decide(
        AccessFacts(Action.REVOKE_RECORD, caller or story.commune, record=record), story.book, story.at
    )


def test_only_the_issuer_or_its_successor_revokes(story):
    assert revoking(story).permitted
    assert revoking(story, issuer="old-commune").permitted
    assert revoking(story, issuer="000.03.02.H01").permitted  # our code, as written on an old paper
    assert revoking(story, caller=story.police).failed == ("not_the_issuer",)
    assert revoking(story, issuer=None).failed == ("not_the_issuer",)
    assert revoking(story, validity=Validity.REVOKED).failed == ("record_already_revoked",)
    alone = replace(story.commune, officer=None, officer_live=False)
    assert revoking(story, caller=alone).failed == ("officer_not_named",)


def reading(story, owner, caller=None, **change):
    record = replace(story.certificate, **change)
    return decide(AccessFacts(Action.READ_OWN, caller, owner=owner, record=record), story.book, story.at)


def test_an_owner_reads_what_they_own_even_when_revoked(story):
    decision = reading(story, story.daughter, validity=Validity.REVOKED)
    assert decision.permitted
    assert decision.basis == "owner"
    assert decision.obligations == ()


def test_nobody_else_reads_a_store(story):
    assert "not_the_owner" in reading(story, story.mother).failed
    assert reading(story, story.mother).told == ("not_the_owner",)
    assert "owner_not_named" in reading(story, None).failed
    assert not reading(story, "").permitted
    assert "caller_not_owner" in reading(story, story.daughter, caller=story.police).failed
    assert reading(story, story.daughter, damaged=True).failed == ("record_damaged",)


def test_both_owners_of_a_joint_paper_read_it(story):
    joint = {"owners": frozenset({story.daughter, story.mother})}
    assert reading(story, story.daughter, **joint).permitted
    assert reading(story, story.mother, **joint).permitted


def test_an_owner_is_no_agency(story):
    facts = AccessFacts(
        Action.RELEASE,
        None,
        owner=story.daughter,
        dossier=story.residence,
        component="KQ003606",
        record=story.certificate,
    )
    assert "caller_missing" in decide(facts, story.book, story.at).failed
