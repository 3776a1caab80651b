"""The desk: an agency's open dossiers, one dossier with its plan on one screen, and closing it."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from policies.errors import IdentifierInvalid
from policies.identifiers import dossier_code
from reuse_api.callers import AsDesk, TheVault
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import new_key, request_key, sent
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.troubles import PageRoute, refused
from reuse_api.problems import words
from vault import docket, handling, plan, waiting_seals
from vault.callers import SystemCaller
from vault.entries import instant, stamp
from vault.errors import NotFound
from vault.notifying import MAX_PAGE, Notice, for_agency
from vault.progress import outcome, progress
from vault.services import Refusal, Vault

_PAGE = 20  # dossiers on one page
DONE = (  # what a page may say was just done
    "opened",
    "confirmed",
    "scanned",
    "scan_waits",
    "result",
    "waiting",
    "closed",
)

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/desk")
async def home(request: Request, vault: TheVault, caller: AsDesk, before: str = "") -> Response:
    """Show the agency's open dossiers, the one touched last first, and a field for a dossier's code."""
    return await _home(request, vault, caller, before=before)


@router.get("/desk/open")
async def find(request: Request, vault: TheVault, caller: AsDesk, code: str = "") -> Response:
    """Lead to the dossier of a code; what cannot be a code is told at the field."""
    typed = code.strip()
    try:
        canonical = dossier_code(typed).text
    except IdentifierInvalid as problem:
        return await _home(request, vault, caller, typed=typed, fault=problem.code)
    return onward(f"/desk/dossiers/{canonical}")


@router.get("/desk/dossiers/{code}")
async def dossier(
    request: Request,
    vault: TheVault,
    caller: AsDesk,
    code: str,
    did: Annotated[str, Query(max_length=200)] = "",
    done: str = "",
) -> Response:
    """Show one dossier with its plan; opening the page asks once, and what was asked is shown again."""
    try:
        found = await progress(vault, caller, code)
    except NotFound:
        return await _unknown(request, vault, caller, code)
    if found.code != code:  # another writing of it
        return onward(f"/desk/dossiers/{found.code}")
    clerk = Clerk(language_of(request), vault.book)
    waiting = await waiting_seals.of_agency(vault, caller, found.code)
    answer = None
    if found.is_open:
        told = await plan.look(vault, caller, code)
        if isinstance(told, Refusal):
            return refused(request, told)
        answer = clerk.plan(told, found, waiting)
    newest = max(found.results, key=lambda each: str(each.row["created_at"]), default=None)
    came_to = await outcome(vault, caller, code, did) if did else None
    return page(
        request,
        "desk_dossier.html",
        room="desk",
        section="desk",
        one=found,
        clerk=clerk,
        plan=answer,
        taken=[clerk.taken(one) for one in found.taken],
        results=[clerk.stored(one) for one in found.results],
        notices=[clerk.notice(each) for each in await _notices(vault, caller, code)],
        waiting=[clerk.waiting(each) for each in waiting],
        outcome=clerk.outcome(came_to, found) if came_to and "items" in came_to else None,
        done=done if done in DONE else "",
        handed=clerk.stored(newest) if newest is not None and done == "result" else None,
        new_key=new_key,
    )


@router.post("/desk/dossiers/{code}/plan")
async def ask(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Ask the one question again: an entry for each person of the dossier."""
    await sent(request, "desk")
    told = await plan.ask(vault, caller, code)
    return refused(request, told) if isinstance(told, Refusal) else onward(f"/desk/dossiers/{code}")


@router.get("/desk/dossiers/{code}/close")
async def closing(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Ask once more before a dossier is closed for good."""
    found = await progress(vault, caller, code)
    if not found.is_open:
        return onward(f"/desk/dossiers/{found.code}")
    return page(request, "desk_close.html", room="desk", section="desk", one=found, request_key=new_key())


@router.post("/desk/dossiers/{code}/close")
async def close(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Close a dossier: it releases nothing more and never reopens."""
    form = await sent(request, "desk")
    told = await handling.close_dossier(vault, caller, code, key=request_key(form))
    if isinstance(told, Refusal):
        return refused(request, told)
    return onward(f"/desk/dossiers/{code}?done=closed")


async def _home(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    *,
    before: str = "",
    typed: str = "",
    fault: str = "",
) -> Response:
    clerk = Clerk(language_of(request), vault.book)
    try:
        until = instant(before) if before else None
    except ValueError:
        raise NotFound from None
    found = await docket.open_dossiers(vault, caller, before=until, limit=_PAGE + 1)
    shown = found[:_PAGE]
    return page(
        request,
        "desk.html",
        room="desk",
        section="desk",
        here="/desk",
        status=422 if fault else 200,
        me=await docket.at_desk(vault, caller),
        notices=[clerk.notice(each) for each in await _notices(vault, caller)],
        waiting=[clerk.waiting(each) for each in await waiting_seals.of_agency(vault, caller)],
        lines=shown,
        clerk=clerk,
        older=stamp(shown[-1].touched_at) if len(found) > _PAGE else None,
        newest=not before,
        new_key=new_key,
        typed=typed,
        error=words(fault, clerk.language.code, "officer") if fault else "",
    )


async def _notices(vault: Vault, caller: SystemCaller, dossier: str | None = None) -> list[Notice]:
    """Give what the desk has not seen yet; an agency that may hear nothing hears nothing."""
    told = await for_agency(vault, caller, limit=MAX_PAGE, unseen=True, dossier=dossier)
    return [] if isinstance(told, Refusal) else told


async def _unknown(request: Request, vault: Vault, caller: SystemCaller, code: str) -> Response:
    """No such dossier, or another agency's: one answer for both, and the attempt is entered."""
    with suppress(NotFound):
        await plan.ask(vault, caller, code)
    return page(request, "desk_unknown.html", room="desk", section="desk", status=404, code=code)
