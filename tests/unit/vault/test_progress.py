"""What a dossier has come to is seen by its agency, and a release is told from another system's."""

import pytest

from reuse_api.demo import people
from vault import handling, progress
from vault.errors import NotFound

pytestmark = pytest.mark.anyio


async def test_persons_are_named_and_their_numbers_are_not_written_out(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    found = await progress.progress(house.vault, await house.desk(people.POLICE), code)
    assert [(one.role, one.name) for one in found.parties] == [
        ("applicant", people.DAUGHTER.name),
        ("householder", people.MOTHER.name),
    ]
    assert found.parties[0].identifier == "••••••••" + people.DAUGHTER.number[-4:]
    assert found.system_name == people.POLICE.system_name
    assert found.officer_name == people.POLICE.officer_name


async def test_what_was_taken_says_by_which_system(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    desk = await house.desk(people.POLICE)
    theirs, ours = await house.releases(police, code), await house.releases(desk, code)
    found = await progress.progress(house.vault, desk, code)
    assert [(one.release, one.ours, one.receipt is None) for one in found.taken] == [
        (ours, True, False),
        (theirs, False, True),
    ]
    assert found.release(theirs).system_name == people.POLICE.system_name
    with pytest.raises(NotFound):
        found.release("rel-none")


async def test_results_are_listed_with_their_dossier(house, commune):
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    issued = await house.issues(commune, code, people.DAUGHTER)
    found = await progress.progress(house.vault, await house.desk(people.COMMUNE), code)
    assert [one.facts.id for one in found.results] == [issued["record"]]
    assert found.taken == ()


async def test_a_closed_dossier_is_still_seen(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    await handling.close_dossier(house.vault, police, code, key="k")
    found = await progress.progress(house.vault, await house.desk(people.POLICE), code)
    assert not found.is_open
    assert found.closed_at is not None


async def test_looking_is_no_entry_and_another_agency_finds_nothing(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    desk = await house.desk(people.POLICE)
    other = await house.desk(people.COMMUNE)
    before = await house.size()
    await progress.progress(house.vault, desk, code)
    for wanted in (code, "H26.14.02-260101-9999"):
        with pytest.raises(NotFound):
            await progress.progress(house.vault, other, wanted)
    assert await house.size() == before
