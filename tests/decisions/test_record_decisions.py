"""Records outside a dossier, the end of their validity, confirming and scanning: rows of one change each."""

import json
from dataclasses import replace

import pytest

from policies.acceptance import accept
from policies.book import local_day
from policies.decision import decide
from policies.facts import RESCAN_REASONS, AccessFacts, Action, TrustClass, Validity
from policies.matching import plan
from policies.recording import basis_part
from policies.replaying import replay

KINSHIP = "KQ003606"


def asked(story, action, **facts):
    return decide(AccessFacts(action, **{"caller": story.commune} | facts), story.book, story.at)


# Outside a dossier ----------------------------------------------------------------------------------------


def issuing(story, **facts):
    return asked(
        story, Action.ISSUE_RECORD, **{"result_type": "GKS", "result_persons": (story.daughter,)} | facts
    )


def test_an_agency_issues_its_own_types_outside_a_dossier(story):
    assert issuing(story).permitted
    assert issuing(story, result_persons=(story.daughter, story.mother)).permitted


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"result_persons": ()}, ("result_person_missing",)),
        ({"result_type": "GCNQSDD"}, ("type_not_registered",)),
        ({"result_type": None}, ("type_not_registered", "type_not_in_force")),
    ],
)
def test_a_record_is_not_issued(story, change, failed):
    decision = issuing(story, **change)
    assert not decision.permitted
    assert set(failed) <= set(decision.failed)


def test_a_registered_type_without_a_rule_is_not_issued(story):
    """Competence is not a legal ground: without a dated statute rule nothing is issued."""
    caller = replace(story.commune, issues=frozenset({"VBTN"}))
    assert issuing(story, caller=caller, result_type="VBTN").failed[0] == "no_statute_rule"


def test_nobody_issues_without_an_officer(story):
    alone = replace(story.commune, officer=None, officer_live=False)
    assert issuing(story, caller=alone).failed == ("officer_not_named",)


# The life of a record -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "validity", "failed"),
    [
        (Action.REPLACE_RECORD, Validity.IN_FORCE, ()),
        (Action.REPLACE_RECORD, Validity.SUSPENDED, ()),
        (Action.REPLACE_RECORD, Validity.REVOKED, ("record_already_revoked",)),
        (Action.REPLACE_RECORD, Validity.REPLACED, ("record_already_replaced",)),
        (Action.SUSPEND_RECORD, Validity.IN_FORCE, ()),
        (Action.SUSPEND_RECORD, Validity.SUSPENDED, ("record_already_suspended",)),
        (Action.SUSPEND_RECORD, Validity.REVOKED, ("record_already_revoked",)),
        (Action.SUSPEND_RECORD, Validity.REPLACED, ("record_already_replaced",)),
        (Action.REINSTATE_RECORD, Validity.SUSPENDED, ()),
        (Action.REINSTATE_RECORD, Validity.IN_FORCE, ("record_not_suspended",)),
        (Action.REINSTATE_RECORD, Validity.REVOKED, ("record_not_suspended",)),
        (Action.REVOKE_RECORD, Validity.SUSPENDED, ()),
    ],
)
def test_each_state_leads_to_some_others(story, action, validity, failed):
    record = replace(story.certificate, validity=validity)
    assert asked(story, action, record=record).failed == failed
    assert asked(story, action, record=record, caller=story.police).failed[0] == "not_the_issuer"


# Confirming -----------------------------------------------------------------------------------------------


def candidate(story):
    """A certificate that its owner uploaded: it lacks a signature and the class."""
    return replace(
        story.certificate,
        trust=TrustClass.D,
        verdict="undetermined",
        verdict_reasons=("no_signature",),
    )


def confirming(story, record, answered="candidate", **facts):
    basis = {"caller": story.police, "dossier": story.residence, "component": KINSHIP, "record": record}
    return asked(story, Action.CONFIRM, **basis | {"answered": answered} | facts)


def test_a_candidate_is_confirmed(story):
    assert confirming(story, candidate(story)).permitted


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"validity": Validity.REVOKED}, ("record_revoked",)),
        ({"damaged": True}, ("record_damaged",)),
        ({"relations": frozenset()}, ("relation_disagrees",)),
        ({"type": "VBTN"}, ("type_not_accepted", "not_a_candidate")),
    ],
)
def test_what_is_refused_cannot_be_confirmed(story, change, failed):
    assert confirming(story, replace(candidate(story), **change)).failed == failed


def test_what_serves_needs_no_confirmation(story):
    assert confirming(story, story.certificate).failed == ("not_a_candidate",)
    assert confirming(story, candidate(story), answered="satisfied").failed == (
        "component_already_satisfied",
    )
    assert confirming(story, None).told == ("record_not_named",)
    alone = replace(story.police, officer=None, officer_live=False)
    assert confirming(story, candidate(story), caller=alone).failed == ("officer_not_named",)


def confirmed(story, record):
    lacking = accept(record, story.residence, KINSHIP, story.book, local_day(story.at)).weaknesses
    return replace(record, confirmed=frozenset((KINSHIP, code) for code in lacking))


def kinship(story, record):
    plans = plan(story.residence, [record], story.components(story.residence), story.book, story.at)
    return next(one for one in plans if one.component == KINSHIP)


def test_what_was_confirmed_satisfies_and_says_by_whom(story):
    record = confirmed(story, candidate(story))
    answer = kinship(story, record)
    assert (answer.state, answer.reasons, answer.records) == (
        "satisfied",
        ("confirmed_by_officer",),
        (record.id,),
    )
    facts = {"dossier": story.residence, "component": KINSHIP, "record": record, "caller": story.police}
    assert asked(story, Action.RELEASE, **facts).obligations == ("show_to_owner",)
    assert record.trust is TrustClass.D, "the class stays"


def test_a_confirmation_reaches_as_far_as_what_was_looked_at(story):
    record = confirmed(story, candidate(story))
    worse = replace(record, relations=frozenset(), known_fields=frozenset())
    assert kinship(story, worse).state == "candidate", "a weakness that nobody confirmed"
    assert kinship(story, replace(record, validity=Validity.REVOKED)).state != "satisfied"
    elsewhere = replace(record, confirmed=frozenset(("OTHER", code) for _, code in record.confirmed))
    assert kinship(story, elsewhere).state == "candidate"


# Scanning -------------------------------------------------------------------------------------------------


def scanning(story, **facts):
    basis = {"caller": story.police, "dossier": story.residence, "component": KINSHIP}
    scan = {"result_type": "GKS", "result_persons": (story.daughter,), "answered": "none"}
    return asked(story, Action.DIGITISE, **basis | scan | facts)


def test_a_scan_is_taken_where_nothing_was_found(story):
    assert scanning(story).permitted


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"answered": "satisfied"}, ("rescan_reason_missing",)),
        ({"answered": "candidate"}, ("rescan_reason_missing",)),
        ({"answered": "data_source", "rescan_reason": "because"}, ("rescan_reason_missing",)),
        ({"result_type": "VBTN"}, ("type_not_accepted",)),
        ({"result_persons": ("owner-stranger",)}, ("result_person_not_in_dossier",)),
        ({"component": "KQ000000"}, ("component_not_asked",)),
    ],
)
def test_a_scan_is_not_taken(story, change, failed):
    assert scanning(story, **change).failed == failed


@pytest.mark.parametrize("reason", RESCAN_REASONS)
def test_each_reason_for_scanning_again_is_taken(story, reason):
    assert scanning(story, answered="satisfied", rescan_reason=reason).permitted


def test_a_component_without_types_takes_any(story):
    assert scanning(story, component="CT01", result_type="KHAC").permitted


@pytest.mark.parametrize("answered", ["none", "satisfied"])
def test_each_is_decided_again_from_what_its_entry_holds(story, answered):
    record = confirmed(story, candidate(story))
    in_dossier = {"caller": story.police, "dossier": story.residence, "component": KINSHIP}
    for action, facts in (
        (Action.CONFIRM, in_dossier | {"record": candidate(story), "answered": answered}),
        (Action.DELIVER, in_dossier | {"record": record}),
        (
            Action.DIGITISE,
            in_dossier
            | {"result_type": "GKS", "result_persons": (story.daughter,), "answered": answered}
            | {"rescan_reason": "outdated"},
        ),
        (Action.ISSUE_RECORD, {"caller": story.commune, "result_type": "GKS"}),
        (Action.SUSPEND_RECORD, {"caller": story.commune, "record": story.certificate}),
    ):
        asked_for = AccessFacts(action, **facts)
        decision = decide(asked_for, story.book, story.at)
        basis = json.loads(json.dumps(basis_part(decision, asked_for)))
        result = "permitted" if decision.permitted else "refused"
        assert replay(basis, result, story.book, story.at).differences == ()
