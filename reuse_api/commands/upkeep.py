"""`kho migrate`, `kho import`, `kho inspect`: the operator's work on a vault that nobody serves meanwhile."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from policies.errors import PackageUnreadable
from reuse_api.commands.ending import CommandFailed, Ending, end
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import open_vault, places_of
from vault.database import Database
from vault.importing import import_procedure
from vault.inspecting import Inspection
from vault.inspecting import inspect as look_through
from vault.migrating import migrate as migrate_rows

ExistingFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


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


def import_packages(
    file: ExistingFile,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Import this procedure code alone; may be repeated.")
    ] = None,
) -> None:
    """Import procedure packages of the national catalogue: a JSON object a line.

    A package that cannot be read is told on stderr and left out; the others are imported.
    """
    failed = asyncio.run(_import(read_settings(), file, frozenset(only or ())))
    if failed:
        raise end(Ending.FAILED)


async def _import(settings: Settings, file: Path, only: frozenset[str]) -> int:
    failed = 0
    async with open_vault(settings) as vault:
        for number, row in _rows(file):
            code = str(row.get("code", f"line {number}"))
            if only and code not in only:
                continue
            try:
                version = await import_procedure(vault, row)
            except PackageUnreadable as problem:
                failed += 1
                typer.echo(f"{code}: {problem}", err=True)
                continue
            typer.echo(f"{code}: " + ("unchanged" if version is None else f"version {version}"))
    return failed


def _rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as problem:
                raise CommandFailed(f"{file}, line {number}: no JSON: {problem}") from problem
            if not isinstance(row, dict):
                raise CommandFailed(f"{file}, line {number}: no JSON object")
            yield number, row


def inspect(
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Remove blobs that no row names; nobody may serve meanwhile.")
    ] = False,
) -> None:
    """Compare rows, blobs and log of the vault, without any key; ends with 1 when something is wrong."""
    settings = read_settings()
    if not settings.database.exists():
        raise CommandFailed(f"there is no database at {settings.database}")
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
