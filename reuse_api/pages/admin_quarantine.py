"""The administrator's list of what lies in quarantine: why, since when, until when; and its early end."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api import problems
from reuse_api.callers import AsAdministrator, TheVault
from reuse_api.pages.forms import one, sent
from reuse_api.pages.quarantine_views import tell_shut
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.troubles import PageRoute
from vault.callers import StaffCaller
from vault.errors import FieldInvalid
from vault.quarantine_ending import MAX_REASON, destroy, in_quarantine
from vault.quarantining import KEPT
from vault.services import Vault

_PLACE = "/admin/quarantine"
_SHOWN = 100

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(_PLACE)
async def quarantine(request: Request, vault: TheVault, caller: AsAdministrator, done: str = "") -> Response:
    """List what is in quarantine, newest first."""
    return await _listed(request, vault, caller, done=bool(done))


@router.post(_PLACE + "/{item}/end")
async def end(request: Request, vault: TheVault, caller: AsAdministrator, item: str) -> Response:
    """Destroy one file now; on a fault show the list again, the fault at its field."""
    form = await sent(request, "admin")
    try:
        await destroy(vault, caller, item, reason=one(form, "reason"))
    except FieldInvalid as problem:
        return await _listed(request, vault, caller, fault=(item, problem.code))
    return onward(f"{_PLACE}?done=1")


async def _listed(
    request: Request,
    vault: Vault,
    caller: StaffCaller,
    *,
    done: bool = False,
    fault: tuple[str, str] | None = None,
) -> Response:
    language = language_of(request)
    found = await in_quarantine(vault, caller, limit=_SHOWN + 1)
    return page(
        request,
        "admin_quarantine.html",
        room="admin",
        section="quarantine",
        here=_PLACE,
        status=422 if fault else 200,
        shut=[tell_shut(language, each) for each in found[:_SHOWN]],
        more=len(found) > _SHOWN,
        limit=_SHOWN,
        days=KEPT.days,
        longest=MAX_REASON,
        wrong=fault[0] if fault else "",
        error=problems.words(fault[1], language.code, "officer") if fault else "",
        done=done,
    )
