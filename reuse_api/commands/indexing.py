"""`kho reindex`, `kho work`, `kho dead-letters`: the search index, and what waits to be put into it."""

import asyncio
import signal
import threading
from typing import Annotated

import typer

from reuse_api.commands.ending import CommandFailed, Ending, end
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.journal import failed, hear, noted, open_journal
from reuse_api.language import Language
from reuse_api.metrics import metrics_served
from reuse_api.pages import dates
from reuse_api.settings import Settings, read_settings, variable
from reuse_api.vault_figures import VaultFigures
from reuse_api.wiring import open_vault, places_of
from reuse_api.working import working
from vault import outbox
from vault.indexing import index_due, rebuild
from vault.opening import looked_at
from vault.outbox import Letter

_WORDS = {
    "vi": {
        "indexed": "đã lập chỉ mục {count} giấy tờ",
        "no_index": "{setting} là none: không có chỉ mục nào để lập",
        "letter": "{at}  {one.topic}  {one.subject}  {one.reason}  {one.attempts} lần thử",
        "dead": "{count} việc không làm được",
        "replayed": "{count} việc được làm lại",
        "off": "KHO_WORK là off: kho này không tự làm việc gì",
        "waiting": "{count} giấy tờ còn chờ chỉ mục; `kho serve` hoặc `kho work` đang chạy sẽ làm",
        "working": "đang làm các việc đang chờ; dừng bằng Ctrl-C",
        "stopped": "đã dừng",
    },
    "en": {
        "indexed": "{count} documents indexed",
        "no_index": "{setting} is none: there is no index to build",
        "letter": "{at}  {one.topic}  {one.subject}  {one.reason}  {one.attempts} attempts",
        "dead": "{count} dead letters",
        "replayed": "{count} tried again",
        "off": "KHO_WORK is off: this vault does nothing by itself",
        "waiting": "{count} documents still wait for the index; whoever serves or works puts them there",
        "working": "doing what waits; stop it with Ctrl-C",
        "stopped": "stopped",
    },
}


def reindex(lang: Lang = None) -> None:
    """Build the search index from the rows, beside the one in use, and switch.

    With SQLite nobody may serve meanwhile; `kho serve` builds an index that is not there by itself. Ctrl-C
    or SIGTERM stops it behind the documents in hand, and leaves the index in use as it was.
    """
    language = spoken_language(lang)
    count = asyncio.run(_reindex(_searching(read_settings(), language)))
    typer.echo(_WORDS[language]["indexed"].format(count=count))


async def _reindex(settings: Settings) -> int:
    ending = _told_to_end()
    async with open_vault(settings) as vault:
        count = await rebuild(vault, ending=ending)
        await index_due(vault, failed, ending=ending)
        return count


def _told_to_end() -> asyncio.Event:
    """Give what is set once this process is told to end: heard even by the first one of a container."""
    ending = asyncio.Event()
    if threading.current_thread() is threading.main_thread():  # no other hears a signal
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(one, ending.set)
    return ending


def work(lang: Lang = None) -> None:
    """Do what a served vault does by itself, without doors; until Ctrl-C.

    Beside servers of the same rows, on PostgreSQL; SQLite has one process, which works by itself.
    """
    settings, words = read_settings(), _WORDS[spoken_language(lang)]
    if settings.work == "off":
        raise CommandFailed(words["off"])
    open_journal()
    asyncio.run(_work(settings, words["working"]))
    noted("stopped")
    typer.echo(words["stopped"])


async def _work(settings: Settings, said: str) -> None:
    ending = _told_to_end()
    hear()
    async with metrics_served(settings, "work") as metrics, open_vault(settings) as vault, working(vault):
        noted("working")
        typer.echo(said)
        with metrics.showing(VaultFigures(vault)):
            await ending.wait()


def dead_letters(
    replay: Annotated[bool, typer.Option("--replay", help="Have all of it tried again.")] = False,
    lang: Lang = None,
) -> None:
    """List what could not be carried out after many attempts, or have it tried again.

    Ends with 1 when there is any. The vault may be served while it is listed. With SQLite nobody may serve
    it while it is tried again; with PostgreSQL those who do carry out what this leaves.
    """
    language = spoken_language(lang)
    words = _WORDS[language]
    settings = read_settings()
    found, waiting = asyncio.run(_replayed(settings) if replay else _dead_letters(settings))
    for one in found:
        typer.echo(words["letter"].format(at=dates.moment(one.dead_at, language).iso, one=one))
    typer.echo(words["replayed" if replay else "dead"].format(count=len(found)))
    if waiting:
        typer.echo(words["waiting"].format(count=waiting))
    if found and not replay:
        raise end(Ending.FAILED)


async def _dead_letters(settings: Settings) -> tuple[list[Letter], int]:
    async with looked_at(places_of(settings)) as rows, rows.read() as db:
        return await outbox.dead_letters(db), 0


async def _replayed(settings: Settings) -> tuple[list[Letter], int]:
    """Have it tried again, by us as far as we can: another process may have the index in hand."""
    ending = _told_to_end()
    async with open_vault(settings) as vault:
        async with vault.db.write() as db:
            found = await outbox.dead_letters(db)
            await outbox.replay(db, vault.clock.now())
        await index_due(vault, failed, ending=ending)
        async with vault.db.read() as db:
            waiting = (await outbox.lag(db, outbox.INDEX)).waiting
        return found, waiting if vault.index is not None else 0


def _searching(settings: Settings, language: Language) -> Settings:
    if settings.search == "none":
        raise CommandFailed(_WORDS[language]["no_index"].format(setting=variable("search")))
    return settings
