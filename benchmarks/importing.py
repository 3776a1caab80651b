"""Procedure packages a second: all that ship with Kho and more made of them by renaming their codes."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.house import built
from benchmarks.peers import free_port
from benchmarks.table import Row
from policies.packages import read_package, shipped_packages
from vault.importing import import_procedure
from vault.services import Vault

Package = Mapping[str, Any]


async def measure(folder: Path, count: int) -> Iterable[Row]:
    """Read and import the shipped packages and `count` more; the ratio is to reading alone."""
    more = generated(shipped_packages(), count)
    packages = [*shipped_packages(), *more]
    components = 0
    async with built(folder / "kho", free_port()) as (_house, vault):
        started = time.perf_counter()
        for each in packages:
            components += len(read_package(each, vault.book).all_components())
        reading = len(packages) / (time.perf_counter() - started)
        first = await _imported(vault, more, "new")
        again = await _imported(vault, packages, "unchanged")
    note = f"{len(packages):,} packages, {components:,} components"
    return [
        Row("packages read", f"{reading:,.0f}/s", "1", note),
        Row(
            "packages imported",
            f"{first:,.0f}/s",
            f"{first / reading:.2f}",
            "one after another, each durable",
        ),
        Row("packages seen again", f"{again:,.0f}/s", f"{again / reading:.2f}", "nothing new in them"),
    ]


def generated(shipped: Sequence[Package], count: int) -> list[Package]:
    """Make packages of the shipped ones in turn: each under a code of its own, wherever its code stands."""
    made: list[Package] = []
    for number in range(count):
        package = shipped[number % len(shipped)]
        code = f"9.{number:06d}"
        made.append(json.loads(json.dumps(package).replace(str(package["code"]), code)))
    return made


async def _imported(vault: Vault, packages: Sequence[Package], state: str) -> float:
    started = time.perf_counter()
    for each in packages:
        came = await import_procedure(vault, each)
        if came.state != state:
            raise RuntimeError(f"{each['code']} is {came.state}, not {state}")
    return len(packages) / (time.perf_counter() - started)
