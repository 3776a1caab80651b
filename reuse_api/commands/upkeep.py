"""`kho migrate`, `kho inspect`: the operator's work on a vault that nobody serves meanwhile."""

import asyncio
from typing import Annotated

import typer

from reuse_api.commands.ending import CommandFailed, Ending, end
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import places_of
from vault.database import Database
from vault.inspecting import Inspection
from vault.inspecting import inspect as look_through
from vault.migrating import migrate as migrate_rows


def migrate() -> None:
    """Bring the database of the settings to this version's schema."""
    settings = read_settings()
    if not settings.database.exists():
        raise CommandFailed(f"there is no database at {settings.database}; `kho serve --create` makes one")
    asyncio.run(_migrate(settings))
    typer.echo(f"{settings.database} is at the newest version")


async def _migrate(settings: Settings) -> None:
    held = Database(settings.database)  # nobody else writes meanwhile
    try:
        await migrate_rows(settings.database)
    finally:
        await held.close()


def inspect(
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Remove blobs that no row names; nobody may serve meanwhile.")
    ] = False,
) -> None:
    """Compare rows, blobs and log of the vault, without any key; ends with 1 when something is wrong."""
    settings = read_settings()
    found = asyncio.run(look_through(places_of(settings), sweep=sweep))
    _show(found)
    if not found.sound:
        raise end(Ending.FAILED)


def _show(found: Inspection) -> None:
    for one in found.findings:
        typer.echo(f"{'HARM' if one.harm else 'note'}  {one.code}: {one.what}")
    typer.echo(f"{found.entries} entries, {found.records} records, {found.blobs} blobs")
    typer.echo(f"root {found.root.hex()}")
    typer.echo("rows, blobs and log agree" if found.sound else "rows, blobs and log do not agree")
