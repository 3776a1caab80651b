"""`make bench`: every measurement once; BENCH_SIZE makes it smaller or larger, BENCH_PARTS takes some."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from benchmarks import (
    appending,
    backups,
    content,
    deposits,
    enduring,
    finding,
    importing,
    planning,
    sealing,
    stages,
    verdicts,
    workers,
)
from benchmarks.table import Row, shown

Part = tuple[str, Callable[[Path], Awaitable[Iterable[Row]]]]
SIZES = ("small", "normal", "large")


def main() -> int:
    """Run everything and print it; BENCH_SIZE is one of `SIZES`, BENCH_PARTS names parts, with commas."""
    size = os.environ.get("BENCH_SIZE", "normal")
    if size not in SIZES:
        sys.stderr.write(f"BENCH_SIZE is one of {', '.join(SIZES)}\n")
        return 64
    factor = {"small": 1, "normal": 5, "large": 20}[size]
    crowds = {
        "small": (1_000, 10_000),
        "normal": (10_000, 100_000),
        "large": (10_000, 100_000, 1_000_000),
    }[size]
    parts: dict[str, Part] = {
        "content": ("The content of a release (100 KiB)", lambda at: content.measure(at, 100 * factor)),
        "deposits": ("Deposits, end to end", lambda at: deposits.measure(at, 40 * factor)),
        "stages": ("Where the time of one fetch goes", lambda at: stages.measure(at, 40 * factor)),
        "sealing": ("Seals, one after the other", lambda at: sealing.measure(at, 4 * factor)),
        "appending": ("Appends to the log", lambda at: appending.measure(at, 400 * factor)),
        "importing": ("Procedure packages", lambda at: importing.measure(at, 100 * factor)),
        "workers": ("Workers that look into foreign files", lambda at: workers.measure(at, 20 * factor)),
        "verdicts": ("Verdicts on signed files", lambda at: verdicts.measure(at, 200 * factor)),
        "planning": (
            "The plan of a dossier with 8 components and 3 persons",
            lambda at: planning.measure(at, crowds, 20 * factor),
        ),
        "finding": ("A person's search", lambda at: finding.measure(at, crowds, 60 * factor)),
        "backups": (
            "Backup and restore",
            lambda at: backups.measure(at, 10_000 if size == "large" else 200 * factor),
        ),
        "enduring": (
            "Half of the top rate, for long",
            lambda at: enduring.measure(at, 60 if size == "small" else 600),
        ),
    }
    usual = [one for one in parts if one != "enduring" or size == "large"]  # it takes twenty minutes
    chosen = [one for one in os.environ.get("BENCH_PARTS", "").split(",") if one] or usual
    if not parts.keys() >= set(chosen):
        sys.stderr.write(f"BENCH_PARTS are some of {', '.join(parts)}\n")
        return 64
    print(f"Kho, {os.cpu_count()} cores, Python {sys.version.split()[0]}, BENCH_SIZE={size}\n", flush=True)
    for title, part in (parts[one] for one in chosen):
        started = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="kho-bench-") as folder:
                rows = asyncio.run(_run(part, Path(folder)))
        except verdicts.FlipMissed as problem:
            sys.stderr.write(f"{problem}\n")
            return 1
        print(shown(f"{title} ({time.monotonic() - started:.0f} s)", list(rows)), flush=True)
    return 0


async def _run(part: Callable[[Path], Awaitable[Iterable[Row]]], folder: Path) -> Iterable[Row]:
    return await part(folder)


if __name__ == "__main__":
    sys.exit(main())
