"""Taking documents at the desk: all that satisfy in one act, or one chosen; then the file, and its story."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from policies.facts import Action
from policies.guards import GUARDS
from reuse_api.callers import AsDesk, TheVault
from reuse_api.content import content as file_of
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import many, one, request_key, sent
from reuse_api.pages.rendering import GUARDED, language_of, onward, page
from reuse_api.pages.troubles import PageRoute, refused
from vault import deliver, receipts, release
from vault.access_steps import steps
from vault.progress import progress
from vault.release import Wanted
from vault.services import Refusal

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/desk/dossiers/{code}/releases")
async def take(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Take the documents of the components named, or for one component the record chosen."""
    form = await sent(request, "desk")
    components, record = many(form, "component"), one(form, "record") or None
    wanted = [Wanted(component, record) for component in components]
    key = request_key(form)
    told = await release.request(vault, caller, code, wanted, key=key)
    return refused(request, told) if isinstance(told, Refusal) else onward(f"/desk/dossiers/{code}?did={key}")


@router.get("/desk/dossiers/{code}/releases/{release_id}")
async def access(request: Request, vault: TheVault, caller: AsDesk, code: str, release_id: str) -> Response:
    """Show one access in its numbered steps, with what each came to."""
    found = await progress(vault, caller, code)
    clerk = Clerk(language_of(request), vault.book)
    taken = found.release(release_id)
    return page(
        request,
        "desk_access.html",
        room="desk",
        section="desk",
        one=found,
        clerk=clerk,
        taken=clerk.taken(taken),
        label=clerk.component(found, taken.component),
        conditions=len(GUARDS[Action.RELEASE]),
        steps=await steps(vault, caller, code, taken),
    )


@router.get("/desk/releases/{release_id}/content")
async def content(request: Request, vault: TheVault, caller: AsDesk, release_id: str) -> Response:
    """Hand out the file of a release: decided afresh if anything moved, an entry before the first byte."""
    told = await deliver.deliver(vault, caller, release_id)
    return refused(request, told) if isinstance(told, Refusal) else file_of(request, told, ranged=False)


@router.get("/desk/receipts/{receipt}")
async def receipt(request: Request, vault: TheVault, caller: AsDesk, receipt: str) -> Response:
    """Hand out the proof of an entry of this desk as a text file."""
    text = await receipts.fetch(vault, caller, receipt)
    name = language_of(request).say("desk.receipt_file", receipt=receipt)
    headers = {**GUARDED, "Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, headers=headers)
