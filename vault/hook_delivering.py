"""Telling web hooks: at least once, for each subject in order, and no receiver at the cost of another.

Every receiver has a task of its own while something is due for it, some requests of it at a time, and a lease
on its row, so that of all workers one sends to it. One that is away is tried again ever later, with one
request; what it refuses is tried again by itself, and given up after many attempts, for a person to see.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from secrets import SystemRandom
from typing import Literal

from signing.hook_sending import NotSent, Told
from signing.hook_signature import HookKey, signed
from signing.leaf import Kind, Parts
from vault import entries, hook_queue, hooks, notifying, outbox, tracing
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR
from vault.entries import stamp
from vault.hook_event import document
from vault.hook_keys import signing_key
from vault.hook_queue import CHALLENGE, Event
from vault.hook_tables import ACTIVE, ENDED, PENDING
from vault.hooks import GONE, Hook
from vault.outbox import Due
from vault.services import Vault

MOST_RECEIVERS = 64  # that one process sends to at a time
MOST_AT_ONCE = 4  # requests to one receiver
_BATCH = 32  # subjects leased at a time
_ROUND = 60.0  # seconds after which a receiver's lease is given back; it is shorter than the lease
_FIRST, _LONGEST = timedelta(seconds=2), timedelta(hours=1)  # before one that is away is tried again
_PATIENCE = 5  # refusals in a row before their sender is left alone for a while
LONGEST_AWAY = timedelta(days=7)  # that something waits for a receiver, before a person is to look
_AGAIN_LATER = frozenset({408, 425, 429})
_SPREAD = SystemRandom()

Failed = Callable[[str, Exception], None]
Outcome = Literal["taken", "refused", "away", "gone"]


@dataclass
class _Health:
    """What was seen of a receiver in this round."""

    failures: int
    outcome: Outcome | None = None
    reason: str = ""
    ok: bool = False
    wait: float = 0.0  # seconds that it asked for
    until: float = field(default_factory=lambda: time.monotonic() + _ROUND)

    def seen(self, outcome: Outcome, reason: str = "", wait: float | None = None) -> None:
        """Take note of one answer; that it is away counts once, however many requests were under way."""
        if outcome == "taken":
            self.ok, self.failures = True, 0
            return
        self.wait = max(self.wait, wait or 0.0)
        if self.outcome not in ("away", "gone"):
            self.outcome, self.reason = outcome, reason
            self.failures += 1

    @property
    def leave_alone(self) -> bool:
        """Whether nothing more is to be sent now."""
        away = self.outcome in ("away", "gone")
        return away or (self.failures > _PATIENCE and self.outcome == "refused")


class HookPost:
    """Tells every hook what is due, until `ending` is set; for one event loop."""

    def __init__(self, vault: Vault, failed: Failed, ending: asyncio.Event | None = None) -> None:
        """`failed` hears of a failure that nobody foresaw, by a code; what it befell is tried again."""
        self._vault = vault
        self._failed = failed
        self._ending = ending or asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> int:
        """Begin to tell every hook for which something is due; gives how many. It waits for no receiver."""
        room = MOST_RECEIVERS - len(self._tasks)
        if room <= 0 or self._ending.is_set():
            return 0
        async with self._vault.db.read() as db:
            due = await hooks.due(db, self._vault.clock.now(), MOST_RECEIVERS)
        fresh = [one for one in due if one not in self._tasks][:room]
        if not fresh:
            return 0
        key = await signing_key(self._vault)
        for one in fresh:
            task = asyncio.create_task(self._guarded(one, key))
            self._tasks[one] = task
            task.add_done_callback(lambda _, one=one: self._tasks.pop(one, None))  # type: ignore[misc]
        return len(fresh)

    async def idle(self) -> None:
        """Wait until no receiver is being told anything."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _guarded(self, hook: str, key: HookKey) -> None:
        try:
            await self._round(hook, key)
        except Exception as problem:
            self._failed("webhook_failed", problem)

    async def _round(self, hook: str, key: HookKey) -> None:
        """Tell one receiver what is due, for a while."""
        vault, at = self._vault, self._vault.clock.now()
        async with vault.db.beside() as db:
            leased = await hooks.lease(db, hook, at)
        if leased is None:
            return
        found, until = leased
        health = _Health(found.failures)
        try:
            while not self._enough(health) and await self._some(found, key, health):
                pass
        finally:
            await self._give_back(found, until, health)

    def _enough(self, health: _Health) -> bool:
        return health.leave_alone or self._ending.is_set() or time.monotonic() > health.until

    async def _some(self, hook: Hook, key: HookKey, health: _Health) -> bool:
        """Tell what is due of some subjects; one request alone, where the last ones failed."""
        vault = self._vault
        limit = 1 if health.failures else _BATCH
        async with vault.db.beside() as db:
            due = await outbox.take(db, hook.outbox, vault.clock.now(), limit)
        turns = asyncio.Semaphore(MOST_AT_ONCE)

        async def turn(one: Due) -> None:
            async with turns:
                await self._subject(hook, one, key, health)

        async with asyncio.TaskGroup() as group:
            for one in due:
                group.create_task(turn(one))
        return bool(due)

    async def _subject(self, hook: Hook, due: Due, key: HookKey, health: _Health) -> None:
        """Tell what is due of one subject, in order, until it is told or something stands in the way."""
        vault = self._vault
        left = due
        async with vault.db.read() as db:
            waiting = {one.n: one for one in await hook_queue.events(db, due.rows)}
        for n in due.rows:
            event = waiting.get(n)
            if self._enough(health):
                await self._later(left, health.reason or "stopped", counts=False)
                return
            if event is not None and await self._still(hook, event):
                outcome = await self._send(hook, event, key, health)
                if outcome == "gone":
                    return
                if outcome != "taken":
                    await self._later(left, health.reason, counts=outcome == "refused")
                    return
            async with vault.db.beside() as db:
                await hook_queue.told(db, n)
                await outbox.done(db, [replace(left, rows=(n,))])
            left = replace(left, rows=left.rows[1:])

    async def _still(self, hook: Hook, event: Event) -> bool:
        """Say whether a hook is still to be told of an event: it may have ended since the lease."""
        async with self._vault.db.read() as db:
            now = await hooks.one(db, hook.id, self._vault.clock.now())
            there = await hook_queue.events(db, [event.n])
        wanted = PENDING if event.type == CHALLENGE else ACTIVE
        return bool(there) and now is not None and now.state == wanted

    async def _send(self, hook: Hook, event: Event, key: HookKey, health: _Health) -> Outcome:
        body = document(self._vault, event)
        with tracing.under(tracing.resumed(event.trace)):
            headers = signed(hook.url, body, key, self._vault.clock.now()) | tracing.headers(abroad=True)
            try:
                told = await self._vault.hook_sender.post(hook.url, body, headers)
            except NotSent as problem:
                health.seen("away", problem.reason)
                return "away"
        outcome, reason = _judged(told)
        if outcome == "gone" and hook.state != PENDING:
            await _end(self._vault, hook)
        elif outcome == "gone":
            outcome = "refused"  # nobody there wants to be told: it is never confirmed
        health.seen(outcome, reason, told.retry_after)
        return outcome

    async def _later(self, due: Due, reason: str, *, counts: bool) -> None:
        async with self._vault.db.beside() as db:
            await outbox.put_off(db, [due], reason, self._vault.clock.now(), counts=counts)

    async def _give_back(self, hook: Hook, until: str, health: _Health) -> None:
        at = self._vault.clock.now()
        seen: dict[str, object] = {"failures": health.failures}
        if health.ok:
            seen["last_ok_at"] = stamp(at)
        if health.outcome is not None:
            seen |= {"last_failure": health.reason, "last_failed_at": stamp(at)}
        if health.leave_alone:
            seen["next_at"] = stamp(at + _wait(health))
        async with self._vault.db.beside() as db:
            if health.outcome == "away":
                await outbox.give_up(db, hook.outbox, at - LONGEST_AWAY, health.reason, at)
            await hooks.give_back(db, hook.id, until, seen)


def _judged(told: Told) -> tuple[Outcome, str]:
    """Say what a status means: of the receiver, or of this one event alone."""
    status = told.status
    if 200 <= status < 300:
        return "taken", ""
    if status == 410:
        return "gone", "status_410"
    if status in _AGAIN_LATER or status >= 500:
        return "away", f"status_{status}"
    return "refused", f"status_{status}"  # a redirect too: nobody is sent elsewhere


def _wait(health: _Health) -> timedelta:
    """Say how long a receiver is left alone: ever longer, and no shorter than it asked for."""
    count = health.failures if health.outcome == "away" else health.failures - _PATIENCE
    wait: timedelta = min(_LONGEST, _FIRST * 2 ** max(0, min(count - 1, 20)))
    return max(wait * _SPREAD.uniform(0.75, 1.25), timedelta(seconds=health.wait))


async def _end(vault: Vault, hook: Hook) -> None:
    """End a hook whose receiver said that it is gone: an entry of its agency's, a notice to its system."""
    at = vault.clock.now()
    async with vault.db.read() as db:
        held = await entries.holders(db, [("agency", hook.agency)])
    parts = Parts(
        subject={},
        actor=VAULT_ACTOR,
        purpose={},
        basis={"facts": {"webhook": hook.id, "system": hook.system, "reason": GONE}},
        event={"type": "webhook_ended", "result": "permitted", "at": at.isoformat()},
    )
    told = entries.prepare(Kind.MAINTENANCE, parts, held, at=at, caller_kind="vault", caller="vault")

    async def change(tx: Transaction) -> None:
        now = await hooks.one(tx.db, hook.id, at)
        if now is None or now.state == ENDED:
            return
        (logged,) = await tx.append([told])
        await hooks.end(tx.db, hook.id, GONE, at)
        await notifying.notify(
            tx.db,
            agency=hook.agency,
            system=hook.system,
            event="webhook_ended",
            idx=logged.index,
            at=at,
            webhook=hook.id,
        )

    await vault.appender.commit(change)
