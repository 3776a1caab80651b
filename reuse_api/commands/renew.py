"""`kho renew`: renew the archive time stamps that run out soon, on a vault that nobody serves meanwhile."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from reuse_api.commands.ending import Ending, end
from reuse_api.commands.error_words import error_words
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import open_vault
from vault.renewing import WINDOW, Failed, Renewals, renew_due

_DONE = {
    "vi": "đã xem {done.looked}: gia hạn {done.renewed}, hoãn {done.put_off}, không được {done.failed}",
    "en": (
        "{done.renewed} renewed, {done.looked} looked at, {done.put_off} put off, {done.failed} not renewed"
    ),
}


def renew(
    window: Annotated[
        int,
        typer.Option("--window", min=0, max=3650, help="Days before a stamp runs out that it is renewed."),
    ] = WINDOW.days,
    lang: Lang = None,
) -> None:
    """Renew archive time stamps that run out soon; `kho serve` does the same once a day.

    Ends with 1 when one could not be renewed: it keeps the file it has, and is tried again the next time.
    """
    language = spoken_language(lang)

    def told(code: str, problem: Exception) -> None:
        typer.echo(f"{code}: {error_words(problem, language)}", err=True)

    done = asyncio.run(_renew(read_settings(), timedelta(days=window), told))
    typer.echo(_DONE[language].format(done=done))
    if done.failed or done.stopped:
        raise end(Ending.FAILED)


async def _renew(settings: Settings, window: timedelta, told: Failed) -> Renewals:
    async with open_vault(settings) as vault:
        found = Renewals(more=True)
        while found.more:
            found = found.then(await renew_due(vault, told, window=window))
        return found
