"""Telling web hooks on both databases: each event once and in order, whatever a receiver does to us."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from signing.hook_sending import SendLimits
from signing.leaf import Kind
from tests.hooks import Hooking, fresh
from tests.servers.hook_receiver import HookReceiver, over_tls
from tests.servers.loopback import Answer, Asked, dropped, elsewhere, failing, garbage, giant
from tests.servers.pki import Pki
from tests.unit.vault.conftest import Lending
from vault import consenting, handling, hook_keys, hooking, notifying, outbox
from vault.entries import stamp
from vault.fetched import READABLE
from vault.hook_delivering import LONGEST_AWAY, HookPost
from vault.hook_queue import topic_of
from vault.hook_tables import webhook, webhook_event
from vault.outbox import MOST_ATTEMPTS
from vault.tables import entry_fact
from vault.tables import outbox as outbox_rows

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
PERSONAL = (people.DAUGHTER.name, people.DAUGHTER.number, people.MOTHER.name, "Giấy khai sinh")
HOUR = timedelta(hours=1, minutes=20)  # longer than any pause between two tries


@pytest.fixture
def receiver() -> Iterator[HookReceiver]:
    with HookReceiver() as running:
        yield running


@pytest.fixture
def other() -> Iterator[HookReceiver]:
    with HookReceiver() as running:
        yield running


@pytest.fixture
async def hooks(hooking_house: Hooking, receiver: HookReceiver, other: HookReceiver) -> Hooking:
    hooking_house.trusts(f"127.0.0.1:{receiver.port}", f"127.0.0.1:{other.port}")
    await hooking_house.uses(hooking_house.house.daughters)
    return hooking_house


def types(receiver: HookReceiver) -> list[str]:
    return [one["type"].removeprefix("kho.").removesuffix(".v1") for one in receiver.events]


async def waiting(hooks: Hooking, hook: str) -> int:
    rows = await hooks.house.rows(select(outbox_rows).where(outbox_rows.c.topic == topic_of(hook)))
    return len(rows)


async def letters(hooks: Hooking, hook: str) -> list[outbox.Letter]:
    async with hooks.house.vault.db.read() as db:
        return await outbox.dead_letters(db, topic=topic_of(hook))


async def test_each_event_comes_once_in_order_and_says_no_more_than_ids(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    hook = await hooks.active(receiver)
    await hooks.suspends()
    await hooks.reinstates()
    await hooks.works()
    await hooks.revokes()
    await hooks.works()
    assert types(receiver) == ["record.suspended", "record.reinstated", "record.revoked"]
    event = receiver.events[0]
    notices = await notifying.for_agency(hooks.house.vault, hooks.police)
    assert isinstance(notices, list)
    assert event["data"] == {
        "record": hooks.house.daughters,
        "dossier": hooks.dossiers[0],
        "notice": notices[0].id,
        "index": notices[0].index,
    }
    assert (event["specversion"], event["subject"]) == ("1.0", hooks.house.daughters)
    assert event["source"] == hooks.house.vault.gate.issuer
    assert event["dataschema"].startswith(event["source"])
    assert event["time"].endswith("Z")
    said = json.dumps(receiver.taken, ensure_ascii=False)
    assert not [one for one in PERSONAL if one in said]
    assert len({one["id"] for one in receiver.taken}) == 4
    for asked in receiver.asked:
        ours, theirs = (
            asked.headers["traceparent"].split("-"),
            json.loads(asked.body)["traceparent"].split("-"),
        )
        assert (ours[1], ours[2] == theirs[2]) == (theirs[1], False), (
            "one trace, a span of its own for each try"
        )
    found = await hooks.hook(hook)
    assert (await waiting(hooks, hook), found.failures, found.last_failure) == (0, 0, None)
    assert found.last_ok_at is not None
    assert await hooks.house.rows(select(webhook_event)) == []
    assert (receiver.refused, hooks.failures) == ([], [])


async def test_only_what_was_asked_for_is_told(
    hooks: Hooking, receiver: HookReceiver, other: HookReceiver
) -> None:
    await hooks.active(receiver, "record.revoked")
    await hooks.active(other)
    await hooks.suspends()
    await hooks.revokes()
    await hooks.works()
    assert types(receiver) == ["record.revoked"]
    assert types(other) == ["record.suspended", "record.revoked"]


async def test_a_release_that_ends_with_its_dossier_is_told(hooks: Hooking, receiver: HookReceiver) -> None:
    await hooks.active(receiver)
    told = await handling.close_dossier(hooks.house.vault, hooks.police, hooks.dossiers[0], key=fresh())
    assert isinstance(told, dict)
    await hooks.works()
    (event,) = receiver.events
    assert event["type"] == "kho.release.ended.v1"
    assert event["data"]["reason"] == "dossier_closed"
    assert event["subject"] == event["data"]["release"]
    assert event["data"]["dossier"] == hooks.dossiers[0]


async def test_answers_to_a_request_for_consent_are_told_and_when_what_was_fetched_ends(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    house = hooks.house
    bank = await house.system(people.BANK, officer=False)
    daughter = await house.owner(people.DAUGHTER)
    lending = Lending(house, bank)
    hook = await hooks.registers(receiver.url, caller=bank)
    await hooks.knows(receiver)
    await hooks.works()
    await hooks.confirms(hook, receiver.codes[hook], bank)
    consent = await lending.given(daughter)
    fetched = await lending.fetches(consent)
    assert isinstance(fetched, dict)
    await hooks.works()
    assert types(receiver) == ["consent.given"]
    assert receiver.events[0]["subject"] == consent
    await consenting.pause(house.vault, daughter, consent, key=fresh())
    await consenting.resume(house.vault, daughter, consent, key=fresh())
    await consenting.withdraw(house.vault, daughter, consent, key=fresh())
    await hooks.works()
    assert types(receiver)[1:] == ["consent.paused", "consent.resumed", "consent.withdrawn"]
    await hooks.works(READABLE + timedelta(seconds=1))
    assert types(receiver)[4:] == ["release.ended"]
    assert receiver.events[-1]["data"]["reason"] == "time_over"
    assert receiver.events[-1]["subject"] == fetched["items"][0]["release"]


async def test_over_tls_and_only_with_a_certificate_that_is_trusted(
    hooks: Hooking, receiver: HookReceiver, tmp_path: Path
) -> None:
    receiver.stop()
    trusted = over_tls(receiver, tmp_path, Pki())
    with receiver:
        place = f"127.0.0.1:{receiver.port}"
        hooks.trusts(place, tls=trusted)
        await hooks.active(receiver)
        assert receiver.url.startswith("https://")
        await hooks.house.vault.hook_sender.close()
        hooks.trusts(place)
        heard = len(receiver.asked)
        await hooks.suspends()
        await hooks.works()
        assert len(receiver.asked) == heard
        await hooks.house.vault.hook_sender.close()
        hooks.trusts(place, tls=trusted)
        await hooks.works(HOUR)
        assert types(receiver) == ["record.suspended"]


FAULTS = {
    "500": failing(500),
    "503": failing(503),
    "408": failing(408),
    "429": failing(429),
    "hangs up": dropped,
    "no http": lambda asked: Answer(b"", "text/plain", 599),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_receiver_that_is_away_hears_it_later_under_the_same_id(
    hooks: Hooking, receiver: HookReceiver, fault: str
) -> None:
    hook = await hooks.active(receiver)
    receiver.fault = FAULTS[fault]
    await hooks.suspends()
    await hooks.reinstates()
    await hooks.works()
    tried = len(receiver.asked)
    await hooks.works()
    assert len(receiver.asked) == tried, "not again at once"
    await hooks.works(HOUR)
    found = await hooks.hook(hook)
    assert (found.failures, found.state) == (2, "active")
    assert found.last_failure is not None
    receiver.fault = None
    await hooks.works(HOUR)
    assert types(receiver) == ["record.suspended", "record.reinstated"]
    ids = [json.loads(one.body)["id"] for one in receiver.asked if b"challenge" not in one.body]
    assert ids == [ids[0]] * (len(ids) - 1) + [ids[-1]], "one request at a time, of the first event"
    assert (await hooks.hook(hook)).failures == 0


async def test_what_was_taken_but_not_answered_comes_again_under_the_same_id(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    """As a worker that dies behind the sending leaves it: the receiver has it, and nobody knows."""
    await hooks.active(receiver)

    def taken_and_dropped(asked: Asked) -> Answer:
        receiver.answer(asked)
        return dropped(asked)

    receiver.fault = taken_and_dropped
    await hooks.suspends()
    await hooks.works()
    receiver.fault = None
    await hooks.works(HOUR)
    assert len(receiver.events) == 2
    assert receiver.events[0]["id"] == receiver.events[1]["id"]
    assert receiver.events[0] == receiver.events[1]
    assert receiver.refused == [], "signed anew, under another nonce"


async def test_a_receiver_that_is_away_for_days_holds_up_nobody_and_a_person_sees_it(
    hooks: Hooking, receiver: HookReceiver, other: HookReceiver
) -> None:
    hook = await hooks.active(receiver)
    await hooks.active(other)
    receiver.stop()
    await hooks.suspends()
    await hooks.works()
    await hooks.reinstates()
    await hooks.works()
    assert types(other) == ["record.suspended", "record.reinstated"]
    for _ in range(4):
        await hooks.works(timedelta(days=1))
    assert await letters(hooks, hook) == [], "it may be away for some days"
    await hooks.works(LONGEST_AWAY)
    (letter,) = await letters(hooks, hook)
    assert (letter.subject, letter.reason) == (hooks.house.daughters, "unreachable")
    receiver.start()
    await hooks.works(timedelta(days=1))
    assert receiver.events == []
    async with hooks.house.vault.db.write() as db:
        assert await outbox.replay(db, hooks.clock.now(), topic=topic_of(hook)) == 2
    await hooks.works()
    assert types(receiver) == ["record.suspended", "record.reinstated"]


@pytest.mark.parametrize("fault", [failing(400), failing(404), elsewhere("http://127.0.0.1:9/")])
async def test_what_is_refused_by_itself_is_given_up_and_later_events_go_on(
    hooks: Hooking, receiver: HookReceiver, fault: Any
) -> None:
    hook = await hooks.active(receiver)
    await hooks.uses(hooks.house.daughters)
    receiver.fault = lambda asked: fault(asked) if b"record.suspended" in asked.body else None
    await hooks.suspends()
    await hooks.works()
    await handling.close_dossier(hooks.house.vault, hooks.police, hooks.dossiers[0], key=fresh())
    await hooks.works()
    assert types(receiver) == ["release.ended"], "of another subject"
    for _ in range(MOST_ATTEMPTS + 1):
        await hooks.works(HOUR)
    (letter,) = await letters(hooks, hook)
    assert letter.attempts == MOST_ATTEMPTS
    assert letter.reason.startswith("status_")
    assert sum(b"record.suspended" in one.body for one in receiver.asked) == MOST_ATTEMPTS
    await hooks.reinstates()
    await hooks.works()
    assert types(receiver)[1:] == ["record.reinstated"], "what was given up stands in no way"
    receiver.fault = None
    async with hooks.house.vault.db.write() as db:
        await outbox.replay(db, hooks.clock.now())
    await hooks.works()
    assert types(receiver)[2:] == ["record.suspended"] * 2, "of two dossiers"


async def test_a_receiver_that_says_when_is_left_alone_until_then(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    await hooks.active(receiver)
    receiver.fault = lambda _: Answer(b"", "text/plain", 429, {"Retry-After": "7200"})
    await hooks.suspends()
    await hooks.works()
    receiver.fault, tried = None, len(receiver.asked)
    await hooks.works(timedelta(minutes=119))
    assert len(receiver.asked) == tried
    await hooks.works(timedelta(minutes=2))
    assert types(receiver) == ["record.suspended"]


async def test_a_receiver_that_is_gone_ends_its_hook_with_an_entry_and_a_notice(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    hook = await hooks.active(receiver)
    receiver.fault = failing(410)
    await hooks.suspends()
    await hooks.reinstates()
    await hooks.works()
    found = await hooks.hook(hook)
    assert (found.state, found.reason, await waiting(hooks, hook)) == ("ended", "receiver_gone", 0)
    entries = await hooks.house.rows(select(entry_fact).order_by(entry_fact.c.idx))
    assert (entries[-1].kind, entries[-1].event) == (Kind.MAINTENANCE, "webhook_ended")
    notices = await notifying.for_agency(hooks.house.vault, hooks.police)
    assert isinstance(notices, list)
    assert (notices[-1].event, notices[-1].webhook) == ("webhook_ended", hook)
    assert notices[-1].index == entries[-1].idx
    asked = len(receiver.asked)
    await hooks.revokes()
    await hooks.works(HOUR)
    assert len(receiver.asked) == asked
    assert hooks.failures == []


async def test_a_slow_receiver_holds_up_itself_alone(
    hooks: Hooking, receiver: HookReceiver, other: HookReceiver
) -> None:
    limits = SendLimits(connect=5.0, total=60.0)
    hooks.trusts(f"127.0.0.1:{receiver.port}", f"127.0.0.1:{other.port}", limits=limits)
    await hooks.active(receiver)
    await hooks.active(other)
    go_on = threading.Event()

    def held_up(_: Asked) -> None:
        go_on.wait(60)

    receiver.fault = held_up
    for count, change in enumerate((hooks.suspends, hooks.reinstates), 1):
        await change()
        while len(other.events) < count:
            await hooks.post.look()
            await asyncio.sleep(0.02)
    assert types(other) == ["record.suspended", "record.reinstated"]
    assert receiver.events == [], "it was asked, and has not answered"
    go_on.set()
    await hooks.post.idle()
    await hooks.works()
    assert types(receiver) == ["record.suspended", "record.reinstated"]


@pytest.mark.parametrize("fault", [garbage, giant])
async def test_whatever_a_receiver_says_beside_its_status_is_not_read(
    hooks: Hooking, receiver: HookReceiver, fault: Any
) -> None:
    hook = await hooks.active(receiver)
    receiver.fault = fault
    await hooks.suspends()
    await hooks.works()
    assert (await waiting(hooks, hook), (await hooks.hook(hook)).failures) == (0, 0)


async def test_no_more_than_a_few_requests_reach_a_receiver_at_once(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    for _ in range(7):
        await hooks.uses(hooks.house.daughters)
    hook = await hooks.active(receiver)
    for code in list(hooks.dossiers):
        await handling.close_dossier(hooks.house.vault, hooks.police, code, key=fresh())
    assert await waiting(hooks, hook) == 8
    now, most = 0, 0

    def counted(asked: Asked) -> Answer:
        nonlocal now, most
        now += 1
        most = max(most, now)
        time.sleep(0.1)
        now -= 1
        return receiver.answer(asked)

    receiver.fault = counted
    await hooks.works()
    assert len(receiver.events) == 8
    assert 1 < most <= 4


async def test_what_ends_while_it_is_being_told_is_told_no_more(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    hook = await hooks.active(receiver)
    await hooks.suspends()
    await hooks.reinstates()
    loop = asyncio.get_running_loop()

    def taken_back(asked: Asked) -> None:
        ending = hooking.take_back(hooks.house.vault, hooks.police, hook, key=fresh())
        asyncio.run_coroutine_threadsafe(ending, loop).result(timeout=30)

    receiver.fault = taken_back
    await hooks.works()
    assert types(receiver) == ["record.suspended"]
    assert await waiting(hooks, hook) == 0
    assert hooks.failures == []


async def test_two_workers_tell_one_receiver_in_turn(hooks: Hooking, receiver: HookReceiver) -> None:
    for _ in range(5):
        await hooks.uses(hooks.house.daughters)
    await hooks.active(receiver)
    for code in list(hooks.dossiers):
        await handling.close_dossier(hooks.house.vault, hooks.police, code, key=fresh())
    second = HookPost(hooks.house.vault, hooks.failures)
    for _ in range(3):
        await asyncio.gather(hooks.post.look(), second.look())
        await asyncio.gather(hooks.post.idle(), second.idle())
    ids = [one["id"] for one in receiver.events]
    assert len(ids) == len(set(ids)) == 6


async def test_a_lease_of_one_that_died_runs_out(hooks: Hooking, receiver: HookReceiver) -> None:
    hook = await hooks.active(receiver)
    await hooks.suspends()
    dead = stamp(hooks.clock.now() + timedelta(minutes=5))
    await hooks.house.change(update(webhook).where(webhook.c.id == hook).values(leased_until=dead))
    await hooks.works()
    assert receiver.events == []
    await hooks.works(timedelta(minutes=6))
    assert types(receiver) == ["record.suspended"]


async def test_a_new_key_is_known_before_it_signs_and_the_old_one_after(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    vault = hooks.house.vault
    await hooks.active(receiver)
    (first,) = receiver.keys
    made = await hook_keys.rotate(vault)
    assert set(public(await hook_keys.published(vault))) == {first, made.kid}
    await hooks.suspends()
    await hooks.works()
    assert types(receiver) == ["record.suspended"], "by the key that the receiver knows already"
    await hooks.knows(receiver)
    await hooks.works(hook_keys.AHEAD)
    await hooks.reinstates()
    await hooks.works()
    assert types(receiver)[1:] == ["record.reinstated"]
    assert [
        f'keyid="{one}"' in receiver.asked[-1].headers["signature-input"] for one in (first, made.kid)
    ] == [
        False,
        True,
    ]
    hooks.clock.by += hook_keys.BEHIND
    assert public(await hook_keys.published(vault)) == [made.kid]
    assert receiver.refused == []


async def test_a_key_that_was_stolen_counts_for_nothing_at_once(
    hooks: Hooking, receiver: HookReceiver
) -> None:
    await hooks.active(receiver)
    (first,) = receiver.keys
    made = await hook_keys.rotate(hooks.house.vault, at_once=True)
    assert public(await hook_keys.published(hooks.house.vault)) == [made.kid]
    await hooks.suspends()
    await hooks.works()
    assert receiver.refused == ["hook_key"], "the receiver has not fetched the keys again"
    await hooks.knows(receiver)
    assert set(receiver.keys) == {made.kid} != {first}
    await hooks.works(HOUR)
    assert types(receiver) == ["record.suspended"]


async def test_the_private_keys_are_ours_alone_and_entered(hooks: Hooking) -> None:
    vault = hooks.house.vault
    await hook_keys.signing_key(vault)
    await hook_keys.rotate(vault)
    files = sorted(vault.hook_folder.iterdir())
    assert [one.name for one in files] == ["1.key", "2.key"]
    assert {one.stat().st_mode & 0o777 for one in files} == {0o600}
    assert vault.hook_folder.stat().st_mode & 0o777 == 0o700
    files[0].chmod(0o644)
    with pytest.raises(Exception, match="mode 644"):
        await hook_keys.signing_key(vault)


def public(jwks: dict[str, Any]) -> list[str]:
    assert all(set(one) == {"kty", "crv", "x", "kid", "alg", "use"} for one in jwks["keys"])
    return [one["kid"] for one in jwks["keys"]]
