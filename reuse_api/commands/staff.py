"""`kho staff`: register who an account of the staff provider is here, in which roles; list, end."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated

import typer

from reuse_api import problems
from reuse_api.commands.ending import CommandFailed
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.document_words import shown
from reuse_api.language import Language
from reuse_api.settings import Settings, SettingsInvalid, read_settings, variable
from reuse_api.wiring import open_vault, places_of
from vault import agencies, officer_sign_ins, registering, staff
from vault.callers import Role
from vault.errors import FieldInvalid, NotFound
from vault.opening import looked_at

commands = typer.Typer()
_ROLES: tuple[Role, ...] = ("desk", "auditor", "administrator")
_WORDS = {
    "vi": {
        "added": "{officer} tại {agency}: đã đăng ký",
        "ended": "tài khoản đó không còn đăng nhập được; các phiên của cán bộ đã kết thúc",
        "revoked": "{officer} tại {agency}: không còn vai trò {roles}; các phiên ở vai trò đó đã kết thúc",
        "left": "{officer} tại {agency}: đã thôi việc; mọi vai trò, tài khoản và phiên đã kết thúc",
        "has_left": "{officer} tại {agency} đã thôi việc; hãy đăng ký dưới mã khác",
        "no_such_role": "cán bộ đó không có vai trò này",
        "no_officer": "không có cán bộ nào như vậy đang làm việc",
        "agency_ended": "cơ quan {agency} đã kết thúc",
        "no_agency": "không có cơ quan mã {agency}",
        "no_role": "vai trò là desk, auditor hoặc administrator",
        "no_name": "cán bộ mới cần có họ tên (--name)",
        "not_found": "không có tài khoản nào như vậy được đăng ký",
    },
    "en": {
        "added": "{officer} at {agency}: registered",
        "ended": "that account can no longer sign in; the officer's sessions have ended",
        "revoked": "{officer} at {agency}: no longer {roles}; sessions in that role have ended",
        "left": "{officer} at {agency}: has left; every role, account and session has ended",
        "has_left": "{officer} at {agency} has left; register them under another id",
        "no_such_role": "that role is not theirs",
        "no_officer": "no such officer works there",
        "agency_ended": "agency {agency} has ended",
        "no_agency": "there is no agency {agency}",
        "no_role": "a role is desk, auditor or administrator",
        "no_name": "a new officer needs a name (--name)",
        "not_found": "no such account is registered",
    },
}
Account = Annotated[
    str, typer.Option("--account", help="What the staff's provider calls them (KHO_STAFF_CLAIM).")
]


@commands.command("add")
def add(
    agency: Annotated[str, typer.Argument(help="The agency's code.")],
    officer: Annotated[str, typer.Argument(help="The officer's id at the agency.")],
    account: Account = "",
    name: Annotated[str, typer.Option(help="The name, of an officer who is not registered yet.")] = "",
    role: Annotated[
        list[str] | None, typer.Option(help="desk, auditor or administrator; may be given again.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Register an officer, roles, and the account that signs in as them; what is known already stays."""
    language = spoken_language(lang)
    roles = [one for one in _ROLES if one in (role or ())]
    if len(roles) != len(set(role or ())):
        raise CommandFailed(_WORDS[language]["no_role"])
    _done(_add(agency, officer, account, name, roles, language), language)
    typer.echo(_WORDS[language]["added"].format(agency=agency, officer=officer))


@commands.command("end")
def end(account: Account, lang: Lang = None) -> None:
    """Let an account sign in no more; the officer stays registered, their sessions end."""
    language = spoken_language(lang)
    _done(_end(account), language)
    typer.echo(_WORDS[language]["ended"])


@commands.command("revoke")
def revoke(
    agency: Annotated[str, typer.Argument(help="The agency's code.")],
    officer: Annotated[str, typer.Argument(help="The officer's id at the agency.")],
    role: Annotated[list[str], typer.Option(help="desk, auditor or administrator; may be given again.")],
    lang: Lang = None,
) -> None:
    """Take roles from an officer; sessions in these roles end."""
    language = spoken_language(lang)
    words = _WORDS[language]
    roles = [one for one in _ROLES if one in role]
    if len(roles) != len(set(role)):
        raise CommandFailed(words["no_role"])
    _done(_revoke(agency, officer, roles), language, not_found="no_such_role")
    typer.echo(words["revoked"].format(agency=agency, officer=officer, roles=", ".join(roles)))


@commands.command("leave")
def leave(
    agency: Annotated[str, typer.Argument(help="The agency's code.")],
    officer: Annotated[str, typer.Argument(help="The officer's id at the agency.")],
    lang: Lang = None,
) -> None:
    """Let an officer be one no more, for good: roles, accounts and sessions end, what they did stays."""
    language = spoken_language(lang)
    _done(_leave(agency, officer), language, not_found="no_officer")
    typer.echo(_WORDS[language]["left"].format(agency=agency, officer=officer))


@commands.command("list")
def list_(lang: Lang = None) -> None:
    """List officers with their roles and accounts, without any key; the vault may be served meanwhile."""
    for one in asyncio.run(_listed(read_settings())):
        typer.echo("  ".join(shown(part) or "-" for part in one))


def _done(work: Coroutine[None, None, None], language: Language, not_found: str = "not_found") -> None:
    try:
        asyncio.run(work)
    except FieldInvalid as problem:
        raise CommandFailed(problems.words(problem.code, language, "officer")) from problem
    except NotFound as problem:
        raise CommandFailed(_WORDS[language][not_found]) from problem


async def _add(
    agency: str, officer: str, account: str, name: str, roles: list[Role], language: Language
) -> None:
    settings = read_settings()
    issuer = _issuer(settings) if account else ""
    async with open_vault(settings) as vault:
        async with vault.db.read() as db:
            if not await agencies.registered(db, agency):
                raise CommandFailed(_WORDS[language]["no_agency"].format(agency=agency))
            if not await agencies.live(db, agency):
                raise CommandFailed(_WORDS[language]["agency_ended"].format(agency=agency))
            known = await agencies.officer_live(db, agency, officer)
            held = await staff.roles(db, agency, officer)
            left = not known and officer in await agencies.officers(db, agency)
        if left:
            raise CommandFailed(_WORDS[language]["has_left"].format(agency=agency, officer=officer))
        if not known:
            if not name.strip():
                raise CommandFailed(_WORDS[language]["no_name"])
            await registering.register_officer(
                vault, agency=agency, officer=officer, name=" ".join(name.split())
            )
        for role in roles:
            if role not in held:
                await registering.give_role(vault, agency=agency, officer=officer, role=role)
        if account:
            await officer_sign_ins.let_sign_in(
                vault, agency=agency, officer=officer, issuer=issuer, subject=account
            )


async def _end(account: str) -> None:
    settings = read_settings()
    issuer = _issuer(settings)
    async with open_vault(settings) as vault:
        await officer_sign_ins.end_sign_in(vault, issuer=issuer, subject=account)


async def _revoke(agency: str, officer: str, roles: list[Role]) -> None:
    async with open_vault(read_settings()) as vault:
        for role in roles:
            await officer_sign_ins.take_role(vault, agency=agency, officer=officer, role=role)


async def _leave(agency: str, officer: str) -> None:
    async with open_vault(read_settings()) as vault:
        await officer_sign_ins.leave(vault, agency=agency, officer=officer)


async def _listed(settings: Settings) -> list[tuple[str, ...]]:
    async with looked_at(places_of(settings)) as rows, rows.read() as db:
        return list(await officer_sign_ins.listed(db))


def _issuer(settings: Settings) -> str:
    if not settings.staff_provider:
        raise SettingsInvalid(f"{variable('staff_provider')}: none is set, so no account can be registered")
    return settings.staff_provider
