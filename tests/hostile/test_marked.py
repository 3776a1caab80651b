"""Whatever a scan does to the worker that marks it, the next one works; what comes back is a whole PDF."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest

from signing.conversion import compose_mark
from signing.errors import RewritingFailed
from signing.workers import Limits, WorkerPool
from tests.hostile.making import MEBIBYTE, RECIPES, honest

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, tzinfo=UTC)
MOST = 50 * MEBIBYTE
MARK = {
    "task": "mark",
    "mark": base64.b64encode(compose_mark("Công an phường Nghĩa Đô", "Ngô Quang Huy", AT)).decode(),
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


async def marked(pool: WorkerPool, folder: Path, content: bytes) -> Path | None:
    scan, made = folder / "scan.pdf", folder / "made.pdf"
    scan.write_bytes(content)
    made.touch()
    try:
        told = await pool.rewrite(scan, made, MARK, max_bytes=MOST)
        gap = await pool.extend(made, SEAL | {"place": told["place"]}, max_bytes=MOST)
    except RewritingFailed:
        return None
    assert made.read_bytes()[gap["start"] : gap["stop"]].strip(b"<0>") == b""
    return made


# What is refused before it is marked is tried as well: the worker must not rest on that.
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


@pytest.mark.parametrize("name", NAMES)
async def test_marking_ends_with_a_file_or_without(pool: WorkerPool, tmp_path: Path, name: str) -> None:
    made = await marked(pool, tmp_path, RECIPES[name]())
    if made is not None:
        with pikepdf.open(made, attempt_recovery=False) as paper:
            assert [str(one.T) for one in paper.Root.AcroForm.Fields][-1] == "Seal"


async def test_after_all_of_them_an_honest_scan_is_marked(pool: WorkerPool, tmp_path: Path) -> None:
    assert await marked(pool, tmp_path, honest()) is not None
