"""What an agency issued is seen by it and by its successor, and nobody else."""

import pytest
from sqlalchemy import insert

from reuse_api.demo import people
from vault import issued, revoke
from vault.errors import NotFound
from vault.tables import agency_right

pytestmark = pytest.mark.anyio


async def test_another_agency_finds_nothing_until_it_succeeds(house):
    other = await house.desk(house.other_commune)
    with pytest.raises(NotFound):
        await issued.one_issued(house.vault, other, house.daughters)
    right = {"agency": house.other_commune.code, "right": "succeed", "object": people.COMMUNE.code}
    await house.change(insert(agency_right).values(**right, valid_from="2020-01-01"))
    assert (await issued.one_issued(house.vault, other, house.daughters)).owners == 1


async def test_the_life_of_a_record_is_told_with_ground_and_officer(house, commune):
    desk = await house.desk(people.COMMUNE)
    for key, turn in (("1", revoke.suspend), ("2", revoke.reinstate)):
        await turn(house.vault, commune, house.daughters, ground="Điều 70", reason="sai", key=key)
    found = await issued.one_issued(house.vault, desk, house.daughters)
    assert [(one.state, one.ground, one.officer) for one in found.turns] == [
        ("suspended", "Điều 70", people.COMMUNE.officer_name),
        ("in_force", "Điều 70", people.COMMUNE.officer_name),
    ]
    assert found.dossier is not None


async def test_what_a_change_came_to_is_told_again_to_who_made_it(house):
    desk = await house.desk(people.COMMUNE)
    await revoke.revoke(house.vault, desk, house.daughters, ground="Điều 70", reason="sai", key="k")
    assert await issued.heard(house.vault, desk, house.daughters, "k") == 0
    assert await issued.heard(house.vault, desk, house.mothers, "k") is None
    assert await issued.heard(house.vault, await house.desk(people.POLICE), house.daughters, "k") is None
