"""The door: ways to providers, the one-time code (the demo alone); signing out, and choosing a language."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import (
    Anybody,
    TheVault,
    cookie_named,
    cookie_of,
    door_of,
    request_id,
    secure,
    the_settings,
)
from reuse_api.doors import Doors, the_doors
from reuse_api.journal import authentication_failed
from reuse_api.language import LANGUAGES
from reuse_api.pages.languages import COOKIE
from reuse_api.pages.rendering import ROOMS, Room, check_form, onward, page
from reuse_api.pages.troubles import PageRoute
from vault import sessions, staff
from vault.authenticating import redeem_code
from vault.callers import Role
from vault.provider_documents import ProviderFailed
from vault.realm_rules import Realm
from vault.services import Vault
from vault.session_marks import Holder

_YEAR = 365 * 24 * 3600  # seconds
_SIGN_IN = "/sign-in"
_MINUTE = timedelta(minutes=1)
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
    found = await staff.redeem_code(vault.db, vault.gate, vault.clock, code)
    return None if found is None else (_ROOM_OF[found[1]], found[0])


def _entered(request: Request, room: Room, secret: str) -> Response:
    answer = onward(ROOMS[room].home)
    named = cookie_named(request, ROOMS[room].cookie)
    answer.set_cookie(named, secret, httponly=True, samesite="strict", secure=secure(request))
    return answer


@router.post("/sign-out")
async def leave(
    request: Request,
    vault: TheVault,
    form_token: Annotated[str, Form()] = "",
    room: Annotated[Room, Form()] = "wallet",
) -> Response:
    """End the session, here and in the vault; at the provider too, if the person goes on to there."""
    check_form(request, form_token, room=room)
    secret = cookie_of(request, ROOMS[room].cookie)
    holder: Holder = "owner" if room == "wallet" else "staff"
    known = await sessions.id_token_of(vault.db, holder, secret)
    await sessions.end(vault.db, holder, secret)
    answer = await _left_there(request, "citizens" if room == "wallet" else "staff", known)
    answer = answer or onward(f"{_SIGN_IN}?out=1")
    named = cookie_named(request, ROOMS[room].cookie)
    answer.delete_cookie(named, httponly=True, samesite="strict", secure=secure(request))
    return answer


async def _left_there(request: Request, realm: Realm, known: tuple[str, str] | None) -> Response | None:
    """Offer to sign out at the provider too (OpenID Connect RP-Initiated Logout 1.0), where it can be done.

    What tells the provider who it is goes by a form, not in an address that a browser would remember.
    """
    provider = the_doors(request).get(realm)
    if provider is None or known is None or known[0] != provider.rules.issuer:
        return None
    try:
        place = (await provider.metadata()).end_session
    except ProviderFailed:
        return None  # signed out here it is, whatever becomes of the provider
    if place is None:
        return None
    asked = {
        "id_token_hint": known[1],
        "client_id": provider.rules.client,
        "post_logout_redirect_uri": f"{the_settings(request).address}{_SIGN_IN}?out=1",
    }
    at = urlsplit(place)
    return page(
        request,
        "signed_out.html",
        signed_in=False,
        here=_SIGN_IN,
        forms_to=f"{at.scheme}://{at.netloc}",
        place=place,
        asked=asked,
    )


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
            secure=secure(request),
        )
    return answer


def _door(request: Request, *, wrong: bool = False, signed_out: bool = False) -> Response:
    settings, doors = the_settings(request), the_doors(request)
    open_here = settings.demo_sign_in
    status = 422 if wrong else 200 if open_here or doors else 404
    return page(
        request,
        "sign_in.html",
        signed_in=False,
        status=status,
        open=open_here,
        wrong=wrong,
        signed_out=signed_out,
        citizens=_lasting(doors, "citizens"),
        staff=_lasting(doors, "staff"),
    )


def _lasting(doors: Doors, realm: Realm) -> dict[str, int] | None:
    """Give after how many minutes a session of a realm ends, without use and at most; None: no way in."""
    if realm not in doors:
        return None
    limits = doors[realm].rules.limits
    return {"idle": limits.idle // _MINUTE, "most": limits.lifetime // _MINUTE}
