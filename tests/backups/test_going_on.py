"""A restore goes on with the backup it was begun from; what cannot be written or used is told."""

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.backups.conftest import Command, Filled, Place, place_in
from tests.backups.test_moving import at, to
from vault.backing_up import back_up
from vault.backup_place import chosen
from vault.clock import Clock
from vault.manifest import MANIFEST
from vault.moving import give_up

pytestmark = pytest.mark.anyio


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def longest_blob(backup: Path) -> int:
    return max(one.stat().st_size for one in backup.rglob("*") if one.is_file())


async def test_a_limit_of_file_sizes_is_an_operators_sentence_and_the_restore_goes_on_from_its_backup(
    source: Place, backed_up: Path, kho_command: Command, tmp_path: Path
) -> None:
    backups = shutil.copytree(backed_up / "backups", tmp_path / "backups")
    first = chosen(backups)
    longest, rows = longest_blob(first), source.places.database.file.stat().st_size
    assert rows > longest + 65536, "the rows are what does not fit"
    target = place_in("embedded", tmp_path / "target")
    told = ["restore", backups, "--keys-from", backed_up / "keys", "--new-origin"]
    for limit in (longest + 4096, rows - 65536):
        for language, words in (("en", "run the same command again: it goes on"), ("vi", "nó làm tiếp")):
            with no_file_above(limit):
                done = await kho_command(target, *told, "--lang", language)
            last = done.err.splitlines()[-1]
            assert done.status == 1 and words in last and "rows.db" in last, done.err
            assert "nhật ký" not in last and "The log" not in last

    await back_up(source.places, backups, Clock().now(), keep=7)
    assert chosen(backups) != first
    done = await kho_command(target, "restore", chosen(backups), *told[2:])
    assert done.status == 1 and f"run `kho restore` again, from {first}" in done.err, done.err
    done = await kho_command(target, *told)
    assert done.status == 0, done.err
    assert f"begun from {first}" in done.out
    assert (await target.inspected()).sound


async def test_a_newest_backup_without_manifest_is_told_of(
    source: Place, backed_up: Path, kho_command: Command, tmp_path: Path
) -> None:
    backups = shutil.copytree(backed_up / "backups", tmp_path / "backups")
    older = chosen(backups)
    newest = (await back_up(source.places, backups, Clock().now(), keep=7)).folder
    target = place_in("embedded", tmp_path / "target")
    check = ["restore", backups, "--check-only"]
    done = await kho_command(target, *check)
    assert (done.status, done.err) == (0, "") and str(newest) in done.out
    (newest / MANIFEST).unlink()
    for language, words in (("en", "PASSED OVER"), ("vi", "BỎ QUA")):
        done = await kho_command(target, *check, "--lang", language)
        assert done.status == 1 and f"{words}  {newest}" in done.err and str(older) in done.out
    done = await kho_command(target, *check[:2], "--keys-from", backed_up / "keys", "--new-origin")
    assert done.status == 1 and f"PASSED OVER  {newest}" in done.err
    assert (await target.inspected()).sound, "restored all the same, from the one before"


async def test_a_store_whose_bytes_were_moved_is_neither_backed_up_nor_moved_nor_called_sound(
    source: Place, filled: Filled, kho_command: Command, tmp_path: Path
) -> None:
    other = place_in("embedded", tmp_path / "other")
    assert (await kho_command(source, "move", *to(other, rows=False))).status == 0
    third = place_in("embedded", tmp_path / "third")
    for again in (["inspect"], ["backup", tmp_path / "out"], ["move", *to(third, rows=False)]):
        done = await kho_command(source, *again)
        said = done.out + done.err
        assert done.status == 1 and "were moved to" in said and "set KHO_STORE" in said, again
    assert await give_up(source.places) is None, "nothing was frozen for it"
    assert not (tmp_path / "out").exists()
    moved = at(source, other, database=source.settings.database)
    assert (await moved.inspected()).sound
