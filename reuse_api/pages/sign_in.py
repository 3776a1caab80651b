"""Signing in with a one-time code (the demo alone), signing out, and choosing a language."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import Anybody, TheVault, door_of, request_id, the_settings
from reuse_api.journal import authentication_failed
from reuse_api.language import LANGUAGES
from reuse_api.pages.languages import COOKIE
from reuse_api.pages.rendering import ROOMS, Room, check_form, onward, page
from reuse_api.pages.troubles import PageRoute
from vault import staff
from vault.authenticating import redeem_code, sign_out
from vault.callers import Role
from vault.services import Vault

_YEAR = 365 * 24 * 3600  # seconds
_SIGN_IN = "/sign-in"
_ROOM_OF: dict[Role, Room] = {"desk": "desk", "auditor": "audit", "administrator": "admin"}

CodeTried = Callable[[str], Awaitable[None]]


async def nothing_more(_code: str) -> None:
    """Let a code that was typed be no news to anybody."""


router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[Anybody])


@router.get(_SIGN_IN)
async def show(request: Request, out: str = "") -> Response:
    """Show the door: a form for the code, or that there is no way in here."""
    return _door(request, signed_out=bool(out))


@router.post(_SIGN_IN)
async def enter(request: Request, vault: TheVault, code: Annotated[str, Form()] = "") -> Response:
    """Turn a one-time code into a session; refused unless this is the demo on this very machine."""
    check_form(request)
    if not the_settings(request).demo_sign_in:
        return _door(request)
    found = await _redeemed(vault, code)
    tried: CodeTried = request.app.state.code_tried
    await tried(code)
    if found is None:
        authentication_failed("sign_in_code", door=door_of(request), request=request_id(request))
        return _door(request, wrong=True)
    return _entered(request, *found)


async def _redeemed(vault: Vault, code: str) -> tuple[Room, str] | None:
    secret = await redeem_code(vault, code)
    if secret is not None:
        return "wallet", secret
    found = await staff.redeem_code(vault.db, vault.clock, code)
    return None if found is None else (_ROOM_OF[found[1]], found[0])


def _entered(request: Request, room: Room, secret: str) -> Response:
    answer = onward(ROOMS[room].home)
    answer.set_cookie(
        ROOMS[room].cookie, secret, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer


@router.post("/sign-out")
async def leave(
    request: Request,
    vault: TheVault,
    form_token: Annotated[str, Form()] = "",
    room: Annotated[Room, Form()] = "wallet",
) -> Response:
    """End the session, here and in the vault."""
    check_form(request, form_token, room=room)
    secret = request.cookies.get(ROOMS[room].cookie, "")
    if room == "wallet":
        await sign_out(vault, secret)
    else:
        await staff.sign_out(vault.db, secret)
    answer = onward(f"{_SIGN_IN}?out=1")
    answer.delete_cookie(ROOMS[room].cookie, httponly=True, samesite="strict")
    return answer


@router.post("/language")
async def choose(
    request: Request, language: Annotated[str, Form()], back: Annotated[str, Form()] = "/wallet"
) -> Response:
    """Remember the language and go back to where the reader was; a foreign address is not followed."""
    check_form(request)
    homes = tuple(one.home for one in ROOMS.values())
    known = back in (_SIGN_IN, *homes) or back.startswith(tuple(f"{home}/" for home in homes))
    answer = onward(back if known else "/wallet")
    if language in LANGUAGES:
        answer.set_cookie(
            COOKIE,
            language,
            max_age=_YEAR,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return answer


def _door(request: Request, *, wrong: bool = False, signed_out: bool = False) -> Response:
    open_here = the_settings(request).demo_sign_in
    status = 404 if not open_here else 422 if wrong else 200
    return page(
        request,
        "sign_in.html",
        signed_in=False,
        status=status,
        open=open_here,
        wrong=wrong,
        signed_out=signed_out,
    )
