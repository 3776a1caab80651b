"""Whatever a file does to the workers that mark, measure, copy and seal it, the next one works.

What comes back is a whole PDF.
"""

import base64
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from signing.conversion import compose_mark
from signing.errors import RewritingFailed
from signing.workers import Limits, WorkerPool
from tests.hostile.making import MEBIBYTE, RECIPES, honest

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, tzinfo=UTC)
MOST = 50 * MEBIBYTE
SIZES = [(210.0, 297.0)]
MARKED = base64.b64encode(compose_mark("Công an phường Nghĩa Đô", "Ngô Quang Huy", AT)).decode()
MARK = {"task": "mark", "mark": MARKED}
ARCHIVE = {
    "task": "archive",
    "title": "Giấy tờ",
    "at": AT.isoformat(),
    "paper_sizes": SIZES,
    "words": [],
    "mark": MARKED,
}
SEAL = {
    "task": "seal",
    "certificates": [],
    "status": [],
    "lists": [],
    "at": AT.isoformat(),
    "reason": "Số hóa",
    "name": "Công an phường Nghĩa Đô",
    "reserved": 16_384,
}


@pytest.fixture(scope="module")
async def pool(anyio_backend: str) -> AsyncIterator[WorkerPool]:
    workers = WorkerPool(size=2, limits=Limits(cpu_seconds=5, wall_seconds=10))
    await workers.start()
    yield workers
    await workers.close()


async def sealed(pool: WorkerPool, scan: Path, request: Mapping[str, Any]) -> Path | None:
    """Have a worker make another file of one by `request`, and another leave room for a seal in it."""
    made = scan.with_name("made.pdf")
    made.touch()
    try:
        told = await pool.rewrite(scan, made, request, max_bytes=MOST)
        if request is ARCHIVE and "refusal" in told:  # marking refuses nothing: it fails
            return None
        gap = await pool.extend(made, SEAL | {"place": told["place"]}, max_bytes=MOST)
    except RewritingFailed:
        return None
    assert made.read_bytes()[gap["start"] : gap["stop"]].strip(b"<0>") == b""
    return made


async def marked(pool: WorkerPool, folder: Path, content: bytes) -> Path | None:
    """Mark it, even if it would be refused before: no worker may rest on that."""
    scan = folder / "scan.pdf"
    scan.write_bytes(content)
    return await sealed(pool, scan, MARK)


async def copied(pool: WorkerPool, folder: Path, content: bytes) -> Path | None:
    """Measure it, and copy it even if that was refused: no worker may rest on another."""
    scan = folder / "scan.pdf"
    scan.write_bytes(content)
    found = await pool.measure(scan, declared_type="application/pdf", paper_sizes=SIZES, max_bytes=MOST)
    assert (found.measured is None) is (found.refusal is not None)
    return await sealed(pool, scan, ARCHIVE)


WAYS = [marked, copied]
# The others are tried in `make test-long`.
QUICK = {
    "hexadecimal_in_fourteen_coats",
    "dictionaries_fifty_thousand_deep",
    "outline_in_a_circle",
    "a_billion_pages_promised",
    "script_that_runs_on_opening",
    "signature_of_nothing",
    "cut_in_the_middle",
    "locked_with_a_password",
}
NAMES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in RECIPES]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
async def test_it_ends_with_a_file_or_without(pool: WorkerPool, tmp_path: Path, name: str, way: Any) -> None:
    made = await way(pool, tmp_path, RECIPES[name]())
    if made is not None:
        with pikepdf.open(made, attempt_recovery=False) as paper:
            assert [str(one.T) for one in paper.Root.AcroForm.Fields][-1] == "Seal"


@pytest.mark.parametrize("way", WAYS)
async def test_after_all_of_them_an_honest_scan_comes_through(
    pool: WorkerPool, tmp_path: Path, way: Any
) -> None:
    assert await way(pool, tmp_path, honest()) is not None
