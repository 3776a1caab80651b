"""Entries a second: sealed, committed and grown into the tree, by one caller and by many at a time."""

import asyncio
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.house import built, citizen
from benchmarks.peers import free_port
from benchmarks.table import Row
from reuse_api.demo import people
from signing.leaf import Kind, Parts
from vault import entries, telling
from vault.services import Vault

ROUNDS = 5
MANY = 64


async def measure(folder: Path, count: int) -> Iterable[Row]:
    """Append `count` entries a round, one after another and with `MANY` waiting."""
    async with built(folder / "kho", free_port()) as (_house, vault):
        owner = (await citizen(vault, people.DAUGHTER)).owner
        alone, many, sealing = [], [], []
        for _ in range(ROUNDS):
            alone.append(await _rate(vault, owner, count // 8, 1))
            many.append(await _rate(vault, owner, count, MANY))
            sealing.append(await _sealing(vault, owner, count // 8))
    first = statistics.median(alone)
    return [
        Row(
            "appends, one after another",
            f"{first:,.0f}/s",
            "1",
            "each durable on return (WAL, synchronous=FULL)",
        ),
        Row(
            f"appends, {MANY} waiting",
            f"{statistics.median(many):,.0f}/s",
            f"{statistics.median(m / a for m, a in zip(many, alone, strict=True)):.1f}",
            "batched: one commit for all that wait",
        ),
        Row(
            "sealing an entry alone",
            f"{statistics.median(sealing):,.0f}/s",
            f"{statistics.median(s / a for s, a in zip(sealing, alone, strict=True)):.1f}",
            "leaf, body, one HPKE for its owner; before the lock",
        ),
    ]


async def _prepared(vault: Vault, owner: str) -> entries.Prepared:
    async with vault.db.read() as db:
        held = await entries.holders(db, [("owner", owner)])
    return entries.prepare(
        Kind.MAINTENANCE,
        Parts(
            {"owners": [owner]},
            {"system": "benchmark"},
            {},
            {"facts": {}},
            {"type": "measured", "result": "permitted", "at": "x"},
        ),
        held,
        at=vault.clock.now(),
        caller_kind="vault",
        caller="vault",
    )


async def _rate(vault: Vault, owner: str, count: int, at_once: int) -> float:
    waiting = iter(range(count))

    async def appending() -> None:
        for _ in waiting:
            await vault.appender.append([await _prepared(vault, owner)], telling.nothing_to_check)

    started = time.perf_counter()
    await asyncio.gather(*(appending() for _ in range(at_once)))
    return count / (time.perf_counter() - started)


async def _sealing(vault: Vault, owner: str, count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        await _prepared(vault, owner)
    return count / (time.perf_counter() - started)
