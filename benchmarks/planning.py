"""The one question beside a growing store: three persons, eight components, many records of strangers."""

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.house import PERSONS, House, built, citizen, crowd, named, paper, residence
from benchmarks.peers import free_port
from benchmarks.setups import set_ups
from benchmarks.table import Row
from reuse_api.demo import people
from vault import deposit, handling, plan
from vault.services import Vault

# With all of them 1.004884 asks for eight components.
_CONDITIONS = ("applicant_is_official", "no_copy_of_birth_certificate", "acts_by_authorisation")
_TYPES = ("GKS", "GCNKH", "GCNQSDD", "CCCD", "UQ")


async def measure(folder: Path, crowds: Sequence[int], count: int) -> Iterable[Row]:
    """Ask `count` times beside each number of records, in both set-ups; ratios are to the smallest store."""
    rows: list[Row] = []
    with set_ups(folder / "servers") as there:
        for number, one in enumerate(there):
            async with built(folder / f"kho{number}", free_port(), one.places) as (house, vault):
                rows += await _beside(house, vault, crowds, count, one.name)
    return rows


async def _beside(house: House, vault: Vault, crowds: Sequence[int], count: int, setup: str) -> list[Row]:
    await _families_papers(vault)
    code = await _dossier(house, vault)
    found: list[tuple[int, float, float]] = []
    there = 0
    for size in crowds:
        await crowd(vault, range(there, size), _TYPES)
        there = size
        found.append((size, *await _asked(house, vault, code, count)))
    least = found[0][1]
    return [
        Row(
            f"plan beside {size:,} records, {setup}",
            f"{median * 1000:.1f} ms",
            f"{median / least:.2f}",
            f"p95 {p95 * 1000:.1f} ms; one at a time, its entries committed",
        )
        for size, median, p95 in found
    ]


async def _families_papers(vault: Vault) -> None:
    for one in PERSONS:
        wallet = await citizen(vault, one)
        for number, kind in enumerate(("GKS", "GCNKH", "GCNQSDD")):
            file = vault.scratch / "paper.pdf"
            file.write_bytes(paper(2000))
            await deposit.upload(
                vault, wallet, file, title=kind, type=kind, declared_type="application/pdf", key=f"p{number}"
            )
            file.unlink()


async def _dossier(house: House, vault: Vault) -> str:
    code = house.code(people.COMMUNE)
    persons = tuple(
        named(one, role) for one, role in zip(PERSONS, ("applicant", "mother", "father"), strict=True)
    )
    caller = await house.system(vault, people.COMMUNE)
    body = replace(residence(persons), procedure=people.REREGISTRATION, case=None, conditions=_CONDITIONS)
    told = await handling.open_dossier(vault, caller, code, body)
    if not isinstance(told, dict):
        raise RuntimeError(f"not opened: {told.reasons}")
    if len(told["components"]) != 8:
        raise RuntimeError(f"{len(told['components'])} components are asked for, not 8")
    return code


async def _asked(house: House, vault: Vault, code: str, count: int) -> tuple[float, float]:
    caller = await house.system(vault, people.COMMUNE)
    took = []
    for _ in range(count):
        started = time.perf_counter()
        await plan.ask(vault, caller, code)
        took.append(time.perf_counter() - started)
    took.sort()
    return statistics.median(took), took[int(len(took) * 0.95)]
