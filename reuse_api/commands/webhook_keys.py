"""`kho webhook-key list`, `kho webhook-key rotate`: the key that signs what is sent to web hooks."""

import asyncio
from typing import Annotated

import typer

from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.language import Language
from reuse_api.pages import dates
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import open_vault, places_of
from vault import hook_keys
from vault.hook_keys import PublicKey
from vault.opening import looked_at

commands = typer.Typer()
_FROM = {"vi": "ký từ", "en": "signs from"}
_UNTIL = {"vi": "công bố đến", "en": "published until"}
_OPEN = {"vi": "đang công bố", "en": "published"}


@commands.command("list")
def list_(lang: Lang = None) -> None:
    """List every key, the oldest first, without its secret; the vault may be served meanwhile."""
    language = spoken_language(lang)
    for one in asyncio.run(_listed(read_settings())):
        typer.echo(_line(one, language))


@commands.command("rotate")
def rotate_(
    at_once: Annotated[
        bool, typer.Option("--at-once", help="The old key was lost or seen: nothing of it counts any more.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Make a new key, as the user of whoever sends; it signs in an hour, the old one is known for a week."""
    language = spoken_language(lang)
    typer.echo(_line(asyncio.run(_rotated(read_settings(), at_once)), language))


async def _listed(settings: Settings) -> list[PublicKey]:
    async with looked_at(places_of(settings)) as rows, rows.read() as db:
        return await hook_keys.every(db)


async def _rotated(settings: Settings, at_once: bool) -> PublicKey:
    async with open_vault(settings) as vault:
        return await hook_keys.rotate(vault, at_once=at_once)


def _line(one: PublicKey, language: Language) -> str:
    since = f"{_FROM[language]} {dates.moment(one.used_from, language).iso}"
    until = _OPEN[language]
    if one.until is not None:
        until = f"{_UNTIL[language]} {dates.moment(one.until, language).iso}"
    return f"{one.kid}  {since}  {until}"
