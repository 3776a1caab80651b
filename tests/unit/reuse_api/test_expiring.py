"""A credential that ends between the door and the gate has ended: 401, whatever was begun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from reuse_api.app import create_app
from reuse_api.callers import SESSION_COOKIE
from reuse_api.demo import people
from reuse_api.settings import Settings
from signing.leaf import Kind
from vault.authenticating import SESSION_LIFETIME
from vault.clock import Clock, SteppingClock
from vault.credentials import TOKEN_LIFETIME

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stepping(open_house: Any) -> AsyncIterator[Any]:
    """A house in which every look at the clock takes a second."""
    async with open_house(SteppingClock(Clock().now())) as house:
        yield house


@asynccontextmanager
async def caller(house: Any, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    over = httpx.ASGITransport(create_app(house.vault, Settings()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=over, base_url="http://127.0.0.1:8080", headers=headers) as client:
        yield client


async def test_a_token_that_ends_on_the_way_is_a_401_and_nothing_is_delivered(stepping: Any) -> None:
    police = await stepping.system(people.POLICE)
    code = await stepping.opens(police, people.POLICE, stepping.residence())
    release = await stepping.releases(police, code)
    stopped = 0
    for left in range(1, 9):
        system = await stepping.system(people.POLICE)
        stepping.vault.clock.advance(TOKEN_LIFETIME - timedelta(seconds=left + 1))
        async with caller(stepping, Authorization=f"Bearer {system.token}") as client:
            reply = await client.get(f"/v1/releases/{release}/content")
        assert reply.status_code in (200, 401), reply.text
        if reply.status_code == 401:
            assert reply.json()["code"] == "token_expired"
            assert reply.headers["www-authenticate"].startswith("Bearer ")
            newest = (await stepping.last(await stepping.owner(people.DAUGHTER)))[0]
            stopped += newest.kind is Kind.NOT_DELIVERED
    assert stopped, "one ended after the entry, and that was entered"


async def test_a_session_that_ends_on_the_way_is_a_401(stepping: Any) -> None:
    answers = []
    for left in range(1, 17):
        daughter = await stepping.owner(people.DAUGHTER)
        stepping.vault.clock.advance(SESSION_LIFETIME - timedelta(seconds=left + 1))
        async with caller(stepping, Cookie=f"{SESSION_COOKIE}={daughter.session}") as client:
            page = await client.get("/wallet/accesses")
            reply = await client.get(f"/v1/me/records/{stepping.daughters}/content")
        answers.append(reply.status_code)
        assert reply.status_code in (200, 401), reply.text
        assert page.status_code in (200, 303), page.text
    assert {200, 401} <= set(answers)
