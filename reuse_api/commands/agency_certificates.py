"""`kho agency-certificate`: register whose signature a certificate makes, list that, end it."""

import asyncio
import os
from collections.abc import Coroutine
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from reuse_api import problems
from reuse_api.commands.ending import CommandFailed
from reuse_api.commands.file_reading import read_whole
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.document_words import shown
from reuse_api.language import Language
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import open_vault, places_of
from vault import agency_certificates, enrolling
from vault.agency_certificates import Registration
from vault.days import legal_day
from vault.enrolling import MAX_CERTIFICATE, NewCertificate
from vault.errors import FieldInvalid, NotFound
from vault.opening import looked_at

commands = typer.Typer()
_WORDS = {
    "vi": {
        "added": "{agency}: đã đăng ký chứng thư {sha256}; giấy tờ ký bằng chứng thư đó đã được xét lại",
        "ended": "{agency}: chứng thư {sha256} hết là của cơ quan sau ngày {day}; giấy tờ đã được xét lại",
        "from": "từ",
        "until": "đến hết",
        "own": "khóa ký do Kho giữ",
        "not_found": "không có cơ quan mã {agency}, hoặc cơ quan không có chứng thư đó",
    },
    "en": {
        "added": "{agency}: certificate {sha256} is registered; what it signed was judged anew",
        "ended": "{agency}: certificate {sha256} is its own until {day}; what it signed was judged anew",
        "from": "from",
        "until": "to the end of",
        "own": "a seal key held here",
        "not_found": "there is no agency {agency}, or it has no such certificate",
    },
}
Agency = Annotated[str, typer.Argument(help="The agency's code.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the log.")]
_DAYS = ["%Y-%m-%d"]


@commands.command("add")
def add(
    agency: Agency,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="One certificate, PEM.")],
    reason: Reason,
    valid_from: Annotated[
        datetime | None, typer.Option("--from", formats=_DAYS, help="First day; today if not given.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=_DAYS, help="Last day.")] = None,
    lang: Lang = None,
) -> None:
    """Register a certificate as an agency's; documents that it signed are judged anew."""
    language = spoken_language(lang)
    pem = read_whole(file, MAX_CERTIFICATE, language).decode("ascii", "replace")
    days = (valid_from.date() if valid_from else None, until.date() if until else None)
    sha256 = _done(_add(agency, pem, *days, reason), agency, language)
    typer.echo(_WORDS[language]["added"].format(agency=agency, sha256=sha256))


@commands.command("end")
def end(
    agency: Agency,
    certificate: Annotated[str, typer.Argument(help="Its SHA-256, as `list` gives it.")],
    reason: Reason,
    until: Annotated[datetime, typer.Option("--until", formats=_DAYS, help="Last day, a past one too.")],
    lang: Lang = None,
) -> None:
    """Give a registration its last day; documents that it signed are judged anew."""
    language = spoken_language(lang)
    sha256 = _done(_end(agency, certificate, until.date(), reason), agency, language)
    day = f"{until:%d/%m/%Y}" if language == "vi" else f"{until:%Y-%m-%d}"
    typer.echo(_WORDS[language]["ended"].format(agency=agency, sha256=sha256, day=day))


@commands.command("list")
def list_(
    agency: Annotated[str | None, typer.Argument(help="One agency; every one if not given.")] = None,
    lang: Lang = None,
) -> None:
    """List registrations, without any key; the vault may be served meanwhile."""
    words = _WORDS[spoken_language(lang)]
    for one in asyncio.run(_listed(read_settings(), agency)):
        days = f"{words['from']} {one.valid_from}"
        days += f" {words['until']} {one.valid_until}" if one.valid_until else ""
        own = f"  ({words['own']})" if one.index is None else ""
        typer.echo(f"{one.agency}  {one.sha256}  {days}  {shown(one.subject)}{own}")


def _done(work: Coroutine[None, None, str], agency: str, language: Language) -> str:
    try:
        return asyncio.run(work)
    except FieldInvalid as problem:
        raise CommandFailed(problems.words(problem.code, language, "officer")) from problem
    except NotFound as problem:
        raise CommandFailed(_WORDS[language]["not_found"].format(agency=agency)) from problem


async def _add(agency: str, pem: str, since: date | None, until: date | None, reason: str) -> str:
    async with open_vault(read_settings()) as vault:
        first = since or legal_day(vault.clock.now())
        new = NewCertificate(agency, pem, first, until, reason)
        told = await enrolling.register(vault, None, new, key=os.urandom(16).hex())
        return str(told["certificate"])


async def _end(agency: str, certificate: str, until: date, reason: str) -> str:
    async with open_vault(read_settings()) as vault:
        key = os.urandom(16).hex()
        told = await enrolling.end(vault, None, agency, certificate, until=until, reason=reason, key=key)
        return str(told["certificate"])


async def _listed(settings: Settings, agency: str | None) -> tuple[Registration, ...]:
    async with looked_at(places_of(settings)) as rows, rows.read() as db:
        if agency is not None:
            return await agency_certificates.of_agency(db, agency)
        return await agency_certificates.every(db, 100_000)
