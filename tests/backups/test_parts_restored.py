"""A vault of several processes, backed up while it serves, is made again from three copies of keys."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import Template
from tests.faults.load import Office
from tests.servers import postgres
from tests.servers.parts import GROUP, KEPT, Parts, running_parts
from vault.rows_address import RowsAddress

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]
ROWS = ("postgresql",)


@pytest.fixture
def parts(folder: Path, rows_address: RowsAddress) -> Iterator[Parts]:
    with running_parts(folder, rows_address.text) as made:
        yield made


@pytest.fixture
def another(rows_address: RowsAddress) -> Iterator[Parts]:
    """Empty rows and folders, on the same server."""
    rows = postgres.fresh_database()
    made = Parts(rows)
    yield made
    made.close()
    postgres.drop_database(rows)


def reads(parts: Parts, template: Template) -> str:
    """Have an office take a document; gives the digest of what came."""
    office = Office(template.keys, [parts.ports["serve"]])
    with httpx.Client(timeout=60) as asking:
        office.round(asking)
    assert not office.faults, office.faults
    return office.reads[0].digest


def own_folder(parts: Parts, name: str) -> Path:
    """A folder that the user of a part alone may write to."""
    folder = parts.folder / f"apart-{name}"
    folder.mkdir(mode=0o700)
    if parts.users:
        os.chown(folder, parts.user(name), GROUP)
    return folder


def test_parts_are_made_again_from_a_backup_and_the_keys_of_each(
    parts: Parts, another: Parts, template: Template, tmp_path: Path
) -> None:
    before = reads(parts, template)
    copies = {name: own_folder(parts, name) for name in KEPT}
    parts.told("backup", str(tmp_path / "out"), env=parts.environment("serve"))
    for name, place in copies.items():
        parts.told("backup", "--keys-to", str(place), env=parts.environment(name), user=name)
    serving = (parts.folder / "serve" / "blobs", parts.folder / "sign" / "log")
    for name in ("serve", *reversed(KEPT)):
        parts.end(name)

    for one in (path for place in copies.values() for path in (place, *place.rglob("*"))):
        os.chown(one, os.geteuid(), os.getegid())  # who restores must be whose the copies are

    whole = tmp_path / "whole"
    whole.mkdir()
    place = {"DATABASE": another.rows, "STORE": f"folder:{whole / 'blobs'}", "KEYS": whole / "keys"}
    place |= {"LOG_FOLDER": whole / "log", "SCRATCH": whole / "scratch", "SEARCH": "none"}
    told = another.environment("nobody", **place)
    given = [one for name in KEPT for one in ("--keys-from", str(copies[name]))]
    done = another.told("restore", str(tmp_path / "out"), *given, "--new-origin", env=told)
    assert "new name" in done or "tên mới" in done
    assert all(place.exists() for place in serving), "the old ones stay"

    another.split(whole)
    for name in (*KEPT, "serve"):
        another.start(name)
    assert reads(another, template) == before
    with httpx.Client(base_url=f"http://127.0.0.1:{another.ports['serve']}") as asking:
        assert len(asking.get("/log/origins").json()["items"]) == 2
