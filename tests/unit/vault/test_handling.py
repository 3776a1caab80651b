"""A dossier's code belongs to the system that opened it, and what is told again is entered again."""

from typing import Any

import pytest

from reuse_api.demo import people
from vault import handling, registering
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, new_caller_key, public_jwk
from vault.authenticating import exchange
from vault.callers import SystemCaller
from vault.errors import NotFound, RequestConflict

pytestmark = pytest.mark.anyio


@pytest.fixture
async def second(house: Any) -> SystemCaller:
    """Another system of the police, with the same officer."""
    key = new_caller_key()
    public = public_jwk(key)
    await registering.register_system(
        house.vault,
        system="cu-tru-khac",
        agency=people.POLICE.code,
        name="Hệ thống thứ hai",
        jwk=public,
        thumbprint=public["kid"],
    )
    office = people.Office(**{**vars(people.POLICE), "system": "cu-tru-khac"})
    house.keys["cu-tru-khac"] = key
    told = await exchange(
        house.vault,
        client_assertion=house.assertion(office, CLIENT_TYPE, office.system),
        officer_assertion=house.assertion(office, OFFICER_TYPE, office.officer),
    )
    return house.vault.gate.check_token(told.token)


async def test_another_system_does_not_get_the_plan_by_sending_the_same_body(
    house: Any, police: SystemCaller, second: SystemCaller
) -> None:
    code = await house.opens(police, people.POLICE, house.residence())
    size = await house.size()
    with pytest.raises(RequestConflict):
        await handling.open_dossier(house.vault, second, code, house.residence())
    assert await house.size() == size + 2
    (entry,) = await house.last(second)
    assert entry.parts.event["type"] == "open_dossier_refused"
    assert [one["code"] for one in entry.parts.basis["reasons"]] == ["dossier_code_taken"]


async def test_a_code_that_another_agency_opened_is_not_there_and_the_try_is_entered(
    house: Any, commune: SystemCaller
) -> None:
    province = await house.system(house.province)
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    size = await house.size()
    with pytest.raises(NotFound):
        await handling.open_dossier(house.vault, province, code, house.reregistration())
    assert await house.size() == size + 1


async def test_two_who_open_one_code_at_once_open_one_dossier(house: Any, police: SystemCaller) -> None:
    code = house.code(people.POLICE)
    body = house.residence()
    first = await handling.open_dossier(house.vault, police, code, body)
    again = await handling.open_dossier(house.vault, police, code, body)
    assert first == again
