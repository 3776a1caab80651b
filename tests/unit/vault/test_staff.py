"""Officers sign in for one role, and every proof of it is asked again from the rows."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from reuse_api.demo import people
from vault import agencies, handling, officer_sign_ins, registering, staff
from vault.callers import StaffCaller
from vault.clock import FixedClock
from vault.errors import NotAuthenticated, NotFound
from vault.services import Refusal
from vault.tables import officer

pytestmark = pytest.mark.anyio
OFFICER = {"agency_id": people.POLICE.code, "officer_id": people.POLICE.officer}


async def code_for(house, role="desk"):
    await registering.give_role(
        house.vault, agency=people.POLICE.code, officer=people.POLICE.officer, role=role
    )
    return await staff.new_code(house.vault.db, house.vault.clock, role=role, **OFFICER)


async def signed_in(house, role="desk") -> StaffCaller:
    code = await code_for(house, role)
    secret, found = await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code)
    assert found == role
    return await house.vault.gate.check_staff(secret)


async def test_an_officer_at_the_desk_calls_as_the_agencys_desk(house):
    caller = (await signed_in(house)).at_desk()
    assert caller.actor() == {
        "agency": people.POLICE.code,
        "system": f"desk-{people.POLICE.code}",
        "officer": people.POLICE.officer,
    }
    code = await house.opens(caller, people.POLICE, house.residence())
    content = await house.reads(caller, await house.releases(caller, code))
    assert content.startswith(b"%PDF")


async def test_a_code_is_good_once(house):
    code = await code_for(house)
    assert await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code) is not None
    assert await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code) is None


async def test_a_code_and_a_session_grow_old(open_house):
    async with open_house() as house:
        clock = FixedClock(house.vault.clock.now())
    async with open_house(clock) as house:
        code = await code_for(house)
        clock.advance(staff.CODE_LIFETIME + timedelta(seconds=1))
        assert await staff.redeem_code(house.vault.db, house.vault.gate, clock, code) is None
        caller = await signed_in(house, "auditor")
        clock.advance(staff.SESSION_LIFETIME + timedelta(seconds=1))
        with pytest.raises(NotAuthenticated):
            await house.vault.gate.check_staff(caller.session)


async def test_who_has_left_is_no_officer_any_more(house):
    caller = await signed_in(house)
    await house.change(update(officer).where(officer.c.id == people.POLICE.officer).values(live=False))
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_staff(caller.session)


WHO = {"agency": people.POLICE.code, "officer": people.POLICE.officer}
ISSUER = "https://login.example"


async def test_a_role_that_is_taken_back_ends_its_sessions_and_no_others(house):
    auditor, desk = await signed_in(house, "auditor"), await signed_in(house)
    code = await staff.new_code(house.vault.db, house.vault.clock, role="auditor", **OFFICER)
    size = await house.size()
    await officer_sign_ins.take_role(house.vault, role="auditor", **WHO)
    assert await house.size() == size + 1, "an entry"
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_staff(auditor.session)
    assert await house.vault.gate.check_staff(desk.session)
    assert await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code) is None
    async with house.vault.db.read() as db:
        assert await staff.roles(db, people.POLICE.code, people.POLICE.officer) == ["desk"]
    with pytest.raises(NotFound):
        await officer_sign_ins.take_role(house.vault, role="auditor", **WHO)
    assert await house.size() == size + 1


async def test_who_leaves_has_no_role_no_account_and_no_session_and_systems_cannot_name_them(house):
    desk = await signed_in(house)
    await officer_sign_ins.let_sign_in(house.vault, issuer=ISSUER, subject="s-1", **WHO)
    system = await house.system(people.POLICE)
    size = await house.size()
    await officer_sign_ins.leave(house.vault, **WHO)
    assert await house.size() == size + 1, "an entry"
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_staff(desk.session)
    async with house.vault.db.read() as db:
        assert await staff.who_is(db, ISSUER, "s-1") is None
        assert await staff.roles(db, people.POLICE.code, people.POLICE.officer) == []
        assert people.POLICE.officer in await agencies.officers(db, people.POLICE.code), "the name stays"
    with pytest.raises(NotAuthenticated):
        await house.system(people.POLICE)
    told = await handling.open_dossier(house.vault, system, house.code(people.POLICE), house.residence())
    assert isinstance(told, Refusal), "nor by the token of before"
    with pytest.raises(NotFound):
        await officer_sign_ins.leave(house.vault, **WHO)


async def test_signing_out_ends_the_session(house):
    caller = await signed_in(house)
    await staff.sign_out(house.vault.db, caller.session)
    with pytest.raises(NotAuthenticated):
        await house.vault.gate.check_staff(caller.session)


async def test_a_role_is_an_entry(house):
    before = await house.size()
    await code_for(house)
    assert await house.size() == before + 1
