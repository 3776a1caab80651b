"""Taking documents at the desk: all that satisfy in one act, or one chosen; then the file, and its story."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from policies.facts import Action
from policies.guards import GUARDS
from reuse_api.callers import AsDesk, TheVault
from reuse_api.content import content as file_of
from reuse_api.content import picture as picture_of
from reuse_api.pages.check_views import tell_stored
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import many, one, request_key, sent
from reuse_api.pages.rendering import GUARDED, language_of, onward, page
from reuse_api.pages.troubles import PageRoute, refused
from signing.file_types import XML
from vault import deliver, picturing, receipts, release
from vault.access_steps import steps
from vault.errors import NotFound
from vault.progress import progress
from vault.release import Wanted
from vault.services import Refusal

_MOST_DIGITS = 5  # of a page number

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/desk/dossiers/{code}/releases")
async def take(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Take the documents of the components named, or for one component the record chosen."""
    form = await sent(request, "desk")
    components, record = many(form, "component"), one(form, "record") or None
    wanted = [Wanted(component, record) for component in components]
    key = request_key(form)
    told = await release.request(vault, caller, code, wanted, key=key)
    if isinstance(told, Refusal):
        return refused(request, told)
    seen = [each["release"] for each in told["items"] if each["state"] == "released" and record is not None]
    if len(seen) == len(told["items"]) == 1 and not told["items"][0]["counts"]:
        return onward(f"/desk/dossiers/{code}/releases/{seen[0]}/view/1")
    return onward(f"/desk/dossiers/{code}?did={key}")


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


@router.get("/desk/dossiers/{code}/releases/{release_id}/view/{number}")
async def view(
    request: Request, vault: TheVault, caller: AsDesk, code: str, release_id: str, number: str
) -> Response:
    """Show a page of a document that this desk took; what is only for viewing is confirmed from here."""
    found = await progress(vault, caller, code)
    clerk = Clerk(language_of(request), vault.book)
    taken, shown = found.release(release_id), _number(number)
    row = taken.record.row
    paged = row["media_type"] != XML
    pages = row["pages"] if paged else 1  # of what has none, the one page says so
    if not taken.ours or shown < 1 or (pages is not None and shown > pages):
        raise NotFound
    return page(
        request,
        "desk_view.html",
        room="desk",
        section="desk",
        here=f"/desk/dossiers/{code}",  # another language must not open the content again
        one=found,
        taken=clerk.taken(taken),
        check=tell_stored(clerk, taken.record),
        label=clerk.component(found, taken.component),
        number=shown,
        pages=pages,
        paged=paged,
        signature=row["signature_sha256"] is not None,
    )


@router.get("/desk/releases/{release_id}/pages/{number}")
async def picture(
    request: Request, vault: TheVault, caller: AsDesk, release_id: str, number: str
) -> Response:
    """Hand out the picture of one page of a release: a reading of its content like any other."""
    drawn = await picturing.show_released(vault, caller, release_id, _number(number))
    return refused(request, drawn) if isinstance(drawn, Refusal) else picture_of(request, drawn)


@router.get("/desk/releases/{release_id}/content")
async def content(request: Request, vault: TheVault, caller: AsDesk, release_id: str) -> Response:
    """Hand out the file of a release: decided afresh if anything moved, an entry before the first byte."""
    told = await deliver.deliver(vault, caller, release_id)
    return refused(request, told) if isinstance(told, Refusal) else file_of(request, told, ranged=False)


@router.get("/desk/releases/{release_id}/signature")
async def signature(request: Request, vault: TheVault, caller: AsDesk, release_id: str) -> Response:
    """Hand out the signature beside the file of a release: decided and entered as the file is."""
    told = await deliver.signature(vault, caller, release_id)
    return refused(request, told) if isinstance(told, Refusal) else file_of(request, told, ranged=False)


@router.get("/desk/receipts/{receipt}")
async def receipt(request: Request, vault: TheVault, caller: AsDesk, receipt: str) -> Response:
    """Hand out the proof of an entry of this desk as a text file."""
    text = await receipts.fetch(vault, caller, receipt)
    name = language_of(request).say("desk.receipt_file", receipt=receipt)
    headers = {**GUARDED, "Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, headers=headers)


def _number(text: str) -> int:
    """Read the number of a page. Raises NotFound for what is none."""
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise NotFound
    return int(text)
