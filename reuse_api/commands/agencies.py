"""`kho agency`: let an agency be one no more."""

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
from vault.striking_off import Ended

commands = typer.Typer()
_WORDS = {
    "vi": {
        "ended": (
            "{agency}: đã kết thúc, cùng {systems} hệ thống và {officers} cán bộ; giấy tờ đã cấp vẫn còn"
        ),
        "seal_key": (
            "khóa ký số ở tiến trình khác: hãy chạy `kho seal-key end {agency}` ở nơi chạy `kho seal`"
        ),
        "not_found": "không có cơ quan mã {agency} đang hoạt động",
    },
    "en": {
        "ended": "{agency}: ended, with its systems ({systems}) and officers ({officers})",
        "seal_key": (
            "another process holds its seal key: run `kho seal-key end {agency}` as the user of `kho seal`"
        ),
        "not_found": "no agency {agency} is registered, or it ended already",
    },
}


@commands.command("end")
def end(
    agency: Annotated[str, typer.Argument(help="The agency's code.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the log.")],
    lang: Lang = None,
) -> None:
    """Let an agency be one no more, for good, with its systems, officers and seal key; what it did stays."""
    language = spoken_language(lang)
    words = _WORDS[language]
    try:
        told = asyncio.run(_end(agency, reason))
    except FieldInvalid as problem:
        raise CommandFailed(problems.words(problem.code, language, "officer")) from problem
    except NotFound as problem:
        raise CommandFailed(words["not_found"].format(agency=agency)) from problem
    counts = {"systems": len(told.systems), "officers": len(told.officers)}
    typer.echo(words["ended"].format(agency=agency, **counts))
    if not told.seal_key:
        typer.echo(words["seal_key"].format(agency=agency))


@commands.callback()
def _several() -> None:
    """Have `end` stand as a command of its own; typer makes one command the whole program."""


async def _end(agency: str, reason: str) -> Ended:
    async with open_vault(read_settings()) as vault:
        return await striking_off.end_agency(vault, agency, reason=reason)
