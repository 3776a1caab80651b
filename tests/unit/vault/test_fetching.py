"""Under a consent just the named records are read, each read is counted, and each is decided afresh."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from reuse_api.demo import people
from reuse_api.demo.actors import register
from signing.leaf import Kind
from tests.unit.vault.conftest import LOAN, Lending, at_ten, fresh
from vault import consenting, deliver, my_consents, receipts, revoke
from vault.assertions import new_caller_key
from vault.clock import FixedClock
from vault.days import legal_day
from vault.errors import FieldInvalid, NotFound, VaultBusy
from vault.services import Refusal
from vault.tables import consent, consent_use, log_entry, release

pytestmark = pytest.mark.anyio


@pytest.fixture
async def given(daughter, lending):
    """A consent of the daughter's for her certificate, ten reads."""
    return await lending.given(daughter)


async def test_what_was_agreed_to_is_read_and_counted(house, bank, daughter, lending, given):
    told = await lending.fetches(given)
    (item,) = told["items"]
    assert (item["state"], item["record"], told["reads_left"]) == ("released", house.daughters, 9)
    assert (await house.reads(bank, item["release"])).startswith(b"%PDF")
    assert await receipts.fetch(house.vault, bank, item["receipt"])
    released, delivered = await house.last(daughter, 2)
    assert (released.kind, delivered.kind) == (Kind.RELEASE_PERMITTED, Kind.DELIVERED)
    for entry in (released, delivered):
        assert entry.parts.basis["kind"] == "consent"
        assert entry.parts.purpose == {"consent": given, "purpose": "loan_assessment"}
        assert entry.parts.event["release"] == item["release"]
    found = await my_consents.my_consent(house.vault, daughter, given)
    assert (found.used, [use.index for use in found.uses]) == (1, [item["index"]])


async def test_the_same_fetch_again_is_not_counted_again(house, lending, given):
    first = await lending.fetches(given, key="once")
    size = await house.size()
    assert await lending.fetches(given, key="once") == first
    assert await house.size() == size
    (used,) = await house.rows(select(consent.c.used))
    assert used.used == 1


async def test_each_record_is_a_read(house, commune, daughter, lending):
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    second = (await house.issues(commune, code, people.DAUGHTER))["record"]
    consent_id = await lending.given(daughter, max_reads=3)
    told = await lending.fetches(consent_id, house.daughters, second)
    assert [one["state"] for one in told["items"]] == ["released", "released"]
    assert all(one["trust_reasons"][0] == "class_by_issuing_agency" for one in told["items"])
    # one read is left: the second record of this fetch finds none
    told = await lending.fetches(consent_id, house.daughters, second)
    assert [one["state"] for one in told["items"]] == ["released", "refused"]
    assert told["items"][1]["reasons"] == ["consent_exhausted"]
    assert told["reads_left"] == 0
    found = await my_consents.my_consent(house.vault, daughter, consent_id)
    assert (found.state, found.steps[-1].event, found.used) == ("exhausted", "exhausted", 3)
    assert (await house.last(daughter))[0].parts.event["type"] == "consent_exhausted"


async def test_the_owner_of_another_record_is_told_and_the_bank_is_not(
    house, daughter, mother, lending, given
):
    told, seen = [], []
    for record in (house.mothers, "rec-of-nobody"):
        size = await house.size()
        refusal = await lending.fetches(given, record)
        told.append((refusal.reasons, len(refusal.receipts)))
        kinds = await house.rows(select(log_entry.c.kind).where(log_entry.c.idx >= size))
        entry = (await house.last(lending.bank))[0]
        facts = entry.parts.basis["facts"] | {"fetch": {}}
        seen.append(([one.kind for one in kinds], facts, entry.parts.subject, entry.parts.basis["reasons"]))
    assert told[0] == told[1] == (("consent_record_not_named",), 1)
    assert seen[0] == seen[1]
    (attempt,) = await house.last(mother)
    assert attempt.parts.event["type"] == "release_refused"
    assert attempt.parts.subject["record"] == house.mothers
    assert "consent" not in attempt.parts.purpose, "the mother hears nothing of her daughter's consent"


async def test_an_unknown_consent_and_anothers_are_refused_alike(house, daughter, given):
    other = people.Office(
        code="K02.01",
        name_vi="Ngân hàng thương mại cổ phần Núi Xanh",
        name_en="Nui Xanh commercial bank",
        system="tin-dung-nui-xanh",
        system_name="Hệ thống tín dụng Núi Xanh",
        officer="nv-01",
        officer_name="Phan Văn Bình",
        procedures=(),
        purposes=(LOAN.purpose,),
    )
    house.keys[other.system] = new_caller_key()
    await register(house.vault, other, house.keys[other.system])
    lending = Lending(house, await house.system(other, officer=False))
    seen = []
    for consent_id in (given, "cns-of-nobody"):
        size = await house.size()
        refusal = await lending.fetches(consent_id)
        kinds = await house.rows(select(log_entry.c.kind).where(log_entry.c.idx >= size))
        entry = (await house.last(lending.bank))[0]
        seen.append((refusal.reasons, [one.kind for one in kinds], entry.parts.basis, entry.parts.purpose))
    assert seen[0] == seen[1]
    assert seen[0][0] == ("consent_other_recipient",)
    assert (await house.last(daughter))[0].parts.event["type"] == "release_refused"


async def test_who_has_not_answered_cannot_be_told_from_nobody(house, lending):
    nobody = people.Citizen("Nguyễn Văn Không", "001207012999", "2007-01-01")
    seen = []
    for citizen in (people.DAUGHTER, nobody):
        consent_id = await lending.asked(citizen)
        size = await house.size()
        refusal = await lending.fetches(consent_id)
        kinds = await house.rows(select(log_entry.c.kind).where(log_entry.c.idx >= size))
        entry = (await house.last(lending.bank))[0]
        assert entry.parts.subject == {}
        assert "owner" not in entry.parts.basis["facts"]["consent"]
        seen.append(
            (refusal.reasons, [one.kind for one in kinds], sorted(entry.parts.basis["facts"]["consent"]))
        )
    assert seen[0] == seen[1]
    assert seen[0][0] == ("consent_not_given",)


# What ends a reading ------------------------------------------------------------------------------------


async def test_a_withdrawal_holds_for_the_very_next_read(house, bank, daughter, lending, given):
    item = (await lending.fetches(given))["items"][0]
    first = await deliver.deliver(house.vault, bank, item["release"], start=0, stop=100)
    assert len(await house.drained(first)) == 100
    await consenting.withdraw(house.vault, daughter, given, key="withdraw")
    refusal = await deliver.deliver(house.vault, bank, item["release"], start=100, stop=200)
    assert isinstance(refusal, Refusal)
    assert (refusal.reasons, refusal.status) == (("consent_withdrawn",), "refused")


async def test_a_revoked_record_is_not_read_under_a_consent(house, bank, commune, lending, given):
    item = (await lending.fetches(given))["items"][0]
    await revoke.revoke(house.vault, commune, house.daughters, ground="QĐ 9", reason="sai", key="revoke")
    refusal = await deliver.deliver(house.vault, bank, item["release"])
    assert refusal.reasons == ("record_revoked",)
    assert (await lending.fetches(given)).reasons == ("record_revoked",)


async def test_a_reading_ends_after_fifteen_minutes_and_a_consent_after_its_last_day(open_house):
    ten = at_ten()
    clock = FixedClock(ten)
    async with open_house(clock) as house:
        lending = Lending(house, await house.system(people.BANK, officer=False))
        daughter = await house.owner(people.DAUGHTER)
        tomorrow = legal_day(clock.now()) + timedelta(days=1)
        consent_id = await lending.given(daughter, valid_from=tomorrow, valid_until=tomorrow)
        assert (await lending.fetches(consent_id)).reasons == ("consent_not_yet_valid",)
        clock.move_to(ten + timedelta(days=1))
        bank = lending.bank = await house.system(people.BANK, officer=False)
        release_id = (await lending.fetches(consent_id))["items"][0]["release"]
        assert await house.reads(bank, release_id)
        clock.advance(timedelta(minutes=5))
        assert await house.reads(bank, release_id)
        clock.advance(timedelta(minutes=10))
        bank = await house.system(people.BANK, officer=False)
        refusal = await deliver.deliver(house.vault, bank, release_id)
        assert (refusal.reasons, refusal.status) == (("fetch_ended",), "ended")
        clock.move_to(ten + timedelta(days=1, hours=13, minutes=55))  # 23:55 in Viet Nam
        bank = lending.bank = await house.system(people.BANK, officer=False)
        release_id = (await lending.fetches(consent_id))["items"][0]["release"]
        clock.advance(timedelta(minutes=5))
        refusal = await deliver.deliver(house.vault, bank, release_id)
        assert refusal.reasons == ("consent_expired",)
        assert (await lending.fetches(consent_id)).reasons == ("consent_expired",)


async def test_a_release_under_a_consent_is_its_systems_alone(house, commune, lending, given):
    item = (await lending.fetches(given))["items"][0]
    with pytest.raises(NotFound):
        await deliver.deliver(house.vault, commune, item["release"])


async def test_an_exhausted_consent_can_be_withdrawn_to_end_the_last_reading(house, bank, daughter, lending):
    consent_id = await lending.given(daughter, max_reads=1)
    item = (await lending.fetches(consent_id))["items"][0]
    assert await house.reads(bank, item["release"])
    await consenting.withdraw(house.vault, daughter, consent_id, key="withdraw")
    refusal = await deliver.deliver(house.vault, bank, item["release"])
    assert refusal.reasons == ("consent_withdrawn",)


# Bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "code"),
    [
        (tuple(f"rec-{n}" for n in range(21)), "fetch_records_number"),
        (("rec-1", "rec-1"), "consent_document_twice"),
    ],
)
async def test_a_fetch_that_cannot_be_one_stores_nothing(house, lending, given, records, code):
    size = await house.size()
    with pytest.raises(FieldInvalid) as refused:
        await lending.fetches(given, *records)
    assert (refused.value.field, refused.value.code) == ("records", code)
    assert await house.size() == size


async def test_another_purpose_is_refused(house, lending, given):
    for purpose in ("account_opening", "school_enrolment", "no such purpose"):
        refusal = await lending.fetches(given, purpose=purpose)
        assert "consent_other_purpose" in refusal.reasons, purpose
    assert await house.rows(select(release).where(release.c.consent == given)) == []


# Many at once -------------------------------------------------------------------------------------------


async def test_uses_never_exceed_what_was_agreed_to(house, daughter, lending):
    consent_id = await lending.given(daughter, max_reads=7)

    async def reads() -> str:
        try:
            told = await lending.fetches(consent_id, key=fresh())
        except VaultBusy:
            return "busy"
        return "refused" if isinstance(told, Refusal) else "released"

    told = await asyncio.gather(*(reads() for _ in range(30)))
    assert told.count("released") == 7
    (row,) = await house.rows(select(consent.c.used, consent.c.state).where(consent.c.id == consent_id))
    assert (row.used, row.state) == (7, "exhausted")
    uses = select(func.count(), func.max(consent_use.c.n)).where(consent_use.c.consent == consent_id)
    assert tuple((await house.rows(uses))[0]) == (7, 7)
    entries = [one for one in await house.last(daughter, 1000) if one.kind is Kind.RELEASE_PERMITTED]
    assert len(entries) == 7
