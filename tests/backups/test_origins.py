"""A restore that lost the log's end: a new name, whose first entry names the old head."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from reuse_api.app import create_app
from reuse_api.demo import people
from signing.canonical import from_base64
from signing.receipt import verify_receipt
from signing.workers import WorkerPool
from tests.backups.conftest import Command, Filled, Place, opened_at, reads_all
from vault import receipts
from vault.backing_up import back_up
from vault.backup_examining import examine
from vault.clock import Clock
from vault.errors import VaultIncomplete
from vault.inspecting import inspect
from vault.key_copies import copy_keys
from vault.log_folder import LogForked
from vault.new_log_key import RETIRED, open_new_log, remembered, retired
from vault.publishing import publish
from vault.restoring import OriginNeeded, restore
from vault.signer import LogBehind
from vault.tables import log_origin, receipt

pytestmark = pytest.mark.anyio


def lose(place: Place) -> None:
    """Lose rows, bytes and published log; the keys are elsewhere."""
    folder = place.places.scratch.parent
    for one in (*folder.glob("rows.db*"), folder / "blobs", folder / "log"):
        shutil.rmtree(one) if one.is_dir() else one.unlink()


async def receipt_of(house: Any, index: int) -> str:
    row = (await house.rows(select(receipt).where(receipt.c.idx == index)))[0]
    assert row.caller_kind == "owner"
    return await receipts.fetch(house.vault, await house.owner(people.DAUGHTER), row.id)


async def test_what_was_signed_after_the_backup_is_named_by_a_new_log(
    source: Place, filled: Filled, kho_command: Command, workers: WorkerPool, tmp_path: Path
) -> None:
    async with opened_at(source, filled, workers) as house:
        await reads_all(house, filled)
        old_size = await house.size()
        old_line, kept = house.vault.signer.verifier_line, await receipt_of(house, old_size - 1)
        await publish(house.vault)
        done = await kho_command(source, "backup", tmp_path / "out")
        assert done.status == 0 and "no keys were copied" in done.err
        await reads_all(house, filled)  # signed, and in no backup
        lost = await receipt_of(house, old_size)
        newest = remembered(source.places.keys).head
    assert newest.size > old_size
    lose(source)
    done = await kho_command(source, "restore", tmp_path / "out")
    assert done.status == 1 and f"{newest.size} entries were signed, the backup holds {old_size}" in done.err
    assert not source.places.database.file.exists()
    done = await kho_command(source, "restore", tmp_path / "out", "--new-origin")
    assert done.status == 0 and "under a new name" in done.out
    found = await inspect(source.places)
    assert found.sound and [one.code for one in found.findings].count("origin") == 1

    async with opened_at(source, filled, workers) as house:
        assert await house.size() == old_size + 1, "one entry before all others"
        await publish(house.vault)
        await _told_at_the_door(house, source, old_line, old_size, newest)
        again = await receipt_of(house, old_size - 1)
        new_line = house.vault.signer.verifier_line
        await reads_all(house, filled)
    async with opened_at(source, filled, workers) as house:
        assert house.vault.signer.verifier_line == new_line, "once"
        assert len(await house.rows(select(log_origin.c.n))) == 2
    for text, line, outcome in (
        (kept, old_line, "valid"),
        (lost, old_line, "valid"),  # nobody can take it back
        (kept, new_line, "invalid"),
        (again, new_line, "valid"),
    ):
        assert verify_receipt(text, line).outcome == outcome
    assert (await inspect(source.places)).sound


async def _told_at_the_door(house: Any, source: Place, old_line: str, old_size: int, newest: Any) -> None:
    app = create_app(house.vault, source.settings)
    address = f"http://{source.settings.listen}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=address) as door:
        first, second = (await door.get("/log/origins")).json()["items"]
        assert first["key"] == old_line and "newest_head_before" not in first
        assert second["key"] == (await door.get("/log/key")).text.strip() != old_line
        assert second["entries_before"]["size"] == second["entry"] == old_size
        assert second["newest_head_before"]["size"] == newest.size
        assert from_base64(second["newest_head_before"]["root"]) == newest.root
        told = verify_receipt((await door.get(second["receipt"])).text, second["key"])
        assert (told.outcome, told.index) == ("valid", old_size)
        facts = told.parts["basis"]["facts"]
        assert facts["before"]["size"] == newest.size and facts["before"]["key"] == old_line
        assert from_base64(facts["before"]["root"]) == newest.root
        assert (await door.get("/log/origins/0/receipt")).status_code == 404


async def test_older_rows_put_back_by_hand_are_refused_still(
    source: Place, filled: Filled, workers: WorkerPool
) -> None:
    rows = source.places.database.file
    async with opened_at(source, filled, workers):
        pass
    shutil.copy(rows, rows.with_name("older"))
    async with opened_at(source, filled, workers) as house:
        await reads_all(house, filled)
        await publish(house.vault)
    shutil.copy(rows.with_name("older"), rows)
    with pytest.raises(LogBehind):
        async with opened_at(source, filled, workers):
            pass


async def test_a_log_key_that_the_rows_do_not_know_is_refused(
    source: Place, filled: Filled, workers: WorkerPool
) -> None:
    async with opened_at(source, filled, workers) as house:
        size, root = house.vault.signer.tree.size, house.vault.signer.tree.root()
    open_new_log(source.places.keys, size=size, root=root)
    with pytest.raises(VaultIncomplete, match="but these rows were signed as"):
        async with opened_at(source, filled, workers):
            pass


async def test_keys_that_signed_other_entries_are_refused_whatever_is_asked(
    source: Place, filled: Filled, workers: WorkerPool, tmp_path: Path
) -> None:
    """The same vault, twice in service: its two logs differ."""
    other = filled.copied(tmp_path / "other")
    async with opened_at(source, filled, workers) as house:
        await reads_all(house, filled)
        await house.vault.signer.checkpoint()
        done = await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)
    async with opened_at(other, filled, workers) as house:
        await reads_all(house, filled)
        await house.vault.signer.checkpoint()
    lose(other)
    examined = await examine(done.folder)
    for log in ("same", "new", None):
        with pytest.raises(LogForked, match="not the ones that these keys signed"):
            await restore(examined, other.places, Clock().now(), log=log)  # type: ignore[arg-type]


async def test_copied_keys_that_signed_more_need_a_new_name_whatever_is_known(
    source: Place, filled: Filled, workers: WorkerPool, tmp_path: Path
) -> None:
    async with opened_at(source, filled, workers) as house:
        done = await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)
        await reads_all(house, filled)
        await house.vault.signer.checkpoint()
        copy_keys(source.places.keys, tmp_path / "apart", Clock().now(), 1)
    lose(source)
    shutil.rmtree(source.places.keys)
    examined = await examine(done.folder)
    with pytest.raises(OriginNeeded, match="entries were signed"):
        await restore(examined, source.places, Clock().now(), keys_from=[tmp_path / "apart"], log="same")
    told = await restore(examined, source.places, Clock().now(), keys_from=[tmp_path / "apart"], log="new")
    assert told.new_origin
    async with opened_at(source, filled, workers) as house:
        await reads_all(house, filled)


class Died(BaseException):
    """The process died."""


async def test_dying_while_the_log_key_is_made_anew_ends_in_one_new_key(
    source: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, steps = source.places.keys, 0
    old = remembered(keys)
    while True:
        left = [steps]
        with monkeypatch.context() as dying:

            def counted(done: Any, left: list[int] = left) -> Any:
                def step(*said: Any, **more: Any) -> Any:
                    if not left[0]:
                        raise Died
                    left[0] -= 1
                    return done(*said, **more)

                return step

            for name in ("rename", "write_text", "mkdir"):
                dying.setattr(Path, name, counted(getattr(Path, name)))
            dying.setattr("vault.new_log_key.publish", counted(open_new_log.__globals__["publish"]))
            try:
                told = open_new_log(keys, size=7, root=b"\x07" * 32)
                break
            except Died:
                steps += 1
    now = remembered(keys)
    assert steps > 3 and told.head == old.head
    assert now.key.name != old.key.name and (now.head.size, now.head.root) == (7, b"\x07" * 32)
    before = retired(keys, old.key.name)
    assert before is not None and before.key.to_line() == old.key.to_line()
    assert len(list((keys / RETIRED).iterdir())) == 1
    assert not list(keys.glob("*.next")) and not list(keys.glob("*.part"))


async def test_a_name_is_noted_once_by_whoever_opens_first(
    source: Place, filled: Filled, workers: WorkerPool
) -> None:
    async with opened_at(source, filled, workers) as house:
        (row,) = await house.rows(select(log_origin))
        assert (row.n, row.first, row.idx) == (
            0,
            0,
            None,
        ) and row.key_line == house.vault.signer.verifier_line
        await house.change(update(log_origin).values(key_line="another"))
    with pytest.raises(VaultIncomplete):
        async with opened_at(source, filled, workers):
            pass
    assert json.dumps(row.name)
