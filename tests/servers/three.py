"""`kho sign`, `kho gate`, `kho seal`, `kho work` of one vault, each a process of its own, under our own user.

To the database each is a user of its own, with the rights of `kho migrate --rights` and no others; the sealer
knows of no database. For tests that come at the doors: what the users of the system are for is tried in
tests/faults/test_thief.py.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.servers import postgres, softhsm
from vault.migrating import migrate
from vault.rights import API, GATE, RIGHTS, SIGN, WORK, grant
from vault.rows_address import RowsAddress
from vault.seal_keys import SealKeys

_PATIENCE = 180.0  # seconds
_NAMES = {"sign": "signer", "gate": "gate", "seal": "sealer"}
_USERS = {"sign": SIGN, "gate": GATE, "serve": API, "work": WORK}  # of the database
_ROOT = Path(__file__).parents[2]


class Three:
    """The three, made for fresh rows and running while inside; `settings` is what `kho serve` is told.

    `rows` is their address for the owner of the tables. `work` starts `kho work` beside them, once
    `kho serve` has made the vault.
    """

    def __init__(
        self, rows: str, *, issuer: str, authority: Path, more: Mapping[str, Any] | None = None
    ) -> None:
        self._more = dict(more or {})  # that all are told
        self._folder = Path(tempfile.mkdtemp(prefix="kho-"))  # a socket's path is short
        self._rows, self._issuer, self._authority = rows, issuer, authority
        self._running: list[subprocess.Popen[bytes]] = []
        self.gate_folder = self._folder / "gate-keys"
        self.seal_folder = self._folder / "seal-keys" / "seal"
        self.seal_keys = SealKeys(self.seal_folder, None)

    async def __aenter__(self) -> Self:
        await migrate(RowsAddress(self._rows))  # as `kho migrate --create --rights`
        postgres.make_users(*RIGHTS, of=self._rows)
        await grant(RowsAddress(self._rows))
        for part in _NAMES:
            (self._folder / part).mkdir(mode=0o700)
            (self._folder / f"{part}-keys").mkdir(mode=0o700)
        shutil.copytree(self._authority, self._folder / "seal-keys" / self._authority.name)
        try:
            for part in _NAMES:
                self._start(part)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in reversed(self._running):
            one.send_signal(signal.SIGTERM)
            one.wait(_PATIENCE)
        shutil.rmtree(self._folder)

    @property
    def settings(self) -> dict[str, str]:
        """Where the three are, and the rows as `kho serve` has them."""
        return self._sockets | {"database": self._rows_of("serve")}

    @property
    def _sockets(self) -> dict[str, str]:
        return {name: f"unix:{self._folder / part / 'socket'}" for part, name in _NAMES.items()}

    def _rows_of(self, part: str) -> str:
        return postgres.as_user(self._rows, _USERS[part])

    @property
    def log_folder(self) -> Path:
        """Where the signer publishes."""
        return self._folder / "log"

    def _start(self, part: str) -> None:
        self._run(part, self._told(part), "--create", until="listening")

    def _told(self, part: str) -> dict[str, Any]:
        told: dict[str, Any] = {
            "keys": self._folder / f"{part}-keys",
            "scratch": self._folder / part / "scratch",
            "log_folder": self.log_folder,
            "issuer": self._issuer,
            **self._sockets,
            **self._more,
        }
        return told | ({"database": self._rows_of(part)} if part in _USERS else {})

    def gate_beside(self, told: Mapping[str, Any]) -> Path:
        """Start another gate with the same keys, told more, such as of other providers; gives its socket."""
        own = Path(tempfile.mkdtemp(prefix="gate-", dir=self._folder))
        said = self._told("gate") | {"gate": f"unix:{own / 'socket'}", **told}
        self._run("gate", said, until="listening", journal=own / "gate.jsonl")
        return own / "socket"

    def work(self, told: Mapping[str, Any]) -> None:
        """Start `kho work`, told what `kho serve` is told; returns once it works."""
        (self._folder / "work").mkdir(mode=0o700)
        keys = self._folder / "work-keys"
        keys.mkdir(mode=0o700)
        shutil.copytree(self._authority, keys / self._authority.name)
        own = {"keys": keys, "scratch": self._folder / "work" / "scratch", "database": self._rows_of("work")}
        self._run("work", {**told, **own}, until="working")

    def _run(
        self, part: str, told: Mapping[str, Any], *more: str, until: str, journal: Path | None = None
    ) -> None:
        own = {f"KHO_{name.upper()}": str(value) for name, value in told.items()}
        own |= {"SOFTHSM2_CONF": str(softhsm.configured())}
        journal = journal or self._folder / f"{part}.jsonl"
        with journal.open("wb") as said:
            started = subprocess.Popen(
                [sys.executable, "-m", "reuse_api", part, *more],
                cwd=_ROOT,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | own,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self._running.append(started)
        end = time.monotonic() + _PATIENCE
        while f'"event": "{until}"' not in journal.read_text(errors="replace"):
            if started.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{part} did not start:\n{journal.read_text()[-3000:]}")
            time.sleep(0.1)
