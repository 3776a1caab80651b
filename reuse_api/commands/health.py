"""`kho health`: whether a process of this set-up answers, for whoever watches it (docker-compose.yml)."""

import asyncio
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from typing import Annotated

import typer

from reuse_api.commands.ending import CommandFailed
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.settings import Settings, SettingsInvalid, read_settings, variable
from vault.errors import VaultError
from vault.socket_calling import Part
from vault.socket_place import place_of

_SECONDS = 4.0  # for each answer
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where one listens who listens everywhere
_WELL = {"vi": "{name} trả lời", "en": "{name} answers"}
_NOT_WELL = {"vi": "{name} không trả lời: {why}", "en": "{name} does not answer: {why}"}


class Watched(StrEnum):
    """A process that can be asked."""

    SIGN = "sign"
    GATE = "gate"
    SEAL = "seal"
    SERVE = "serve"
    WORK = "work"


# Whose sockets are asked: a part's own, as a user of its KHO_PEERS; `kho work` listens nowhere, so what it
# cannot do without is asked under its own user.
_SOCKETS = {
    Watched.SIGN: ("signer",),
    Watched.GATE: ("gate",),
    Watched.SEAL: ("sealer",),
    Watched.WORK: ("signer", "gate"),
}


def health(
    name: Annotated[Watched, typer.Argument(help="Which process: it must have these settings.")],
    lang: Lang = None,
) -> None:
    """Ask a process of this set-up whether it is there; ends with 1 when it does not answer."""
    settings, language = read_settings(), spoken_language(lang)
    try:
        if name is Watched.SERVE:
            _serves(settings)
        else:
            asyncio.run(_all_answer(settings, _SOCKETS[name]))
    except (VaultError, OSError, TimeoutError, HTTPException) as problem:
        why = getattr(problem, "detail", None) or str(problem) or type(problem).__name__
        raise CommandFailed(_NOT_WELL[language].format(name=name, why=why)) from problem
    typer.echo(_WELL[language].format(name=name))


def _serves(settings: Settings) -> None:
    asking = HTTPConnection(_ANYWHERE.get(settings.host, settings.host), settings.port, timeout=_SECONDS)
    try:
        asking.request("GET", "/healthz")
        if (status := asking.getresponse().status) != 200:
            raise HTTPException(str(status))
    finally:
        asking.close()


async def _all_answer(settings: Settings, names: tuple[str, ...]) -> None:
    for one in names:
        address = getattr(settings, one)
        if not address:
            raise SettingsInvalid(f'{variable(one)} says where it listens: "unix:PATH"')
        part = Part(one, place_of(address))
        try:
            await part.ask("hello", {}, seconds=_SECONDS)
        finally:
            await part.close()
