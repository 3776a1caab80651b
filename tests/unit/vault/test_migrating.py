"""Migrating beside those who serve: phases, who must be alone, time limits, two at once, newer rows."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from reuse_api.__main__ import run
from vault import migrating
from vault.connecting import connect
from vault.errors import SchemaMismatch
from vault.migrating import check_schema, migrate, needs_alone, versions
from vault.rows_address import RowsAddress

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
KHO = Path(sys.executable).with_name("kho")


async def at(rows: RowsAddress) -> str | None:
    return (await versions(rows))[0]


def commanded(*arguments: str) -> int:
    """Run a command in this process, which keeps its way to end."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        return run(arguments)
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_what_adds_goes_in_beside_others_and_what_takes_away_alone(
    vault_settings: Path, rows_address: RowsAddress, later: Any
) -> None:
    with pytest.raises(SchemaMismatch, match="kho migrate"):
        await check_schema(rows_address)
    await migrate(rows_address, phase="pre")
    assert await at(rows_address) == "9001"
    await check_schema(rows_address)  # what is only to be taken away keeps nobody from serving
    assert await needs_alone(rows_address)
    await migrate(rows_address, phase="pre")
    assert await at(rows_address) == "9001"

    serving = await connect(rows_address, hold="writing")
    assert await asyncio.to_thread(run, ["migrate"]) == 1
    assert await at(rows_address) == "9001"
    await serving.close()
    assert await asyncio.to_thread(run, ["migrate"]) == 0
    assert await at(rows_address) == "9002"
    assert await asyncio.to_thread(run, ["migrate"]) == 0


def test_a_newer_vault_is_refused_by_every_command(
    vault_settings: Path, rows_address: RowsAddress, later: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(migrate(rows_address))
    later()
    for arguments in (["serve", "--listen", "127.0.0.1:0"], ["work"], ["migrate"], ["inspect"], ["reindex"]):
        capsys.readouterr()
        assert commanded(*arguments) == 1, arguments
        assert "kho" in capsys.readouterr().err, arguments
    assert asyncio.run(at(rows_address)) == "9002"


def test_two_that_migrate_at_once_and_again(rows_address: RowsAddress, vault_settings: Path) -> None:
    """Both end well, or on SQLite the second is told who is at it; nothing is done twice."""
    asyncio.run(taken_back(rows_address))
    both = [subprocess.Popen([KHO, "migrate"], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = {(one.wait(120), one.communicate()[1].strip()) for one in both}
    assert (0, "") in ended
    for status, said in ended - {(0, "")}:
        assert (status, rows_address.server) == (1, False), said
    newest = migrating._scripts().get_current_head()
    assert asyncio.run(at(rows_address)) == newest
    again = subprocess.run([KHO, "migrate"], capture_output=True, check=False)
    assert (again.returncode, asyncio.run(at(rows_address))) == (0, newest)
    asyncio.run(check_schema(rows_address))


def newest_version() -> Any:
    scripts = migrating._scripts()
    newest = scripts.get_revision(scripts.get_current_head() or "")
    assert newest is not None and newest.revision == "0012", "say below how the newest version is taken back"
    return newest.module


async def taken_back(rows: RowsAddress) -> None:
    """Make the rows what they were before the newest version."""
    database = await connect(rows, hold="alone")
    async with database.beside() as db:
        for column in newest_version()._COLUMNS:
            await db.execute(text(f"ALTER TABLE waiting_seal DROP COLUMN {column}"))
        await db.execute(text("DROP INDEX ix_owner_identifier_owner"))
        await db.execute(text("UPDATE alembic_version SET version_num = '0011'"))
    await database.close()
