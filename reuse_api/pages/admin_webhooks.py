"""The administrator's list of web hooks: whose they are, how they fare, and what is to be tried again."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsAdministrator, TheVault
from reuse_api.pages.forms import new_key, request_key, sent
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.pages.webhook_views import tell_hook
from vault import hook_care

_PLACE = "/admin/webhooks"
_SHOWN = 100
DONE = ("replayed", "resumed")

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(_PLACE)
async def webhooks(request: Request, vault: TheVault, caller: AsAdministrator, done: str = "") -> Response:
    """List web hooks, newest first."""
    found = await hook_care.every(vault, caller, limit=_SHOWN + 1)
    return page(
        request,
        "admin_webhooks.html",
        room="admin",
        section="webhooks",
        here=_PLACE,
        hooks=[tell_hook(language_of(request), one) for one in found[:_SHOWN]],
        more=len(found) > _SHOWN,
        limit=_SHOWN,
        done=done if done in DONE else "",
        new_key=new_key,
    )


@router.post(_PLACE + "/{webhook}/replay")
async def replay(request: Request, vault: TheVault, caller: AsAdministrator, webhook: str) -> Response:
    """Have what was given up for a web hook tried again."""
    form = await sent(request, "admin")
    await hook_care.replay(vault, caller, webhook, key=request_key(form))
    return onward(f"{_PLACE}?done=replayed")


@router.post(_PLACE + "/{webhook}/resume")
async def resume(request: Request, vault: TheVault, caller: AsAdministrator, webhook: str) -> Response:
    """Go on telling a web hook that a restore paused."""
    form = await sent(request, "admin")
    await hook_care.resume(vault, caller, webhook, key=request_key(form))
    return onward(f"{_PLACE}?done=resumed")
