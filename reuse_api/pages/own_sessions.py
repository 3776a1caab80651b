"""Where I am signed in, in every room, and the end of that; an administrator ends an officer's too."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api import problems
from reuse_api.callers import AsAdministrator, AsAuditor, AsDesk, AsPerson, TheVault, the_settings
from reuse_api.pages.acting import Announced
from reuse_api.pages.dates import When
from reuse_api.pages.forms import new_key, one, request_key, sent
from reuse_api.pages.openid import ROOM_OF
from reuse_api.pages.rendering import ROOMS, Room, language_of, onward, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.pages.views import Narrator
from vault import my_sessions, staff_sessions
from vault.callers import StaffCaller
from vault.errors import FieldInvalid
from vault.services import Vault
from vault.sessions import Line

DONE = ("ended",)
_STAFF = "/admin/staff"
_SHOWN = 200

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class ShownSession:
    """One session as a page tells it."""

    id: str
    device: str
    since: When
    until: When
    strong: bool
    current: bool
    agency: str
    officer: str
    name: str
    role: str


@router.get("/wallet/sessions", dependencies=[Announced])
async def mine(request: Request, vault: TheVault, caller: AsPerson, done: str = "") -> Response:
    """Show where I am signed in to my store."""
    return _page(request, vault, "wallet", await my_sessions.listed(vault, caller), done)


@router.post("/wallet/sessions/{session}/end", dependencies=[Announced])
async def end_mine(request: Request, vault: TheVault, caller: AsPerson, session: str) -> Response:
    """End one of my sessions."""
    await sent(request, "wallet")
    await my_sessions.end(vault, caller, session)
    return onward("/wallet/sessions?done=ended")


@router.get("/desk/sessions")
async def at_desk(request: Request, vault: TheVault, desk: AsDesk, done: str = "") -> Response:
    """Show where I, an officer at the desk, am signed in."""
    caller = await vault.gate.check_staff(desk.token)
    return _page(request, vault, "desk", await my_sessions.listed(vault, caller), done)


@router.get("/audit/sessions")
async def auditing(request: Request, vault: TheVault, caller: AsAuditor, done: str = "") -> Response:
    """Show where I, an auditor, am signed in."""
    return _page(request, vault, "audit", await my_sessions.listed(vault, caller), done)


@router.get("/admin/sessions")
async def administering(
    request: Request, vault: TheVault, caller: AsAdministrator, done: str = ""
) -> Response:
    """Show where I, an administrator, am signed in."""
    return _page(request, vault, "admin", await my_sessions.listed(vault, caller), done)


@router.post("/desk/sessions/{session}/end")
async def end_at_desk(request: Request, vault: TheVault, desk: AsDesk, session: str) -> Response:
    """End one of my sessions as an officer at the desk."""
    return await _end_own(request, vault, await vault.gate.check_staff(desk.token), session)


@router.post("/audit/sessions/{session}/end")
async def end_auditing(request: Request, vault: TheVault, caller: AsAuditor, session: str) -> Response:
    """End one of my sessions as an auditor."""
    return await _end_own(request, vault, caller, session)


@router.post("/admin/sessions/{session}/end")
async def end_administering(
    request: Request, vault: TheVault, caller: AsAdministrator, session: str
) -> Response:
    """End one of my sessions as an administrator."""
    return await _end_own(request, vault, caller, session)


async def _end_own(request: Request, vault: Vault, caller: StaffCaller, session: str) -> Response:
    room = ROOM_OF[caller.role]
    await sent(request, room)
    await my_sessions.end(vault, caller, session)
    return onward(f"{ROOMS[room].home}/sessions?done=ended")


@router.get(_STAFF)
async def officers(request: Request, vault: TheVault, caller: AsAdministrator, done: str = "") -> Response:
    """Show where every officer is signed in."""
    return await _officers(request, vault, caller, done=done)


@router.post(_STAFF + "/{session}/end")
async def end(request: Request, vault: TheVault, caller: AsAdministrator, session: str) -> Response:
    """End an officer's session for a reason; on a fault show the list again, the fault at its field."""
    form = await sent(request, "admin")
    reason = one(form, "reason")
    try:
        await staff_sessions.end(vault, caller, session, reason, key=request_key(form))
    except FieldInvalid as problem:
        return await _officers(request, vault, caller, wrong=session, fault=problem.code)
    return onward(f"{_STAFF}?done=ended")


def _page(request: Request, vault: Vault, room: Room, found: Sequence[Line], done: str) -> Response:
    settings = the_settings(request)
    wallet = room == "wallet"
    return page(
        request,
        "sessions.html",
        room=room,
        here=f"{ROOMS[room].home}/sessions",
        sessions=_shown(request, vault, found),
        idle=settings.wallet_idle_minutes if wallet else settings.staff_idle_minutes,
        most=settings.wallet_session_minutes if wallet else settings.staff_session_minutes,
        by_code=settings.demo_sign_in,  # such a session has an end alone, and each card tells it
        done=done if done in DONE else "",
    )


async def _officers(
    request: Request,
    vault: Vault,
    caller: StaffCaller,
    *,
    done: str = "",
    wrong: str = "",
    fault: str = "",
) -> Response:
    found = await staff_sessions.every(vault, caller, _SHOWN + 1)
    language = language_of(request).code
    return page(
        request,
        "admin_staff.html",
        room="admin",
        section="staff",
        here=_STAFF,
        status=422 if fault else 200,
        sessions=_shown(request, vault, found[:_SHOWN]),
        more=len(found) > _SHOWN,
        limit=_SHOWN,
        longest=staff_sessions.MAX_REASON,
        wrong=wrong,
        error=problems.words(fault, language, "officer") if fault else "",
        done=done if done in DONE else "",
        new_key=new_key,
    )


def _shown(request: Request, vault: Vault, found: Sequence[Line]) -> list[ShownSession]:
    narrator = Narrator(language_of(request), vault.book)
    return [
        ShownSession(
            id=each.id,
            device=each.device or "computer",
            since=narrator.moment(each.began_at),
            until=narrator.moment(each.expires),
            strong=each.assurance == "high",
            current=each.current,
            agency=each.agency or "",
            officer=each.officer or "",
            name=each.name or "",
            role=each.role or "",
        )
        for each in found
    ]
