"""`kho quarantine list`, `kho quarantine destroy`: what was refused for what it holds, and its early end."""

import asyncio
from typing import Annotated

import typer

from reuse_api.commands.ending import CommandFailed
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.language import Language
from reuse_api.pages import dates
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import open_vault, places_of
from vault.errors import NotFound
from vault.opening import looked_at
from vault.quarantine_ending import Quarantined, destroy, listed

commands = typer.Typer()
_MOST = 100_000
_TOTAL = {"vi": "{files} tệp, {size} byte", "en": "{files} files, {size} bytes"}
_UNTIL = {"vi": "đến", "en": "until"}
_NOT_THERE = {
    "vi": "không có tệp nào mã {item} đang bị cách ly",
    "en": "no file in quarantine has the id {item}",
}
_DESTROYED = {"vi": "{item} đã bị hủy", "en": "{item} is destroyed"}


@commands.command("list")
def list_(lang: Lang = None) -> None:
    """List every file in quarantine, newest first, without any key; the vault may be served meanwhile."""
    language = spoken_language(lang)
    found = asyncio.run(_listed(read_settings()))
    for one in found:
        typer.echo(_line(one, language))
    typer.echo(_TOTAL[language].format(files=len(found), size=sum(one.size for one in found)))


@commands.command("destroy")
def destroy_(
    item: Annotated[str, typer.Argument(help="Its id, as `kho quarantine list` gives it.")],
    reason: Annotated[str, typer.Option(help="Why it is destroyed now; whoever it was for reads it.")],
    lang: Lang = None,
) -> None:
    """Destroy one file in quarantine; nobody may serve the vault meanwhile."""
    language = spoken_language(lang)
    try:
        asyncio.run(_destroy(read_settings(), item, reason))
    except NotFound as problem:
        raise CommandFailed(_NOT_THERE[language].format(item=item)) from problem
    typer.echo(_DESTROYED[language].format(item=item))


async def _listed(settings: Settings) -> list[Quarantined]:
    async with looked_at(places_of(settings)) as rows, rows.read() as db:
        return await listed(db, limit=_MOST)


async def _destroy(settings: Settings, item: str, reason: str) -> None:
    async with open_vault(settings) as vault:
        await destroy(vault, None, item, reason=reason)


def _line(one: Quarantined, language: Language) -> str:
    what = ",".join(one.found) or one.code
    named = f"{what}:{one.malware}" if one.malware else what
    by = f"{one.holder_kind} {one.holder}"
    at = dates.moment(one.at, language).iso
    until = f"{_UNTIL[language]} {dates.day_of(one.until, language).iso}"
    return f"{one.id}  {at}  {until}  {one.size}  {by}  {named}"
