"""A vault in processes of its own: `kho sign`, `gate`, `seal`, `serve` and `work`, each under its own user.

Other users are taken where the tests run as root and some Python of this version can be run by everybody;
`users` says whether they were. Elsewhere all run as ourselves.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.postgres import as_user, make_users
from vault.rights import API, GATE, RIGHTS, SIGN, WORK, grant
from vault.rows_address import RowsAddress

ROOT = Path(__file__).parents[2]
GROUP = 61000
USERS = {"serve": 61001, "work": 61002, "sign": 61003, "gate": 61004, "seal": 61005, "thief": 61001}
ISSUER = "https://kho.example"
KEPT = ("sign", "gate", "seal")
_VARIABLE = {"sign": "SIGNER", "gate": "GATE", "seal": "SEALER"}
_PATIENCE = 60.0


@dataclass
class Parts:
    """The processes of one vault, their folders, and what they wrote; `close` when the test is done."""

    rows: str
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kho-parts-")))
    same_user_works: bool = True  # `kho work` as the user of `kho serve`, where bytes are in a folder
    rights: bool = False  # each part as its own user of the database, with no more than its rights
    log_key: str = ""
    gate_more: dict[str, str] = field(default_factory=dict)  # settings that the gate alone is told
    users: bool = False
    python: Path = Path(sys.executable)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.chmod(0o755)
        found = for_everybody(self.folder) if os.geteuid() == 0 else None
        self.users, self.python = found is not None, found or self.python

    # Making it

    def split(self, built: Path) -> None:
        """Make it of a vault that was built in one process, and is closed."""
        for part in KEPT:
            (self.folder / part).mkdir(mode=0o755)
        said = {"DATABASE": self.rows, "KEYS": built / "keys"}
        folders = [f"--{part}={self.folder / part / 'keys'}" for part in KEPT]
        self.told("keys", "split", *folders, env=self.environment("nobody", **said))
        if self.rights:
            make_users(*RIGHTS)
            asyncio.run(grant(RowsAddress(self.rows)))
        for name in ("serve", "seal"):  # the demo's authorities: whom to trust, time stamps and status
            (self.folder / name / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copytree(built / "keys" / "authority", self.folder / name / "keys" / "authority")
        shutil.copytree(built / "blobs", self.folder / "serve" / "blobs")
        self.places()

    def places(self) -> None:
        """Make the folders of sockets, scratch files and the log, and give each to its user."""
        for name in ("serve", "work", *KEPT):
            own = self.folder / name
            for inside in ("scratch", "home", "keys"):
                (own / inside).mkdir(mode=0o700, parents=True, exist_ok=True)
            (own / "run").mkdir(mode=0o750)
            own.chmod(0o755)
        (self.folder / "sign" / "log").mkdir(mode=0o755)
        if self.users:
            for name in ("serve", "work", *KEPT):
                for one in (self.folder / name, *(self.folder / name).rglob("*")):
                    os.chown(one, self.user(name), GROUP)
                (self.folder / name / "run").chmod(0o2750)

    # Running it

    def rows_of(self, kind: str) -> str:
        """The address of the rows as a part has it; `kho admin` owns the tables."""
        name = {"serve": API, "thief": API, "work": WORK, "gate": GATE, "sign": SIGN}.get(kind)
        return as_user(self.rows, name) if self.rights and name else self.rows

    def user(self, name: str) -> int:
        """Which user a process runs as."""
        kind = name.partition("-")[0]
        if not self.users:
            return os.geteuid()
        return USERS["serve" if kind == "work" and self.same_user_works else kind]

    def socket(self, part: str) -> Path:
        return self.folder / part / "run" / "socket"

    def settings(self, name: str) -> dict[str, Any]:
        """What is set for a process."""
        kind = name.partition("-")[0]
        asked_by = ",".join(str(one) for one in sorted({self.user("serve"), self.user("work")}))
        own = self.folder / ("serve" if kind in ("thief", "admin") else kind)
        said: dict[str, Any] = {"KEYS": own / "keys", "SCRATCH": own / "scratch", "ISSUER": ISSUER}
        if kind == "sign":
            peers = f"{asked_by},{self.user('gate')}"
            return said | {
                "DATABASE": self.rows_of(kind),
                "SIGNER": f"unix:{self.socket('sign')}",
                "LOG_FOLDER": own / "log",
                "PEERS": peers,
            }
        if kind == "gate":
            sockets = {_VARIABLE[one]: f"unix:{self.socket(one)}" for one in ("sign", "gate")}
            said |= {"PEERS": asked_by, "WORK_PEERS": self.user("work")}
            return said | sockets | {"DATABASE": self.rows_of(kind)} | self.gate_more
        if kind == "seal":
            return said | {"SEALER": f"unix:{self.socket('seal')}", "PEERS": asked_by}
        if kind == "work" and self.same_user_works:
            said["KEYS"] = self.folder / "serve" / "keys"
        sockets = {_VARIABLE[one]: f"unix:{self.socket(one)}" for one in KEPT}
        said |= {
            "DATABASE": self.rows_of(kind),
            "STORE": f"folder:{self.folder / 'serve' / 'blobs'}",
            "SEARCH": "none",
        }
        said |= {"LOG_FOLDER": self.folder / "sign" / "log", "OCR": "off", "LOG_KEY": self.log_key}
        return said | sockets | {"LISTEN": f"127.0.0.1:{self.ports.get(name, 8080)}"}

    def environment(self, name: str, **changes: Any) -> dict[str, str]:
        """The whole environment of a process."""
        said = {} if name == "nobody" else self.settings(name)
        kind = "serve" if name in ("nobody", "thief") else name.partition("-")[0]
        own = {"HOME": self.folder / kind / "home", "PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
        own |= {"PYTHONDONTWRITEBYTECODE": "1"}
        return {k: str(v) for k, v in (own | {f"KHO_{k}": v for k, v in (said | changes).items()}).items()}

    def start(self, name: str, *arguments: str, wait: bool = True) -> None:
        """Start `kho NAME`; "serve-2" is another `kho serve`."""
        kind = name.partition("-")[0]
        if kind == "serve" and name not in self.ports:
            self.ports[name] = free_port()
        with (self.folder / f"{name}.journal").open("ab") as said:
            self.running[name] = subprocess.Popen(
                [self.python, "-m", "reuse_api", kind, *arguments],
                cwd=ROOT,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                **self.as_user(name),
            )
        if wait:
            self.wait(name)

    def as_user(self, name: str) -> dict[str, Any]:
        """What makes a new process one of that user."""
        if not self.users:
            return {}
        return {"user": self.user(name), "group": GROUP, "extra_groups": [GROUP]}

    def wait(self, name: str) -> None:
        """Wait until it says in its journal that it is there."""
        said = {"serve": "serving", "work": "working"}.get(name.partition("-")[0], "listening")
        end = time.monotonic() + _PATIENCE
        pid = self.running[name].pid
        while not self.says(name, said, pid):
            if self.running[name].poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} did not start:\n{self.journal(name)[-3000:]}")
            time.sleep(0.05)
        if name in self.ports:
            while not _answers(self.ports[name]):
                if time.monotonic() > end:
                    raise RuntimeError(f"{name} does not answer")
                time.sleep(0.02)

    def says(self, name: str, event: str, pid: int | None = None) -> bool:
        """Whether a process has written of an event since it was last started."""
        lines = self.journal(name).splitlines()
        stops = [n for n, line in enumerate(lines) if line.startswith("--- ")]
        return any(f'"event": "{event}"' in line for line in lines[stops[-1] if stops else 0 :])

    def journal(self, name: str) -> str:
        path = self.folder / f"{name}.journal"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """What a process wrote, line by line."""
        return [json.loads(line) for line in self.journal(name).splitlines() if line.startswith("{")]

    def end(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """End a process, and give how it ended."""
        process = self.running.pop(name)
        process.send_signal(how)
        status = process.wait(60)
        with (self.folder / f"{name}.journal").open("a") as said:
            said.write(f"--- ended with {status}\n")
        return status

    def log_line(self) -> str:
        """The log's public line, as `kho sign` printed it."""
        return next(line for line in self.journal("sign").splitlines() if line.startswith("kho.local/log-"))

    def told(self, *arguments: str, env: dict[str, str], user: str = "") -> str:
        """Run a command of ours to its end as the user of a part, or as root; else as ourselves."""
        command = [self.python if user else sys.executable, "-m", "reuse_api", *arguments]
        said: dict[str, Any] = {"cwd": ROOT, "env": env, "capture_output": True, "text": True}
        done = subprocess.run(command, check=False, **said, **(self.as_user(user) if user else {}))
        if done.returncode:
            raise RuntimeError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def close(self) -> None:
        for name in list(self.running):
            self.end(name)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def running_parts(built: Path, rows: str, **said: Any) -> Iterator[Parts]:
    """Have a vault that was built in one process, and is closed, run in parts: the three, and a server."""
    made = Parts(rows, **said)
    try:
        made.split(built)
        for name in (*KEPT, "serve"):
            made.start(name)
        yield made
    finally:
        made.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def for_everybody(folder: Path) -> Path | None:
    """Give a Python that other users can run, with all that ours has; None where there is none."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    others = [Path(place) / version for place in ("/usr/bin", "/usr/local/bin")]
    for program in (Path(sys.executable).resolve(), *others):
        own = folder / "python" / program.parent.name
        if not program.exists():
            continue
        shutil.rmtree(own, ignore_errors=True)
        inside = own / "lib" / version / "site-packages"
        inside.parent.mkdir(parents=True)
        (own / "bin").mkdir()
        (own / "bin" / "python").symlink_to(program)
        (own / "pyvenv.cfg").write_text(f"home = {program.parent}\n")
        # By no other path: workers read the folders of Python alone.
        inside.symlink_to(sysconfig.get_path("purelib"))
        trying = [own / "bin" / "python", "-c", "import sqlalchemy, asyncpg, pyhanko, reuse_api"]
        who: dict[str, Any] = {"user": USERS["serve"], "group": GROUP, "extra_groups": []}
        try:
            subprocess.run(trying, check=True, cwd="/", env={}, capture_output=True, **who)
        except (OSError, subprocess.CalledProcessError):
            continue
        return own / "bin" / "python"
    return None
