"""`make server`: everything of docker-compose.yml comes up, the demo's story is told in it, and it ends."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.compose import ROOT, users

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where users of the system can get to, as they cannot in the tests' own folders."""
    made = Path(tempfile.mkdtemp(prefix="kho-whole-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def brought_up(folder: Path) -> str:
    command = [sys.executable, "-m", "tests.servers.whole", "--once", "--port", "0", "--folder", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580, check=False)
    if "cannot be obtained" in done.stdout or "has no program for this machine" in done.stdout:
        pytest.skip(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_of_it_comes_up_tells_the_story_and_is_there_again(folder: Path) -> None:
    told = brought_up(folder)
    found = re.findall(r"^kho (\w+) \((?:user (\d+)|our user), process \d+\)", told, re.M)
    assert [part for part, _ in found] == ["sign", "gate", "seal", "serve", "serve", "work"]
    if all(user for _, user in found):
        assert {int(user) for _, user in found} == set(users().values()) - {users()["kho-admin"]}
    else:
        assert "All parts run under our own user" in told
    size = (folder / "volumes" / "log" / "checkpoint").read_text().splitlines()[1]
    brought_up(folder)
    grown = (folder / "volumes" / "log" / "checkpoint").read_text().splitlines()[1]
    assert int(grown) > int(size) > 50, "the same log, grown"
