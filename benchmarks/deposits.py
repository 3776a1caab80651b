"""Deposits end to end: a citizen's PDF through the door, examined, sealed, stored, entered; both set-ups."""

import asyncio
import os
import statistics
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.house import SIZE, built, paper, signed_in
from benchmarks.peers import free_port
from benchmarks.serving import served
from benchmarks.setups import SetUp, set_ups
from benchmarks.table import Row
from reuse_api.callers import SESSION_COOKIE
from reuse_api.demo import people

ROUNDS = 3
AT_ONCE = 8


@dataclass
class _Asked:
    """A vault that is served, and seconds that each deposit took, and each round."""

    setup: SetUp
    port: int
    session: str
    took: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


async def measure(folder: Path, count: int) -> Iterable[Row]:
    """Hand in `count` files of `SIZE` bytes a round, `AT_ONCE` at once, the set-ups in turns.

    The ratio is to the embedded set-up.
    """
    with set_ups(folder / "servers") as there, ExitStack() as servers:
        asked = []
        for number, one in enumerate(there):
            port = free_port()
            async with built(folder / f"kho{number}", port, one.places) as (house, vault):
                session = await signed_in(vault, people.DAUGHTER)
            servers.enter_context(served(house, one, port))
            asked.append(_Asked(one, port, session))
        for _ in range(ROUNDS):
            for each in asked:
                await _round(each, count)
    least = statistics.median(asked[0].rates)
    return [_row(each, least) for each in asked]


def _row(each: _Asked, least: float) -> Row:
    rate, took = statistics.median(each.rates), sorted(each.took)
    p95 = took[int(len(took) * 0.95)]
    return Row(
        f"deposits, {each.setup.name}",
        f"{rate:,.1f}/s",
        f"{rate / least:.2f}",
        f"p50 {statistics.median(took) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, "
        f"{SIZE // 1024} KiB, {AT_ONCE} at once",
    )


async def _round(each: _Asked, count: int) -> None:
    waiting = iter(range(count))
    headers = {"Cookie": f"{SESSION_COOKIE}={each.session}"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{each.port}", headers=headers, timeout=60
    ) as door:

        async def hand_in() -> None:
            for _ in waiting:
                content = paper(SIZE)
                started = time.perf_counter()
                reply = await door.post(
                    "/v1/me/records",
                    files={"file": ("paper.pdf", content, "application/pdf")},
                    data={"title": "Giấy tờ"},
                    headers={"Idempotency-Key": os.urandom(8).hex()},
                )
                if reply.status_code != httpx.codes.CREATED:
                    raise RuntimeError(f"{reply.status_code}: {reply.text}")
                each.took.append(time.perf_counter() - started)

        started = time.perf_counter()
        await asyncio.gather(*(hand_in() for _ in range(AT_ONCE)))
        each.rates.append(count / (time.perf_counter() - started))
