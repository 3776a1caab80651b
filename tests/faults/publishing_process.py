"""A process that publishes in children of its own, each killed before one of its file operations."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from signing.merkle import leaf_hash
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


async def rows(first: int, stop: int) -> list[bytes]:
    return LEAVES[first:stop]


async def publish(folder: Path, size: int) -> str:
    """As a process would: open, load the rows, sign and publish. Returns the key line."""
    signer = await Signer.open(key_folder=folder / "keys", log_folder=folder / "log", create=True)
    await signer.load([leaf_hash(leaf) for leaf in LEAVES[:size]])
    await signer.publish(rows)
    await signer.close()
    return signer.verifier_line


def die_at(number: int, folder: Path, size: int) -> int:
    """Publish in a child; gives its exit status, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        left = number

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
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
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        number, folder, size = json.loads(line)
        print(die_at(number, Path(folder), size), flush=True)
