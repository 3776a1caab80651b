"""What a served vault does by itself, and that a rehearsed copy does none of it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reuse_api.__main__ import run
from reuse_api.app import create_app
from reuse_api.settings import Settings
from search.opening import open_index
from vault import outbox
from vault.indexing import index_due
from vault.services import SearchState, Vault

_LONG = 600  # looks at what waits


def unexpected(code: str, problem: Exception) -> None:
    raise AssertionError(code) from problem


async def waiting(vault: Vault) -> int:
    async with vault.db.read() as db:
        return (await outbox.lag(db, outbox.INDEX)).waiting


async def test_a_rehearsed_copy_leaves_alone_what_waits(house: Any, tmp_path: Path) -> None:
    index = open_index(f"tantivy:{tmp_path / 'index'}")
    vault = replace(house.vault, index=index)
    before = await waiting(vault)
    assert before
    resting = create_app(vault, Settings(work="off"))
    async with resting.router.lifespan_context(resting):
        for _ in range(20):
            assert await waiting(vault) == before
            await asyncio.sleep(0.05)
    working = create_app(vault, Settings())
    async with working.router.lifespan_context(working):
        for _ in range(_LONG):
            if await waiting(vault) < before:
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError("nothing is done where it is to be")
    await index.close()


def test_the_command_that_works_says_that_it_may_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KHO_WORK", "off")
    assert run(["work", "--lang", "en"]) == 1
    assert "KHO_WORK is off" in capsys.readouterr().err


async def test_a_process_that_leaves_the_work_to_another_sees_the_index_go_and_come(
    house: Any, tmp_path: Path
) -> None:
    index = open_index(f"tantivy:{tmp_path / 'index'}")
    vault = replace(house.vault, index=index)
    elsewhere = replace(vault, search=SearchState())

    async def becomes(away: bool) -> None:
        for _ in range(_LONG):
            if vault.search.away is away:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it is never seen")

    resting = create_app(vault, Settings(work="off"))
    async with resting.router.lifespan_context(resting):
        await becomes(True)
        await index_due(elsewhere, unexpected)
        await becomes(False)
    await index.close()
