"""`kho move`: from one set of addresses to another, nobody serving meanwhile."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from reuse_api.commands.ending import Ending, end
from reuse_api.commands.error_words import error_words
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.language import Language
from reuse_api.settings import Settings, read_settings, variable
from reuse_api.wiring import open_vault, places_of
from search.errors import SearchError
from vault.clock import Clock
from vault.errors import VaultError
from vault.indexing import rebuild
from vault.moving import Moved, give_up
from vault.moving import move as move_vault

_WORDS = {
    "vi": {
        "moved": "đã chuyển {done.records} giấy tờ, {done.blobs} nội dung ({done.copied} vừa chép), "
        "{done.size} mục nhật ký; hai bên khớp nhau",
        "root": "gốc nhật ký {root}, không đổi",
        "indexed": "đã lập chỉ mục {count} giấy tờ",
        "not_indexed": "chưa lập được chỉ mục, kho vẫn đã chuyển xong; hãy chạy `kho reindex`: {why}",
        "set": "từ nay hãy đặt:",
        "given_up": "đã bỏ việc chuyển tới {peer}; kho lại được phục vụ ở đây",
        "none": "không có việc chuyển nào đang dở",
    },
    "en": {
        "moved": "{done.records} records, {done.blobs} blobs ({done.copied} copied now) and {done.size} "
        "entries moved; both sides agree",
        "root": "root {root}, unchanged",
        "indexed": "{count} documents indexed",
        "not_indexed": "the index was not built, the vault has moved all the same; run `kho reindex`: {why}",
        "set": "from now on set:",
        "given_up": "the move to {peer} was given up; the vault is served here again",
        "none": "no move is under way",
    },
}


def _to(flag: str, name: str) -> Any:
    told = f"Where it goes, in place of {variable(name)}; by default it stays."
    return typer.Option(flag, help=told, show_default=False)


def move(
    database: Annotated[str | None, _to("--to-database", "database")] = None,
    database_password: Annotated[Path | None, _to("--to-database-password", "database_password")] = None,
    store: Annotated[str | None, _to("--to-store", "store")] = None,
    store_credentials: Annotated[Path | None, _to("--to-store-credentials", "store_credentials")] = None,
    store_region: Annotated[str | None, _to("--to-store-region", "store_region")] = None,
    store_lock_days: Annotated[int | None, _to("--to-store-lock-days", "store_lock_days")] = None,
    search: Annotated[str | None, _to("--to-search", "search")] = None,
    search_credentials: Annotated[Path | None, _to("--to-search-credentials", "search_credentials")] = None,
    abandon: Annotated[
        bool,
        typer.Option("--give-up", help="Give up a move that has not ended: the vault is served here again."),
    ] = False,
    lang: Lang = None,
) -> None:
    """Move the vault of the settings to other addresses: database, store, or both; keys and log stay.

    Stop every process that serves it first; from the beginning on it cannot be served from here. Killed in
    the middle, the same command goes on. In the end both sides are inspected and must tell the same, and
    the search index is built anew. The source keeps its data, says where the vault went, and refuses.
    """
    language = spoken_language(lang)
    settings = read_settings()
    words = _WORDS[language]
    if abandon:
        known = asyncio.run(give_up(places_of(settings)))
        typer.echo(words["given_up"].format(peer=known.peer) if known is not None else words["none"])
        return
    target = read_settings(
        database=database,
        database_password=database_password,
        store=store,
        store_credentials=store_credentials,
        store_region=store_region,
        store_lock_days=store_lock_days,
        search=search,
        search_credentials=search_credentials,
    )
    done = asyncio.run(move_vault(places_of(settings), places_of(target), Clock().now()))
    _tell(done, settings, target, language)
    if target.search != "none":
        _index(target, language)


def _tell(done: Moved, settings: Settings, target: Settings, language: Language) -> None:
    words = _WORDS[language]
    for one in done.findings:
        typer.echo(f"{'HARM' if one.harm else 'note'}  {one.code}: {one.what}")
    typer.echo(words["moved"].format(done=done))
    typer.echo(words["root"].format(root=done.root.hex()))
    typer.echo(words["set"])
    for name in Settings.model_fields:
        if getattr(settings, name) != getattr(target, name):
            typer.echo(f"  {variable(name)}={_shown(target, name)}")


def _shown(target: Settings, name: str) -> object:
    """Give a setting as it may be shown: an address may carry a password."""
    if name == "database":
        return places_of(target).database
    scheme, apart, rest = str(getattr(target, name)).partition("://")
    return f"{scheme}{apart}{rest.rpartition('@')[2]}" if name == "search" else getattr(target, name)


def _index(target: Settings, language: Language) -> None:
    """Build the index at the new place; a vault that cannot be searched has moved all the same."""
    words = _WORDS[language]
    try:
        typer.echo(words["indexed"].format(count=asyncio.run(_indexed(target))))
    except (SearchError, VaultError) as problem:
        typer.echo(words["not_indexed"].format(why=error_words(problem, language)), err=True)
        raise end(Ending.FAILED) from problem


async def _indexed(target: Settings) -> int:
    async with open_vault(target) as vault:
        return await rebuild(vault)
