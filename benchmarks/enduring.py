"""Minutes at half of the top rate, in each set-up: does memory stay flat, is every answer right?"""

import asyncio
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.content import token
from benchmarks.house import House, built, release_many
from benchmarks.load import CONNECTIONS, Paced, load, paced
from benchmarks.peers import free_port
from benchmarks.serving import served
from benchmarks.setups import SetUp, set_ups
from benchmarks.table import Row

_TRIED = 1_000  # fetches that find the top rate
_ASKED = 20_000  # releases that are fetched in turns: a minute and more apart, so that each needs its entry
_PAST_START = 0.1  # the share of the time after which memory is taken to have settled
_NEW_TOKEN = 300.0  # seconds; a token lives for twice as long
_MIB = 2**20


async def measure(folder: Path, seconds: int) -> Iterable[Row]:
    """Fetch releases for `seconds` at half of the rate of a short run; one set-up after the other."""
    with set_ups(folder / "servers", apart=True) as there:
        rows = [await _endured(folder / f"kho{number}", one, seconds) for number, one in enumerate(there)]
        return [row for some in rows for row in some]


async def _endured(folder: Path, setup: SetUp, seconds: int) -> list[Row]:
    port = free_port()
    async with built(folder, port, setup.places) as (house, vault):
        await release_many(house, vault, _TRIED + _ASKED)
    paths = [f"/v1/releases/{one}/content" for one in house.releases]
    with served(house, setup, port) as serving:
        headers = {"Authorization": f"Bearer {await token(house, port)}"}
        top = (await load(serving.ports, paths[:_TRIED], headers)).rate
        watching = asyncio.create_task(_watched(serving.processes, seconds / 100))
        renewing = asyncio.create_task(_renewed(headers, house, port))
        seen = await paced(serving.ports, paths[_TRIED:], lambda: headers, top / 2, seconds)
        for task in (watching, renewing):
            task.cancel()
        memory = (await asyncio.gather(watching, return_exceptions=True))[0]
    if isinstance(memory, BaseException):
        raise memory
    return _rows(setup, seconds, top, seen, memory)


def _rows(setup: SetUp, seconds: int, top: float, seen: Paced, memory: dict[str, list[int]]) -> list[Row]:
    took = sorted(seen.took)
    first = f", the first: {seen.failed[0]}" if seen.failed else ""
    answers = Row(
        f"{seconds:,} s at {top / 2:,.0f}/s, {setup.name}",
        f"{len(took):,}",
        f"{len(seen.failed)} failed",
        f"answers{first}; p50 {took[len(took) // 2] * 1000:.1f} ms, "
        f"p95 {took[int(len(took) * 0.95)] * 1000:.1f} ms from when they were due; {CONNECTIONS} connections",
    )
    return [answers, *(_grown(name, each) for name, each in memory.items())]


def _grown(name: str, memory: list[int]) -> Row:
    settled = memory[int(len(memory) * _PAST_START) :]
    early = statistics.median(settled[: len(settled) // 10 + 1])
    late = statistics.median(settled[-(len(settled) // 10 + 1) :])
    return Row(
        f"  memory of {name}",
        f"{late / _MIB:,.0f} MiB",
        f"{late / early:.2f}",
        f"of {early / _MIB:,.0f} MiB early on",
    )


async def _watched(processes: Mapping[str, int], every: float) -> dict[str, list[int]]:
    """Read the memory of each process until we are cancelled: bytes of its own, without its workers'."""
    seen: dict[str, list[int]] = {name: [] for name in processes}
    try:
        while True:
            for name, process in processes.items():
                seen[name].append(_memory(process))
            await asyncio.sleep(every)
    except asyncio.CancelledError:
        return seen


def _memory(process: int) -> int:
    fields = Path(f"/proc/{process}/status").read_text()
    line = next(one for one in fields.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


async def _renewed(headers: dict[str, str], house: House, port: int) -> None:
    while True:
        await asyncio.sleep(_NEW_TOKEN)
        headers["Authorization"] = f"Bearer {await token(house, port)}"
