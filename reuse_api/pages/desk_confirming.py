"""What only an officer can settle: a candidate that serves after all, and a notice that was seen."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsDesk, TheVault
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import new_key, one, request_key, sent
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.troubles import PageRoute, refused
from reuse_api.problems import words
from vault import notifying, plan
from vault.callers import SystemCaller
from vault.confirming import confirm
from vault.errors import FieldInvalid, NotFound
from vault.progress import progress
from vault.services import Refusal, Vault
from vault.validity import MAX_WORDS

_ADVICE = ("original", "database", "call", "earlier")  # reasons that officers often give

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/desk/dossiers/{code}/confirmation")
async def form(
    request: Request, vault: TheVault, caller: AsDesk, code: str, component: str = "", record: str = ""
) -> Response:
    """Show one candidate, why it is no more than that, and where the officer says what they compared."""
    return await _form(request, vault, caller, code, component, record)


@router.post("/desk/dossiers/{code}/confirmation")
async def send(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Confirm a candidate with a reason; it counts for this component of this dossier alone."""
    sent_form = await sent(request, "desk")
    component, record, reason = (one(sent_form, name) for name in ("component", "record", "reason"))
    try:
        told = await confirm(
            vault, caller, code, component, record, reason=reason, key=request_key(sent_form)
        )
    except FieldInvalid as problem:
        return await _form(request, vault, caller, code, component, record, reason, problem.code)
    if isinstance(told, Refusal):
        return refused(request, told)
    return onward(f"/desk/dossiers/{code}?done=confirmed")


@router.post("/desk/notices/{notice}/seen")
async def seen(request: Request, vault: TheVault, caller: AsDesk, notice: str) -> Response:
    """Note that a notice was seen: an acknowledgement in the log."""
    sent_form = await sent(request, "desk")
    told = await notifying.mark_seen(vault, caller, notice, key=request_key(sent_form))
    return refused(request, told) if isinstance(told, Refusal) else onward("/desk")


async def _form(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    code: str,
    component: str,
    record: str,
    reason: str = "",
    fault: str = "",
) -> Response:
    found = await progress(vault, caller, code)
    told = await plan.look(vault, caller, code)
    if isinstance(told, Refusal):
        return refused(request, told)
    clerk = Clerk(language_of(request), vault.book)
    rows = clerk.plan(told, found).rows
    row = next((each for each in rows if each.code == component), None)
    paper = next((each for each in row.candidates if each.record == record), None) if row else None
    if row is None or paper is None:
        raise NotFound
    return page(
        request,
        "desk_confirm.html",
        room="desk",
        section="desk",
        here=f"/desk/dossiers/{code}",
        status=422 if fault else 200,
        one=found,
        row=row,
        paper=paper,
        seen=row.seen.get(record),
        advice=[clerk.language.say(f"desk.advice.{each}") for each in _ADVICE],
        reason=reason,
        errors={"reason": words(fault, clerk.language.code, "officer")} if fault else {},
        focus="reason",
        most=MAX_WORDS,
        request_key=new_key(),
    )
