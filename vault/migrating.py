"""The schema's versions, by Alembic, from the first table on; alike on both databases.

Each version says its phase. "pre" only adds, and goes in while the program before it still serves; "post"
takes away what no running program needs any more, and needs the rows alone. They stand in one line: what is
"post" goes in before the "pre" of the next release. On PostgreSQL an advisory lock lets one run at a time,
from however many machines; no statement waits longer than some seconds for a table that others use.
"""

import asyncio
from functools import cache
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from vault import postgres
from vault.errors import RowsUnreadable, SchemaMismatch, VaultBusy, VaultIncomplete
from vault.rows_address import RowsAddress

_SCRIPTS = Path(__file__).parent / "migrations"
Phase = Literal["pre", "all"]
_AGAIN = (
    "because its server went away or others used a table for too long (a report, a backup, an inspection); "
    "what was not finished is undone; run `kho migrate` again"
)


def configuration(address: RowsAddress, connection: Connection | None = None) -> Config:
    """Give Alembic's configuration for a file, or for a connection to a server."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    if connection is None:
        config.set_main_option("sqlalchemy.url", f"sqlite:///{address.file}".replace("%", "%%"))
    else:
        config.attributes["connection"] = connection
    return config


async def migrate(address: RowsAddress, *, phase: Phase = "all") -> None:
    """Bring rows to the newest version, or with "pre" as far as others may go on serving meanwhile.

    Raises:
        SchemaMismatch: the rows are newer than this program.
        VaultBusy: a table or the turn to migrate could not be had in time; what was not finished is undone.
    """
    known, wanted = await versions(address)
    target = _target(known, wanted, phase)
    if address.server:
        await _migrate_server(address, target)
    else:
        await asyncio.to_thread(command.upgrade, configuration(address), target)


async def check_schema(address: RowsAddress) -> None:
    """Refuse to work on another version's rows; what only a "post" would take away may still be there.

    Raises:
        SchemaMismatch: naming both versions.
        RowsUnreadable: the file is no database, or cannot be opened.
    """
    found, wanted = await versions(address)
    if any(_phase(one) == "pre" for one in _steps(found, wanted)):
        raise SchemaMismatch(f"{address} is at version {found}, this Kho is at {wanted}; run `kho migrate`")


def known_version(found: str) -> None:
    """Refuse rows of a version that this program does not know. Raises SchemaMismatch."""
    wanted = _scripts().get_current_head()
    _steps(found, wanted or "")


async def check_tables(address: RowsAddress) -> None:
    """Refuse a database in which there is nothing yet. Raises VaultIncomplete, VaultBusy."""
    if (await versions(address))[0] is None:
        raise VaultIncomplete(f"there are no tables at {address}: `kho migrate --create` makes them")


async def needs_alone(address: RowsAddress) -> bool:
    """Say whether bringing rows to the newest version takes something away.

    Raises:
        SchemaMismatch: the rows are newer than this program.
    """
    found, wanted = await versions(address)
    return any(_phase(one) == "post" for one in _steps(found, wanted))


async def versions(address: RowsAddress) -> tuple[str | None, str]:
    """Give the version that rows are at, None before the first, and this program's."""
    wanted = _scripts().get_current_head()
    if wanted is None:
        raise SchemaMismatch("this Kho has no versions")
    if not address.server:
        return await asyncio.to_thread(_file_version, address), wanted
    engine = postgres.engine(address, poolclass=NullPool)
    try:
        async with postgres.connected(engine) as db:
            return await db.run_sync(_version), wanted
    finally:
        await engine.dispose()


async def _migrate_server(address: RowsAddress, target: str) -> None:
    engine = postgres.migrating_engine(address)
    try:
        async with postgres.turn_to_migrate(engine), postgres.connected(engine) as db:
            await db.run_sync(lambda sync: command.upgrade(configuration(address, sync), target))
    except CommandError as problem:
        raise SchemaMismatch(f"{address}: {problem}") from problem
    except VaultBusy as problem:
        raise VaultBusy(f"{address} was not migrated to the end, {_AGAIN} ({problem.detail})") from problem
    finally:
        await engine.dispose()


def _file_version(address: RowsAddress) -> str | None:
    engine = create_engine(f"sqlite:///{address.file}")
    try:
        with engine.connect() as connection:
            return _version(connection)
    except DatabaseError as problem:  # no database, or in a folder that cannot be written: WAL needs that
        raise RowsUnreadable(f"{address}: {problem.orig}") from problem
    finally:
        engine.dispose()


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _target(found: str | None, wanted: str, phase: Phase) -> str:
    steps = _steps(found, wanted)
    if phase == "all":
        return wanted
    last = found
    for one in steps:
        if _phase(one) == "post":
            break
        last = one.revision
    return last or wanted


def _steps(found: str | None, wanted: str) -> list[Script]:
    """Give the versions that rows lack, oldest first; SchemaMismatch if they are newer than this program."""
    try:
        return list(reversed(list(_scripts().iterate_revisions(wanted, found or "base"))))
    except (CommandError, RevisionError):
        raise SchemaMismatch(
            f"the rows are at version {found}, which this Kho, at {wanted}, does not know: "
            "they are newer; install the newer Kho"
        ) from None


def _phase(script: Script) -> Literal["pre", "post"]:
    return "post" if getattr(script.module, "phase", "pre") == "post" else "pre"


@cache
def _scripts() -> ScriptDirectory:
    """Give the versions that this program knows: reading them all takes longer than opening a vault."""
    return ScriptDirectory(str(_SCRIPTS))
