"""Registering where a system is told of what concerns it: by the system itself, proven by its token.

An address is asked first: what is sent there the system must hand in, so that nobody points us at a stranger
who never asked. The answer of the address itself proves nothing: much on the net answers with what it was
sent. Every change is an entry, which the system's agency can open.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.hook_address import HookAddressRefused
from signing.leaf import Kind
from vault import agencies, epochs, hooks, outbox, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import Logged, new_id
from vault.errors import FieldInvalid, Moved, NotFound
from vault.hook_queue import TOPICS
from vault.hook_tables import ACTIVE, ENDED, PAUSED, PENDING
from vault.hooks import TAKEN_BACK, Hook
from vault.outbox import Lag
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.telling import Telling

MOST = 5  # addresses of one system at a time
MOST_A_DAY = 20  # that one system may have us ask
MAX_URL = 500  # characters


@dataclass(frozen=True)
class NewHook:
    """An address and what is told there (`hook_queue.TOPICS`); no topics: all of them."""

    url: str
    topics: tuple[str, ...] = ()


async def register(vault: Vault, caller: SystemCaller, new: NewHook, *, key: str) -> Answer | Refusal:
    """Register an address; it is told nothing but a code, until the system hands that in.

    Args:
        key: the Idempotency-Key.

    Raises:
        FieldInvalid: the address is none, points inside, is not known or registered already; a topic is
            unknown; the system has too many.
    """
    for one in new.topics:
        if one not in TOPICS:
            raise FieldInvalid("topics", "webhook_topic_unknown")
    topics = tuple(one for one in TOPICS if one in new.topics or not new.topics)

    async def draft(at: datetime) -> Draft | Refusal:
        try:
            url = await vault.hook_sender.check(new.url)
        except HookAddressRefused as problem:
            raise FieldInvalid("url", problem.code) from problem
        hook = new_id("whk")
        details = {"webhook": hook, "host": urlsplit(url).netloc, "topics": list(topics)}

        async def write(db: AsyncConnection) -> Mapping[str, Any]:
            _check_room(await hooks.of_system(db, caller.system, at), url, at)
            await hooks.add(db, hook, caller.system, caller.agency, url=url, topics=topics, at=at)
            return {"state": PENDING, "answer_until": (at + hooks.CONFIRMED_WITHIN).isoformat()}

        return await _drafted(vault, caller, "webhook_registered", hook, details, write, key, at)

    asked = requests.body_hash("register_webhook", {"url": new.url, "topics": list(topics)})
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


async def confirm(vault: Vault, caller: SystemCaller, hook: str, code: str, *, key: str) -> Answer | Refusal:
    """Take the code that was sent to an address; from then on it is told. Again, it changes nothing.

    Raises:
        NotFound: the system has no such hook, or it has ended.
        FieldInvalid: it is another code.
    """

    async def draft(at: datetime) -> Draft | Refusal | Answer:
        found = await _own(vault, caller, hook, at)
        if found.state == ENDED:
            raise NotFound
        if found.state in (ACTIVE, PAUSED):
            return {"webhook": hook, "state": found.state}
        if not hmac.compare_digest((found.code or "").encode(), code.encode()):
            raise FieldInvalid("code", "webhook_code_wrong")

        async def write(db: AsyncConnection) -> Mapping[str, Any]:
            await hooks.confirm(db, hook, at)
            return {"state": ACTIVE}

        return await _drafted(
            vault, caller, "webhook_confirmed", hook, {"webhook": hook}, write, key, at, found
        )

    asked = requests.body_hash("confirm_webhook", {"webhook": hook, "code": code})
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


async def take_back(vault: Vault, caller: SystemCaller, hook: str, *, key: str) -> Answer | Refusal:
    """End a hook: nothing more is told there, not even what waits. Again, it changes nothing.

    Raises:
        NotFound: the system never had such a hook.
    """

    async def draft(at: datetime) -> Draft | Refusal | Answer:
        found = await _own(vault, caller, hook, at)
        if found.state == ENDED:
            return {"webhook": hook, "state": ENDED}

        async def write(db: AsyncConnection) -> Mapping[str, Any]:
            await hooks.end(db, hook, TAKEN_BACK, at)
            return {"state": ENDED}

        return await _drafted(vault, caller, "webhook_ended", hook, {"webhook": hook}, write, key, at, found)

    asked = requests.body_hash("end_webhook", {"webhook": hook})
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


async def mine(vault: Vault, caller: SystemCaller) -> list[tuple[Hook, Lag]]:
    """List the system's hooks, ended ones too, each with what waits for it; no entry: they are its own."""
    at = vault.clock.now()
    async with vault.db.read() as db:
        return [
            (one, await outbox.lag(db, one.outbox)) for one in await hooks.of_system(db, caller.system, at)
        ]


async def one_of_mine(vault: Vault, caller: SystemCaller, hook: str) -> tuple[Hook, Lag]:
    """Give one hook of the system. Raises NotFound."""
    found = await _own(vault, caller, hook, vault.clock.now())
    async with vault.db.read() as db:
        return found, await outbox.lag(db, found.outbox)


async def _own(vault: Vault, caller: SystemCaller, hook: str, at: datetime) -> Hook:
    async with vault.db.read() as db:
        found = await hooks.one(db, hook, at)
    if found is None or (found.system, found.agency) != (caller.system, caller.agency):
        raise NotFound
    return found


def _check_room(known: Sequence[Hook], url: str, at: datetime) -> None:
    living = [one for one in known if one.state != ENDED]
    if any(one.url == url for one in living):
        raise FieldInvalid("url", "webhook_registered")
    today = [one for one in known if one.created_at > at - timedelta(days=1)]
    if len(living) >= MOST or len(today) >= MOST_A_DAY:
        raise FieldInvalid("url", "webhooks_too_many")


async def _drafted(
    vault: Vault,
    caller: SystemCaller,
    event: str,
    hook: str,
    details: Mapping[str, Any],
    rows: Callable[[AsyncConnection], Awaitable[Mapping[str, Any]]],
    key: str,
    at: datetime,
    found: Hook | None = None,
) -> Draft | Refusal:
    """Decide a change, and draft its entry with the rows that follow.

    Args:
        found: the hook as the change was decided on; it must stand as it did.
    """
    async with vault.db.read() as db:
        who = await agencies.caller_facts(db, caller, legal_day(at))
        marks = await epochs.read(db, [epochs.BOOK, ("agency", caller.agency)])
    facts = AccessFacts(Action.HEAR_NOTICES, who)
    decision = decide(facts, vault.book, at)
    told = Telling(Kind.ADMINISTRATOR_ACT, event, facts, decision, request=key, details=details)
    if not decision.permitted:
        refused = Telling(Kind.REFUSED, "webhook_refused", facts, decision, request=key)
        return await telling.refuse(vault, caller, [refused])

    async def write(tx: Transaction, logged: list[Logged]) -> Answer:
        if found is not None:
            now = await hooks.one(tx.db, hook, at)
            if now is None or now.state != found.state:
                raise Moved  # it ended meanwhile, or another request was first
        answer = dict(await rows(tx.db))
        return {"webhook": hook} | answer | {"receipt": logged[0].receipt, "index": logged[0].index}

    return Draft(await telling.prepare(vault, caller, [told]), marks, at, write)
