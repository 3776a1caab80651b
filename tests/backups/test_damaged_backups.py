"""Backups that are cut, partial or altered, and places and keys that are wrong: each is refused by name."""

import gzip
import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from reuse_api.commands.error_words import error_words
from signing.checkpoint import Checkpoint, LogKey
from signing.merkle import EMPTY_ROOT
from storage.errors import MasterKeyExposed, MasterKeyMissing, StoreUnavailable
from storage.keyring import create_key_folder, load_or_create_master
from tests.backups.conftest import Command, Filled, Place, place_in
from vault import key_copies
from vault.backing_up import back_up
from vault.backup_examining import KeysForeign, examine
from vault.backup_place import BEGUN, BackupPlaceTaken, chosen
from vault.clock import Clock
from vault.errors import SchemaMismatch, VaultError, VaultIncomplete
from vault.log_folder import LogForked
from vault.manifest import BLOBS, MANIFEST, BackupCut, BackupDamaged
from vault.restoring import PlaceNotEmpty, restore
from vault.row_files import RowsFileDamaged
from vault.signer import LogBehind
from vault.signer_memory import Memory

pytestmark = pytest.mark.anyio
Harm = Callable[[Path], object]


def manifest(**changes: Any) -> Harm:
    def harm(backup: Path) -> None:
        path = backup / MANIFEST
        said = json.loads(path.read_text())
        for name, value in changes.items():
            part, _, inner = name.partition("__")
            if inner:
                said[part][inner] = value
            else:
                said[part] = value
        path.write_text(json.dumps(said))

    return harm


def rows_of(table: str, change: Callable[[list[bytes]], list[bytes]], *, told: bool) -> Harm:
    """Change the lines of a file of rows, and with `told` the manifest to fit."""

    def harm(backup: Path) -> None:
        path = backup / "rows" / f"{table}.jsonl.gz"
        lines = change(gzip.decompress(path.read_bytes()).splitlines(keepends=True))
        path.write_bytes(gzip.compress(b"".join(lines)))
        if told:
            fit(backup, path)

    return harm


def fit(backup: Path, path: Path) -> None:
    said = json.loads((backup / MANIFEST).read_text())
    name = path.relative_to(backup).as_posix()
    for one in [*said["rows"], said["blobs"]]:
        if one["file"] == name:
            one |= {"sha256": sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
    (backup / MANIFEST).write_text(json.dumps(said))


def first_blob(backup: Path) -> Path:
    return min(one for one in (backup / "blobs").rglob("*") if one.is_file())


def cut_short(path: Callable[[Path], Path]) -> Harm:
    return lambda backup: path(backup).write_bytes(path(backup).read_bytes()[:-7])


def flipped(path: Callable[[Path], Path]) -> Harm:
    def harm(backup: Path) -> None:
        content = bytearray(path(backup).read_bytes())
        content[len(content) // 2] ^= 1
        path(backup).write_bytes(content)

    return harm


HARMS: dict[str, tuple[Harm, type[VaultError], str]] = {
    "no manifest": (lambda at: (at / MANIFEST).unlink(), BackupCut, "has no manifest.json"),
    "an empty manifest": (lambda at: (at / MANIFEST).write_bytes(b""), BackupDamaged, "cannot be understood"),
    "another format": (manifest(format="kho-backup/9"), BackupDamaged, "of the format kho-backup/9"),
    "a file outside": (
        manifest(blobs__file="../../etc/passwd"),
        BackupDamaged,
        "cannot be understood",
    ),
    "newer rows": (manifest(schema="9999"), SchemaMismatch, "newer"),
    "a table missing": (
        lambda at: (at / "rows" / "consent.jsonl.gz").unlink(),
        BackupDamaged,
        "rows/consent.jsonl.gz is missing",
    ),
    "a table flipped": (
        flipped(lambda at: at / "rows" / "owner.jsonl.gz"),
        BackupDamaged,
        "rows/owner.jsonl.gz was altered",
    ),
    "a table cut": (
        cut_short(lambda at: at / "rows" / "record.jsonl.gz"),
        BackupDamaged,
        "rows/record.jsonl.gz was altered",
    ),
    "a list flipped": (flipped(lambda at: at / BLOBS), BackupDamaged, "blobs.jsonl.gz was altered"),
    "a blob missing": (lambda at: first_blob(at).unlink(), BackupDamaged, r"blob \S+ is missing"),
    "a blob flipped": (flipped(first_blob), BackupDamaged, r"blob \S+ was altered"),
    "a blob cut": (cut_short(first_blob), BackupDamaged, r"blob \S+ was altered"),
    "an entry gone, the manifest made to fit": (
        rows_of("log_entry", lambda lines: lines[:-1], told=True),
        BackupDamaged,
        "has another root than the manifest",
    ),
    "an entry gone in the middle": (
        rows_of("log_entry", lambda lines: lines[:3] + lines[4:], told=True),
        LogForked,
        "entry 2 of the log is missing",
    ),
    "another root": (manifest(log__root="00" * 32), BackupDamaged, "another root"),
    "no checkpoint that is one": (manifest(log__checkpoint="x"), BackupDamaged, "checkpoint"),
    "rows that are none": (
        rows_of("log_entry", lambda lines: [*lines, b"{\n"], told=True),
        BackupDamaged,
        "no JSON",
    ),
}


@pytest.mark.parametrize("name", HARMS)
async def test_what_is_missing_or_altered_is_named(backed_up: Path, tmp_path: Path, name: str) -> None:
    harm, error, told = HARMS[name]
    backup = tmp_path / "copy"
    shutil.copytree(chosen(backed_up / "backups"), backup)
    harm(backup)
    with pytest.raises(error, match=told) as refused:
        await examine(backup)
    assert error_words(refused.value, "vi") != error_words(refused.value, "en")


async def test_rows_that_are_altered_after_they_were_examined_are_not_taken(
    backed_up: Path, tmp_path: Path
) -> None:
    """Somebody who may write the disk waits until the check has passed."""
    backup = shutil.copytree(chosen(backed_up / "backups"), tmp_path / "copy")
    target = place_in("embedded", tmp_path / "target")
    said: dict[str, Any] = {"keys_from": [backed_up / "keys"], "log": "same"}
    examined = await examine(backup)
    rows = backup / dict(examined.manifest.rows)["agency"].file
    whole = rows.read_bytes()
    rows.write_bytes(gzip.compress(gzip.decompress(whole).replace("Công an".encode(), "Công-an".encode())))
    assert gzip.decompress(rows.read_bytes()) != gzip.decompress(whole)
    with pytest.raises(RowsFileDamaged, match="altered while it was read"):
        await restore(examined, target.places, Clock().now(), **said)
    rows.write_bytes(whole)
    done = await restore(examined, target.places, Clock().now(), **said)
    assert done.size == examined.tree.size


async def test_a_manifest_kept_elsewhere_knows_another_one(backed_up: Path) -> None:
    backup = chosen(backed_up / "backups")
    digest = sha256((backup / MANIFEST).read_bytes()).hexdigest()
    await examine(backup, digest.upper())
    with pytest.raises(BackupDamaged, match="not the expected one"):
        await examine(backup, "00" * 32)


async def test_a_backup_that_was_cut_is_none_and_the_one_before_is_taken(
    backed_up: Path, tmp_path: Path
) -> None:
    for name in ("nothing", "begun alone"):
        folder = tmp_path / name
        folder.mkdir()
        if name == "begun alone":
            shutil.copytree(chosen(backed_up / "backups"), folder / BEGUN)
            (folder / BEGUN / MANIFEST).unlink()
        with pytest.raises(BackupCut, match=r"cut before its end|no backup"):
            chosen(folder)
    whole = shutil.copytree(chosen(backed_up / "backups"), tmp_path / "begun alone" / "20260101T000000Z")
    assert chosen(tmp_path / "begun alone") == whole


FULL: dict[str, Callable[[Place], object]] = {
    "rows are at": lambda at: at.places.database.file.touch(),
    "bytes are in": lambda at: (
        (at.places.scratch.parent / "blobs" / "blobs" / "00").mkdir(parents=True),
        (at.places.scratch.parent / "blobs" / "blobs" / "00" / "something").touch(),
    ),
    "a log is published in": lambda at: (at.places.log.mkdir(), (at.places.log / "checkpoint").touch()),
    "keys are in": lambda at: (
        create_key_folder(at.places.keys) or load_or_create_master(at.places.keys, create=True)
    ),
}


@pytest.mark.parametrize("told", FULL)
async def test_a_place_that_is_not_empty_is_left_as_it_is(backed_up: Path, tmp_path: Path, told: str) -> None:
    target = place_in("embedded", tmp_path / "target")
    FULL[told](target)
    before = sorted(str(one) for one in tmp_path.rglob("*"))
    examined = await examine(chosen(backed_up / "backups"))
    with pytest.raises(PlaceNotEmpty, match=told):
        await restore(examined, target.places, Clock().now(), keys_from=[backed_up / "keys"], log="same")
    after = {str(one) for one in tmp_path.rglob("*")} - set(before)
    assert not [one for one in after if one.endswith((".db", ".key", ".unfinished"))]


def other_master(keys: Path) -> None:
    path = chosen(keys, key_copies.LIST) / "master.key"
    path.write_bytes(b"\x01" * 32)
    listed(keys, "master.key")


def other_log_key(keys: Path) -> None:
    copy = chosen(keys, key_copies.LIST)
    key = LogKey.new("kho.local/log-000000000000")
    (copy / "log.key").write_text(key.to_line() + "\n")
    memory = Memory.open(copy / "signer.state", create=False)
    memory.begin(key.name)
    assert memory.head() == Checkpoint(key.name, 0, EMPTY_ROOT)
    memory.close()
    listed(keys, "log.key")
    listed(keys, "signer.state")


def listed(keys: Path, name: str) -> None:
    copy = chosen(keys, key_copies.LIST)
    said = json.loads((copy / key_copies.LIST).read_text())
    said["files"][name] = sha256((copy / name).read_bytes()).hexdigest()
    (copy / key_copies.LIST).write_text(json.dumps(said))


def keys_file(name: str, harm: Callable[[Path], object]) -> Harm:
    return lambda keys: harm(chosen(keys, key_copies.LIST) / name)


def and_listed(harm: Harm, name: str) -> Harm:
    def both(keys: Path) -> None:
        harm(keys)
        listed(keys, name)

    return both


WRONG_KEYS: dict[str, tuple[Harm, type[Exception], str]] = {
    "another master key": (other_master, KeysForeign, "master key does not open"),
    "another log key": (other_log_key, KeysForeign, "the log key is"),
    "a key gone": (keys_file("index.key", Path.unlink), BackupDamaged, "index.key is missing"),
    "a key altered": (
        keys_file("index.key", lambda path: path.write_bytes(b"x" * 32)),
        BackupDamaged,
        "index.key was altered",
    ),
    "a file that nobody copied": (
        keys_file("planted.json", lambda path: path.write_text("{}")),
        BackupDamaged,
        "planted.json is not in the list",
    ),
    "a link beside": (
        keys_file("link.key", lambda path: path.symlink_to("/etc/hostname")),
        BackupDamaged,
        "link.key is not in the list",
    ),
    "a link that is listed": (
        and_listed(keys_file("link.key", lambda path: path.symlink_to("index.key")), "link.key"),
        BackupDamaged,
        "link.key is a link",
    ),
    "a folder that is a link": (
        and_listed(keys_file("more", lambda path: path.symlink_to(".")), "more/index.key"),
        BackupDamaged,
        "index.key is a link",
    ),
    "a name above": (
        and_listed(keys_file("x", lambda path: (path.parents[1] / "stray").touch()), "../stray"),
        BackupDamaged,
        "no name in it",
    ),
    "a name from the root": (lambda keys: listed(keys, "/etc/hostname"), BackupDamaged, "no name in it"),
    "no list": (keys_file("keys.json", Path.unlink), BackupCut, "no keys.json"),
    "no list that is one": (
        keys_file("keys.json", lambda path: path.write_text("{}")),
        BackupDamaged,
        "cannot be understood",
    ),
}


@pytest.mark.parametrize("name", WRONG_KEYS)
async def test_keys_that_are_not_these_or_not_whole_are_refused_before_anything_is_written(
    backed_up: Path, tmp_path: Path, name: str
) -> None:
    harm, error, told = WRONG_KEYS[name]
    keys = shutil.copytree(backed_up / "keys", tmp_path / "keys")
    harm(keys)
    target = place_in("embedded", tmp_path / "target")
    examined = await examine(chosen(backed_up / "backups"))
    with pytest.raises(error, match=told):
        await restore(examined, target.places, Clock().now(), keys_from=[keys], log="same")
    assert sorted(one.name for one in (tmp_path / "target").iterdir()) in ([], ["blobs"])


async def test_without_keys_nothing_is_restored(backed_up: Path, tmp_path: Path) -> None:
    target = place_in("embedded", tmp_path / "target")
    examined = await examine(chosen(backed_up / "backups"))
    with pytest.raises(MasterKeyMissing):
        await restore(examined, target.places, Clock().now())
    shutil.copytree(chosen(backed_up / "keys", key_copies.LIST), target.places.keys)
    target.places.keys.chmod(0o755)
    with pytest.raises(MasterKeyExposed):
        await restore(examined, target.places, Clock().now())


async def test_keys_and_backups_are_kept_apart_unless_asked_twice(
    source: Place, kho_command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for keys in (out, out / "keys", tmp_path):
        done = await kho_command(source, "backup", out, "--keys-to", keys)
        assert done.status == 1 and "lie in one another" in done.err
    for own in (source.places.keys, source.places.keys / "copy", source.places.log, tmp_path / "source"):
        done = await kho_command(source, "backup", "--keys-to", own)
        assert done.status == 1 and "the vault's own" in done.err
    assert not out.exists()
    done = await kho_command(source, "backup", out, "--keys-to", out / "keys", "--keys-beside")
    assert done.status == 0
    done = await kho_command(source, "backup", "--lang", "vi")
    assert done.status == 1 and "hãy cho biết nơi sao lưu" in done.err


async def test_a_folder_of_other_things_takes_no_backup(source: Place, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").touch()
    with pytest.raises(BackupPlaceTaken, match=r"holds other things: letter\.txt"):
        await back_up(source.places, tmp_path / "home", Clock().now(), keep=1)
    (tmp_path / "file").touch()
    with pytest.raises(BackupPlaceTaken, match="no folder"):
        await back_up(source.places, tmp_path / "file", Clock().now(), keep=1)


async def test_a_vault_that_is_not_what_was_published_replaces_no_good_backup(
    filled: Filled, source: Place, tmp_path: Path
) -> None:
    """Rows that were put back from an older copy, and rows that were changed."""
    checkpoint = source.places.log / "checkpoint"
    lines = checkpoint.read_text().split("\n")
    for change, error in (((1, "100000"), LogBehind), ((2, "A" * 43 + "="), LogForked)):
        at, text = change
        checkpoint.write_text("\n".join([*lines[:at], text, *lines[at + 1 :]]))
        with pytest.raises(error):
            await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)
    checkpoint.write_text("\n".join(lines))
    await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)


async def test_no_vault_and_half_a_vault_are_not_backed_up(source: Place, tmp_path: Path) -> None:
    nothing = place_in("embedded", tmp_path / "nothing")
    with pytest.raises(VaultIncomplete, match="there is no database"):
        await back_up(nothing.places, tmp_path / "out", Clock().now(), keep=1)
    source.places.database.file.with_suffix(".unfinished").touch()
    with pytest.raises(VaultIncomplete, match="never finished"):
        await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)


async def test_a_store_that_is_away_ends_it(source: Place, tmp_path: Path) -> None:
    blobs = Path(source.settings.store.partition(":")[2]) / "blobs"
    shutil.move(blobs, tmp_path / "gone")
    blobs.touch()
    with pytest.raises(StoreUnavailable):
        await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)
    assert not (tmp_path / "out").exists()
