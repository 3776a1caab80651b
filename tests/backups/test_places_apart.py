"""Where a store may not be, and what is said of a place that is taken or lacks its keys."""

from pathlib import Path

import pytest

from tests.backups.conftest import Command, Place, place_in
from tests.backups.test_moving import at, to
from vault.moving import give_up

pytestmark = pytest.mark.anyio

OWN = {"keys": "keys/x", "log": "log/x", "scratch": "scratch", "old store": "blobs/x", "around": ""}


@pytest.mark.parametrize("name", OWN)
async def test_a_store_moves_into_no_folder_of_the_vault(
    source: Place, kho_command: Command, tmp_path: Path, name: str
) -> None:
    into = tmp_path / "source" / OWN[name]
    done = await kho_command(source, "move", "--to-store", f"folder:{into}")
    assert done.status == 1 and "which is the vault's own" in done.err, done.err
    done = await kho_command(source, "move", "--to-store", f"folder:{into}", "--lang", "vi")
    assert done.status == 1 and "là thư mục của chính kho" in done.err
    assert await give_up(source.places) is None, "nothing was frozen for it"
    assert not (tmp_path / "source" / "keys" / "x").exists()


async def test_nothing_is_restored_with_its_bytes_among_the_keys(
    backed_up: Path, kho_command: Command, tmp_path: Path
) -> None:
    keys = tmp_path / "target" / "keys"
    target = place_in("embedded", tmp_path / "target", store=f"folder:{keys / 'blobs'}")
    told = ["restore", backed_up / "backups", "--keys-from", backed_up / "keys", "--new-origin"]
    done = await kho_command(target, *told)
    assert done.status == 1 and "which is the vault's own" in done.err, done.err
    assert not keys.exists() and not target.places.database.file.exists()


async def test_rows_that_a_given_up_move_left_are_named_once_and_what_to_do(
    source: Place, kho_command: Command, tmp_path: Path
) -> None:
    target = at(source, place_in("embedded", tmp_path / "target"))
    target.places.database.file.touch()
    done = await kho_command(source, "move", *to(target))
    assert done.status == 1 and done.err.count("rows.db") == 1, done.err
    assert "name an empty place" in done.err and "given up may be removed" in done.err
    done = await kho_command(source, "move", *to(target), "--lang", "vi")
    assert "hãy chuyển đi trước hoặc nêu nơi còn trống" in done.err and "carry" not in done.err


async def test_a_restore_without_keys_says_how_to_give_them(
    backed_up: Path, kho_command: Command, tmp_path: Path
) -> None:
    target = place_in("embedded", tmp_path / "target")
    for more, words in (([], "give a copy of the keys by"), (["--lang", "vi"], "hãy nêu bản sao khóa bằng")):
        done = await kho_command(target, "restore", backed_up / "backups", *more)
        assert done.status == 1 and f"{words} --keys-from" in done.err, done.err
