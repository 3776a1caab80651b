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

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, tzinfo=UTC)
LOCKED = {"locked_with_a_password", "locked_without_a_password"}
DOING = {
    "script_that_runs_on_opening",
    "script_with_an_escaped_name",
    "script_in_a_name_tree",
    "script_inside_an_object_stream",
    "launches_a_program",
    "opens_another_file",
    "opens_a_file_within",
    "sends_the_form_away",
    "fetches_form_data",
    "plays_a_film",
    "form_of_another_kind",
    "a_program_within",
    "content_that_is_another_file",
    "page_action_in_a_note",
    "action_chained_behind_another",
}
OTHER = {
    "page_of_the_web",
    "paper_and_archive_at_once",
    "archive_before_the_paper",
    "web_page_before_the_paper",
    "program_named_paper",
    "picture_named_paper",
}


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


@pytest.mark.parametrize("name", list(RECIPES))
async def test_an_examination_ends_and_trusts_nothing(pool: WorkerPool, tmp_path: Path, name: str) -> None:
    async with asyncio.timeout(Limits().wall_seconds + 10):  # the pool's own promise to whoever waits
        found = await examined(pool, tmp_path, RECIPES[name]())
    assert found.report.verdict != "valid"
    assert found.report.reasons
    assert (found.refusal == "active_content") == (name in DOING), found
    assert (found.refusal == "encrypted") == (name in LOCKED), found
    assert (found.refusal == "mislabelled") == (name in OTHER), found


async def test_an_honest_file_is_none_of_these(pool: WorkerPool, tmp_path: Path) -> None:
    found = await examined(pool, tmp_path, honest())
    assert found.refusal is None
    assert found.report.reasons == ("no_signature",)


def test_the_bombs_are_bombs() -> None:
    assert zlib.decompress(deflated(4 * MEBIBYTE)) == bytes(4 * MEBIBYTE)
    assert len(deflated(1024 * MEBIBYTE)) < 2 * MEBIBYTE
