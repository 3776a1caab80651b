"""A real OpenID provider (npm's oidc-provider), started for a realm; brought once, from names and hashes.

What it consists of is pinned in openid_provider/packages.json: name, version and hash of every package.
Offline and not kept from before, or without Node.js 20, its tests are skipped by name.
"""

import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import pytest

_SOURCE = Path(__file__).parent / "openid_provider"
_OLDEST_NODE = 20
_BRINGING = 180  # seconds


class OpenIdProvider:
    """One realm's provider on loopback; a context manager.

    `client` is its one client as it registers it; `accounts` have an `id` and claims; `in_token`: whether its
    ID tokens carry the claims, else they are asked for (userinfo).
    """

    def __init__(
        self,
        port: int,
        *,
        client: Mapping[str, Any],
        accounts: Sequence[Mapping[str, Any]],
        in_token: bool = True,
        acrs: Sequence[str] = ("LoA1", "LoA2"),
    ) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self._told = {
            "issuer": self.issuer,
            "port": port,
            "client": dict(client),
            "accounts": [dict(one) for one in accounts],
            "inToken": in_token,
            "acrs": list(acrs),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        home = _brought()
        if isinstance(home, str):
            pytest.skip(home)
        self._process = subprocess.Popen(
            [_node(), "--no-warnings", str(home / "server.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.__stderr__.fileno() if os.environ.get("TELL_PROVIDER") else subprocess.DEVNULL,
            preexec_fn=_go_with_parent,  # noqa: PLW1509 - it makes one system call
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._told).encode())
        self._process.stdin.close()
        if not any(b"listening" in line for line in self._process.stdout):  # it ends with the process
            self.__exit__()
            raise RuntimeError("the OpenID provider did not start; TELL_PROVIDER=1 shows what it says")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None


def _go_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@cache
def _node() -> str:
    """Give the program of Node.js: this machine's, or "" where it has none that is new enough."""
    found = shutil.which("node")
    if found is None:
        return ""
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=30)
    version = re.match(r"v(\d+)\.", told.stdout)
    return found if version is not None and int(version[1]) >= _OLDEST_NODE else ""


@cache
def _brought() -> Path | str:
    """Give the folder with the provider, brought on first use; or why it cannot be had."""
    if not _node():
        return f"oidc-provider needs Node.js {_OLDEST_NODE} or newer, and there is none"
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kho-tests"
    pinned = (_SOURCE / "packages.json").read_bytes()
    home = cached / f"openid-provider-{sha256(pinned).hexdigest()[:16]}"
    try:
        cached.mkdir(parents=True, exist_ok=True)
        with open(cached / "openid-provider.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not home.exists():
                _bring(home)
            shutil.copy(_SOURCE / "server.mjs", home)
    except (OSError, subprocess.SubprocessError) as problem:
        return f"oidc-provider could not be had from npm: {type(problem).__name__}"
    return home


def _bring(home: Path) -> None:
    """Have npm bring exactly what is pinned, and show the folder only when all of it is there."""
    _progress(f"Getting oidc-provider with npm into {home} (some seconds, once) ...")
    unfinished = home.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    packages = json.loads((_SOURCE / "packages.json").read_text("utf-8"))
    wanted = {"oidc-provider": packages["oidc-provider"]["version"]}
    root = {"name": "tests", "version": "1.0.0", "dependencies": wanted}
    pinned = {f"node_modules/{path}": one for path, one in packages.items()}
    lock = {"name": "tests", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": root, **pinned}}
    (unfinished / "package.json").write_text(json.dumps(root | {"private": True, "type": "module"}))
    (unfinished / "package-lock.json").write_text(json.dumps(lock))
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(npm, cwd=unfinished, capture_output=True, check=True, timeout=_BRINGING)
        unfinished.rename(home)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _progress(line: str) -> None:
    """Write to the terminal itself: pytest keeps what tests print."""
    try:
        with open("/dev/tty", "w", encoding="utf-8") as terminal:
            terminal.write(f"\n{line}\n")
    except OSError:
        print(line, file=sys.__stderr__)
