"""Who is answered that there is nothing has no receipt that says what there is."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from vault import deliver, handling, plan, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.errors import NotFound
from vault.tables import receipt

pytestmark = pytest.mark.anyio
WHY = {"ground": "Điều 70", "reason": "thử"}


async def of_a_dossier(house: Any, other: SystemCaller, police: SystemCaller) -> None:
    code = await house.opens(police, people.POLICE, house.residence())
    await plan.ask(house.vault, other, code)


async def of_no_dossier(house: Any, other: SystemCaller, police: SystemCaller) -> None:
    await plan.ask(house.vault, other, house.code(people.POLICE))


async def of_a_record(house: Any, other: SystemCaller, police: SystemCaller) -> None:
    await revoke.revoke(house.vault, other, house.daughters, **WHY, key=os.urandom(8).hex())


async def of_a_release(house: Any, other: SystemCaller, police: SystemCaller) -> None:
    code = await house.opens(police, people.POLICE, house.residence())
    await deliver.deliver(house.vault, other, await house.releases(police, code))


async def of_a_taken_code(house: Any, other: SystemCaller, police: SystemCaller) -> None:
    commune = await house.system(people.COMMUNE)
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    province = await house.system(house.province)
    await handling.open_dossier(house.vault, province, code, house.reregistration())


@pytest.mark.parametrize("trying", [of_a_dossier, of_no_dossier, of_a_record, of_a_release, of_a_taken_code])
async def test_the_try_is_entered_and_its_receipt_is_nobodys(
    house: Any, police: SystemCaller, trying: Callable[..., Awaitable[None]]
) -> None:
    other = await house.system(house.other_commune)
    held = select(receipt.c.id).where(
        receipt.c.caller_kind == "system", receipt.c.caller.in_((other.system, house.province.system))
    )
    size, before = await house.size(), await house.rows(held)
    with pytest.raises(NotFound):
        await trying(house, other, police)
    assert await house.size() > size
    assert await house.rows(held) == before


async def test_an_owner_has_no_receipt_of_a_try_either(house: Any, stranger: OwnerCaller) -> None:
    held = select(receipt.c.id).where(receipt.c.caller == stranger.owner)
    before = await house.rows(held)
    with pytest.raises(NotFound):
        await deliver.read_own(house.vault, stranger, house.daughters)
    assert await house.rows(held) == before
