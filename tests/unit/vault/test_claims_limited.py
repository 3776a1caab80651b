"""Whoever claims to act for one person after the other is held back for the day, and nobody named is told."""

from datetime import timedelta

import pytest

from reuse_api.demo import people
from vault.claiming import claim
from vault.clock import Clock, FixedClock
from vault.services import Refusal

pytestmark = pytest.mark.anyio


async def claims(house, caller, number, key):
    return await claim(
        house.vault, caller, scheme="personal_number", value=number, kind="parent", key=f"claim {key}"
    )


async def test_so_many_claims_are_refused_in_a_day_and_no_more(open_house):
    clock = FixedClock(Clock().now().replace(hour=3))
    async with open_house(clock) as house:
        stranger, child = await house.owner(people.STRANGER), await house.owner(people.CHILD)
        for number in range(10):
            refused = await claims(house, stranger, people.CHILD.number, number)
            assert refused.reasons == ("delegation_not_evidenced",)
        size, last = await house.size(), (await house.last(child))[0].index
        for number, value in enumerate((people.CHILD.number, "001216045672")):
            refused = await claims(house, stranger, value, f"more {number}")
            assert isinstance(refused, Refusal)
            assert (refused.reasons, len(refused.receipts)) == (("too_many_claims_refused",), 1)
        assert await house.size() == size + 2
        assert (await house.last(child))[0].index == last, "the child hears of it no more"
        (entry,) = await house.last(stranger)
        assert "represented" not in entry.parts.basis["facts"]["delegation"]
        mother = await house.owner(people.MOTHER)
        assert (await claims(house, mother, people.CHILD.number, "hers"))["state"] == "in_force"
        assert isinstance(await claims(house, child, people.CHILD.number, "own"), Refusal)
        clock.advance(timedelta(days=1))
        tomorrow = await house.owner(people.STRANGER)
        refused = await claims(house, tomorrow, people.CHILD.number, "tomorrow")
        assert refused.reasons == ("delegation_not_evidenced",)
