"""A record of two owners tells each, and whoever asks about one of them, nothing more of the other."""

import os
from typing import Any

import pytest

from reuse_api.demo import people
from vault import deliver, issue, plan, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.issue import ResultBody

pytestmark = pytest.mark.anyio
BOTH = ("applicant", "householder")


@pytest.fixture
async def joint(house: Any, commune: SystemCaller) -> str:
    """A certificate that daughter and mother own together, of a dossier that names a stranger too."""
    named = [(people.DAUGHTER, "applicant"), (people.MOTHER, "householder"), (people.STRANGER, "witness")]
    body = house.reregistration(*(house.person(one, role) for one, role in named))
    code = await house.opens(commune, people.COMMUNE, body)
    fields = people.certificate("77/2026", "2026-01-05", birth_place="Hà Nội")
    result = ResultBody("GKS", BOTH, fields, None, None, None, None)
    told = await issue.issue(house.vault, commune, code, result, None, key=os.urandom(8).hex())
    assert isinstance(told, dict), told
    return str(told["record"])


async def test_the_entry_holds_the_facts_of_its_owners_alone(
    house: Any, commune: SystemCaller, joint: str
) -> None:
    entry = (await house.last(commune))[0]
    assert entry.parts.subject["record"] == joint
    persons = entry.parts.basis["facts"]["dossier"]["persons"]
    assert [one["role"] for one in persons] == list(BOTH)


async def test_an_owners_file_is_named_by_their_own_code(
    house: Any, daughter: OwnerCaller, mother: OwnerCaller, joint: str
) -> None:
    for owner, citizen in ((daughter, people.DAUGHTER), (mother, people.MOTHER)):
        delivery = await deliver.read_own(house.vault, owner, joint)
        assert isinstance(delivery, deliver.Delivery)
        assert f" {citizen.number}-GKS-" in delivery.name
        await house.drained(delivery)


@pytest.mark.parametrize(
    ("named", "other"), [(people.DAUGHTER, people.MOTHER), (people.MOTHER, people.DAUGHTER)]
)
async def test_a_dossier_is_told_the_codes_of_its_own_persons(
    house: Any, commune: SystemCaller, joint: str, named: Any, other: Any
) -> None:
    for other_paper in (house.daughters, house.mothers):
        await revoke.revoke(
            house.vault, commune, other_paper, ground="Điều 70", reason="sai", key=f"end-{other_paper}"
        )
    body = house.reregistration(house.person(named, "applicant"))
    code = await house.opens(commune, people.COMMUNE, body)
    told = await plan.ask(house.vault, commune, code)
    assert isinstance(told, dict)
    shown = [one for line in told["components"] for one in (*line["records"], *line["refused"])]
    assert joint in [one["record"] for one in shown]
    assert named.number in str(told)
    assert other.number not in str(told)


async def test_a_released_file_is_named_by_the_code_of_a_person_of_the_dossier(
    house: Any, police: SystemCaller, joint: str
) -> None:
    alone = [house.person(people.MOTHER, role) for role in BOTH]
    for body, named in ((house.residence(), people.DAUGHTER), (house.residence(*alone), people.MOTHER)):
        code = await house.opens(police, people.POLICE, body)
        delivery = await deliver.deliver(house.vault, police, await house.releases(police, code, joint))
        assert isinstance(delivery, deliver.Delivery), delivery
        assert f" {named.number}-GKS-" in delivery.name
        await house.drained(delivery)
