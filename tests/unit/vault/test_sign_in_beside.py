"""Signing in beside the log: with PostgreSQL alone, since with SQLite there is one who writes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from vault import provider_logout, sessions, sign_ins
from vault.id_tokens import LogoutToken
from vault.sign_ins import Wanted

pytestmark = pytest.mark.anyio
ROWS = ("postgresql",)
ISSUER = "https://login.example"


async def test_whoever_is_nobody_yet_waits_for_no_entry(open_house: Any) -> None:
    """What strangers may ask for takes the head of the log from nobody, and waits for nobody who has it."""
    async with open_house() as house:
        db, at = house.vault.db, house.vault.clock.now()
        begun = sign_ins.begin(Wanted("citizens", "sign_in", "/wallet"), "nonce", at)
        token = LogoutToken(None, "there-9", "jti-9", at + timedelta(minutes=2))
        async with db.write(), asyncio.timeout(3):
            assert await sign_ins.come_back(db, begun, at)
            await sessions.end(db, "owner", "anything")
            assert await provider_logout.end(house.vault, "citizens", ISSUER, token) == 0
