"""A parent acts for a child while the birth certificate in the vault proves it, and not a moment longer."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from policies.identifiers import personal_number
from reuse_api.demo import papers, people
from signing.leaf import Kind
from vault import delegating, deliver, deposit, finding, issue_record, receipts, revoke
from vault.claiming import claim
from vault.clock import FixedClock
from vault.days import legal_day
from vault.errors import FieldInvalid, NotAuthenticated, NotFound
from vault.issue_record import RecordBody, RecordOwner
from vault.services import Refusal
from vault.tables import owner, receipt, session

pytestmark = pytest.mark.anyio


async def claims(house, caller, value=people.CHILD.number, *, kind="parent", key="claim"):
    scheme = "personal_number" if kind == "parent" else "tax_code"
    return await claim(house.vault, caller, scheme=scheme, value=value, kind=kind, key=key)


async def acts(house, caller, delegation):
    await delegating.act_for(house.vault, caller, delegation)
    return await house.vault.gate.check_session(caller.session)


@pytest.fixture
async def begun(house, mother):
    return (await claims(house, mother))["delegation"]


@pytest.fixture
async def acting(house, mother, begun):
    """The mother, acting for the child."""
    return await acts(house, mother, begun)


async def test_a_mother_acts_for_the_child_whose_certificate_names_her(house, mother, acting):
    assert (acting.person, acting.owner) == (mother.owner, acting.owner)
    assert acting.owner != mother.owner
    assert [one.id for one in await finding.my_records(house.vault, acting)] == [house.childs]
    me = await finding.me(house.vault, acting)
    assert (me.name, me.acted_for_by) == (people.CHILD.name, people.MOTHER.name)


async def test_what_she_reads_for_the_child_is_read_by_delegation(house, acting):
    delivery = await deliver.read_own(house.vault, acting, house.childs)
    assert (await house.drained(delivery)).startswith(b"%PDF")
    (entry,) = await house.last(acting)
    assert entry.kind is Kind.DELIVERED
    assert entry.parts.basis["kind"] == "delegation"
    assert "Điều 136" in entry.parts.basis["reference"]
    assert entry.parts.basis["facts"]["delegation"]["evidence"] == house.childs
    assert entry.parts.actor == {"owner": acting.person, "delegation": acting.delegation}
    assert entry.parts.subject["owners"] == [acting.owner]


async def test_the_child_sees_who_acted(house, acting):
    await house.drained(await deliver.read_own(house.vault, acting, house.childs))
    child = await house.owner(people.CHILD)
    newest = (await finding.my_accesses(house.vault, child))[0]
    assert (newest.event, newest.acted_by) == ("delivered", people.MOTHER.name)


async def test_she_adds_a_document_to_the_childs_store(house, mother, acting, pdf):
    told = await deposit.upload(
        house.vault,
        acting,
        pdf("sổ tiêm"),
        title="Sổ tiêm chủng",
        type=None,
        declared_type="application/pdf",
        key="up",
    )
    child = await house.owner(people.CHILD)
    assert told["record"] in [one.id for one in await finding.my_records(house.vault, child)]
    assert told["record"] not in [one.id for one in await finding.my_records(house.vault, mother)]
    (entry,) = await house.last(acting)
    assert (entry.parts.event["type"], entry.parts.basis["kind"]) == ("uploaded", "delegation")


async def test_acting_for_the_child_opens_nothing_of_her_own(house, mother, acting):
    with pytest.raises(NotFound):
        await deliver.read_own(house.vault, acting, house.mothers)
    (entry,) = await house.last(mother)
    assert (entry.kind, entry.parts.event["result"]) == (Kind.REFUSED, "refused")
    themself = await acts(house, acting, None)
    assert (themself.owner, themself.delegation) == (mother.owner, None)
    with pytest.raises(NotFound):
        await deliver.read_own(house.vault, themself, house.childs)


async def test_both_see_the_delegation(house, mother, begun):
    child = await house.owner(people.CHILD)
    (hers,) = await delegating.my_delegations(house.vault, mother)
    (childs,) = await delegating.my_delegations(house.vault, child)
    assert (hers.id, hers.side, hers.name) == (begun, "representative", people.CHILD.name)
    assert (childs.id, childs.side, childs.name) == (begun, "represented", people.MOTHER.name)
    assert hers.identifier.endswith(people.CHILD.number[-4:])
    assert people.CHILD.number not in hers.identifier
    assert (hers.state, hers.valid_until) == ("in_force", date(2034, 5, 8))
    for caller in (mother, child):
        assert (await house.last(caller))[0].parts.event["type"] == "delegation_begun"


# An enterprise ------------------------------------------------------------------------------------------


@pytest.fixture
async def registered(house):
    """The workshop's registration certificate, which names the mother as its owner."""
    office = await house.system(people.BUSINESS_OFFICE)
    workshop = RecordOwner("enterprise", "tax_code", people.WORKSHOP.tax_code, people.WORKSHOP.name)
    fields = papers.enterprise(legal_day(house.vault.clock.now()).isoformat())
    body = RecordBody("GCNDKDN", (workshop,), fields)
    return (await issue_record.issue_record(house.vault, office, body, None, key="found"))["record"]


async def test_the_owner_of_a_private_enterprise_acts_for_it(house, mother, lending, registered):
    told = await claims(house, mother, people.WORKSHOP.tax_code, kind="legal_representative")
    assert "valid_until" not in told, "no birthday ends it"
    acting = await acts(house, mother, told["delegation"])
    assert [one.id for one in await finding.my_records(house.vault, acting)] == [registered]
    await house.drained(await deliver.read_own(house.vault, acting, registered))
    (entry,) = await house.last(acting)
    assert entry.parts.basis["kind"] == "delegation"
    assert "59/2020/QH14" in entry.parts.basis["reference"]
    workshop = {"scheme": "tax_code", "value": people.WORKSHOP.tax_code, "name": people.WORKSHOP.name}
    consent_id = await lending.asked(**workshop, types=("GCNDKDN",))
    assert (await lending.gives(acting, consent_id))["state"] == "given"
    item = (await lending.fetches(consent_id, registered))["items"][0]
    assert (await house.reads(lending.bank, item["release"])).startswith(b"%PDF")


async def test_an_enterprise_is_acted_for_only_while_its_certificate_is_in_force(house, mother, registered):
    told = await claims(house, mother, people.WORKSHOP.tax_code, kind="legal_representative")
    acting = await acts(house, mother, told["delegation"])
    office = await house.system(people.BUSINESS_OFFICE)
    why = {"ground": "Luật Doanh nghiệp 2020, Điều 212", "reason": "Xác minh thông tin"}
    await revoke.suspend(house.vault, office, registered, **why, key="suspend")
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_session(mother.session)
    await revoke.reinstate(house.vault, office, registered, **why, key="reinstate")
    assert (await house.vault.gate.check_session(mother.session)).owner == acting.owner


async def test_another_person_does_not_act_for_the_enterprise(house, stranger, registered):
    refusal = await claims(house, stranger, people.WORKSHOP.tax_code, kind="legal_representative")
    assert refusal.reasons == ("delegation_not_evidenced",)


# Claims that are refused --------------------------------------------------------------------------------


async def test_a_stranger_learns_nothing(house, stranger):
    """An unknown person and a known one are refused alike: answer, receipt, number and kinds of entries."""
    unknown = personal_number("001216045672")
    answers, grown, shown = [], [], []
    line = house.vault.signer.verifier_line
    for value in (people.CHILD.number, unknown):
        size = await house.size()
        refusal = await claims(house, stranger, value, key=f"claim-{value}")
        assert isinstance(refusal, Refusal)
        answers.append((refusal.reasons, refusal.status, len(refusal.receipts)))
        grown.append(await house.size() - size)
        (entry,) = await house.last(stranger)
        counted = {"delegation": {}, "refused_claims": 0}  # one more with each
        parts = {**entry.parts.basis, "facts": {**entry.parts.basis["facts"], **counted}}
        shown.append((parts, entry.parts.subject, entry.parts.purpose, entry.parts.actor))
        assert entry.parts.basis["facts"]["delegation"].keys() == {"id", "kind", "representative", "state"}
        assert await receipts.fetch(house.vault, stranger, refusal.receipts[0])
    assert line
    assert answers[0] == answers[1] == (("delegation_not_evidenced",), "refused", 1)
    assert grown == [2, 2]
    assert shown[0] == shown[1]


async def test_the_child_is_told_of_a_strangers_attempt(house, stranger):
    await claims(house, stranger)
    (entry,) = await house.last(await house.owner(people.CHILD))
    assert entry.parts.event["type"] == "claim_delegation_refused"
    assert entry.parts.actor == {"owner": stranger.owner}
    (row,) = await house.rows(receipt.select().where(receipt.c.idx == entry.index))
    assert (row.caller_kind, row.caller) == ("vault", "vault")


async def test_nobody_acts_for_themself(house, mother):
    refusal = await claims(house, mother, people.MOTHER.number)
    assert "delegation_of_oneself" in refusal.reasons


async def test_a_grown_daughter_is_not_acted_for(house, mother, daughter):
    await house.change(
        update(owner).where(owner.c.id == daughter.owner).values(born_on=people.DAUGHTER.born_on)
    )
    refusal = await claims(house, mother, people.DAUGHTER.number)
    assert refusal.reasons == ("delegation_of_age",)


@pytest.mark.parametrize(
    ("value", "kind", "field", "code"),
    [
        ("12", "parent", "identifier.value", "personal_number_malformed"),
        (people.CHILD.number, "aunt", "kind", "delegation_kind_unknown"),
    ],
)
async def test_a_claim_that_cannot_be_one_stores_nothing(house, mother, value, kind, field, code):
    size = await house.size()
    with pytest.raises(FieldInvalid) as refused:
        await claims(house, mother, value, kind=kind)
    assert (refused.value.field, refused.value.code) == (field, code)
    with pytest.raises(FieldInvalid):
        await claim(
            house.vault, mother, scheme="tax_code", value="0100109106", kind="parent", key="wrong scheme"
        )
    assert await house.size() == size


async def test_a_claim_made_again_is_the_same_delegation(house, mother, begun):
    size = await house.size()
    assert (await claims(house, mother))["delegation"] == begun
    assert (await claims(house, mother, key="another key"))["delegation"] == begun
    assert await house.size() == size


# Its end ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["parent", "child"])
async def test_either_side_ends_it_at_once(house, mother, acting, who):
    ending = mother if who == "parent" else await house.owner(people.CHILD)
    told = await delegating.end(house.vault, ending, acting.delegation, key="end")
    assert told["state"] == "ended"
    with pytest.raises(NotAuthenticated) as ended:
        await house.vault.gate.check_session(acting.session)
    assert ended.value.code == "acting_ended"
    size = await house.size()
    assert (await delegating.end(house.vault, ending, acting.delegation, key="twice"))["index"] == told[
        "index"
    ]
    assert await house.size() == size
    with pytest.raises(FieldInvalid) as refused:
        await delegating.act_for(house.vault, mother, acting.delegation)
    assert refused.value.code == "delegation_ended"
    await delegating.act_for(house.vault, mother, None)
    assert (await house.vault.gate.check_session(mother.session)).owner == mother.owner


async def test_a_stranger_can_neither_end_it_nor_act_by_it(house, stranger, begun):
    with pytest.raises(NotFound):
        await delegating.end(house.vault, stranger, begun, key="end")
    with pytest.raises(NotFound):
        await delegating.act_for(house.vault, stranger, begun)


async def test_a_revoked_certificate_ends_it_for_the_very_next_read(house, commune, acting):
    await revoke.revoke(house.vault, commune, house.childs, ground="QĐ 7", reason="sai", key="revoke")
    refusal = await deliver.read_own(house.vault, acting, house.childs)
    assert isinstance(refusal, Refusal)
    assert "delegation_not_evidenced" in refusal.reasons
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_session(acting.session)


@pytest.mark.parametrize(("mother_number", "stands"), [(people.MOTHER.number, True), ("001180034570", False)])
async def test_a_certificate_that_takes_its_place_must_still_name_her(
    house, commune, acting, mother_number, stands
):
    code = await house.opens(
        commune, people.COMMUNE, house.reregistration(house.person(people.CHILD, "applicant"))
    )
    fields = people.childs_certificate("77/2026", "2026-11-26") | {"mother_personal_number": mother_number}
    await house.issues(commune, code, people.CHILD, fields=fields, replaces=(house.childs,))
    if stands:
        assert (await house.vault.gate.check_session(acting.session)).owner == acting.owner
    else:
        with pytest.raises(NotAuthenticated):
            await house.vault.gate.check_session(acting.session)


async def test_it_ends_on_the_eighteenth_birthday(open_house):
    birthday = datetime(2034, 5, 9, tzinfo=UTC)
    clock = FixedClock(birthday - timedelta(hours=7, minutes=10))  # 23:50 the day before, in Viet Nam
    async with open_house(clock) as house:
        mother = await house.owner(people.MOTHER)
        begun = (await claims(house, mother))["delegation"]
        acting = await acts(house, mother, begun)
        assert acting.owner != mother.owner
        clock.move_to(birthday - timedelta(hours=7, minutes=1))
        assert (await house.vault.gate.check_session(mother.session)).owner == acting.owner
        clock.move_to(birthday - timedelta(hours=7))
        with pytest.raises(NotAuthenticated):
            await house.vault.gate.check_session(mother.session)
        (listed,) = await delegating.my_delegations(house.vault, mother)
        assert listed.state == "of_age"


async def test_a_session_whose_delegation_was_forged_opens_nothing(house, stranger, begun):
    """Somebody with the database file points a session at another's delegation: the gate does not follow."""
    await house.change(
        update(session).where(session.c.secret_hash == stranger.credential_hash).values(delegation=begun)
    )
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_session(stranger.session)
