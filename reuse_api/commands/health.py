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


# A part's own socket is asked, as a user of its KHO_PEERS.
_SOCKETS = {Watched.SIGN: "signer", Watched.GATE: "gate", Watched.SEAL: "sealer"}


def health(
    name: Annotated[Watched, typer.Argument(help="Which process: it must have these settings.")],
    lang: Lang = None,
) -> None:
    """Ask a process of this set-up whether it is there; ends with 1 when it does not answer."""
    settings, language = read_settings(), spoken_language(lang)
    try:
        if name is Watched.SERVE:
            _answers(settings.host, settings.port, "/healthz")
        elif name is Watched.WORK:
            _needed(settings, "metrics_listen", "where it tells figures")
            _answers(settings.metrics_host, settings.metrics_port, "/metrics")
        else:
            asyncio.run(_says_hello(_SOCKETS[name], _needed(settings, _SOCKETS[name], "where it listens")))
    except (VaultError, OSError, TimeoutError, HTTPException) as problem:
        why = getattr(problem, "detail", None) or str(problem) or type(problem).__name__
        raise CommandFailed(_NOT_WELL[language].format(name=name, why=why)) from problem
    typer.echo(_WELL[language].format(name=name))


def _needed(settings: Settings, name: str, what: str) -> str:
    value = str(getattr(settings, name))
    if not value:
        raise SettingsInvalid(f"{variable(name)} says {what}")
    return value


def _answers(host: str, port: int, path: str) -> None:
    asking = HTTPConnection(_ANYWHERE.get(host, host), port, timeout=_SECONDS)
    try:
        asking.request("GET", path)
        if (status := asking.getresponse().status) != 200:
            raise HTTPException(str(status))
    finally:
        asking.close()


async def _says_hello(name: str, address: str) -> None:
    part = Part(name, place_of(address))
    try:
        await part.ask("hello", {}, seconds=_SECONDS)
    finally:
        await part.close()
