"""A dossier's code belongs to the system that opened it, and what is told again is entered again."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.book import book_from_json, canonical
from reuse_api.demo import people
from vault import handling, registering
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, new_caller_key, public_jwk
from vault.authenticating import exchange
from vault.callers import SystemCaller
from vault.clock import Clock, FixedClock
from vault.errors import NotFound, RequestConflict
from vault.services import Refusal

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


@pytest.fixture
async def paced(open_house: Any) -> AsyncIterator[Any]:
    """A vault whose book lets an officer open two dossiers within an hour."""
    clock = FixedClock(Clock().now())
    async with open_house(clock) as house:
        document = json.loads(house.vault.book.to_json())
        document["limits"][0]["most"] = 2
        clock.advance(timedelta(hours=2))  # what was opened when the house was furnished is long ago
        house.vault = replace(house.vault, book=book_from_json(canonical(document)))
        yield house


async def test_an_officer_opens_so_many_dossiers_within_an_hour_and_no_more(paced: Any) -> None:
    police, commune = await paced.system(people.POLICE), await paced.system(people.COMMUNE)
    for _ in range(2):
        await paced.opens(police, people.POLICE, paced.residence())
    code, size = paced.code(people.POLICE), await paced.size()
    refused = await handling.open_dossier(paced.vault, police, code, paced.residence())
    assert isinstance(refused, Refusal)
    assert refused.reasons == ("too_many_dossiers_opened",)
    assert await paced.size() == size + 2, "each person sees that it was tried"
    await paced.opens(commune, people.COMMUNE, paced.reregistration())  # another officer's work goes on
    paced.vault.clock.advance(timedelta(minutes=61))
    later = await paced.system(people.POLICE)
    await paced.opens(later, people.POLICE, paced.residence())


async def test_many_at_once_do_not_get_past_the_limit(paced: Any) -> None:
    police = await paced.system(people.POLICE)
    body = paced.residence()
    codes = [paced.code(people.POLICE) for _ in range(5)]
    told = await asyncio.gather(*(handling.open_dossier(paced.vault, police, code, body) for code in codes))
    assert sum(isinstance(one, dict) for one in told) == 2
    assert {one.reasons for one in told if isinstance(one, Refusal)} == {("too_many_dossiers_opened",)}
