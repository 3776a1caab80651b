"""What holds for every consent and delegation: what is listed as usable is what can be used, and no more."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies import consents, delegations
from policies.book import shipped_book
from policies.consent_facts import ConsentAct, ConsentFacts, DelegationFacts, FetchFacts
from policies.decision import decide
from policies.facts import AccessFacts, Action, CallerFacts, RecordFacts, TrustClass, Validity
from policies.recording import basis_part, plain
from policies.replaying import access_facts, replay

BOOK = shipped_book()
AT = datetime(2026, 11, 24, 2, tzinfo=UTC)
TODAY = date(2026, 11, 24)
OWNERS = ("ann", "ben")
BANK = CallerFacts("bank", True, "loans", True, None, False, purposes=frozenset({"loan_assessment"}))
RECORD = RecordFacts(
    id="rec",
    type="GKS",
    owners=frozenset({"ann"}),
    trust=TrustClass.A,
    verdict="valid",
    verdict_reasons=(),
    validity=Validity.IN_FORCE,
    validity_ground=None,
    issuer=None,
    issued_on=None,
    valid_until=None,
)
DAYS = st.dates(TODAY - timedelta(days=2), TODAY + timedelta(days=2))

kept = st.builds(
    ConsentFacts,
    id=st.just("cns"),
    owner=st.sampled_from([None, *OWNERS]),
    agency=st.sampled_from(["bank", "school"]),
    purpose=st.sampled_from(["loan_assessment", "account_opening"]),
    state=st.sampled_from(["requested", "given", "refused", "lapsed", "paused", "withdrawn", "exhausted"]),
    valid_from=DAYS,
    valid_until=DAYS,
    answer_until=DAYS,
    max_reads=st.integers(1, 3),
    used=st.integers(0, 3),
    records=st.frozensets(st.sampled_from(["rec", "other"])),
    offered=st.frozensets(st.sampled_from(["rec", "other"])),
    text_vi=st.just("a" * 64),
    text_en=st.just("b" * 64),
)
represented = st.builds(
    DelegationFacts,
    id=st.just("dlg"),
    kind=st.sampled_from(["parent", "legal_representative", "aunt"]),
    represented=st.sampled_from([None, *OWNERS]),
    representative=st.sampled_from(OWNERS),
    state=st.sampled_from(["claimed", "in_force", "ended"]),
    evidence=st.sampled_from([None, "rec"]),
    born_on=st.none() | st.dates(date(2008, 11, 22), date(2008, 11, 26)),
)
questions = st.builds(
    AccessFacts,
    action=st.sampled_from(Action),
    caller=st.none() | st.just(BANK),
    owner=st.sampled_from([None, *OWNERS]),
    record=st.none() | st.just(RECORD),
    consent=st.none() | kept,
    fetch=st.none()
    | st.builds(
        FetchFacts,
        purpose=st.sampled_from(["loan_assessment", "account_opening"]),
        record=st.sampled_from(["rec", "other"]),
        until=st.none() | st.sampled_from([AT - timedelta(1), AT + timedelta(1)]),
    ),
    act=st.none()
    | st.builds(
        ConsentAct,
        displayed=st.sampled_from([None, "", "a" * 64, "b" * 64]),
        language=st.sampled_from(["vi", "en"]),
        records=st.frozensets(st.sampled_from(["rec", "other"])),
        child_agrees=st.booleans(),
    ),
    delegation=st.none() | represented,
    age=st.none() | st.integers(0, 30),
    waiting=st.none() | st.integers(0, 6),
)


@given(questions)
def test_permitted_means_every_guard_and_a_basis_held(facts):
    answer = decide(facts, BOOK, AT)
    every_guard = all(reason.passed for reason in answer.reasons if reason.kind == "guard")
    some_basis = any(reason.passed for reason in answer.reasons if reason.kind == "basis")
    assert answer.permitted == (every_guard and some_basis)
    assert answer.permitted == (answer.failed == ())
    assert "rule_failed" not in answer.failed


@given(questions)
def test_what_was_decided_is_decided_again_from_its_entry(facts):
    assert access_facts(plain(facts)) == facts
    answer = decide(facts, BOOK, AT)
    result = "permitted" if answer.permitted else "refused"
    assert replay(basis_part(answer, facts), result, BOOK, AT).differences == ()


def fetching(consent, action=Action.FETCH):
    until = AT + timedelta(minutes=1) if action is Action.DELIVER_FETCHED else None
    facts = AccessFacts(
        action, BANK, record=RECORD, consent=consent, fetch=FetchFacts("loan_assessment", "rec", until)
    )
    return decide(facts, BOOK, AT)


@given(kept)
def test_listing_and_deciding_agree(consent):
    """For its recipient, its purpose and a record it names, what is listed as given can be used, no other."""
    ours = replace(consent, owner="ann", agency="bank", purpose="loan_assessment", records=frozenset({"rec"}))
    listed = consents.standing(ours, TODAY)
    assert fetching(ours).permitted == (listed == "given")
    if fetching(ours, Action.DELIVER_FETCHED).permitted:
        assert listed in ("given", "exhausted")


@given(kept)
def test_a_consent_reaches_no_further_than_it_says(consent):
    if fetching(consent).permitted:
        assert (consent.owner, consent.agency, consent.purpose) == ("ann", "bank", "loan_assessment")
        assert "rec" in consent.records
        assert consent.used < consent.max_reads
        assert consent.valid_from <= TODAY <= consent.valid_until


@given(kept, st.sampled_from(["withdrawn", "paused", "refused", "lapsed", "requested"]))
def test_only_given_is_given(consent, state):
    for action in (Action.FETCH, Action.DELIVER_FETCHED):
        assert not fetching(replace(consent, state=state), action).permitted


@given(represented)
def test_a_delegation_listed_in_force_is_one_that_can_be_acted_by(delegation):
    facts = AccessFacts(
        Action.READ_OWN,
        None,
        owner=delegation.representative,
        record=replace(RECORD, owners=frozenset({"kim", delegation.represented or "kim"})),
        delegation=delegation,
    )
    answer = decide(facts, BOOK, AT)
    listed = delegations.standing(delegation, BOOK, TODAY)
    if delegation.state == "in_force" and delegation.represented != delegation.representative:
        assert (answer.basis == "delegation") == (listed == "in_force")
    if listed != "in_force":
        assert not answer.permitted


@given(questions)
def test_nobody_answers_by_a_delegation_that_does_not_stand(facts):
    if facts.delegation is None or facts.action in (Action.CLAIM_DELEGATION, Action.END_DELEGATION):
        return
    if delegations.standing(facts.delegation, BOOK, TODAY) != "in_force" and facts.caller is None:
        assert not decide(facts, BOOK, AT).permitted
