"""`kho reindex`, `kho work`, `kho dead-letters`: the search index, and what waits to be put into it."""

import asyncio
import signal
from typing import Annotated

import typer

from reuse_api.commands.ending import CommandFailed, Ending, end
from reuse_api.journal import failed, noted, open_journal
from reuse_api.settings import Settings, read_settings, variable
from reuse_api.wiring import open_vault
from reuse_api.working import working
from search.errors import SearchError
from vault import outbox
from vault.indexing import index_due, rebuild
from vault.outbox import Letter


def reindex() -> None:
    """Build the search index from the rows, beside the one in use, and switch.

    With SQLite nobody may serve meanwhile; `kho serve` builds an index that is not there by itself.
    """
    try:
        count = asyncio.run(_reindex(_searching(read_settings())))
    except SearchError as problem:
        raise CommandFailed(f"{problem.code}: {problem}") from problem
    typer.echo(f"{count} documents indexed")


async def _reindex(settings: Settings) -> int:
    async with open_vault(settings) as vault:
        count = await rebuild(vault)
        await index_due(vault, failed)
        return count


def work() -> None:
    """Do what a served vault does by itself, without doors; until Ctrl-C.

    Beside servers of the same rows, on PostgreSQL; SQLite has one process, which works by itself.
    """
    settings = read_settings()
    open_journal()
    asyncio.run(_work(settings))
    noted("stopped")


async def _work(settings: Settings) -> None:
    ending = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ending.set)
    async with open_vault(settings) as vault, working(vault):
        noted("working")
        await ending.wait()


def dead_letters(
    replay: Annotated[bool, typer.Option("--replay", help="Have all of it tried again.")] = False,
) -> None:
    """List what could not be carried out after many attempts, or have it tried again.

    Ends with 1 when there is any.
    """
    found = asyncio.run(_dead_letters(read_settings(), replay=replay))
    for one in found:
        when = f"{one.dead_at:%Y-%m-%dT%H:%M:%SZ}"
        typer.echo(f"{when}  {one.topic}  {one.subject}  {one.reason}  {one.attempts} attempts")
    typer.echo(f"{len(found)} {'tried again' if replay else 'dead letters'}")
    if found and not replay:
        raise end(Ending.FAILED)


async def _dead_letters(settings: Settings, *, replay: bool) -> list[Letter]:
    async with open_vault(settings) as vault:
        async with vault.db.read() as db:
            found = await outbox.dead_letters(db)
        if replay:
            async with vault.db.write() as db:
                await outbox.replay(db, vault.clock.now())
            await index_due(vault, failed)
        return found


def _searching(settings: Settings) -> Settings:
    if settings.search == "none":
        raise CommandFailed(f"{variable('search')} is none: there is no index to build")
    return settings
