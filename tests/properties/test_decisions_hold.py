"""What holds for every question: denied unless founded, forbids are final, listing and deciding agree."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import guards
from policies.book import shipped_book
from policies.decision import decide
from policies.facts import (
    AccessFacts,
    Action,
    CallerFacts,
    DossierFacts,
    PersonFacts,
    RecordFacts,
    TrustClass,
    Validity,
)
from policies.matching import plan
from policies.packages import read_package, shipped_packages
from policies.procedures import components_for

BOOK = shipped_book()
AT = datetime(2026, 11, 24, 2, tzinfo=UTC)
RESIDENCE = next(one for one in map(read_package, shipped_packages()) if one.code == "1.004222")
OWNERS = ("ann", "ben", "cam")
BY_ITSELF = {  # what a system may do without an officer
    Action.DELIVER,
    Action.CLOSE_DOSSIER,
    Action.ASK_CONSENT,
    Action.LAPSE_CONSENT,
    Action.FETCH,
    Action.DELIVER_FETCHED,
}
DAYS = st.dates(date(2025, 2, 1), date(2026, 11, 24))

callers = st.builds(
    CallerFacts,
    agency=st.sampled_from(["police", "commune"]),
    agency_live=st.booleans(),
    system=st.just("system"),
    system_live=st.booleans(),
    officer=st.sampled_from([None, "officer"]),
    officer_live=st.booleans(),
    procedures=st.sampled_from([frozenset(), frozenset({"1.004222"})]),
    issues=st.sampled_from([frozenset(), frozenset({"GKS"})]),
    agency_codes=st.sampled_from([(), ("G01",), ("H01",), ("not a code",)]),
)
persons = st.lists(
    st.builds(
        PersonFacts,
        role=st.sampled_from(["applicant", "householder"]),
        owner=st.sampled_from([*OWNERS, None]),
        represented=st.booleans(),
        representation_evidence=st.booleans(),
    ),
    max_size=3,
).map(tuple)
dossiers = st.builds(
    DossierFacts,
    code=st.just("G01.01-261101-0001"),
    code_agency=st.sampled_from(["G01.01", "H01"]),
    code_day=DAYS,
    agency=st.sampled_from(["police", "commune"]),
    procedure=st.just("1.004222"),
    case=st.just("dieu-20.2"),
    opened_on=DAYS,
    state=st.sampled_from(["open", "closed"]),
    evidence=st.sampled_from([None, "officer_check"]),
    conditions=st.sampled_from([frozenset(), frozenset({"newborn_first_registration"})]),
    persons=persons,
    components=st.sampled_from([frozenset(), frozenset({"KQ003606", "CT01"})]),
)
records = st.builds(
    RecordFacts,
    id=st.uuids().map(str),
    type=st.sampled_from(["GKS", "GCNKH", "CCCD", "XYZ"]),
    owners=st.frozensets(st.sampled_from(OWNERS), min_size=1),
    trust=st.sampled_from(TrustClass),
    verdict=st.sampled_from(["valid", "invalid", "undetermined"]),
    verdict_reasons=st.just(()),
    validity=st.sampled_from(Validity),
    validity_ground=st.none(),
    issuer=st.sampled_from([None, "commune"]),
    issued_on=st.none() | DAYS,
    valid_until=st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 31)),
    relations=st.sampled_from([frozenset(), frozenset({("mother", "householder")})]),
    known_fields=st.sampled_from([frozenset(), frozenset({"mother"})]),
    damaged=st.booleans(),
    confirmed=st.frozensets(
        st.tuples(
            st.sampled_from(["KQ003606", "CT01"]),
            st.sampled_from(["trust_too_low", "verdict_undetermined", "relation_not_known"]),
        )
    ),
)
questions = st.builds(
    AccessFacts,
    action=st.sampled_from(Action),
    caller=st.none() | callers,
    owner=st.sampled_from([None, *OWNERS]),
    dossier=st.none() | dossiers,
    component=st.sampled_from([None, "KQ003606", "CT01", "KQ1"]),
    record=st.none() | records,
    result_type=st.sampled_from([None, "GKS", "XYZ"]),
    result_persons=st.sampled_from([(), ("ann",), ("ann", "cam")]),
    answered=st.sampled_from([None, "none", "candidate", "satisfied", "data_source"]),
    rescan_reason=st.sampled_from([None, "outdated", "whim"]),
)
GOOD_CALLER = CallerFacts(
    "police", True, "system", True, "officer", True, frozenset({"1.004222"}), frozenset(), ("G01",)
)
families = st.tuples(
    st.sampled_from([(a, b) for a in OWNERS for b in OWNERS if a != b]),
    st.lists(records, max_size=6, unique_by=lambda record: record.id),
    st.sampled_from([frozenset(), frozenset({"newborn_first_registration"})]),
)


@given(questions)
def test_permitted_means_every_guard_and_a_basis_held(facts):
    answer = decide(facts, BOOK, AT)
    every_guard = all(reason.passed for reason in answer.reasons if reason.kind == "guard")
    some_basis = any(reason.passed for reason in answer.reasons if reason.kind == "basis")
    assert answer.permitted == (every_guard and some_basis)
    assert answer.permitted == (answer.failed == ())
    assert answer.permitted == (answer.basis is not None)


@given(questions)
def test_the_same_question_has_the_same_answer(facts):
    assert decide(facts, BOOK, AT) == decide(facts, BOOK, AT)


@given(questions)
def test_every_guard_is_evaluated_whatever_fails(facts):
    answer = decide(facts, BOOK, AT)
    assert len(answer.reasons) == len(guards.GUARDS[facts.action]) + 6


def _family(family):
    (applicant, householder), held, conditions = family
    dossier = DossierFacts(
        "G01.01-261101-0001",
        "G01.01",
        date(2026, 11, 1),
        "police",
        "1.004222",
        "dieu-20.2",
        date(2026, 11, 1),
        evidence="officer_check",
        conditions=conditions,
        persons=(PersonFacts("applicant", applicant), PersonFacts("householder", householder)),
        components=frozenset({"KQ003606", "CT01"}),
    )
    asked = components_for(RESIDENCE, dossier.case, (), conditions)
    answers = plan(dossier, held, asked, BOOK, AT)
    return dossier, held, next(answer for answer in answers if answer.component == "KQ003606")


def _release(dossier, record):
    facts = AccessFacts(Action.RELEASE, GOOD_CALLER, dossier=dossier, component="KQ003606", record=record)
    return decide(facts, BOOK, AT)


@given(families)
def test_listing_and_deciding_agree(family):
    dossier, held, answer = _family(family)
    serving = set(answer.records) | {key for key, _ in answer.candidates}
    refused = {key for key, _ in answer.refused}
    for record in held:
        permitted = _release(dossier, record).permitted
        if record.id in serving:
            assert permitted
        elif record.id in refused or answer.state not in ("satisfied",):
            assert not permitted


@given(families)
def test_only_a_whole_record_satisfies_trusted_by_itself_or_confirmed(family):
    _, held, answer = _family(family)
    for record in held:
        if record.id in answer.records:
            looked_at = {code for component, code in record.confirmed if component == "KQ003606"}
            assert record.trust is TrustClass.A or "trust_too_low" in looked_at
            assert record.verdict == "valid" or "verdict_undetermined" in looked_at
            assert record.verdict != "invalid"
            assert record.validity is Validity.IN_FORCE
            assert not record.damaged
            assert record.type in ("GKS", "GCNKH")


@given(families)
def test_a_satisfying_record_carries_no_obligation_to_confirm(family):
    dossier, held, answer = _family(family)
    for record in held:
        if record.id in answer.records:
            assert "confirm_before_use" not in _release(dossier, record).obligations


SPOILED = [
    {"agency_live": False},
    {"system_live": False},
    {"officer_live": False},
    {"officer": None},
    {"procedures": frozenset()},
    {"agency_codes": ()},
]


@given(questions, st.sampled_from(SPOILED))
def test_taking_something_away_never_permits(facts, spoiled):
    if facts.caller is None:
        return
    if "officer" in spoiled and facts.action in BY_ITSELF:
        return  # a system may do these by itself: naming no officer is then no loss
    worse = replace(facts, caller=replace(facts.caller, **spoiled))
    assert decide(facts, BOOK, AT).permitted or not decide(worse, BOOK, AT).permitted


@given(questions)
def test_one_guard_more_that_fails_denies(facts):
    with pytest.MonkeyPatch.context() as patched:
        more = {**guards.GUARDS[facts.action], "one_more": lambda _: (False, "test=true")}
        patched.setitem(guards.GUARDS, facts.action, more)
        assert not decide(facts, BOOK, AT).permitted


@given(questions)
def test_a_guard_that_breaks_denies(facts):
    with pytest.MonkeyPatch.context() as patched:
        more = {**guards.GUARDS[facts.action], "broken": lambda _: 1 // 0}
        patched.setitem(guards.GUARDS, facts.action, more)
        answer = decide(facts, BOOK, AT)
    assert not answer.permitted
    assert "rule_failed" in answer.failed
