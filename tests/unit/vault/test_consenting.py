"""A bank asks, the citizen says yes or no to the exact text, pauses and withdraws; the bank hears of it."""

import asyncio
from hashlib import sha256

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.leaf import Kind
from tests.unit.vault.conftest import ACCOUNT, LOAN, fresh
from vault import consenting, delegating, my_consents, receipts
from vault.claiming import claim
from vault.errors import NotFound, RequestConflict
from vault.services import Refusal
from vault.tables import consent, notice

pytestmark = pytest.mark.anyio


async def shown(house, caller, consent_id):
    return await my_consents.my_consent(house.vault, caller, consent_id)


async def test_she_sees_the_exact_text_and_what_it_asks(house, daughter, lending):
    consent_id = await lending.asked()
    (waiting,) = await my_consents.pending(house.vault, daughter)
    assert (waiting.id, waiting.state, waiting.agency) == (consent_id, "requested", people.BANK.code)
    assert [one.record for one in waiting.offered] == [house.daughters]
    assert waiting.documents == waiting.uses == ()
    for text, named in ((waiting.text.vi, people.BANK.name_vi), (waiting.text.en, people.BANK.name_en)):
        assert named in text
        assert people.DAUGHTER.name in text
        assert LOAN.reason in text
        assert "10" in text
        assert "{" not in text
    assert "dân tộc" in waiting.text.vi, "sensitive data is flagged"
    assert waiting.text_hash.vi == sha256(waiting.text.vi.encode()).hexdigest()


async def test_she_gives_it_by_a_positive_act_and_gets_a_receipt(house, daughter, lending):
    consent_id = await lending.asked()
    told = await lending.gives(daughter, consent_id)
    assert told["state"] == "given"
    assert await receipts.fetch(house.vault, daughter, told["receipt"])
    (entry,) = await house.last(daughter)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.CONSENT_EVENT, "consent_given")
    assert entry.parts.purpose == {"consent": consent_id, "purpose": "loan_assessment"}
    found = await shown(house, daughter, consent_id)
    assert entry.parts.basis["facts"]["act"]["displayed"] == found.text_hash.vi
    assert [one.record for one in found.documents] == [house.daughters]
    assert [(one.event, one.by, one.language) for one in found.steps] == [
        ("requested", None, None),
        ("given", people.DAUGHTER.name, "vi"),
    ]
    (row,) = await house.rows(select(notice).where(notice.c.consent == consent_id))
    assert (row.agency, row.system, row.event) == (people.BANK.code, people.BANK.system, "consent_given")
    assert row.idx == told["index"]


async def test_each_purpose_is_answered_alone(house, daughter, lending):
    told = await lending.request(lending.asks(purposes=(LOAN, ACCOUNT)))
    loan, account = (one["consent"] for one in told["consents"])
    await lending.gives(daughter, loan)
    refused = await consenting.answer(
        house.vault, daughter, account, act="refuse", text_hash=None, language="vi", key=fresh()
    )
    assert refused["state"] == "refused"
    assert (await shown(house, daughter, loan)).state == "given"
    assert (await shown(house, daughter, account)).state == "refused"
    assert (await shown(house, daughter, account)).bundle == told["request"]


# Yes and no ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"text_hash": None}, "consent_text_not_shown"),
        ({"text_hash": ""}, "consent_text_not_shown"),
        ({"text_hash": "0" * 64}, "consent_text_not_shown"),
        ({"records": ()}, "consent_record_not_chosen"),
        ({"records": ("rec-of-nobody",)}, "consent_record_not_asked"),
    ],
)
async def test_a_yes_that_is_none_changes_nothing(house, daughter, lending, said, code):
    consent_id = await lending.asked()
    before = await house.rows(select(consent))
    refusal = await lending.gives(daughter, consent_id, **said)
    assert isinstance(refusal, Refusal)
    assert refusal.reasons == (code,)
    assert await house.rows(select(consent)) == before
    assert await house.rows(select(notice)) == []
    (entry,) = await house.last(daughter)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.REFUSED, "give_consent_refused")
    assert (await shown(house, daughter, consent_id)).state == "requested"


async def test_the_text_of_the_other_language_is_another_text(house, daughter, lending):
    consent_id = await lending.asked()
    found = await shown(house, daughter, consent_id)
    refusal = await lending.gives(daughter, consent_id, language="en", text_hash=found.text_hash.vi)
    assert refusal.reasons == ("consent_text_not_shown",)
    assert (await lending.gives(daughter, consent_id, language="en"))["state"] == "given"


async def test_a_document_that_came_later_can_be_chosen(house, daughter, commune, lending):
    consent_id = await lending.asked(people.DAUGHTER)
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    second = (await house.issues(commune, code, people.DAUGHTER))["record"]
    assert (await lending.gives(daughter, consent_id, second))["state"] == "given"
    found = await shown(house, daughter, consent_id)
    assert [one.record for one in found.documents] == [second]
    assert {one.record for one in found.offered} == {second, house.daughters}


async def test_a_grant_replayed_answers_the_same_and_stores_nothing(house, daughter, lending):
    consent_id = await lending.asked()
    first = await lending.gives(daughter, consent_id, key="once")
    size = await house.size()
    assert await lending.gives(daughter, consent_id, key="once") == first
    assert await lending.gives(daughter, consent_id) == first
    assert await house.size() == size
    with pytest.raises(RequestConflict):
        await lending.gives(daughter, consent_id, language="en", key="once")
    other = await lending.gives(daughter, consent_id, language="en")
    assert other.reasons == ("consent_already_answered",)


async def test_two_answers_at_once_are_one(house, daughter, lending):
    consent_id = await lending.asked()
    told = await asyncio.gather(*(lending.gives(daughter, consent_id) for _ in range(5)))
    assert len({one["index"] for one in told}) == 1
    assert [one.event for one in (await shown(house, daughter, consent_id)).steps] == ["requested", "given"]


async def test_a_withdrawn_consent_is_not_given_again_by_a_replay(house, daughter, lending):
    consent_id = await lending.given(daughter)
    told = await consenting.withdraw(house.vault, daughter, consent_id, key=fresh())
    assert told["state"] == "withdrawn"
    assert (await lending.gives(daughter, consent_id)).reasons == ("consent_already_answered",)
    again = await consenting.withdraw(house.vault, daughter, consent_id, key=fresh())
    assert again["index"] == told["index"]
    for act in (consenting.pause, consenting.resume):
        refusal = await act(house.vault, daughter, consent_id, key=fresh())
        assert "consent_withdrawn" in refusal.reasons


async def test_pausing_and_resuming(house, daughter, lending):
    consent_id = await lending.given(daughter)
    for act, state in (
        (consenting.pause, "paused"),
        (consenting.pause, "paused"),
        (consenting.resume, "given"),
        (consenting.pause, "paused"),
        (consenting.withdraw, "withdrawn"),
    ):
        assert (await act(house.vault, daughter, consent_id, key=fresh()))["state"] == state
    found = await shown(house, daughter, consent_id)
    steps = ["requested", "given", "paused", "resumed", "paused", "withdrawn"]
    assert [one.event for one in found.steps] == steps
    events = await house.rows(select(notice.c.event).order_by(notice.c.idx))
    assert [one.event for one in events] == [f"consent_{step}" for step in steps[1:]]


async def test_what_was_refused_stays_refused(house, daughter, lending):
    consent_id = await lending.asked()
    said = {"act": "refuse", "text_hash": None, "language": "vi"}
    first = await consenting.answer(house.vault, daughter, consent_id, **said, key=fresh())
    again = await consenting.answer(house.vault, daughter, consent_id, **said, key=fresh())
    assert first == again
    assert (await lending.gives(daughter, consent_id)).reasons == ("consent_already_answered",)
    assert (await lending.fetches(consent_id)).reasons == ("consent_not_given",)


async def test_another_persons_consent_does_not_exist(house, daughter, mother, lending):
    consent_id = await lending.given(daughter)
    for act in (consenting.pause, consenting.resume, consenting.withdraw):
        with pytest.raises(NotFound):
            await act(house.vault, mother, consent_id, key=fresh())
    with pytest.raises(NotFound):
        await my_consents.my_consent(house.vault, mother, consent_id)


# For a child --------------------------------------------------------------------------------------------


@pytest.fixture
async def acting(house, mother):
    """The mother, acting for her child of ten."""
    told = await claim(
        house.vault, mother, scheme="personal_number", value=people.CHILD.number, kind="parent", key="claim"
    )
    await delegating.act_for(house.vault, mother, told["delegation"])
    return await house.vault.gate.check_session(mother.session)


async def test_a_mother_answers_for_her_child_who_is_asked_too(house, acting, lending):
    consent_id = await lending.asked(people.CHILD)
    (waiting,) = await my_consents.pending(house.vault, acting)
    assert waiting.child_is_asked
    refusal = await lending.gives(acting, consent_id)
    assert refusal.reasons == ("consent_child_not_asked",)
    told = await lending.gives(acting, consent_id, child_agrees=True)
    assert told["state"] == "given"
    assert await receipts.fetch(house.vault, acting, told["receipt"])
    (entry,) = await house.last(acting)
    assert entry.parts.basis["kind"] == "delegation"
    assert entry.parts.actor == {"owner": acting.person, "delegation": acting.delegation}
    assert entry.parts.basis["facts"]["act"]["child_agrees"] is True
    child = await house.owner(people.CHILD)
    step = (await shown(house, child, consent_id)).steps[-1]
    assert (step.event, step.by, step.for_me) == ("given", people.MOTHER.name, True)
    assert isinstance(await lending.fetches(consent_id, house.childs), dict)
    # the child withdraws what the mother gave
    assert (await consenting.withdraw(house.vault, child, consent_id, key="w"))["state"] == "withdrawn"
    assert (await lending.fetches(consent_id, house.childs)).reasons == ("consent_withdrawn",)


async def test_a_child_of_ten_says_no_alone_but_not_yes(house, lending):
    child = await house.owner(people.CHILD)
    consent_id = await lending.asked(people.CHILD)
    assert (await lending.gives(child, consent_id)).reasons == ("consent_child_alone",)
    said = {"act": "refuse", "text_hash": None, "language": "vi"}
    assert (await consenting.answer(house.vault, child, consent_id, **said, key="no"))["state"] == "refused"


async def test_an_ended_delegation_answers_nothing(house, mother, acting, lending):
    consent_id = await lending.asked(people.CHILD)
    await delegating.end(house.vault, mother, acting.delegation, key="end")
    refusal = await lending.gives(acting, consent_id, child_agrees=True)
    assert refusal.reasons == ("delegation_ended",)
