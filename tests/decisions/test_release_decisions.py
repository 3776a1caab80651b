"""Releases, row by row: what is changed in the story, and what then stands in the way."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from policies.decision import decide
from policies.facts import AccessFacts, Action, Decision, PersonFacts, TrustClass, Validity


def ask(story, component="KQ003606", action=Action.RELEASE, **changes) -> Decision:
    facts = AccessFacts(
        action=action,
        caller=changes.get("caller", story.police),
        dossier=changes.get("dossier", story.residence),
        component=component,
        record=changes.get("record", story.certificate),
        release_own=changes.get("release_own"),
    )
    return decide(facts, story.book, story.at)


def test_the_daughters_certificate_is_released_by_statute(story):
    decision = ask(story)
    assert decision.permitted
    assert decision.basis == "statute"
    assert "91/2025/QH15, Điều 19" in decision.basis_reference
    assert decision.failed == ()
    assert decision.obligations == ("show_to_owner",)
    assert decision.policy_hash == story.book.hash


CALLER_ROWS = [
    ("the agency was struck off", {"agency_live": False}, "agency_not_live"),
    ("the system was struck off", {"system_live": False}, "system_not_live"),
    ("no officer stands behind it", {"officer": None, "officer_live": False}, "officer_not_named"),
    ("the officer has left", {"officer_live": False}, "officer_not_live"),
    ("the procedure is not theirs", {"procedures": frozenset()}, "procedure_not_registered"),
    ("the code is of a sister agency", {"agency_codes": ("G01.02",)}, "outside_territory"),
    ("their code is below the dossier's", {"agency_codes": ("G01.01.02.09",)}, "outside_territory"),
    ("the agency's code is not a code", {"agency_codes": ("G01.0",)}, "rule_failed"),
    ("the agency has no code", {"agency_codes": ()}, "outside_territory"),
]
DOSSIER_ROWS = [
    ("another agency's dossier", {"agency": "commune"}, "dossier_of_another_agency"),
    ("the dossier is closed", {"state": "closed"}, "dossier_closed"),
    ("nothing shows that anybody applied", {"evidence": None}, "evidence_not_recorded"),
    ("evidence nobody knows", {"evidence": "trust me"}, "evidence_not_recorded"),
    ("the component is not asked for", {"components": frozenset({"CT01"})}, "component_not_asked"),
]
RECORD_ROWS = [
    ("it was revoked", {"validity": Validity.REVOKED}, "record_revoked"),
    ("it was replaced", {"validity": Validity.REPLACED}, "record_replaced"),
    ("it is suspended", {"validity": Validity.SUSPENDED}, "record_suspended"),
    ("it has expired", {"validity": Validity.EXPIRED}, "record_expired"),
    ("its last day was yesterday", {"valid_until": date(2026, 11, 23)}, "record_expired"),
    ("its bytes are damaged", {"damaged": True}, "record_damaged"),
    ("its signature is invalid", {"verdict": "invalid"}, "verdict_invalid"),
    ("it is another type: over-asking", {"type": "CCCD"}, "type_not_accepted"),
    ("a type nobody knows", {"type": "XYZ"}, "type_not_in_force"),
    ("a stranger's", {"owners": frozenset({"owner-stranger"})}, "person_not_in_dossier"),
    ("the mother's own", {"owners": frozenset({"owner-mother"})}, "not_of_required_person"),
    ("another mother is named", {"relations": frozenset()}, "relation_disagrees"),
]


@pytest.mark.parametrize(("why", "change", "code"), CALLER_ROWS)
def test_callers_are_refused_when(story, why, change, code):
    caller = replace(story.police, **change)
    decision = ask(story, caller=caller)
    assert not decision.permitted
    assert code in decision.failed


@pytest.mark.parametrize(("why", "change", "code"), DOSSIER_ROWS)
def test_dossiers_are_refused_when(story, why, change, code):
    decision = ask(story, dossier=replace(story.residence, **change))
    assert not decision.permitted
    assert decision.failed == (code,)


@pytest.mark.parametrize(("why", "change", "code"), RECORD_ROWS)
def test_records_are_refused_when(story, why, change, code):
    decision = ask(story, record=replace(story.certificate, **change))
    assert not decision.permitted
    assert code in decision.failed


def test_its_last_day_still_counts(story):
    until_today = replace(story.certificate, valid_until=date(2026, 11, 24))
    assert ask(story, record=until_today).permitted


def test_the_day_is_the_day_in_viet_nam(story):
    """18:00 UTC is already tomorrow in Viet Nam: a paper of today has expired."""
    until_today = replace(story.certificate, valid_until=date(2026, 11, 24))
    facts = AccessFacts(
        Action.RELEASE, story.police, dossier=story.residence, component="KQ003606", record=until_today
    )
    assert decide(facts, story.book, story.at + timedelta(hours=16)).failed == ("record_expired",)


def test_a_represented_person_needs_evidence(story):
    child = PersonFacts("applicant", story.daughter, represented=True)
    householder = PersonFacts("householder", story.mother)
    without = replace(story.residence, persons=(child, householder))
    shown = replace(story.residence, persons=(replace(child, representation_evidence=True), householder))
    assert ask(story, dossier=without).failed == ("representation_not_evidenced",)
    assert ask(story, dossier=shown).permitted


def test_an_upload_is_released_for_viewing_only(story):
    upload = replace(
        story.certificate,
        trust=TrustClass.D,
        verdict="undetermined",
        verdict_reasons=("no_signature",),
        relations=frozenset(),
        known_fields=frozenset(),
    )
    decision = ask(story, record=upload)
    assert decision.permitted
    assert decision.obligations == ("show_to_owner", "confirm_before_use")


@pytest.mark.parametrize("component", ["CT01", None, "KQ999999"])
def test_forms_and_unknown_components_release_nothing(story, component):
    assert not ask(story, component=component).permitted


def test_a_newborns_certificate_is_not_asked_for(story):
    newborn = replace(story.residence, conditions=frozenset({"newborn_first_registration"}))
    assert ask(story, dossier=newborn).failed == ("not_to_be_asked",)


def test_delivery_needs_no_officer_but_a_live_one_if_named(story):
    alone = replace(story.police, officer=None, officer_live=False)
    gone = replace(story.police, officer_live=False)
    assert ask(story, action=Action.DELIVER, caller=alone).permitted
    assert ask(story, action=Action.DELIVER, caller=gone).failed == ("officer_not_live",)


def test_a_release_reads_nothing_more_after_closing_or_revoking(story):
    closed = replace(story.residence, state="closed")
    revoked = replace(story.certificate, validity=Validity.REVOKED)
    assert ask(story, action=Action.DELIVER).permitted
    other = ask(story, action=Action.DELIVER, release_own=False)
    assert (other.failed, other.permitted) == (("release_of_another_system",), False)
    assert ask(story, action=Action.DELIVER, dossier=closed).failed == ("dossier_closed",)
    assert ask(story, action=Action.DELIVER, record=revoked).failed == ("record_revoked",)


def test_every_failing_condition_is_told_not_only_the_first(story):
    decision = ask(
        story,
        caller=replace(story.police, officer_live=False),
        dossier=replace(story.residence, state="closed"),
        record=replace(story.certificate, validity=Validity.REVOKED),
    )
    assert decision.failed == ("officer_not_live", "dossier_closed", "record_revoked")


def test_a_dossier_of_last_year_is_judged_by_last_years_rules(story):
    year_before = replace(story.residence, opened_on=date(2025, 11, 24), code_day=date(2025, 11, 24))
    assert "13/2023/NĐ-CP" in ask(story, dossier=year_before).basis_reference


def test_before_any_rule_was_in_force_everything_is_denied(story):
    ancient = replace(story.residence, opened_on=date(2020, 1, 2), code_day=date(2020, 1, 2))
    decision = ask(story, dossier=ancient)
    assert not decision.permitted
    assert {"no_mapping", "no_statute_rule", "consent_not_recorded"} <= set(decision.failed)


BASES = [
    "court_order_not_recorded",
    "consent_not_recorded",
    "delegation_not_recorded",
    "emergency_not_recorded",
]


def test_every_basis_is_evaluated_and_those_without_facts_do_not_hold(story):
    reasons = {reason.code: reason for reason in ask(story).reasons if reason.kind == "basis"}
    assert len(reasons) == 6
    assert all(not reasons[code].passed for code in BASES)


def test_facts_in_reasons_name_nobody(story):
    told = " ".join(reason.fact for reason in ask(story).reasons)
    private = [story.daughter, story.mother, story.certificate.id, "officer-7"]
    assert not any(value in told for value in private)
