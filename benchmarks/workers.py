"""What a worker costs: raising the nursery, a fork for one file, and memory at its highest."""

import asyncio
import statistics
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pikepdf

from benchmarks.table import Row
from reuse_api.demo import people
from signing.composing import compose
from signing.workers import WorkerPool

_AT = datetime(2026, 11, 20, tzinfo=UTC)
_MOST = 50 * 2**20
_MEBIBYTE = 2**20
_BOMB = 256 * _MEBIBYTE
_BOMB_TIMES = 5


async def measure(folder: Path, count: int) -> Iterable[Row]:
    """Raise the nursery three times, then examine `count` papers one after the other, and a bomb."""
    raised = []
    for _ in range(3):
        pool = WorkerPool(size=1)
        started = time.perf_counter()
        await pool.start()
        raised.append(time.perf_counter() - started)
        await pool.close()
    pool = WorkerPool(size=1)
    await pool.start()
    try:
        assert pool._nursery is not None
        nursery = pool._nursery.process.pid
        paper, bomb = folder / "paper.pdf", folder / "bomb.pdf"
        paper.write_bytes(_paper())
        bomb.write_bytes(_bomb(_BOMB))
        examined = await _timed(pool, paper, count)
        refused = await _timed(pool, bomb, _BOMB_TIMES)
        peak_paper = await _peak(pool, nursery, paper)
        peak_bomb = await _peak(pool, nursery, bomb)
        own = _status(nursery, "VmRSS")
    finally:
        await pool.close()
    return [
        Row("The nursery raised: Python, libraries, cut off", f"{_milli(raised)} ms"),
        Row("The nursery's memory", f"{own / _MEBIBYTE:.0f} MiB"),
        Row("A worker: forked, a composed paper examined, gone", f"{_milli(examined)} ms"),
        Row("A worker: forked, a bomb of 256 MiB refused, gone", f"{_milli(refused)} ms"),
        Row("A worker's memory at its highest, a composed paper", f"{peak_paper / _MEBIBYTE:.0f} MiB"),
        Row("A worker's memory at its highest, a bomb of 256 MiB", f"{peak_bomb / _MEBIBYTE:.0f} MiB"),
    ]


def _milli(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f}"


def _paper() -> bytes:
    fields = people.certificate("1/2026", "2026-11-20", birth_place="Hà Nội")
    return compose("birth_certificate", fields, at=_AT)


def _bomb(size: int) -> bytes:
    """Write a paper whose one page unpacks to `size` zeros."""
    made = BytesIO()
    with pikepdf.new() as paper:
        paper.add_blank_page()
        content = paper.make_stream(zlib.compress(bytes(size), 9), Filter=pikepdf.Name.FlateDecode)
        paper.pages[0].Contents = content
        paper.save(made)
    return made.getvalue()


async def _timed(pool: WorkerPool, file: Path, count: int) -> list[float]:
    spent = []
    for _ in range(count):
        started = time.perf_counter()
        await pool.examine(file, anchors=[], at=_AT, max_bytes=_MOST)
        spent.append(time.perf_counter() - started)
    return spent


async def _peak(pool: WorkerPool, nursery: int, file: Path) -> int:
    """Give the most bytes that a worker had resident (shared with its nursery included), as often seen."""
    examining = asyncio.ensure_future(pool.examine(file, anchors=[], at=_AT, max_bytes=_MOST))
    most = 0
    while not examining.done():
        for child in _children(nursery):
            most = max(most, _status(child, "VmHWM"))
        await asyncio.sleep(0.001)
    await examining
    return most


def _children(parent: int) -> list[int]:
    with suppress(OSError):
        listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        return [int(child) for child in listed.split()]
    return []


def _status(process: int, name: str) -> int:
    """Read one figure of a process in bytes; 0 where it is gone, or the system tells none."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0
