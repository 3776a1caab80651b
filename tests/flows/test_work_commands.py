"""`kho reindex`, `kho work`, `kho dead-letters` as operators run them, on both databases."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from vault import outbox
from vault.connecting import connect
from vault.entries import stamp
from vault.rows_address import RowsAddress
from vault.tables import outbox as outbox_rows
from vault.tables import record

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
KHO = Path(sys.executable).with_name("kho")


@pytest.fixture
def env(vault_settings: Path) -> dict[str, str]:
    return dict(os.environ) | {"KHO_SEARCH": f"tantivy:{vault_settings / 'index'}", "KHO_OCR": "off"}


def kho(env: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [KHO, *arguments, "--lang", "en"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=200)


@contextmanager
def working(env: dict[str, str]) -> Iterator[None]:
    """`kho work` until the test is done with it; then SIGTERM, and it ends well."""
    with subprocess.Popen([KHO, "work"], env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if json.loads(line)["event"] == "working":
                    break
            yield
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            assert process.wait(60) == 0, rest
            assert json.loads(rest.splitlines()[-1])["event"] == "stopped", rest
        finally:
            process.kill()


async def rows(address: RowsAddress, query: Any) -> list[Any]:
    """Read beside whoever works."""
    looking = await connect(address, hold="none")
    try:
        async with looking.read() as db:
            return list(await db.execute(query))
    finally:
        await looking.close()


async def drained(address: RowsAddress) -> bool:
    for _ in range(300):
        if not await rows(address, select(outbox_rows.c.n).where(outbox_rows.c.dead_at.is_(None))):
            return True
        time.sleep(0.1)
    return False


async def given_up(address: RowsAddress) -> str:
    """Have the index entry of one record given up; gives the record."""
    (one, *_) = await rows(address, select(record.c.id))
    writing = await connect(address, hold="writing")
    async with writing.write() as db:
        at = datetime(2026, 3, 1, tzinfo=UTC)
        await outbox.add(db, outbox.INDEX, [one.id], at)
        mine = update(outbox_rows).where(outbox_rows.c.subject == one.id)
        await db.execute(mine.values(dead_at=stamp(at), attempts=16, reason="index_entry_failed"))
    await writing.close()
    return str(one.id)


async def test_what_waits_is_carried_out_at_the_start_and_what_was_given_up_is_seen_and_tried_again(
    env: dict[str, str], rows_address: RowsAddress
) -> None:
    lost = await given_up(rows_address)
    with working(env):
        assert await drained(rows_address)
        seen = kho(env, "dead-letters")
        assert (seen.returncode, lost in seen.stdout, "1 dead letters" in seen.stdout) == (1, True, True)
        if not rows_address.server:
            assert kho(env, "dead-letters", "--replay").returncode == 1, "one process writes"
    assert kho(env, "dead-letters", "--replay").returncode == 0
    assert await drained(rows_address)
    none = kho(env, "dead-letters")
    assert (none.returncode, none.stdout) == (0, "0 dead letters\n")
    assert await rows(rows_address, select(outbox_rows)) == []


async def test_what_was_given_up_is_tried_again_beside_somebody_who_works(
    env: dict[str, str], rows_address: RowsAddress
) -> None:
    """One process writes an embedded index: with SQLite nobody else gets in, with PostgreSQL it does it."""
    lost = await given_up(rows_address)
    with working(env):
        assert await drained(rows_address)  # it has written, and holds the index
        done = kho(env, "dead-letters", "--replay")
        if rows_address.server:
            assert (done.returncode, "1 tried again" in done.stdout) == (0, True), done.stderr
            assert "index_entry_failed" in done.stdout  # why it had been given up
            assert "1 documents still wait for the index" in done.stdout
            assert "Traceback" not in done.stderr
        else:
            assert done.returncode == 1
            assert "stop the running `kho serve`" in done.stderr
            left = await rows(rows_address, select(outbox_rows))
            assert {(row.subject, row.attempts, bool(row.dead_at)) for row in left} == {(lost, 16, True)}
            return
        assert await drained(rows_address)
        assert await rows(rows_address, select(outbox_rows)) == []
        assert kho(env, "dead-letters").stdout == "0 dead letters\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_building_that_is_told_to_end_ends_and_leaves_the_old_index(
    env: dict[str, str], rows_address: RowsAddress, vault_settings: Path, number: signal.Signals
) -> None:
    """As the first process of a container, which is spared from signals that it does not hear."""
    assert kho(env, "reindex").returncode == 0
    index = vault_settings / "index"
    before = (index / "current.json").read_text()
    command = [sys.executable, "-c", _REINDEX_SLOWLY, "reindex", "--lang", "en"]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "building\n"
            process.send_signal(number)
            said, problems = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, said) == (1, ""), problems
    assert problems == "kho: Building the search index was stopped; the one in use stays as it was.\n"
    assert (index / "current.json").read_text() == before
    assert len(list(index.glob("index-*"))) == 1
    assert kho(env, "reindex").returncode == 0


# `kho reindex` that says when it builds, and takes long over each batch.
_REINDEX_SLOWLY = """
import asyncio, signal, sys
for one in (signal.SIGTERM, signal.SIGINT):
    signal.signal(one, signal.SIG_IGN)
from reuse_api.__main__ import main
from vault import indexing

async def slowly(vault, found, words=indexing.with_words):
    print("building", flush=True)
    await asyncio.sleep(2)
    return await words(vault, found)

indexing.with_words = slowly
sys.exit(main())
"""


async def test_the_index_is_built_anew(env: dict[str, str], rows_address: RowsAddress) -> None:
    count = len(await rows(rows_address, select(record.c.id)))
    for _ in range(2):
        done = kho(env, "reindex")
        assert (done.returncode, done.stdout) == (0, f"{count} documents indexed\n"), done.stderr
    assert await rows(rows_address, select(outbox_rows)) == []
