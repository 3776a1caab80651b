"""A bank asks, the citizen says yes or no to the exact text, pauses and withdraws; the bank hears of it."""

from hashlib import sha256

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.leaf import Kind
from tests.unit.vault.conftest import ACCOUNT, LOAN, fresh
from vault import consenting, my_consents, receipts
from vault.tables import notice

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
