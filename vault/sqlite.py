"""Rows in one SQLite file: one process, many readers beside one writer (DESIGN 6, 9).

The writer's transactions begin with BEGIN IMMEDIATE and are durable on commit (WAL, synchronous=FULL).
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from vault.database import Database, Hold, Work, used
from vault.errors import VaultBusy, VaultLocked

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
)


class SqliteDatabase(Database):
    """One file, its lock file beside it."""

    shared = False

    def __init__(self, path: Path, *, hold: Hold) -> None:
        """Open `path`; to write it, this process becomes the only one that does.

        Raises:
            VaultLocked: another process holds the vault.
        """
        self._lock_file = None if hold == "none" else _take_lock(path.with_suffix(".lock"))
        url = f"sqlite+aiosqlite:///{path}"
        self._readers = _engine(url, begin="BEGIN", pool_size=4)
        self._writer = _engine(url, begin="BEGIN IMMEDIATE", pool_size=1)
        self._one_writer = asyncio.Lock()

    @asynccontextmanager
    async def read(self, *, unlimited: bool = False) -> AsyncIterator[AsyncConnection]:
        """Give a snapshot; no statement has a limit here."""
        try:
            async with self._readers.connect() as db:
                await db.begin()
                yield db
        except OperationalError as problem:
            raise VaultBusy(_words(problem)) from problem

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give the one writing connection: whoever has it has the head."""
        try:
            async with self._one_writer, self._writer.begin() as db:
                yield db
        except OperationalError as problem:
            raise VaultBusy(_words(problem)) from problem

    def beside(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give the one writing connection."""
        return self.write()

    @asynccontextmanager
    async def alone(self, work: Work, *, wait: bool = False) -> AsyncIterator[bool]:
        """Say that it is so: the lock file sees to it."""
        yield True

    def connections(self) -> Mapping[str, tuple[int, int]]:
        """Count the readers' and the writer's connections."""
        return {"read": used(self._readers), "write": used(self._writer)}

    async def close(self) -> None:
        """Close every connection and give up the lock."""
        await self._readers.dispose()
        await self._writer.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None


def _words(problem: OperationalError) -> str:
    return f"database: {problem.orig}"


def _engine(url: str, *, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=30)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver's own transaction guessing is switched off: we say BEGIN ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _take_lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(handle)
        raise VaultLocked(f"{path} is held; stop the running `kho serve` or `kho demo` first") from problem
    return handle
