"""The docket lists an agency's own open dossiers, and suggests what a new one may be."""

from datetime import timedelta

import pytest

from reuse_api.demo import people
from vault import docket, handling
from vault.clock import FixedClock
from vault.days import legal_day

pytestmark = pytest.mark.anyio


async def test_the_dossier_touched_last_stands_first(house, police):
    desk = await house.desk(people.POLICE)
    codes = [await house.opens(police, people.POLICE, house.residence()) for _ in range(3)]
    assert await _listed(house, desk) == codes[::-1]
    await house.releases(police, codes[0])
    assert await _listed(house, desk) == [codes[0], codes[2], codes[1]]
    found = (await docket.open_dossiers(house.vault, desk))[0]
    assert (found.person, found.procedure) == (people.DAUGHTER.name, people.RESIDENCE)
    assert found.opened_at < found.touched_at


async def test_pages_follow_one_another_without_a_gap(house, police):
    desk = await house.desk(people.POLICE)
    codes = [await house.opens(police, people.POLICE, house.residence()) for _ in range(3)]
    first = await docket.open_dossiers(house.vault, desk, limit=2)
    rest = await docket.open_dossiers(house.vault, desk, before=first[-1].touched_at)
    assert [one.code for one in (*first, *rest)] == codes[::-1]


async def test_another_agency_sees_none_of_them_and_a_closed_one_is_gone(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    desk = await house.desk(people.POLICE)
    theirs = await _listed(house, await house.desk(people.COMMUNE))
    assert code not in theirs
    await handling.close_dossier(house.vault, police, code, key="k")
    assert await _listed(house, desk) == []


async def test_listing_is_no_entry(house, police):
    await house.opens(police, people.POLICE, house.residence())
    desk = await house.desk(people.POLICE)
    before = await house.size()
    await docket.open_dossiers(house.vault, desk)
    await docket.at_desk(house.vault, desk)
    await docket.next_code(house.vault, desk)
    assert await house.size() == before


async def test_the_next_code_is_one_that_nobody_has(house, police):
    desk = await house.desk(people.POLICE)
    today = f"{people.POLICE.code}-{legal_day(house.vault.clock.now()):%y%m%d}"
    assert await docket.next_code(house.vault, desk) == f"{today}-0001"
    for taken, suggested in (("0001", "0002"), ("10000", "10001"), ("999999", "0002")):
        await handling.open_dossier(house.vault, police, f"{today}-{taken}", house.residence())
        assert await docket.next_code(house.vault, desk) == f"{today}-{suggested}"


async def test_a_new_day_begins_with_one(open_house):
    async with open_house() as house:
        now = house.vault.clock.now()
    clock = FixedClock(now)
    async with open_house(clock) as house:
        desk = await house.desk(people.POLICE)
        police = await house.system(people.POLICE)
        code = await docket.next_code(house.vault, desk)
        await handling.open_dossier(house.vault, police, code, house.residence())
        clock.advance(timedelta(days=1))
        assert (await docket.next_code(house.vault, desk)).endswith("-0001")


async def test_an_agency_may_do_what_it_is_registered_for(house):
    theirs = await docket.competence(house.vault, await house.desk(people.POLICE))
    assert [one.code for one in theirs.procedures] == [people.RESIDENCE]
    assert theirs.issues == ()
    commune = await docket.competence(house.vault, await house.desk(people.COMMUNE))
    assert commune.issues == people.COMMUNE.issues


async def test_the_officer_is_named_as_registered(house):
    who = await docket.at_desk(house.vault, await house.desk(people.POLICE))
    assert (who.officer_name, who.agency_vi) == (people.POLICE.officer_name, people.POLICE.name_vi)


async def _listed(house, desk):
    return [one.code for one in await docket.open_dossiers(house.vault, desk)]
