"""The gate opens an entry for an auditor against the auditor's own entry alone, and no content ever."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from reuse_api.demo import people
from signing.leaf import Kind, Parts
from vault import audit_acts, audit_opening, entries, registering, staff
from vault.callers import StaffCaller
from vault.clock import FixedClock
from vault.errors import GateRefused, NotAuthenticated, NotFound
from vault.evidence import Evidence
from vault.receipts import ReceiptGone
from vault.tables import entry_holder, key_pair, log_entry, record, record_owner
from vault.telling import VAULT_HOLDER, nothing_to_check

pytestmark = pytest.mark.anyio
PARTS = ("here", "apart")
GROUND = "Kiểm tra theo kế hoạch quý IV"


async def signed_in(house, role="auditor", office=people.COMMUNE) -> StaffCaller:
    who = {"agency": office.code, "officer": office.officer, "role": role}
    await registering.give_role(house.vault, **who)
    code = await staff.new_code(
        house.vault.db, house.vault.clock, agency_id=office.code, officer_id=office.officer, role=role
    )
    secret, _ = await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code)
    return await house.vault.gate.check_staff(secret)


@pytest.fixture
async def auditor(house):
    return await signed_in(house)


@pytest.fixture
async def index(house, daughter):
    """An entry about the daughter."""
    return (await house.last(daughter))[0].index


async def entered(house, caller, index, **changes):
    """The proof of an auditor's entry that says `index` is opened."""
    said = {"event": "entry_opened", "facts": {"ground": GROUND}, "of": index} | changes
    owners = said.pop("owners", None)
    if owners is None:
        query = select(entry_holder.c.holder).where(
            entry_holder.c.idx == index, entry_holder.c.holder_kind == "owner"
        )
        owners = [row.holder for row in await house.rows(query)]
    event, facts = said.pop("event"), said.pop("facts")
    logged = await audit_acts.enter(house.vault, caller, event, facts, owners=owners, **said)
    return await audit_acts.evidence(house.vault, logged)


async def refused(house, caller, index, evidence, why):
    with pytest.raises(GateRefused, match=why):
        await house.vault.gate.open_entries([index], caller, {index: evidence})


async def test_it_opens_against_the_auditors_own_entry(house, auditor, index):
    evidence = await entered(house, auditor, index)
    (opened,) = await house.vault.gate.open_entries([index], auditor, {index: evidence})
    assert opened.index == index and opened.parts.event["type"] == "issued"


async def test_without_an_entry_nothing_opens(house, auditor, index):
    assert await house.vault.gate.open_entries([index], auditor) == []
    other = await entered(house, auditor, index)
    assert await house.vault.gate.open_entries([index - 1], auditor, {index: other}) == []


async def test_the_entry_of_one_opening_opens_no_other(house, auditor, index):
    await refused(house, auditor, index - 1, await entered(house, auditor, index), "another one")


async def test_an_entry_without_a_ground_opens_nothing(house, auditor, index):
    await refused(house, auditor, index, await entered(house, auditor, index, facts={}), "no ground")


async def test_the_entry_of_another_auditor_opens_nothing(house, auditor, index):
    other = await signed_in(house, office=people.POLICE)
    await refused(house, auditor, index, await entered(house, other, index), "caller")


async def test_an_entry_that_its_owner_does_not_see_opens_nothing(house, auditor, index, mother):
    for owners in ([], [mother.owner]):
        await refused(house, auditor, index, await entered(house, auditor, index, owners=owners), "owners")


async def test_an_owners_seed_that_does_not_open_counts_as_none(house, auditor, index, daughter):
    evidence = await entered(house, auditor, index)
    hers = (entry_holder.c.idx == evidence.index) & (entry_holder.c.holder == daughter.owner)
    await house.change(update(entry_holder).where(hers).values(sealed_seed=bytes(80)))
    await refused(house, auditor, index, evidence, "entry")
    await house.change(delete(entry_holder).where(hers))
    await refused(house, auditor, index, evidence, "owners")


async def test_only_an_auditors_act_opens_an_entry(house, auditor, index, daughter):
    """An entry of another kind, with everything else right, and the kind in its row made to fit."""
    at = house.vault.clock.now()
    event = {"type": "entry_opened", "result": "permitted", "at": at.isoformat(), "of": index}
    parts = Parts({"owners": [daughter.owner]}, auditor.actor(), {}, {"facts": {"ground": GROUND}}, event)
    async with house.vault.db.read() as db:
        held = await entries.holders(db, [("owner", daughter.owner)])
    prepared = entries.prepare(Kind.DOSSIER_EVENT, parts, held, at=at, caller_kind="staff", caller=auditor.id)
    (logged,) = await house.vault.appender.append([prepared], nothing_to_check)
    evidence = await audit_acts.evidence(house.vault, logged)
    await house.change(
        update(log_entry).where(log_entry.c.idx == logged.index).values(kind=int(Kind.AUDITOR_ACT))
    )
    await refused(house, auditor, index, evidence, "kind")


async def test_an_entry_that_is_not_committed_opens_nothing(house, auditor, index):
    evidence = await entered(house, auditor, index)
    await refused(house, auditor, index, replace(evidence, proof=evidence.proof[:-1]), "proof")
    older = (await house.rows(select(log_entry).where(log_entry.c.idx == 1)))[0]
    proof, checkpoint, _ = await house.vault.appender.proof(1)
    await refused(house, auditor, index, Evidence(1, older.leaf, proof, checkpoint), "kind")
    await house.change(update(log_entry).where(log_entry.c.idx == evidence.index).values(leaf=bytes(34)))
    await refused(house, auditor, index, evidence, "row")


async def test_an_opening_grows_too_old(open_house):
    async with open_house() as house:
        clock = FixedClock(house.vault.clock.now())
    async with open_house(clock) as house:
        auditor = await signed_in(house)
        daughter = await house.owner(people.DAUGHTER)
        (one,) = await house.last(daughter)
        evidence = await entered(house, auditor, one.index)
        clock.advance(timedelta(seconds=89))
        assert await house.vault.gate.open_entries([one.index], auditor, {one.index: evidence})
        clock.advance(timedelta(seconds=2))
        await refused(house, auditor, one.index, evidence, "age")


@pytest.mark.parametrize("role", ["desk", "administrator"])
async def test_another_role_enters_no_audit_and_opens_nothing(house, auditor, index, role):
    other = await signed_in(house, role)
    with pytest.raises(NotAuthenticated):
        await entered(house, other, index)
    evidence = await entered(house, auditor, index)
    await refused(house, replace(other, role="auditor"), index, evidence, "caller: their role")


async def test_what_an_operation_says_about_the_auditor_does_not_count(house, auditor, index):
    other = await signed_in(house, office=people.POLICE)
    evidence = await entered(house, auditor, index)
    await refused(house, replace(auditor, session=other.session), index, evidence, "caller")
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.open_entries([index], replace(auditor, session="x"), {index: evidence})


async def test_an_act_that_the_owner_was_told_by_another_log_key_opens_nothing(
    house, auditor, index, daughter
):
    """The owner's log key swapped for a moment: nobody would read that the auditor opened it."""
    log, content = await house.vault.gate.new_owner_pairs(daughter.owner)
    before = await house.rows(select(key_pair).where(key_pair.c.id == daughter.owner))
    await swapped(house, log, content)
    evidence = await entered(house, auditor, index)
    opened = await house.vault.gate.open_entries([index], auditor, {index: evidence})
    assert opened == []
    await swapped(house, *(dict(row._mapping) for row in before))
    await refused(house, auditor, index, evidence, "entry")


async def swapped(house, *rows):
    for row in rows:
        own = (key_pair.c.id == row["id"], key_pair.c.purpose == row["purpose"])
        await house.change(update(key_pair).where(*own).values(**row))


# Never content ------------------------------------------------------------------------------------------


async def delivered_as(house, caller, record_id):
    """A `delivered` entry that names this caller, as somebody could append who holds the whole process."""
    (row,) = await house.rows(select(record).where(record.c.id == record_id))
    (holder,) = await house.rows(select(record_owner.c.owner).where(record_owner.c.record == record_id))
    at = house.vault.clock.now()
    subject = {"record": record_id, "digest": row.content_sha256.hex(), "owners": [holder.owner]}
    event = {"type": "delivered", "result": "permitted", "at": at.isoformat()}
    parts = Parts(subject, caller.actor(), {}, {}, event)
    async with house.vault.db.read() as db:
        held = await entries.holders(db, [("owner", holder.owner)])
    prepared = entries.prepare(Kind.DELIVERED, parts, held, at=at, caller_kind="staff", caller=caller.id)
    (logged,) = await house.vault.appender.append([prepared], nothing_to_check)
    return await audit_acts.evidence(house.vault, logged)


@pytest.mark.parametrize("role", ["auditor", "administrator"])
async def test_no_entry_opens_content_for_an_auditor_or_an_administrator(house, role):
    caller = await signed_in(house, role)
    evidence = await delivered_as(house, caller, house.daughters)
    with pytest.raises(GateRefused, match="their role opens no key"):
        await house.vault.gate.open_key(evidence, caller, house.daughters)


async def test_the_auditors_entry_opens_no_key(house, auditor, index):
    evidence = await entered(house, auditor, index)
    with pytest.raises(GateRefused):
        await house.vault.gate.open_key(evidence, auditor, house.daughters)


@pytest.mark.parametrize("role", ["auditor", "administrator"])
async def test_the_session_of_another_role_is_no_desk(house, role):
    """An officer of two roles, or a thief of one session: the role is the one that was signed in for."""
    desk = await signed_in(house, "desk")
    caller = (await signed_in(house, role)).at_desk()
    evidence = await delivered_as(house, desk.at_desk(), house.daughters)
    with pytest.raises(NotAuthenticated, match="role_missing"):
        await house.vault.gate.open_key(evidence, caller, house.daughters)
    assert await house.vault.gate.open_key(evidence, desk.at_desk(), house.daughters)


# Erased keys --------------------------------------------------------------------------------------------


async def erase(house, *owners):
    gone = update(key_pair).where(key_pair.c.id.in_(owners)).values(wrapped_private=None)
    await house.change(gone)


async def test_an_entry_whose_keys_are_gone_stays_closed_and_nothing_is_entered(
    house, auditor, index, daughter
):
    await erase(house, daughter.owner)
    size = await house.size()
    with pytest.raises(ReceiptGone):
        await audit_opening.open_entry(house.vault, auditor, index, GROUND, key="k")
    assert await house.size() == size


async def test_an_entry_about_nobody_is_entered_for_the_auditors_agency(house, auditor):
    (row,) = await house.rows(select(entry_holder).where(entry_holder.c.idx == 0))
    assert (row.holder_kind, row.holder) == VAULT_HOLDER
    told = await audit_opening.open_entry(house.vault, auditor, 0, GROUND, key="k")
    (holder,) = await house.rows(select(entry_holder).where(entry_holder.c.idx == told.entered.index))
    assert (holder.holder_kind, holder.holder) == ("agency", people.COMMUNE.code)


async def test_there_is_no_entry_beyond_the_last(house, auditor):
    with pytest.raises(NotFound):
        await audit_opening.open_entry(house.vault, auditor, 10_000, GROUND, key="k")
