"""Wrapping opens for the right key, use and place alone; the key folder is used only if it is ours alone."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import MasterKeyDamaged, MasterKeyExposed, MasterKeyMissing, SealBroken, StoreUnavailable
from storage.keyring import (
    MasterKey,
    check_key_folder,
    create_key_folder,
    load_or_create_master,
    load_or_create_secret,
    new_key_pair,
    open_with,
    seal_to,
)

INFO, AAD = b"kho/1/record", b"owner || record"

CREATE = """
import sys
from pathlib import Path
from storage.keyring import load_or_create_secret
print(load_or_create_secret(Path(sys.argv[1]), "token", create=True).hex())
"""


def flips(sealed: bytes) -> list[bytes]:
    changed = []
    for place, bit in itertools.product(range(len(sealed)), range(8)):
        other = bytearray(sealed)
        other[place] ^= 1 << bit
        changed.append(bytes(other))
    return changed


def test_sealed_to_a_public_key_opens_with_the_private_one() -> None:
    pair = new_key_pair()
    assert (len(pair.public), len(pair.private)) == (32, 32)
    for content in (b"", b"x", os.urandom(32), os.urandom(100_000)):
        sealed = seal_to(pair.public, content, info=INFO, aad=AAD)
        assert len(sealed) == len(content) + 48
        assert open_with(pair.private, sealed, info=INFO, aad=AAD) == content


def test_a_private_key_does_not_show() -> None:
    pair = new_key_pair()
    assert "private" not in repr(pair)
    assert repr(pair.private)[2:-1] not in repr(pair)


@pytest.mark.parametrize(
    ("info", "aad"),
    [(b"kho/1/entry", AAD), (INFO, b"another"), (INFO + AAD[:5], AAD[5:]), (b"", INFO + AAD), (INFO, b"")],
)
def test_another_use_or_place_does_not_open(info: bytes, aad: bytes) -> None:
    pair = new_key_pair()
    sealed = seal_to(pair.public, b"key", info=INFO, aad=AAD)
    with pytest.raises(SealBroken):
        open_with(pair.private, sealed, info=info, aad=aad)


def test_another_key_does_not_open() -> None:
    sealed = seal_to(new_key_pair().public, b"key", info=INFO, aad=AAD)
    for private in (new_key_pair().private, bytes(32), b"short", b""):
        with pytest.raises(SealBroken):
            open_with(private, sealed, info=INFO, aad=AAD)


def test_every_flip_and_cut_of_a_sealed_value_is_found() -> None:
    pair = new_key_pair()
    sealed = seal_to(pair.public, b"key", info=INFO, aad=AAD)
    # X25519 ignores the topmost bit of a point; the KDF binds the bytes as sent, so that flip fails too.
    for other in [*flips(sealed), *(sealed[:size] for size in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(SealBroken):
            open_with(pair.private, other, info=INFO, aad=AAD)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), bytes(32)])
def test_what_is_no_public_key_is_a_mistake(public: bytes) -> None:
    with pytest.raises(ValueError):
        seal_to(public, b"key", info=INFO, aad=AAD)


def test_the_master_key_wraps_for_one_place() -> None:
    master = MasterKey(bytes(range(32)))
    wrapped = master.wrap(b"private", b"owner 1")
    assert len(wrapped) == 29 + len(b"private")
    assert wrapped != master.wrap(b"private", b"owner 1")
    assert master.unwrap(wrapped, b"owner 1") == b"private"
    assert MasterKey(bytes(range(32))).unwrap(wrapped, b"owner 1") == b"private"
    with pytest.raises(SealBroken):
        master.unwrap(wrapped, b"owner 2")
    with pytest.raises(SealBroken):
        MasterKey(bytes(32)).unwrap(wrapped, b"owner 1")


def test_every_flip_and_cut_of_a_wrapped_value_is_found() -> None:
    master = MasterKey(bytes(range(32)))
    wrapped = master.wrap(b"private", b"owner")
    for other in [*flips(wrapped), *(wrapped[:size] for size in range(len(wrapped))), wrapped + b"\0"]:
        with pytest.raises(SealBroken):
            master.unwrap(other, b"owner")


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKey(bytes(size))


def test_a_folder_is_made_for_us_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "keys"
    create_key_folder(folder)
    create_key_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    load_or_create_secret(folder, "token", create=True)
    assert (folder / "token.key").stat().st_mode & 0o777 == 0o600
    check_key_folder(folder)


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    create_key_folder(tmp_path / "keys")
    wrapped = load_or_create_master(tmp_path / "keys", create=True).wrap(b"x", b"y")
    assert load_or_create_master(tmp_path / "keys", create=True).unwrap(wrapped, b"y") == b"x"
    assert load_or_create_master(tmp_path / "keys", create=False).unwrap(wrapped, b"y") == b"x"
    token = load_or_create_secret(tmp_path / "keys", "token", create=True)
    assert token == load_or_create_secret(tmp_path / "keys", "token", create=False)
    assert token != load_or_create_secret(tmp_path / "keys", "other", create=True)
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {"master.key", "token.key", "other.key"}


def test_a_missing_key_or_folder_is_not_made_unasked(tmp_path: Path) -> None:
    create_key_folder(tmp_path / "keys")
    with pytest.raises(MasterKeyMissing, match=r"master\.key"):
        load_or_create_master(tmp_path / "keys", create=False)
    assert list((tmp_path / "keys").iterdir()) == []
    for create in (True, False):
        with pytest.raises(MasterKeyMissing, match="none"):
            load_or_create_master(tmp_path / "none", create=create)


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    create_key_folder(tmp_path / "keys")
    path = tmp_path / "keys" / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(MasterKeyDamaged, match=str(len(content))):
        load_or_create_master(tmp_path / "keys", create=True)
    assert path.read_bytes() == content


def open_the_folder(folder: Path) -> Path:
    folder.chmod(0o750)
    return folder


def open_a_file(folder: Path) -> Path:
    (folder / "master.key").chmod(0o640)
    return folder / "master.key"


def open_a_folder_inside(folder: Path) -> Path:
    (folder / "pki").mkdir()
    (folder / "pki").chmod(0o701)
    return folder / "pki"


def open_a_file_inside(folder: Path) -> Path:
    (folder / "pki").mkdir(mode=0o700)
    (folder / "pki" / "root.pem").write_bytes(b"")
    (folder / "pki" / "root.pem").chmod(0o604)
    return folder / "pki" / "root.pem"


@pytest.mark.parametrize("expose", [open_the_folder, open_a_file, open_a_folder_inside, open_a_file_inside])
def test_what_others_can_reach_is_refused_by_path_and_mode(
    tmp_path: Path, expose: Callable[[Path], Path]
) -> None:
    folder = tmp_path / "keys"
    create_key_folder(folder)
    load_or_create_master(folder, create=True)
    path = expose(folder)
    mode = f"{path.stat().st_mode & 0o777:03o}"
    for use in (
        lambda: check_key_folder(folder),
        lambda: create_key_folder(folder),
        lambda: load_or_create_master(folder, create=True),
    ):
        with pytest.raises(MasterKeyExposed) as refused:
            use()
        assert str(path) in str(refused.value)
        assert mode in str(refused.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_key_that_belongs_to_another_is_refused(tmp_path: Path) -> None:
    create_key_folder(tmp_path / "keys")
    load_or_create_master(tmp_path / "keys", create=True)
    os.chown(tmp_path / "keys" / "master.key", 12345, -1)
    with pytest.raises(MasterKeyExposed, match="12345"):
        check_key_folder(tmp_path / "keys")


def test_a_place_that_is_no_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        create_key_folder(tmp_path / "keys")


def test_processes_that_create_at_once_end_with_one_key(tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / f"keys{attempt}"
        create_key_folder(folder)
        program = [sys.executable, "-c", CREATE, str(folder)]
        running = [subprocess.Popen(program, stdout=subprocess.PIPE, cwd=Path.cwd()) for _ in range(3)]
        said = {process.communicate()[0] for process in running}
        assert {process.returncode for process in running} == {0}
        assert said == {(folder / "token.key").read_bytes().hex().encode() + b"\n"}
        shutil.rmtree(folder)
