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


async def test_the_index_is_built_anew(env: dict[str, str], rows_address: RowsAddress) -> None:
    count = len(await rows(rows_address, select(record.c.id)))
    for _ in range(2):
        done = kho(env, "reindex")
        assert (done.returncode, done.stdout) == (0, f"{count} documents indexed\n"), done.stderr
    assert await rows(rows_address, select(outbox_rows)) == []
