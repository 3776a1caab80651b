"""One real server for a whole test run: started by whichever process asks first, gone with the last of them.

A keeper process of its own holds the server. Every process of the run holds a connection to the keeper, so
that the operating system counts them, the killed ones too; when the last connection is closed, the keeper
stops its server, removes its folder and ends. (A keeper that is killed with SIGKILL leaves its server.)
"""

import atexit
import contextlib
import fcntl
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol

import pytest

_GRACE = 3.0  # seconds without anybody, before the server goes
_PATIENCE = 180.0  # seconds for a server to start
_held: dict[str, tuple[socket.socket, dict[str, str]]] = {}
_keepers: list[subprocess.Popen[bytes]] = []  # started here; they outlive us, nobody waits for them


class Unobtainable(Exception):
    """A server's program is not here and cannot be had."""


class Server(Protocol):
    """What can be shared: made with an empty folder of its own, it runs until `stop`."""

    offers: dict[str, str]  # addresses and the like; "version" names program and version

    def stop(self) -> None: ...


def shared(what: str) -> dict[str, str]:
    """Give what the run's one server `what` ("module:Class") offers; skips by name where it cannot be had."""
    if what not in _held:
        _held[what] = _joined(what)
    offers = _held[what][1]
    if "missing" in offers:
        pytest.skip(offers["missing"])
    return offers


def versions() -> list[str]:
    """Name the servers that this process used, with their versions."""
    return [offers["version"] for _, offers in _held.values() if "version" in offers]


@atexit.register
def leave() -> None:
    """Give up every server; what nobody holds any more goes."""
    for connection, _ in _held.values():
        connection.close()
    _held.clear()
    for keeper in _keepers:
        keeper.returncode = 0  # or Popen warns that it still runs
    _keepers.clear()


def _joined(what: str) -> tuple[socket.socket, dict[str, str]]:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"alone{os.getpid()}")[:16]
    name = what.partition(":")[2].lower()
    folder = Path(tempfile.gettempdir()) / f"kho-{name}-{os.getuid()}-{run}"
    with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two that ask at once start it once
        connection = _connected(folder)
        if connection is None:
            _start(what, folder)
            connection = _connected(folder)
        assert connection is not None, f"the keeper of {what} went at once"
    with connection.makefile("rb") as told:
        return connection, json.loads(told.readline())


def _connected(folder: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"{folder}.door")
    except OSError:
        connection.close()
        return None
    return connection


def _start(what: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    command = [sys.executable, "-m", "tests.servers.sharing", what, str(folder)]
    with open(f"{folder}.said", "wb") as said:
        keeper = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
    _keepers.append(keeper)
    end = time.monotonic() + _PATIENCE
    while not Path(f"{folder}.door").exists():
        if keeper.poll() is not None or time.monotonic() > end:
            keeper.kill()
            raise RuntimeError(f"{what} did not start:\n" + Path(f"{folder}.said").read_text()[-3000:])
        time.sleep(0.05)


def _keep(what: str, folder: Path) -> None:
    """Run the server until nobody is connected any more."""
    module, _, name = what.partition(":")
    server: Any = None
    door, behind = Path(f"{folder}.door"), Path(f"{folder}.door.new")
    with contextlib.suppress(FileNotFoundError):
        door.unlink()
    try:
        try:
            server = getattr(importlib.import_module(module), name)(folder)
            offers = server.offers
        except Unobtainable as missing:
            offers = {"missing": str(missing)}
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(behind))
        listening.listen(64)
        behind.rename(door)  # it can be seen once it can be entered
        _attend(listening, json.dumps(offers).encode() + b"\n")
    finally:
        for path in (door, behind):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        # What was said stays where the server never came up: whoever waits for it shows it.
        for end in (".said", ".lock") if server is not None else (".lock",):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{folder}{end}").unlink()


def _attend(listening: socket.socket, told: bytes) -> None:
    inside: set[socket.socket] = set()
    wait = 30.0  # for the first one
    while True:
        ready, _, _ = select.select([listening, *inside], [], [], None if inside else wait)
        if not ready:
            return
        for one in ready:
            if one is listening:
                came, _ = listening.accept()
                came.sendall(told)
                inside.add(came)
            elif not one.recv(16):
                inside.discard(one)
                one.close()
        wait = _GRACE


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests; the keeper goes with them
    _keep(sys.argv[1], Path(sys.argv[2]))
