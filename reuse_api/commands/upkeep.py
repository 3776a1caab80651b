"""`kho migrate`, `kho inspect`: the operator's work on a vault."""

import asyncio
from typing import Annotated

import typer

from reuse_api.commands.ending import CommandFailed, Ending, end
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.settings import read_settings
from reuse_api.wiring import places_of
from vault.connecting import connect
from vault.errors import VaultIncomplete
from vault.inspecting import Inspection
from vault.inspecting import inspect as look_through
from vault.migrating import Phase, needs_alone
from vault.migrating import migrate as migrate_rows
from vault.opening import VaultPlaces, check_made
from vault.rights import grant

_MIGRATED = {
    "vi": {
        "all": "{database} đã ở phiên bản mới nhất",
        "pre": "{database} đã ở phiên bản mới nhất mà một bản Kho cũ hơn vẫn phục vụ được",
    },
    "en": {
        "all": "{database} is at the newest version",
        "pre": "{database} is at the newest version that an older Kho can serve",
    },
}


def migrate(
    phase: Annotated[
        Phase,
        typer.Option(
            help='How far: "all", or "pre", what only adds, so that on PostgreSQL an older Kho may go on '
            "serving meanwhile; nobody may serve SQLite."
        ),
    ] = "all",
    create: Annotated[
        bool, typer.Option("--create", help="Make the tables of a vault of several processes.")
    ] = False,
    rights: Annotated[
        bool,
        typer.Option(
            "--rights",
            help="Give the database's users kho_sign, kho_gate, kho_api and kho_work what their parts need, "
            "and take the rest away; by the owner of the tables.",
        ),
    ] = False,
    lang: Lang = None,
) -> None:
    """Bring the database of the settings to this version's schema; again, it changes nothing."""
    places = places_of(read_settings())
    asyncio.run(_migrate(places, phase, create=create, rights=rights))
    typer.echo(_MIGRATED[spoken_language(lang)][phase].format(database=places.database))


async def _migrate(places: VaultPlaces, phase: Phase, *, create: bool, rights: bool) -> None:
    if create and not places.database.server:
        raise CommandFailed("--create is for rows in PostgreSQL; `kho serve --create` makes the others")
    if rights and not places.database.server:
        raise CommandFailed("--rights is for rows in PostgreSQL: an SQLite file has no users")
    try:
        if not create:
            await check_made(places)
    except VaultIncomplete as problem:
        raise CommandFailed(f"{problem.detail}; `kho serve --create` makes one") from problem
    alone = not places.database.server or (phase == "all" and await needs_alone(places.database))
    held = await connect(places.database, hold="alone" if alone else "none")  # nobody else writes meanwhile
    try:
        await migrate_rows(places.database, phase=phase)
        if rights:
            await grant(places.database)
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
