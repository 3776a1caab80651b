"""Loading files of rows into a database that has none: at their version, then brought up to ours.

All of it is there at once or not at all: on a server it is one transaction, an SQLite file is made beside and
gets its name last. So whoever dies meanwhile leaves no rows.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    LargeBinary,
    Text,
    column,
    func,
    insert,
    inspect,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from storage.durable import sync_folder
from vault import postgres
from vault.errors import VaultBusy, VaultError
from vault.manifest import Manifest
from vault.migrating import configuration, known_version
from vault.row_files import RowsReader
from vault.rows_address import RowsAddress
from vault.sqlite import SqliteDatabase

_TYPES: dict[str, Any] = {
    "text": Text(),
    "bytes": LargeBinary(),
    "number": BigInteger(),
    "boolean": Boolean(),
}
_ARRIVING = ".arriving"
Finish = Callable[[AsyncConnection], Awaitable[None]]


class RowsUnfit(VaultError):
    """The rows do not fit into this database."""

    code = "rows_unfit"


class RowsUnwritten(VaultError):
    """The rows could not be written to their end; nothing is served from them."""

    code = "rows_unwritten"


async def tables_in(address: RowsAddress) -> list[str]:
    """Name the tables that there are. Raises VaultBusy."""
    if not address.server:
        return [str(address.file)] if address.file.exists() else []
    engine = postgres.engine(address, poolclass=NullPool)
    try:
        async with postgres.connected(engine) as db:
            return list(await db.run_sync(lambda sync: inspect(sync).get_table_names()))
    finally:
        await engine.dispose()


async def load(address: RowsAddress, folder: Path, manifest: Manifest, finish: Finish) -> None:
    """Load the rows of a backup where there are none.

    Args:
        folder: where the files are, found right before.
        finish: the last to write, in the same transaction, at this program's version.

    Raises:
        SchemaMismatch: the rows are newer than this program.
        RowsUnfit: a text cannot be kept by this database.
        RowsUnwritten: the disk of an SQLite file is full, or the file may grow no further.
        RowsFileDamaged, VaultBusy, OSError.
    """
    known_version(manifest.schema)
    if address.server:
        await _load_server(address, folder, manifest, finish)
    else:
        with _told_to_operator(address):
            await _load_file(address.file, folder, manifest, finish)


@contextmanager
def _told_to_operator(address: RowsAddress) -> Iterator[None]:
    """Say of what SQLite cannot write what an operator can do: nobody else waits for an answer."""
    try:
        yield
    except OperationalError as problem:  # by the migrations
        raise _unwritten(address.file, str(problem.orig)) from problem
    except VaultBusy as problem:
        raise _unwritten(address.file, problem.detail.removeprefix("database: ")) from problem


def _unwritten(file: Path, why: str) -> RowsUnwritten:
    return RowsUnwritten(
        f"the rows could not be written to {file}: {why}; put that right (room on the disk, `ulimit -f`) "
        "and run the same command again: it goes on"
    )


async def _load_server(address: RowsAddress, folder: Path, manifest: Manifest, finish: Finish) -> None:
    engine = postgres.migrating_engine(address)
    try:
        async with postgres.turn_to_migrate(engine), postgres.connected(engine) as db, db.begin():

            def upgrade(sync: Any, to: str) -> None:
                command.upgrade(configuration(address, sync), to)

            await db.run_sync(upgrade, manifest.schema)
            await _insert(db, folder, manifest, no_nul=True)
            await _number_on(db, manifest)
            await db.run_sync(upgrade, "head")
            await finish(db)
    finally:
        await engine.dispose()


async def _load_file(path: Path, folder: Path, manifest: Manifest, finish: Finish) -> None:
    beside = path.with_name(path.name + _ARRIVING)
    for leftover in (beside, *(beside.with_name(beside.name + end) for end in ("-wal", "-shm", "-journal"))):
        leftover.unlink(missing_ok=True)
    made = RowsAddress(str(beside))
    await asyncio.to_thread(command.upgrade, configuration(made), manifest.schema)
    rows = SqliteDatabase(beside, hold="none")
    try:
        async with rows.write() as db:
            await _insert(db, folder, manifest, no_nul=False)
    finally:
        await rows.close()
    await asyncio.to_thread(command.upgrade, configuration(made), "head")
    rows = SqliteDatabase(beside, hold="none")
    try:
        async with rows.write() as db:
            await finish(db)
    finally:
        await rows.close()
    await asyncio.to_thread(_name, beside, path)


def _name(beside: Path, path: Path) -> None:
    log = beside.with_name(f"{beside.name}-wal")
    if log.exists() and log.stat().st_size:  # SQLite does not say so when it closes a file that cannot grow
        raise _unwritten(path, "disk I/O error")
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.rename(path)
    for end in ("-wal", "-shm"):  # empty: the last connection wrote all of it into the file
        with suppress(FileNotFoundError):
            beside.with_name(beside.name + end).unlink()
    sync_folder(path.parent)


async def _insert(db: AsyncConnection, folder: Path, manifest: Manifest, *, no_nul: bool) -> None:
    for name, file in manifest.rows:
        reader = await asyncio.to_thread(RowsReader, folder / file.file, file.sha256)
        columns: list[Any] = [column(one, _TYPES[kind]) for one, kind in reader.columns]
        statement, portions = insert(table(name, *columns)), reader.portions()
        while portion := await asyncio.to_thread(next, portions, None):
            if no_nul:
                _refuse_nul(name, portion)
            await db.execute(statement, portion)


def _refuse_nul(name: str, portion: list[dict[str, Any]]) -> None:
    for row in portion:
        for key, value in row.items():
            if isinstance(value, str) and "\x00" in value:
                raise RowsUnfit(f"{name}.{key}: a text with a NUL, which PostgreSQL keeps in no row")


async def _number_on(db: AsyncConnection, manifest: Manifest) -> None:
    """Let the server go on numbering where the rows end, in the tables that it numbers."""
    for name, _ in manifest.rows:
        for one in await db.run_sync(partial(_columns, name=name)):
            if "nextval" in str(one["default"] or ""):
                said = {"table": name, "column": one["name"]}
                newest = f'SELECT coalesce(max("{one["name"]}"), 0) + 1 FROM "{name}"'  # noqa: S608 - our own names
                sequence = text(f"SELECT setval(pg_get_serial_sequence(:table, :column), ({newest}), false)")
                await db.execute(sequence, said)


def _columns(sync: Connection, name: str) -> Any:
    return inspect(sync).get_columns(name)


async def miscounted(db: AsyncConnection, manifest: Manifest) -> list[str]:
    """Name the tables that have not as many rows as they should; a later version may have added some."""
    found = []
    tables = set(await db.run_sync(lambda sync: inspect(sync).get_table_names()))
    for name, file in manifest.rows:
        if name not in tables:  # a later version took it away
            continue
        query = select(func.count(literal_column("*"))).select_from(table(name))
        there = int((await db.execute(query)).scalar_one())
        if there < file.rows:
            found.append(f"{name} has {there} rows of {file.rows}")
    return found
