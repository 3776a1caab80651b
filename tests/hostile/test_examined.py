"""Whatever a file does, its examination ends with an answer that trusts nothing, and the next one works."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from signing.workers import Limits, WorkerPool
from tests.hostile.making import MEBIBYTE, RECIPES, deflated, honest
from tests.hostile.outcomes import COSTLY, ODD_SIGNATURES, REFUSED
from tests.telling import can_be_told

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, tzinfo=UTC)
NAMES = [pytest.param(name, marks=pytest.mark.long if name in COSTLY else ()) for name in RECIPES]


@pytest.fixture(scope="module")
async def pool(anyio_backend: str) -> AsyncIterator[WorkerPool]:
    workers = WorkerPool(size=2)
    await workers.start()
    yield workers
    await workers.close()


async def examined(pool: WorkerPool, folder: Path, content: bytes) -> Any:
    path = folder / "file.pdf"
    path.write_bytes(content)
    return await pool.examine(path, anchors=[], at=AT, max_bytes=50 * MEBIBYTE)


@pytest.mark.parametrize("name", NAMES)
async def test_an_examination_ends_and_nothing_is_trusted(
    pool: WorkerPool, tmp_path: Path, name: str
) -> None:
    async with asyncio.timeout(Limits().wall_seconds + 10):  # the pool's own promise to whoever waits
        found = await examined(pool, tmp_path, RECIPES[name]())
    assert found.report.verdict != "valid"
    assert found.report.reasons
    assert (found.refusal, found.found) == REFUSED.get(name, (None, ()))
    can_be_told(found)


def test_every_file_has_an_outcome() -> None:
    assert REFUSED.keys() | ODD_SIGNATURES == RECIPES.keys()
    assert not REFUSED.keys() & ODD_SIGNATURES
    assert len(RECIPES) >= 50


async def test_an_honest_file_is_none_of_these(pool: WorkerPool, tmp_path: Path) -> None:
    found = await examined(pool, tmp_path, honest())
    assert found.refusal is None
    assert found.report.reasons == ("no_signature",)


def test_the_bombs_are_bombs() -> None:
    assert zlib.decompress(deflated(4 * MEBIBYTE)) == bytes(4 * MEBIBYTE)
    assert len(deflated(1024 * MEBIBYTE)) < 2 * MEBIBYTE
