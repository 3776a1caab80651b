"""Where the time of one fetch goes: each step of `vault/release.py` by itself, one at a time."""

import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from benchmarks.house import SIZE, built, release_many
from benchmarks.peers import free_port
from benchmarks.table import Row
from reuse_api.demo import people
from vault import deliver, sending, telling
from vault.evidence import Evidence


async def measure(folder: Path, count: int) -> Iterable[Row]:
    """Time each step `count` times; the share is of the sum."""
    async with built(folder / "kho", free_port()) as (house, vault):
        await release_many(house, vault, 1)
        caller = await house.system(vault, people.POLICE)
        release, at = house.releases[0], vault.clock.now()
        access, refused, _ = await deliver._released(vault, caller, release, at)
        if refused is not None:
            raise RuntimeError("the release does not stand")
        entry = await sending._entered(vault, caller, access)
        proof, checkpoint, _size = await vault.appender.proof(entry.index)
        evidence = Evidence(entry.index, entry.leaf, proof, checkpoint)
        record = access.record.facts.id
        key = await vault.gate.open_key(evidence, caller, record)

        async def chunks() -> None:
            async for _ in sending._chunks(
                vault, caller, access, entry, key, 0, access.record.row["content_size"]
            ):
                pass

        async def token() -> None:
            vault.gate.token_key.check(caller.token, issuer=vault.gate.issuer, at=at)

        steps: list[tuple[str, Callable[[], Awaitable[object]]]] = [
            ("1 token, signature checked", token),
            (
                "2, 3, 6 facts read and decided",
                lambda: deliver._released(vault, caller, release, vault.clock.now()),
            ),
            ("7 entry sealed", lambda: telling.prepare(vault, caller, [access.told])),
            ("7 entry sealed and committed", lambda: sending._entered(vault, caller, access)),
            ("8 proof and signed head", lambda: vault.appender.proof(entry.index)),
            (
                "8 the gate: proof checked, entry and key opened",
                lambda: vault.gate.open_key(evidence, caller, record),
            ),
            (f"8 {SIZE // 1024} KiB read and decrypted", chunks),
        ]
        spent = {name: await _median(step, count) for name, step in steps}
    whole = sum(spent.values()) - spent["7 entry sealed"]
    return [
        Row(
            name,
            f"{micro * 1e6:,.0f} us",
            f"{micro / whole:.2f}",
            "part of the next" if name == "7 entry sealed" else "",
        )
        for name, micro in spent.items()
    ]


async def _median(step: Callable[[], Awaitable[object]], count: int) -> float:
    took = []
    for _ in range(count):
        started = time.perf_counter()
        await step()
        took.append(time.perf_counter() - started)
    return statistics.median(took)
