"""A publisher killed before any of its file operations: the next one goes on, to the same bytes."""

import asyncio
import os
import shutil
import signal
import sys
from itertools import count

import pytest

from signing.log_check import verify_log
from signing.merkle import leaf_hash
from signing.receipt import outcome_of
from vault.signer import Signer

LEAVES = [b"\x01\x03" + number.to_bytes(32) for number in range(600)]
FILE_EVENTS = {
    "open",
    "os.mkdir",
    "os.link",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.chmod",
    "shutil.rmtree",
}


async def rows(first, stop):
    return LEAVES[first:stop]


async def publish(folder, size):
    """As a process would: open, load the rows, sign and publish. Returns the key line."""
    signer = await Signer.open(key_folder=folder / "keys", log_folder=folder / "log", create=True)
    await signer.load([leaf_hash(leaf) for leaf in LEAVES[:size]])
    await signer.publish(rows)
    await signer.close()
    return signer.verifier_line


def die_at(number, folder, size):
    """Publish in a child that kills itself before its file operation of this number; True if it lived."""
    child = os.fork()
    if child == 0:
        left = number

        def watch(event, arguments):
            nonlocal left
            if event in FILE_EVENTS and str(folder) in str(arguments):
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1

        sys.addaudithook(watch)
        try:
            asyncio.run(publish(folder, size))
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return not os.WIFSIGNALED(status)


def files(folder):
    found = (path for path in (folder / "log").rglob("*") if path.is_file())
    return {path.relative_to(folder / "log").as_posix(): path.read_bytes() for path in found}


def check(folder, line):
    return outcome_of(verify_log(lambda path: (folder / "log" / path).read_bytes(), line))


@pytest.mark.parametrize(("before", "after"), [(0, 3), (250, 600)])
def test_a_killed_publication_is_finished_by_the_next(tmp_path, before, after):
    start = tmp_path / "start"
    line = asyncio.run(publish(start, before))
    done = shutil.copytree(start, tmp_path / "done")
    asyncio.run(publish(done, after))
    wanted = files(done)
    for number in count():
        folder = shutil.copytree(start, tmp_path / f"run{number}")
        lived = die_at(number, folder, after)
        assert check(folder, line) == "valid"  # what readers see meanwhile
        asyncio.run(publish(folder, after))
        assert files(folder) == wanted
        if lived:
            break
    assert number > 20


def test_a_killed_creation_is_begun_again(tmp_path):
    for number in count():
        folder = tmp_path / f"run{number}"
        lived = die_at(number, folder, 3)
        line = asyncio.run(publish(folder, 3))
        assert check(folder, line) == "valid"
        if lived:
            break
    assert number > 10
