"""A vault that is served: by one process with every key, or by the parts and two `kho serve`."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.house import House
from benchmarks.peers import free_port, running
from benchmarks.setups import SetUp
from reuse_api.wiring import AUTHORITY

SERVES = 2  # API processes of the set-up of several
_KEPT = {"sign": "SIGNER", "gate": "GATE", "seal": "SEALER"}
_PATIENCE = 60.0  # seconds for a part to listen


@dataclass(frozen=True)
class Served:
    """Where it can be asked, and which process is which."""

    ports: tuple[int, ...]
    processes: Mapping[str, int]


@contextmanager
def served(house: House, setup: SetUp, port: int) -> Iterator[Served]:
    """Serve a vault that was built and closed, at the address it was built for, until the block ends."""
    if setup.apart:
        with _apart(house, port) as found:
            yield found
        return
    with running(_command("serve"), port, house.environment) as process:
        yield Served((port,), {"kho serve": process})


@contextmanager
def _apart(house: House, port: int) -> Iterator[Served]:
    folder = Path(tempfile.mkdtemp(prefix="kho-"))  # a socket's path is short
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        told = house.environment | {"KHO_ISSUER": house.settings.address}
        keys = {part: folder / f"{part}-keys" for part in _KEPT}
        asked = [f"--{part}={place}" for part, place in keys.items()]
        subprocess.run([*_command("keys"), "split", *asked], env=_with(told), check=True, capture_output=True)
        keys["serve"] = folder / "serve-keys"
        for part in ("seal", "serve"):  # whom to trust is the demo's
            shutil.copytree(house.settings.keys / AUTHORITY, keys[part] / AUTHORITY)
        keys["serve"].chmod(0o700)
        sockets = {f"KHO_{name}": f"unix:{folder / part / 'socket'}" for part, name in _KEPT.items()}
        own = ("KHO_STORE", "KHO_STORE_CREDENTIALS", "KHO_SEARCH", "KHO_LISTEN")
        kept = {name: value for name, value in told.items() if name not in own} | sockets
        processes = {}
        for part in _KEPT:
            (folder / part).mkdir(mode=0o700)
            said = kept | {"KHO_KEYS": str(keys[part]), "KHO_SCRATCH": str(folder / part / "scratch")}
            processes[f"kho {part}"] = stack.enter_context(_part(part, said, folder / part / "socket"))
        ports = (port, *(free_port() for _ in range(SERVES - 1)))
        for number, one in enumerate(ports, start=1):
            scratch = folder / f"scratch-{number}"
            listening = {"KHO_LISTEN": f"127.0.0.1:{one}", "KHO_SCRATCH": str(scratch)}
            serving = told | sockets | {"KHO_KEYS": str(keys["serve"])} | listening
            processes[f"kho serve {number}"] = stack.enter_context(running(_command("serve"), one, serving))
        yield Served(ports, processes)


@contextmanager
def _part(name: str, told: Mapping[str, str], socket: Path) -> Iterator[int]:
    process = subprocess.Popen(
        _command(name), env=_with(told), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + _PATIENCE
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"kho {name} does not listen; it ended with {process.returncode}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_PATIENCE)


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "reuse_api", name]


def _with(told: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **told}
