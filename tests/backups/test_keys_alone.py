"""`kho backup --keys-to` alone: with what each part of the server set-up is told, nothing more."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage.keyring import create_key_folder
from tests.servers import compose
from vault import key_copies
from vault.backup_place import chosen

PARTS = [name for name in compose.PARTS if "KHO_KEYS" in compose.services()[name].environment]


def kho(settings: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reuse_api", *map(str, arguments)]
    known = {name: value for name, value in os.environ.items() if not name.startswith("KHO_")}
    said: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 60}
    return subprocess.run(
        command, check=False, env=known | settings | {"LC_ALL": "C.UTF-8"}, cwd=compose.ROOT, **said
    )


def test_parts_with_keys_are_those_that_hold_some() -> None:
    assert PARTS == ["sign", "gate", "seal", "work"]


@pytest.mark.parametrize("name", PARTS)
def test_each_part_copies_its_own_keys_by_its_own_settings(name: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    create_key_folder(keys)
    (keys / "one.key").touch(mode=0o600)
    (keys / "one.key").write_bytes(os.urandom(32))
    settings = compose.services()[name].environment | {"KHO_KEYS": str(keys)}
    done = kho(settings, "backup", "--keys-to", tmp_path / "copies", "--lang", "en")
    assert done.returncode == 0, done.stderr
    copy = chosen(tmp_path / "copies", key_copies.LIST)
    assert list(json.loads((copy / key_copies.LIST).read_text())["files"]) == ["one.key"]
    assert (copy / "one.key").read_bytes() == (keys / "one.key").read_bytes()
