"""What a served vault does by itself: waiting seals, old stamps, changes of trust, what ends by its date."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from reuse_api import journal
from vault import hooks, tracing
from vault.hook_delivering import HookPost
from vault.indexing import index_due
from vault.quarantine_ending import sweep
from vault.rejudging import Rejudging
from vault.renewing import renew_due
from vault.sealing_again import retry_due
from vault.seeing import index_state
from vault.services import Vault
from vault.waiting_answers import forget_readings

_SWEEP = 3600  # seconds between looks for what has been in quarantine long enough
_LOOK = 1.0  # seconds between two looks at what is due
_INDEX = 0.5  # between two looks at what the search index does not have yet
_WATCH = 1.0  # between two looks at whether it answers
_HOOKS = 0.5  # between two looks at what web hooks are to be told
_TRUST = 5.0  # between two looks at whom the vault trusts
_DAY = 24 * 3600.0  # between two looks at stamps that run out, the first an hour after the start
_HOUR = 3600.0
_PATIENCE = 15.0  # for what is in hand when leaving


@asynccontextmanager
async def working(vault: Vault) -> AsyncIterator[None]:
    """Work beside the doors while inside; leaving lets the one record in hand end, and no more.

    What takes longer than a while is broken off where it stands: what is due is due again at the next start.
    """
    ending = asyncio.Event()
    post = HookPost(vault, journal.failed, ending)
    tasks = [
        asyncio.create_task(_every(_LOOK, _retrying(vault, ending), ending)),
        asyncio.create_task(_every(_INDEX, _indexing(vault, ending), ending)),
        asyncio.create_task(_every(_HOOKS, lambda _first: post.look(), ending)),
        asyncio.create_task(_every(_SWEEP, lambda _first: sweep(vault), ending)),
        asyncio.create_task(_every(_SWEEP, lambda _first: _forget_unconfirmed(vault), ending)),
        asyncio.create_task(_every(_SWEEP, lambda _first: forget_readings(vault), ending)),
        asyncio.create_task(_every(_TRUST, _rejudging(vault), ending)),
        asyncio.create_task(_every(_DAY, _renewing(vault, ending), ending, after=_HOUR)),
    ]
    try:
        yield
    finally:
        ending.set()
        tasks.append(asyncio.create_task(post.idle()))
        _, late = await asyncio.wait(tasks, timeout=_PATIENCE)
        for one in late:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def watching(vault: Vault) -> AsyncIterator[None]:
    """See whether the index answers while another process works, so that answers say that it is away."""
    ending = asyncio.Event()
    task = asyncio.create_task(_every(_WATCH, lambda _first: index_state(vault), ending))
    try:
        yield
    finally:
        ending.set()
        await asyncio.wait([task], timeout=_PATIENCE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _retrying(vault: Vault, ending: asyncio.Event) -> Callable[[bool], Awaitable[object]]:
    """At the start what waits is tried at once: what stood in the way may be what was mended."""
    return lambda first: retry_due(vault, journal.failed, all_of_them=first, ending=ending)


def _indexing(vault: Vault, ending: asyncio.Event) -> Callable[[bool], Awaitable[object]]:
    return lambda _: index_due(vault, journal.failed, ending=ending)


def _rejudging(vault: Vault) -> Callable[[bool], Awaitable[object]]:
    rounds = Rejudging(vault, journal.failed)
    return lambda _: rounds.round()


def _renewing(vault: Vault, ending: asyncio.Event) -> Callable[[bool], Awaitable[object]]:
    async def work(_first: bool) -> None:
        more = True
        while more and not ending.is_set():
            more = (await renew_due(vault, journal.failed, ending=ending)).more

    return work


async def _forget_unconfirmed(vault: Vault) -> None:
    async with vault.db.beside() as db:
        await hooks.forget_unconfirmed(db, vault.clock.now())


async def _every(
    seconds: float,
    work: Callable[[bool], Awaitable[object]],
    ending: asyncio.Event,
    *,
    after: float = 0.0,
) -> None:
    first = True
    if after:
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), after)
    while not ending.is_set():
        try:
            with tracing.under(tracing.begun()):
                await work(first)
            first = False
        except Exception as problem:
            journal.failed("work_failed", problem)
        try:
            await asyncio.wait_for(ending.wait(), seconds)
        except TimeoutError:
            continue
