"""`kho system`: let a system be one no more."""

import asyncio
from typing import Annotated

import typer

from reuse_api import problems
from reuse_api.commands.ending import CommandFailed
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.settings import read_settings
from reuse_api.wiring import open_vault
from vault import striking_off
from vault.errors import FieldInvalid, NotFound

commands = typer.Typer()
_WORDS = {
    "vi": {
        "ended": "{system} của {agency}: đã kết thúc; khóa, thẻ và webhook không còn hiệu lực",
        "not_found": "không có hệ thống {system} đang hoạt động; bàn làm việc kết thúc cùng cơ quan",
    },
    "en": {
        "ended": "{system} of {agency}: ended; its keys, tokens and web hooks count no more",
        "not_found": "no system {system} is registered, or it ended already; a desk ends with its agency",
    },
}


@commands.command("end")
def end(
    system: Annotated[str, typer.Argument(help="The system's client id.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the log.")],
    lang: Lang = None,
) -> None:
    """Let a system be one no more, for good: keys, tokens and web hooks; what it did stays."""
    language = spoken_language(lang)
    try:
        agency = asyncio.run(_end(system, reason))
    except FieldInvalid as problem:
        raise CommandFailed(problems.words(problem.code, language, "officer")) from problem
    except NotFound as problem:
        raise CommandFailed(_WORDS[language]["not_found"].format(system=system)) from problem
    typer.echo(_WORDS[language]["ended"].format(system=system, agency=agency))


@commands.callback()
def _several() -> None:
    """Have `end` stand as a command of its own; typer makes one command the whole program."""


async def _end(system: str, reason: str) -> str:
    async with open_vault(read_settings()) as vault:
        return await striking_off.end_system(vault, system, reason=reason)
