"""A publisher killed before any of its file operations: the next one goes on, to the same bytes."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from signing.log_check import verify_log
from signing.receipt import outcome_of
from tests.faults.publishing_process import publish


class Dying:
    """A process of one thread, which may fork: ours has those of whatever was tested before."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.publishing_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def die_at(self, number, folder, size):
        """Publish in a child that kills itself before its file operation of this number; True if it lived."""
        self._process.stdin.write(json.dumps([number, str(folder), size]) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        assert status in (0, -signal.SIGKILL)
        return status == 0

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def dying():
    one = Dying()
    yield one
    one.close()


def files(folder):
    found = (path for path in (folder / "log").rglob("*") if path.is_file())
    return {path.relative_to(folder / "log").as_posix(): path.read_bytes() for path in found}


def check(folder, line):
    return outcome_of(verify_log(lambda path: (folder / "log" / path).read_bytes(), line))


@pytest.mark.parametrize(("before", "after"), [(0, 3), (250, 600)])
def test_a_killed_publication_is_finished_by_the_next(dying, tmp_path, before, after):
    start = tmp_path / "start"
    line = asyncio.run(publish(start, before))
    done = shutil.copytree(start, tmp_path / "done")
    asyncio.run(publish(done, after))
    wanted = files(done)
    for number in count():
        folder = shutil.copytree(start, tmp_path / f"run{number}")
        lived = dying.die_at(number, folder, after)
        assert check(folder, line) == "valid"  # what readers see meanwhile
        asyncio.run(publish(folder, after))
        assert files(folder) == wanted
        if lived:
            break
    assert number > 20


def test_a_killed_creation_is_begun_again(dying, tmp_path):
    for number in count():
        folder = tmp_path / f"run{number}"
        lived = dying.die_at(number, folder, 3)
        line = asyncio.run(publish(folder, 3))
        assert check(folder, line) == "valid"
        if lived:
            break
    assert number > 10
