"""Registering where a system is told: by itself, at an address of its own, every change an entry."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from signing.leaf import Kind
from tests.hooks import Hooking, fresh
from tests.servers.hook_receiver import HookReceiver
from vault import hook_care, hooking, outbox
from vault.callers import Role, StaffCaller, SystemCaller
from vault.errors import FieldInvalid, NotAuthenticated, NotFound, RequestConflict
from vault.hook_queue import TOPICS, topic_of
from vault.hook_tables import webhook, webhook_event
from vault.hooking import MOST, MOST_A_DAY, NewHook
from vault.hooks import forget_unconfirmed, pause_all
from vault.services import Refusal
from vault.tables import outbox as outbox_rows
from vault.tables import system

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")


@pytest.fixture
def receiver() -> Iterator[HookReceiver]:
    with HookReceiver() as running:
        yield running


@pytest.fixture
async def hooks(hooking_house: Hooking, receiver: HookReceiver) -> Hooking:
    hooking_house.trusts(f"127.0.0.1:{receiver.port}")
    return hooking_house


async def why_not(hooks: Hooking, url: str, *topics: str, caller: SystemCaller | None = None) -> str:
    with pytest.raises(FieldInvalid) as refused:
        await hooks.registers(url, *topics, caller=caller)
    return refused.value.code


async def test_an_address_is_told_nothing_before_its_system_hands_in_what_came_there(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    await hooks.uses(hooks.house.daughters)
    hook = await hooks.registers(receiver.url + "/hook")
    (entry,) = await hooks.house.last(hooks.police)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.ADMINISTRATOR_ACT, "webhook_registered")
    assert entry.parts.basis["host"] == f"127.0.0.1:{receiver.port}"
    assert "/hook" not in str(entry.parts), "the rest of an address may be a secret"
    await hooks.suspends()
    await hooks.knows(receiver)
    await hooks.works()
    (challenge,) = receiver.taken
    assert challenge["data"]["webhook"] == hook
    assert challenge["subject"] == hook
    assert (await hooks.hook(hook)).state == "pending"
    assert (await hooks.confirms(hook, receiver.codes[hook]))["state"] == "active"
    (entry,) = await hooks.house.last(hooks.police)
    assert entry.parts.event["type"] == "webhook_confirmed"
    await hooks.reinstates()
    await hooks.works()
    assert [one["type"] for one in receiver.events] == ["kho.record.reinstated.v1"], "from then on alone"


def _officer(role: Role) -> StaffCaller:
    office, until = people.COMMUNE, datetime.max.replace(tzinfo=UTC)
    return StaffCaller(office.code, office.officer, role, "", until, "a session")


async def test_a_restored_vault_tells_nobody_before_an_administrator_says_so(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    await hooks.uses(hooks.house.daughters)
    hook = await hooks.active(receiver)
    pending = await hooks.registers(receiver.url + "/new")
    await hooks.suspends()
    before = len(receiver.taken)
    async with hooks.house.vault.db.write() as db:
        assert await pause_all(db, hooks.clock.now()) == 1
    await hooks.reinstates()
    await hooks.works()
    await hooks.works(timedelta(hours=2))
    assert len(receiver.taken) == before, "neither what waited, nor what came, nor a question"
    assert (await hooks.hook(hook)).state == "paused"
    found = await hooks.hook(pending)
    assert (found.state, found.reason, await left(hooks, pending)) == ("ended", "restored", 0)
    assert await left(hooks, hook) == 2
    for code in ("", "x"):
        assert (await hooks.confirms(hook, code))["state"] == "paused", "its system cannot wake it up"

    vault, administrator = hooks.house.vault, _officer("administrator")
    with pytest.raises(NotAuthenticated):
        await hook_care.resume(vault, _officer("auditor"), hook, key=fresh())
    with pytest.raises(NotFound):
        await hook_care.resume(vault, administrator, pending, key=fresh())
    size = await hooks.house.size()
    told = await hook_care.resume(vault, administrator, hook, key="once")
    assert await hook_care.resume(vault, administrator, hook, key="once") == told
    assert (await hook_care.resume(vault, administrator, hook, key=fresh()))["state"] == "active"
    assert await hooks.house.size() == size + 1, "one entry"
    await hooks.works()
    types = [one["type"] for one in receiver.events]
    assert types[-2:] == ["kho.record.suspended.v1", "kho.record.reinstated.v1"]


async def test_a_stranger_who_is_pointed_at_is_left_in_peace(hooks: Hooking, receiver: HookReceiver) -> None:
    """Whoever does not see what comes to the address cannot confirm it, whatever the address answers."""
    hook = await hooks.registers(receiver.url + "/stranger")
    await hooks.knows(receiver)
    await hooks.works()
    for guess in ("", "x", receiver.codes[hook][:-1], receiver.codes[hook].upper()):
        with pytest.raises(FieldInvalid) as refused:
            await hooks.confirms(hook, guess)
        assert refused.value.code == "webhook_code_wrong"
    with pytest.raises(NotFound):
        await hooks.confirms(hook, receiver.codes[hook], hooks.commune)
    await hooks.uses(hooks.house.daughters)
    await hooks.suspends()
    await hooks.works(timedelta(hours=25))
    assert len(receiver.taken) == 1, "one question, and nothing else"
    found = await hooks.hook(hook)
    assert (found.state, found.reason) == ("ended", "not_confirmed")
    with pytest.raises(NotFound):
        await hooks.confirms(hook, receiver.codes[hook])


async def test_a_stranger_who_does_not_want_to_be_asked_is_asked_ever_less(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    hook = await hooks.registers(receiver.url + "/stranger")
    await hooks.works()
    for _ in range(60):
        await hooks.works(timedelta(minutes=20))
    assert receiver.refused == ["hook_key"] * len(receiver.refused)
    assert len(receiver.refused) <= 17
    await hooks.works(timedelta(hours=6))
    async with hooks.house.vault.db.beside() as db:
        await forget_unconfirmed(db, hooks.clock.now())
    assert await left(hooks, hook) == 0


async def test_what_cannot_be_an_address_or_a_topic_is_named(hooks: Hooking, receiver: HookReceiver) -> None:
    size = await hooks.house.size()
    assert await why_not(hooks, "https://10.0.0.1/") == "webhook_address_inside"
    assert await why_not(hooks, "http://hooks.example/") == "webhook_address_malformed"
    assert await why_not(hooks, f"http://127.0.0.1:{receiver.port + 1}/") == "webhook_address_inside"
    assert await why_not(hooks, receiver.url, "record.revoked", "everything") == "webhook_topic_unknown"
    assert await hooks.house.size() == size


async def test_a_system_has_a_few_addresses_each_once(hooks: Hooking, receiver: HookReceiver) -> None:
    made = [await hooks.registers(f"{receiver.url}/{n}") for n in range(MOST)]
    assert await why_not(hooks, f"{receiver.url}/more") == "webhooks_too_many"
    assert await why_not(hooks, f"{receiver.url}/0") == "webhook_registered"
    await hooks.registers(f"{receiver.url}/0", caller=hooks.commune)
    for n in range(MOST_A_DAY - MOST):
        await hooking.take_back(hooks.house.vault, hooks.police, made.pop(), key=fresh())
        made.append(await hooks.registers(f"{receiver.url}/again/{n}"))
    await hooking.take_back(hooks.house.vault, hooks.police, made.pop(), key=fresh())
    assert await why_not(hooks, f"{receiver.url}/more") == "webhooks_too_many", "for this day"
    hooks.clock.by += timedelta(days=1, minutes=1)
    await hooks.registers(f"{receiver.url}/more")


async def test_the_same_request_again_registers_once(hooks: Hooking, receiver: HookReceiver) -> None:
    new, vault = NewHook(receiver.url), hooks.house.vault
    first = await hooking.register(vault, hooks.police, new, key="k")
    assert await hooking.register(vault, hooks.police, new, key="k") == first
    with pytest.raises(RequestConflict):
        await hooking.register(vault, hooks.police, replace(new, topics=TOPICS[:1]), key="k")
    assert len(await hooks.house.rows(select(webhook))) == 1


async def test_a_system_sees_its_own_and_no_other(hooks: Hooking, receiver: HookReceiver) -> None:
    hook = await hooks.registers(receiver.url, "record.revoked")
    vault = hooks.house.vault
    ((mine, lag),) = await hooking.mine(vault, hooks.police)
    assert (mine.id, mine.topics, lag.waiting) == (hook, ("record.revoked",), 1)
    assert await hooking.mine(vault, hooks.commune) == []
    for attempt in (
        hooking.one_of_mine(vault, hooks.commune, hook),
        hooking.take_back(vault, hooks.commune, hook, key=fresh()),
        hooking.take_back(vault, hooks.police, "whk-none", key=fresh()),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await hooks.hook(hook)).state == "pending"


async def test_what_is_taken_back_is_told_nothing_more_and_twice_is_once(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    await hooks.uses(hooks.house.daughters)
    hook = await hooks.active(receiver)
    await hooks.suspends()
    await hooks.reinstates()
    assert await left(hooks, hook) == 2
    told = await hooking.take_back(hooks.house.vault, hooks.police, hook, key=fresh())
    assert isinstance(told, dict)
    assert (told["state"], await left(hooks, hook)) == ("ended", 0)
    (entry,) = await hooks.house.last(hooks.police)
    assert entry.parts.event["type"] == "webhook_ended"
    size = await hooks.house.size()
    again = await hooking.take_back(hooks.house.vault, hooks.police, hook, key=fresh())
    assert again == {"webhook": hook, "state": "ended"}
    await hooks.revokes()
    await hooks.works()
    assert receiver.events == []
    assert await hooks.house.size() == size + 1, "the revocation"


async def test_a_system_that_is_no_longer_live_registers_nothing_and_is_told_nothing(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    await hooks.uses(hooks.house.daughters)
    hook = await hooks.active(receiver)
    await hooks.house.change(update(system).where(system.c.id == people.POLICE.system).values(live=False))
    await hooks.suspends()
    assert await left(hooks, hook) == 0
    told = await hooking.register(hooks.house.vault, hooks.police, NewHook(receiver.url + "/b"), key=fresh())
    assert isinstance(told, Refusal)
    assert told.code == "system_not_live"


async def left(hooks: Hooking, hook: str) -> int:
    """Count what a hook is still to be told, by both tables."""
    events = await hooks.house.rows(select(webhook_event).where(webhook_event.c.webhook == hook))
    rows = await hooks.house.rows(select(outbox_rows).where(outbox_rows.c.topic == topic_of(hook)))
    assert len(events) == len(rows)
    return len(rows)


def test_a_topic_of_the_outbox_is_one_hooks_alone() -> None:
    assert topic_of("whk-a") != topic_of("whk-b")
    assert topic_of("whk-a") != outbox.INDEX
