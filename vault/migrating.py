"""The schema's versions, by Alembic, from the first table on."""

import asyncio
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from vault.errors import SchemaMismatch

_SCRIPTS = Path(__file__).parent / "migrations"


def configuration(database: Path) -> Config:
    """Give Alembic's configuration for one database file."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{database}")
    return config


async def migrate(database: Path) -> None:
    """Bring a database to the newest version."""
    await asyncio.to_thread(command.upgrade, configuration(database), "head")


async def check_schema(database: Path) -> None:
    """Refuse to work on another version's rows.

    Raises:
        SchemaMismatch: naming both versions.
    """
    found, wanted = await asyncio.to_thread(_versions, database)
    if found != wanted:
        raise SchemaMismatch(f"{database} is at version {found}, this Kho is at {wanted}; run `kho migrate`")


def _versions(database: Path) -> tuple[str | None, str | None]:
    engine = create_engine(f"sqlite:///{database}")
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    return found, _newest()


@cache
def _newest() -> str | None:
    """Give the newest version that this program knows: reading them all takes longer than opening a vault."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()
