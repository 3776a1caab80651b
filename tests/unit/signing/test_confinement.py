"""Whoever takes over a worker reaches neither network nor key: tried in a process bound as workers are."""

import json
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from signing.workers import Limits, WorkerPool

# Begins as the nursery begins, raises one child as it raises workers, and tries there what must not be.
PROGRAM = """
import ctypes, json, os, socket, sys
from signing.confinement import cut_files, cut_network
from signing.nursery import confine

port, keys, mine, limits, bound = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
nothing = os.open(os.devnull, os.O_RDWR)
held = os.open(mine, os.O_RDONLY)
cut = {"network": cut_network(libc), "files": cut_files(libc)} if bound else {}
reading, writing = os.pipe()
if os.fork() == 0:
    os.close(reading)
    if bound:
        confine(limits, libc, nothing)
    acts = {
        "connect": lambda: socket.create_connection(("127.0.0.1", port), 5).close(),
        "connect by datagram": lambda: socket.socket(type=socket.SOCK_DGRAM).connect(("192.0.2.1", 53)),
        "read a key": lambda: open(os.path.join(keys, "master.key"), "rb").read(),
        "list the keys": lambda: os.listdir(keys),
        "write": lambda: os.close(os.open(os.path.join(keys, "new"), os.O_CREAT | os.O_WRONLY)),
        "remove": lambda: os.unlink(os.path.join(keys, "other.key")),
        "read who is there": lambda: open("/etc/passwd").read(),
        "read memory": lambda: open(f"/proc/{os.getppid()}/maps").read(),
        "read what it was given": lambda: os.pread(held, 4, 0),
        "load late": lambda: __import__("wave"),
    }
    done = {}
    for name, act in acts.items():
        try:
            act()
            done[name] = "done"
        except OSError as problem:
            done[name] = type(problem).__name__
    os.write(writing, json.dumps(done).encode())
    os._exit(0)
os.close(writing)
told = b""
while piece := os.read(reading, 65536):
    told += piece
os.wait()
print(json.dumps([cut, json.loads(told)]))
"""
ALLOWED = {"read what it was given", "load late"}


def tried(tmp_path: Path, *, bound: bool) -> Any:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("master.key", "other.key"):
        (keys / name).write_bytes(b"secret")
    mine = tmp_path / "document.pdf"
    mine.write_bytes(b"%PDF")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asked = [listening.getsockname()[1], str(keys), str(mine), asdict(Limits()), bound]
        source = Path(__file__).parents[3]
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM, json.dumps(asked)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PYTHONPATH": str(source), "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_process_like_any_other_reaches_all_of_it(tmp_path: Path) -> None:
    _, acts = tried(tmp_path, bound=False)
    assert set(acts.values()) == {"done"}, acts


def test_a_worker_reaches_neither_network_nor_keys(tmp_path: Path) -> None:
    cut, acts = tried(tmp_path, bound=True)
    if not cut["network"] or not cut["files"]:
        pytest.skip(f"this system does not allow it: {cut}; /readyz says so")
    assert {name for name, how in acts.items() if how == "done"} == ALLOWED, acts
    assert (tmp_path / "keys" / "other.key").exists()
    assert not (tmp_path / "keys" / "new").exists()


@pytest.mark.anyio
async def test_the_pool_says_what_its_workers_are_cut_off_from(tmp_path: Path) -> None:
    cut, _ = tried(tmp_path, bound=True)
    pool = WorkerPool(size=1)
    assert (pool.network_cut, pool.files_cut) == (False, False)
    await pool.start()
    try:
        assert {"network": pool.network_cut, "files": pool.files_cut} == cut
    finally:
        await pool.close()
