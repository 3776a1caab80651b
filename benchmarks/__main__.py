"""`make bench`: every measurement once, small by default; BENCH_SIZE makes it larger."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from benchmarks import appending, content, importing, planning, sealing, stages, verdicts, workers
from benchmarks.table import Row, shown

SIZES = ("small", "normal", "large")


def main() -> int:
    """Run everything and print it; BENCH_SIZE is one of `SIZES`."""
    size = os.environ.get("BENCH_SIZE", "normal")
    if size not in SIZES:
        sys.stderr.write(f"BENCH_SIZE is one of {', '.join(SIZES)}\n")
        return 64
    factor = {"small": 1, "normal": 5, "large": 20}[size]
    crowds = (1_000, 10_000) if size == "small" else (10_000, 100_000)
    parts: list[tuple[str, Callable[[Path], Awaitable[Iterable[Row]]]]] = [
        ("The content of a release (100 KiB)", lambda folder: content.measure(folder, 100 * factor)),
        ("Where the time of one fetch goes", lambda folder: stages.measure(folder, 40 * factor)),
        ("Seals, one after the other", lambda folder: sealing.measure(folder, 4 * factor)),
        ("Appends to the log", lambda folder: appending.measure(folder, 400 * factor)),
        ("Procedure packages", lambda folder: importing.measure(folder, 100 * factor)),
        ("Workers that look into foreign files", lambda folder: workers.measure(folder, 20 * factor)),
        ("Verdicts on signed files", lambda folder: verdicts.measure(folder, 200 * factor)),
        (
            "The plan of a dossier with 8 components and 3 persons",
            lambda folder: planning.measure(folder, crowds, 20 * factor),
        ),
    ]
    print(f"Kho, {os.cpu_count()} cores, Python {sys.version.split()[0]}, BENCH_SIZE={size}\n", flush=True)
    for title, part in parts:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="kho-bench-") as folder:
            rows = asyncio.run(_run(part, Path(folder)))
        print(shown(f"{title} ({time.monotonic() - started:.0f} s)", list(rows)), flush=True)
    return 0


async def _run(part: Callable[[Path], Awaitable[Iterable[Row]]], folder: Path) -> Iterable[Row]:
    return await part(folder)


if __name__ == "__main__":
    sys.exit(main())
