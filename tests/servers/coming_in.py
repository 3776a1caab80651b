"""How people of the demo's story come in where they sign in at real providers: by a browser, at the door."""

import asyncio
import ssl
from collections.abc import Callable

from reuse_api.callers import SESSION_COOKIE, STAFF_COOKIE, cookie_at
from reuse_api.demo.people import Citizen, Office
from tests.flows.plain_browser import TO_THE_ROOM, TO_THE_WALLET, enter
from vault.callers import Role
from vault.officer_sign_ins import let_sign_in
from vault.services import Vault


class ByProvider:
    """At the door of `address`; `account` gives a citizen's name at their provider."""

    def __init__(
        self,
        vault: Vault,
        address: str,
        account: Callable[[Citizen], str],
        staff_provider: str,
        trusted: ssl.SSLContext | bool = True,
    ) -> None:
        self._vault, self._address, self._account = vault, address, account
        self._provider, self._trusted = staff_provider, trusted

    async def citizen(self, owner: str, citizen: Citizen) -> str:
        named = cookie_at(self._address, SESSION_COOKIE)
        return await self._entered(TO_THE_WALLET, self._account(citizen), named, acr="LoA2")

    async def officer(self, office: Office, role: Role) -> str:
        who = {"agency": office.code, "officer": office.officer, "subject": office.officer}
        await let_sign_in(self._vault, issuer=self._provider, **who)
        named = cookie_at(self._address, STAFF_COOKIE)
        return await self._entered(TO_THE_ROOM[role], office.officer, named, amr="pwd otp mfa")

    async def _entered(self, button: str, account: str, cookie: str, **how: str) -> str:
        asked = self._address, button, account, cookie
        return await asyncio.to_thread(enter, *asked, trusted=self._trusted, **how)
