"""Consents and delegations, row by row: what is changed, and what then stands in the way."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from policies import consents, delegations
from policies.consent_facts import ConsentAct, ConsentFacts, DelegationFacts, FetchFacts
from policies.consent_guards import STRONG
from policies.consents import Scope, compose, standing
from policies.decision import decide
from policies.entries import Text
from policies.facts import AccessFacts, Action, AssuranceFacts, CallerFacts, Validity

HASH = {"vi": "a" * 64, "en": "b" * 64}
BANK = CallerFacts(
    agency="bank",
    agency_live=True,
    system="bank-loans",
    system_live=True,
    officer=None,
    officer_live=False,
    purposes=frozenset({"loan_assessment", "account_opening"}),
)


@pytest.fixture(scope="module")
def consent(story) -> ConsentFacts:
    """The daughter agreed that the bank reads her certificate, five times, for a loan."""
    return ConsentFacts(
        id="consent-1",
        owner=story.daughter,
        agency="bank",
        purpose="loan_assessment",
        state="given",
        valid_from=date(2026, 11, 20),
        valid_until=date(2026, 12, 20),
        answer_until=date(2026, 12, 20),
        max_reads=5,
        used=0,
        records=frozenset({story.certificate.id}),
        offered=frozenset({story.certificate.id}),
        text_vi=HASH["vi"],
        text_en=HASH["en"],
    )


def fetch(story, consent, action=Action.FETCH, **changes):
    record = changes.get("record", story.certificate)
    until = story.at + timedelta(minutes=15) if action is Action.DELIVER_FETCHED else None
    facts = AccessFacts(
        action=action,
        caller=changes.get("caller", BANK),
        record=record,
        consent=consent,
        fetch=FetchFacts(changes.get("purpose", "loan_assessment"), record.id, changes.get("until", until)),
    )
    return decide(facts, story.book, changes.get("at", story.at))


def test_the_bank_reads_by_consent(story, consent):
    decision = fetch(story, consent)
    assert decision.permitted
    assert decision.basis == "consent"
    assert "91/2025/QH15, Điều 9" in decision.basis_reference


USING_ROWS = [
    ("not answered yet", {"state": "requested", "records": frozenset()}, "consent_not_given"),
    ("refused", {"state": "refused", "records": frozenset()}, "consent_not_given"),
    ("taken back", {"state": "lapsed", "records": frozenset()}, "consent_not_given"),
    ("paused", {"state": "paused"}, "consent_paused"),
    ("withdrawn", {"state": "withdrawn"}, "consent_withdrawn"),
    ("its last day was yesterday", {"valid_until": date(2026, 11, 23)}, "consent_expired"),
    ("its first day is tomorrow", {"valid_from": date(2026, 11, 25)}, "consent_not_yet_valid"),
    ("for another purpose", {"purpose": "account_opening"}, "consent_other_purpose"),
    ("given to another", {"agency": "another-bank"}, "consent_other_recipient"),
    ("naming another record", {"records": frozenset({"rec-other"})}, "consent_record_not_named"),
    ("given by somebody who does not own it", {"owner": "owner-mother"}, "consent_giver_not_owner"),
]
RECORD_ROWS = [
    ("it was revoked", {"validity": Validity.REVOKED}, "record_revoked"),
    ("it was replaced", {"validity": Validity.REPLACED}, "record_replaced"),
    ("it is suspended", {"validity": Validity.SUSPENDED}, "record_suspended"),
    ("it has expired", {"validity": Validity.EXPIRED}, "record_expired"),
    ("its bytes are damaged", {"damaged": True}, "record_damaged"),
    ("its signature is invalid", {"verdict": "invalid"}, "verdict_invalid"),
]
CALLER_ROWS = [
    ("the bank was struck off", {"agency_live": False}, "agency_not_live"),
    ("its system was struck off", {"system_live": False}, "system_not_live"),
    ("the officer it names has left", {"officer": "o", "officer_live": False}, "officer_not_live"),
    ("its right to ask was taken", {"purposes": frozenset()}, "consent_purpose_not_registered"),
]


@pytest.mark.parametrize("action", [Action.FETCH, Action.DELIVER_FETCHED])
@pytest.mark.parametrize(("why", "change", "code"), USING_ROWS)
def test_a_fetch_and_its_reading_are_refused_when(story, consent, action, why, change, code):
    decision = fetch(story, replace(consent, **change), action)
    assert not decision.permitted
    assert decision.told == (code,), why


@pytest.mark.parametrize("action", [Action.FETCH, Action.DELIVER_FETCHED])
@pytest.mark.parametrize(("why", "change", "code"), RECORD_ROWS)
def test_the_records_own_state_counts_under_a_consent_too(story, consent, action, why, change, code):
    decision = fetch(story, consent, action, record=replace(story.certificate, **change))
    assert decision.told == (code,), why


@pytest.mark.parametrize("action", [Action.FETCH, Action.DELIVER_FETCHED])
@pytest.mark.parametrize(("why", "change", "code"), CALLER_ROWS)
def test_so_does_who_asks(story, consent, action, why, change, code):
    assert fetch(story, consent, action, caller=replace(BANK, **change)).told == (code,), why


def test_the_last_read_may_still_be_read(story, consent):
    used = replace(consent, used=5, state="exhausted")
    assert fetch(story, replace(consent, used=4)).permitted
    assert fetch(story, replace(consent, used=5)).told == ("consent_exhausted",)
    assert fetch(story, used).told == ("consent_exhausted",)
    assert fetch(story, used, Action.DELIVER_FETCHED).permitted


def test_what_was_fetched_can_be_read_until_its_end(story, consent):
    until = story.at + timedelta(minutes=15)
    for at, permitted in ((until - timedelta(microseconds=1), True), (until, False)):
        decision = fetch(story, consent, Action.DELIVER_FETCHED, until=until, at=at)
        assert decision.permitted is permitted
    assert decision.told == ("fetch_ended",)


def test_the_last_day_is_the_day_in_viet_nam(story, consent):
    last = replace(consent, valid_until=date(2026, 11, 24))
    evening = datetime(2026, 11, 24, 16, 59, tzinfo=UTC)  # 23:59 in Viet Nam
    assert fetch(story, last, at=evening).permitted
    assert fetch(story, last, at=evening + timedelta(minutes=1)).told == ("consent_expired",)


def test_a_consent_lets_nobody_open_a_dossier_or_read_by_it(story, consent):
    facts = AccessFacts(Action.RELEASE, BANK, record=story.certificate, consent=consent)
    assert not decide(facts, story.book, story.at).permitted


def test_without_a_consent_there_is_nothing_to_fetch(story):
    assert not fetch(story, None).permitted


# Answering ----------------------------------------------------------------------------------------------


def act(story, consent, action=Action.GIVE_CONSENT, **changes):
    said = ConsentAct(
        changes.get("displayed", HASH["vi"]),
        changes.get("language", "vi"),
        changes.get("records", frozenset({story.certificate.id})),
        changes.get("child_agrees", False),
    )
    facts = AccessFacts(
        action,
        changes.get("caller"),
        owner=changes.get("owner", story.daughter),
        consent=consent,
        act=said,
        delegation=changes.get("delegation"),
        age=changes.get("age"),
        assurance=changes.get("assurance", AssuranceFacts("high", 0)),
    )
    return decide(facts, changes.get("book", story.book), story.at)


@pytest.fixture(scope="module")
def asked(consent) -> ConsentFacts:
    return replace(consent, state="requested", records=frozenset())


@pytest.mark.parametrize(
    ("assurance", "enough"),
    [
        (AssuranceFacts("high", 0), True),
        (AssuranceFacts("high", 15), True),
        (AssuranceFacts("high", 16), False),
        (AssuranceFacts("high", -1), False),
        (AssuranceFacts("basic", 0), False),
        (None, False),
    ],
)
def test_a_yes_needs_a_strong_and_recent_authentication(story, asked, assurance, enough):
    decision = act(story, asked, assurance=assurance)
    assert (decision.permitted, "assurance_too_low" in decision.failed) == (enough, not enough)
    assert act(story, asked, Action.REFUSE_CONSENT, assurance=assurance).permitted, "a no needs none"


def test_a_book_of_before_knows_no_such_demand(story, asked):
    """What was recorded under it is decided again as it was."""
    limits = tuple(one for one in story.book.limits if one.key != STRONG)
    assert act(story, asked, assurance=None, book=replace(story.book, limits=limits)).permitted


def test_the_owner_gives_by_the_text_that_was_shown(story, asked):
    for language in ("vi", "en"):
        decision = act(story, asked, displayed=HASH[language], language=language)
        assert (decision.permitted, decision.basis) == (True, "owner")


GIVING_ROWS = [
    ("no text was shown", {"displayed": None}, {}, "consent_text_not_shown"),
    ("an empty hash", {"displayed": ""}, {}, "consent_text_not_shown"),
    ("another text was shown", {"displayed": "c" * 64}, {}, "consent_text_not_shown"),
    ("the text of the other language", {"language": "en"}, {}, "consent_text_not_shown"),
    ("a language without a text", {"language": "fr"}, {}, "consent_text_not_shown"),
    ("no record was chosen", {"records": frozenset()}, {}, "consent_record_not_chosen"),
    ("a record that was not asked for", {"records": frozenset({"rec-x"})}, {}, "consent_record_not_asked"),
    ("it was answered", {}, {"state": "given"}, "consent_already_answered"),
    ("it was refused", {}, {"state": "refused"}, "consent_already_answered"),
    ("it was withdrawn", {}, {"state": "withdrawn"}, "consent_already_answered"),
    ("it was taken back", {}, {"state": "lapsed"}, "consent_already_answered"),
    ("too late to answer", {}, {"answer_until": date(2026, 11, 23)}, "consent_lapsed"),
    ("its last day is over", {}, {"valid_until": date(2026, 11, 23)}, "consent_expired"),
    ("somebody else's", {"owner": "owner-mother"}, {}, "consent_not_yours"),
    ("a system says yes", {"caller": BANK}, {}, "caller_not_owner"),
    ("a child of fifteen, alone", {"age": 15}, {}, "consent_child_alone"),
]


@pytest.mark.parametrize(("why", "said", "change", "code"), GIVING_ROWS)
def test_no_yes_when(story, asked, why, said, change, code):
    decision = act(story, replace(asked, **change), **said)
    assert not decision.permitted
    assert code in decision.told, why


def test_a_no_needs_no_text(story, asked):
    said = {"displayed": None, "records": frozenset()}
    assert act(story, asked, Action.REFUSE_CONSENT, **said).permitted
    assert act(story, asked, Action.REFUSE_CONSENT, age=15, **said).permitted


LATER_ROWS = [
    (Action.PAUSE_CONSENT, "given", ()),
    (Action.PAUSE_CONSENT, "paused", ("consent_paused",)),
    (Action.PAUSE_CONSENT, "requested", ("consent_not_given",)),
    (Action.PAUSE_CONSENT, "withdrawn", ("consent_withdrawn",)),
    (Action.PAUSE_CONSENT, "exhausted", ("consent_exhausted",)),
    (Action.RESUME_CONSENT, "paused", ()),
    (Action.RESUME_CONSENT, "given", ("consent_not_paused",)),
    (Action.RESUME_CONSENT, "withdrawn", ("consent_withdrawn",)),
    (Action.WITHDRAW_CONSENT, "given", ()),
    (Action.WITHDRAW_CONSENT, "paused", ()),
    (Action.WITHDRAW_CONSENT, "exhausted", ()),  # what was fetched last can be read for a while
    (Action.WITHDRAW_CONSENT, "requested", ("consent_not_given",)),
    (Action.WITHDRAW_CONSENT, "refused", ("consent_not_given",)),
    (Action.WITHDRAW_CONSENT, "withdrawn", ("consent_withdrawn",)),
]


@pytest.mark.parametrize(("action", "state", "told"), LATER_ROWS)
def test_a_consent_goes_from_state_to_state(story, consent, action, state, told):
    decision = act(story, replace(consent, state=state), action)
    assert decision.told == told
    assert decision.permitted == (not told)


def test_an_expired_consent_can_be_withdrawn_but_not_paused(story, consent):
    over = replace(consent, valid_until=date(2026, 11, 23))
    assert act(story, over, Action.WITHDRAW_CONSENT).permitted
    assert act(story, over, Action.PAUSE_CONSENT).told == ("consent_expired",)


# Asking -------------------------------------------------------------------------------------------------

ASKING_ROWS = [
    ("registered", {}, {}, 0, ()),
    ("not registered for it", {"purposes": frozenset()}, {}, 0, ("consent_purpose_not_registered",)),
    ("for another recipient", {}, {"agency": "another-bank"}, 0, ("consent_other_recipient",)),
    ("too many wait", {}, {}, 5, ("consent_too_many_waiting",)),
    ("four wait", {}, {}, 4, ()),
    ("the system was struck off", {"system_live": False}, {}, 0, ("system_not_live",)),
]


@pytest.mark.parametrize(("why", "caller", "change", "waiting", "told"), ASKING_ROWS)
def test_asking(story, asked, why, caller, change, waiting, told):
    facts = AccessFacts(
        Action.ASK_CONSENT,
        replace(BANK, **caller),
        consent=replace(asked, owner=None, **change),
        waiting=waiting,
    )
    decision = decide(facts, story.book, story.at)
    assert decision.told == told, why
    assert decision.basis == ("statute" if not told else None)


def test_an_unknown_purpose_asks_nobody(story, asked):
    facts = AccessFacts(
        Action.ASK_CONSENT,
        replace(BANK, purposes=frozenset({"gossip"})),
        consent=replace(asked, purpose="gossip"),
        waiting=0,
    )
    assert decide(facts, story.book, story.at).told == ("consent_purpose_not_in_force",)


# Standing and listing -----------------------------------------------------------------------------------

STANDING_ROWS = [
    ({"state": "requested"}, "requested"),
    ({"state": "requested", "answer_until": date(2026, 11, 23)}, "lapsed"),
    ({"state": "requested", "valid_until": date(2026, 11, 23)}, "lapsed"),
    ({}, "given"),
    ({"valid_from": date(2026, 11, 25)}, "not_yet_valid"),
    ({"valid_until": date(2026, 11, 23)}, "expired"),
    ({"used": 5}, "exhausted"),
    ({"state": "paused"}, "paused"),
    ({"state": "paused", "valid_until": date(2026, 11, 23)}, "expired"),
    ({"state": "withdrawn", "valid_until": date(2026, 11, 23)}, "withdrawn"),
]


@pytest.mark.parametrize(("change", "expected"), STANDING_ROWS)
def test_what_a_consent_is_worth_today(consent, change, expected):
    assert standing(replace(consent, **change), date(2026, 11, 24)) == expected


def test_the_text_says_everything_the_law_wants_shown(story):
    purpose = story.book.purpose("loan_assessment", date(2026, 11, 24))
    template = story.book.consent_text(date(2026, 11, 24))
    scope = Scope(
        owner="Nguyễn Minh Anh",
        recipient=Text("Ngân hàng Sông Hồng", "Song Hong bank"),
        documents=(Text("Giấy khai sinh", "Birth certificate"),),
        types=frozenset({"GKS"}),
        reason="Vay mua nhà {owner}",
        valid_from=date(2026, 11, 24),
        valid_until=date(2026, 12, 23),
        answer_until=date(2026, 12, 1),
        max_reads=3,
    )
    text = compose(template, purpose, scope)
    for said in (
        "Nguyễn Minh Anh",
        "Ngân hàng Sông Hồng",
        "Giấy khai sinh",
        "dân tộc",
        "xét duyệt hồ sơ vay vốn",
        "Vay mua nhà {owner}",
        "24/11/2026",
        "23/12/2026",
        "01/12/2026",
        "rút lại",
        "Im lặng không phải là đồng ý",
        purpose.consequence.vi,
    ):
        assert said in text.vi
    assert "23 December 2026" in text.en
    assert len(text.vi.splitlines()) == len(text.en.splitlines()) == len(template.lines_vi)
    plain = compose(template, purpose, replace(scope, types=frozenset({"VBTN"})))
    assert "nhạy cảm" not in plain.vi


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        (date(2008, 11, 24), date(2026, 11, 23), 17),
        (date(2008, 11, 24), date(2026, 11, 24), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
    ],
)
def test_ages_are_whole_years(born, today, years):
    assert consents.age(born, today) == years


# Delegations --------------------------------------------------------------------------------------------

CHILD = "owner-child"


@pytest.fixture(scope="module")
def parent(story) -> DelegationFacts:
    return DelegationFacts(
        id="dlg-1",
        kind="parent",
        represented=CHILD,
        representative=story.mother,
        state="in_force",
        evidence="rec-gks",
        born_on=date(2016, 5, 9),
    )


def reads(story, delegation, owner="owner-mother"):
    facts = AccessFacts(
        Action.READ_OWN,
        None,
        owner=owner,
        record=replace(story.certificate, owners=frozenset({CHILD})),
        delegation=delegation,
    )
    return decide(facts, story.book, story.at)


def test_a_mother_reads_for_her_child(story, parent):
    decision = reads(story, parent)
    assert (decision.permitted, decision.basis) == (True, "delegation")
    assert "Điều 136" in decision.basis_reference


DELEGATION_ROWS = [
    ("it was ended", {"state": "ended"}, "delegation_ended"),
    ("nothing proves it any more", {"evidence": None}, "delegation_not_evidenced"),
    ("the child is eighteen today", {"born_on": date(2008, 11, 24)}, "delegation_of_age"),
    ("no birth date is known", {"born_on": None}, "delegation_of_age"),
    ("a kind nobody knows", {"kind": "aunt"}, "delegation_not_evidenced"),
    ("of another child", {"represented": "owner-other"}, "delegation_not_recorded"),
    ("of another mother", {"representative": "owner-other"}, "delegation_not_recorded"),
    ("only claimed", {"state": "claimed"}, "delegation_not_recorded"),
]


@pytest.mark.parametrize(("why", "change", "code"), DELEGATION_ROWS)
def test_nobody_is_acted_for_when(story, parent, why, change, code):
    decision = reads(story, replace(parent, **change))
    assert not decision.permitted
    assert code in decision.failed, why


def test_the_day_before_the_birthday_still_counts(story, parent):
    assert reads(story, replace(parent, born_on=date(2008, 11, 25))).permitted


def test_who_acts_for_another_reads_nothing_of_their_own_meanwhile(story, parent):
    own = replace(story.certificate, owners=frozenset({story.mother}))
    facts = AccessFacts(Action.READ_OWN, None, owner=story.mother, record=own, delegation=parent)
    assert decide(facts, story.book, story.at).told == ("record_not_of_represented",)
    of_both = replace(story.certificate, owners=frozenset({story.mother, CHILD}))
    together = replace(facts, record=of_both)
    assert decide(together, story.book, story.at).basis == "delegation"


CLAIM_ROWS = [
    ("evidenced", {}, ()),
    ("without evidence", {"evidence": None}, ("delegation_not_evidenced",)),
    ("of nobody Kho knows", {"represented": None, "evidence": None}, ("delegation_not_evidenced",)),
    ("of a grown child", {"born_on": date(2008, 11, 24)}, ("delegation_of_age",)),
    ("of oneself", {"represented": "owner-mother"}, ("delegation_of_oneself",)),
]


@pytest.mark.parametrize(("why", "change", "told"), CLAIM_ROWS)
def test_claims(story, parent, why, change, told):
    claimed = replace(parent, state="claimed", **change)
    facts = AccessFacts(
        Action.CLAIM_DELEGATION, None, owner=story.mother, delegation=claimed, refused_claims=0
    )
    decision = decide(facts, story.book, story.at)
    assert decision.told == told, why


def test_so_many_claims_are_refused_in_a_day_and_no_more(story, parent):
    most = story.book.limit("refused_claims_per_person_and_day", story.at.date()).most

    def claimed(count):
        facts = AccessFacts(
            Action.CLAIM_DELEGATION,
            None,
            owner=story.mother,
            delegation=replace(parent, state="claimed"),
            refused_claims=count,
        )
        return decide(facts, story.book, story.at)

    assert claimed(most - 1).permitted
    assert claimed(most).told == claimed(most + 1).told == ("too_many_claims_refused",)
    assert not claimed(None).permitted, "what was not counted is not let through"


def test_an_enterprise_has_no_birthday(story, parent):
    enterprise = replace(parent, kind="legal_representative", born_on=None)
    decision = reads(story, enterprise)
    assert decision.permitted
    assert "59/2020/QH14" in decision.basis_reference
    assert delegations.standing(enterprise, story.book, date(2050, 1, 1)) == "in_force"


@pytest.mark.parametrize(
    ("years", "agrees", "told"),
    [
        (6, False, ()),
        (7, False, ("consent_child_not_asked",)),
        (7, True, ()),
        (15, False, ("consent_child_not_asked",)),
    ],
)
def test_a_parent_says_yes_for_a_child_who_is_asked_from_seven_on(story, asked, parent, years, agrees, told):
    decision = act(
        story,
        replace(asked, owner=CHILD),
        owner=story.mother,
        delegation=parent,
        age=years,
        child_agrees=agrees,
    )
    assert decision.told == told
    assert decision.basis == (None if told else "delegation")


def test_either_party_ends_it_and_nobody_else(story, parent):
    for owner, told in ((story.mother, ()), (CHILD, ()), (story.stranger, ("delegation_not_yours",))):
        facts = AccessFacts(Action.END_DELEGATION, None, owner=owner, delegation=parent)
        assert decide(facts, story.book, story.at).told == told
    ended = AccessFacts(Action.END_DELEGATION, None, owner=CHILD, delegation=replace(parent, state="ended"))
    assert decide(ended, story.book, story.at).told == ("delegation_ended",)


def test_facts_in_reasons_name_nobody(story, consent, parent):
    told = " ".join(
        reason.fact
        for decision in (fetch(story, consent), act(story, consent), reads(story, parent))
        for reason in decision.reasons
    )
    private = [story.daughter, story.mother, story.certificate.id, consent.id, HASH["vi"], CHILD, "bank"]
    assert not any(value in told for value in private)
