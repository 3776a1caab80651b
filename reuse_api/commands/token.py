"""`kho token`: the caller's side of authentication; reads a key file, and nothing of a vault."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import typer

from reuse_api.commands.ending import CommandFailed
from reuse_api.commands.file_reading import read_whole
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.language import Language
from reuse_api.tokens import CLIENT_ASSERTION_TYPE, CLIENT_CREDENTIALS, JWT_BEARER, TOKEN_PATH
from vault import tracing
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, make_assertion
from vault.clock import Clock

_TIMEOUT = 30  # seconds
_MAX_ANSWER = 64 * 1024  # bytes
_MEMBERS = ("client_id", "officer", "issuer")


def token(
    key: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="JSON file: a private JWK as `key`, with `client_id`, `officer`, `issuer`; or a bare JWK.",
        ),
    ],
    url: Annotated[str, typer.Option(help="Where Kho is served.")] = "http://127.0.0.1:8080",
    client_id: Annotated[str | None, typer.Option(help="Instead of the file's.", show_default=False)] = None,
    officer: Annotated[
        str | None, typer.Option(help='Instead of the file\'s; "" for none.', show_default=False)
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(help="Instead of the file's; else the address.", show_default=False)
    ] = None,
    lang: Lang = None,
) -> None:
    """Make both assertions from a key file, ask for an access token, and print it alone."""
    _require_http(url)
    jwk, told = _read(key, spoken_language(lang))
    given = {"client_id": client_id, "officer": officer, "issuer": issuer}
    named = told | {name: value for name, value in given.items() if value is not None}
    if not named.get("client_id"):
        raise typer.BadParameter("the key file names no client_id; give --client-id")
    form = _form(jwk, named["client_id"], named.get("officer", ""), named.get("issuer") or url.rstrip("/"))
    typer.echo(_ask(url.rstrip("/") + TOKEN_PATH, form, spoken_language(lang)))


def _require_http(url: str) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise typer.BadParameter("expected an address that begins with http:// or https://")


def _read(file: Path, language: Language) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        content = json.loads(read_whole(file, _MAX_ANSWER, language).decode("utf-8"))
    except ValueError as problem:
        raise typer.BadParameter(f"{file} is no JSON") from problem
    if not isinstance(content, dict):
        raise typer.BadParameter(f"{file} holds no JSON object")
    jwk = content.get("key", content)
    if not isinstance(jwk, dict) or "d" not in jwk:
        raise typer.BadParameter(f"{file} holds no private JWK")
    return jwk, {name: str(content[name]) for name in _MEMBERS if name in content}


def _form(jwk: dict[str, Any], client_id: str, officer: str, issuer: str) -> dict[str, str]:
    def assertion(typ: str, subject: str) -> str:
        try:
            return make_assertion(
                jwk,
                issuer=issuer,
                client_id=client_id,
                subject=subject,
                typ=typ,
                at=Clock().now(),
                jti=os.urandom(16).hex(),
            )
        except ValueError as problem:
            raise typer.BadParameter(f"the key cannot sign: {problem}") from problem

    form = {
        "grant_type": JWT_BEARER if officer else CLIENT_CREDENTIALS,
        "client_assertion_type": CLIENT_ASSERTION_TYPE,
        "client_assertion": assertion(CLIENT_TYPE, client_id),
    }
    return form | ({"assertion": assertion(OFFICER_TYPE, officer)} if officer else {})


def _ask(address: str, form: Mapping[str, str], language: Language) -> str:
    # The scheme was checked: only http and https come this far.
    headers = {"Accept-Language": language, **tracing.headers()}
    request = Request(address, urlencode(form).encode(), headers)  # noqa: S310
    try:
        with urlopen(request, timeout=_TIMEOUT) as reply:  # noqa: S310
            return _member(reply.read(_MAX_ANSWER), "access_token")
    except HTTPError as problem:
        with problem:
            told = problem.read(_MAX_ANSWER)
        raise CommandFailed(
            f"{problem.code}: {_member(told, 'code')}: {_member(told, 'detail')}"
        ) from problem
    except (URLError, TimeoutError) as problem:
        raise CommandFailed(
            f"{address} cannot be reached: {getattr(problem, 'reason', problem)}"
        ) from problem


def _member(answer: bytes, name: str) -> str:
    try:
        return str(json.loads(answer)[name])
    except (ValueError, KeyError, TypeError) as problem:
        raise CommandFailed(f"the answer has no {name}: is this Kho?") from problem
