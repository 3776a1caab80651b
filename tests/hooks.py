"""A system that registers addresses, what befalls its documents, and a worker that tells it."""

import os
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reuse_api.demo import people
from signing.hook_sending import HookSender, SendLimits
from tests.conftest import House
from tests.servers.hook_receiver import HookReceiver
from vault import hook_keys, hooking, revoke
from vault.callers import SystemCaller
from vault.clock import Clock
from vault.hook_delivering import HookPost
from vault.hooking import NewHook
from vault.hooks import Hook

QUICK = SendLimits(connect=1.0, total=1.0)
WHY = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": "Ghi sai nơi sinh"}


class Ahead(Clock):
    """The real clock, set ahead by as much as a test says."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.by


class Failures(list[tuple[str, Exception]]):
    def __call__(self, code: str, problem: Exception) -> None:
        self.append((code, problem))


def fresh() -> str:
    return os.urandom(8).hex()


@dataclass
class Hooking:
    """The police's system, whose dossier uses the daughter's certificate, and the commune that issued it."""

    house: House
    police: SystemCaller
    commune: SystemCaller
    clock: Ahead
    failures: Failures = field(default_factory=Failures)
    dossiers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.post = HookPost(self.house.vault, self.failures)

    def trusts(self, *inside: str, **more: Any) -> None:
        """Have hooks sent to these addresses inside."""
        sender = HookSender(inside, **({"limits": QUICK} | more))
        self.house.vault = replace(self.house.vault, hook_sender=sender)
        self.post = HookPost(self.house.vault, self.failures)

    async def uses(self, record: str) -> str:
        """Open a dossier that uses a record; gives its code."""
        code = await self.house.opens(self.police, people.POLICE, self.house.residence())
        await self.house.releases(self.police, code, record)
        self.dossiers.append(code)
        return code

    async def registers(self, url: str, *topics: str, caller: SystemCaller | None = None) -> str:
        told = await hooking.register(
            self.house.vault, caller or self.police, NewHook(url, topics), key=fresh()
        )
        assert isinstance(told, dict), told
        return str(told["webhook"])

    async def confirms(self, hook: str, code: str, caller: SystemCaller | None = None) -> Any:
        return await hooking.confirm(self.house.vault, caller or self.police, hook, code, key=fresh())

    async def active(self, receiver: HookReceiver, *topics: str, path: str = "/hook") -> str:
        """Register a receiver's address, and hand in what comes there."""
        hook = await self.registers(receiver.url + path, *topics)
        await self.knows(receiver)
        await self.works()
        told = await self.confirms(hook, receiver.codes[hook])
        assert told["state"] == "active"
        return hook

    async def knows(self, receiver: HookReceiver) -> None:
        """Have a receiver take the keys as they are published; the first one is made."""
        receiver.now = self.clock.now
        await hook_keys.signing_key(self.house.vault)
        receiver.trusts(await hook_keys.published(self.house.vault))

    async def suspends(self, record: str = "") -> None:
        told = await revoke.suspend(
            self.house.vault, self.commune, record or self.house.daughters, **WHY, key=fresh()
        )
        assert isinstance(told, dict), told

    async def reinstates(self, record: str = "") -> None:
        told = await revoke.reinstate(
            self.house.vault, self.commune, record or self.house.daughters, **WHY, key=fresh()
        )
        assert isinstance(told, dict), told

    async def revokes(self, record: str = "") -> None:
        told = await revoke.revoke(
            self.house.vault, self.commune, record or self.house.daughters, **WHY, key=fresh()
        )
        assert isinstance(told, dict), told

    async def works(self, after: timedelta = timedelta()) -> None:
        """Do what is due, after a while, until nothing is."""
        self.clock.by += after
        while await self.post.look():
            await self.post.idle()

    async def hook(self, hook: str) -> Hook:
        return (await hooking.one_of_mine(self.house.vault, self.police, hook))[0]
