"""A plan that an officer looks at again is not asked again; whatever could change it asks anew."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from vault import asked_plans, handling, plan, revoke
from vault.clock import FixedClock
from vault.errors import NotFound
from vault.services import Refusal
from vault.tables import asked_plan

pytestmark = pytest.mark.anyio


async def test_opening_asks_and_looking_again_does_not(house):
    desk = await house.desk(people.POLICE)
    code = await house.opens(desk, people.POLICE, house.residence())
    before = await house.size()
    shown = await plan.look(house.vault, desk, code)
    assert [one["state"] for one in shown["components"]].count("satisfied") == 1
    assert await house.size() == before


async def test_asking_again_is_an_entry_and_is_what_is_looked_at_from_then_on(house):
    desk = await house.desk(people.POLICE)
    code = await house.opens(desk, people.POLICE, house.residence())
    before = await house.size()
    asked = await plan.ask(house.vault, desk, code)
    assert await house.size() == before + 2  # she and her mother each see it
    assert await plan.look(house.vault, desk, code) == asked
    assert await house.size() == before + 2


async def test_a_dossier_of_the_agencys_system_is_worked_on_at_its_desk(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    desk = await house.desk(people.POLICE)
    before = await house.size()
    shown = await plan.look(house.vault, desk, code)
    assert isinstance(shown, dict)
    assert await house.size() == before + 2
    release = await house.releases(desk, code)
    assert (await house.reads(desk, release)).startswith(b"%PDF")


async def test_a_release_stays_with_whom_it_was_given_to(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    release = await house.releases(police, code)
    with pytest.raises(NotFound):
        await house.reads(await house.desk(people.POLICE), release)


async def test_the_desk_of_another_agency_finds_nothing_and_that_is_an_entry(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    desk = await house.desk(people.COMMUNE)
    before = await house.size()
    with pytest.raises(NotFound):
        await plan.look(house.vault, desk, code)
    assert await house.size() > before


async def test_another_session_asks_for_itself(house):
    code = await house.opens(await house.desk(people.POLICE), people.POLICE, house.residence())
    before = await house.size()
    await plan.look(house.vault, await house.desk(people.POLICE), code)
    assert await house.size() == before + 2


async def test_what_moved_is_asked_anew(house, commune):
    desk = await house.desk(people.POLICE)
    code = await house.opens(desk, people.POLICE, house.residence())
    assert "satisfied" in _states(await plan.look(house.vault, desk, code))
    await revoke.revoke(house.vault, commune, house.daughters, ground="Điều 70", reason="sai", key="k")
    before = await house.size()
    assert "satisfied" not in _states(await plan.look(house.vault, desk, code))
    assert await house.size() == before + 2


async def test_a_closed_dossier_shows_no_plan(house):
    desk = await house.desk(people.POLICE)
    code = await house.opens(desk, people.POLICE, house.residence())
    await handling.close_dossier(house.vault, desk, code, key="k")
    refusal = await plan.look(house.vault, desk, code)
    assert isinstance(refusal, Refusal)
    assert refusal.status == "ended"


async def test_an_answer_grows_old_and_is_swept(open_house):
    async with open_house() as house:
        now = house.vault.clock.now()
    clock = FixedClock(now)
    async with open_house(clock) as house:
        desk = await house.desk(people.POLICE)
        first = await house.opens(desk, people.POLICE, house.residence())
        clock.advance(asked_plans.FRESH - timedelta(seconds=1))
        size = await house.size()
        await plan.look(house.vault, desk, first)
        assert await house.size() == size
        clock.advance(timedelta(seconds=1))
        await plan.look(house.vault, desk, first)
        assert await house.size() == size + 2
        clock.advance(asked_plans.FRESH)
        second = await house.opens(desk, people.POLICE, house.residence())
        assert [row.dossier for row in await house.rows(select(asked_plan))] == [second]


def _states(answer):
    return [one["state"] for one in answer["components"]]
