"""The wallet: my documents, one document with its check and its history, its pages, its file."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsOwner, TheVault
from reuse_api.content import content as file_of
from reuse_api.content import picture as picture_of
from reuse_api.pages.acting import Announced
from reuse_api.pages.consent_views import tell_requests
from reuse_api.pages.document_views import tell_document
from reuse_api.pages.forms import one, sent
from reuse_api.pages.quarantine_views import tell_shut
from reuse_api.pages.rendering import language_of, page
from reuse_api.pages.search_views import Counted, Fault, Narrowed, facet_views, unmarked
from reuse_api.pages.troubles import PageRoute, refused
from reuse_api.pages.views import Narrator
from reuse_api.problems import words
from signing.file_types import XML
from vault import deliver, finding, looking, my_consents, picturing, searching, versions
from vault.errors import FieldInvalid, NotFound, SearchUnavailable
from vault.quarantine_ending import my_quarantine
from vault.services import Refusal

_MOST_DIGITS = 5  # of a page number

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[Announced])


@router.get("/wallet")
async def records(
    request: Request, vault: TheVault, caller: AsOwner, added: str = "", known: str = ""
) -> Response:
    """Show the requests that wait for an answer, then my documents, newest first."""
    narrator = Narrator(language_of(request), vault.book)
    held = await finding.my_records(vault, caller)
    return page(
        request,
        "records.html",
        section="records",
        me=await finding.me(vault, caller),
        waiting=tell_requests(narrator, await my_consents.pending(vault, caller)),
        records=[narrator.record(one) for one in held],
        added=bool(added),
        known=bool(known),
        sought="",
        found=None,
        found_in=unmarked,
        facets=(),
        onward=None,
        first=True,
        fault="",
        shut=[tell_shut(narrator.language, one) for one in await my_quarantine(vault, caller)],
    )


@router.post("/wallet/search")
async def searched(request: Request, vault: TheVault, caller: AsOwner) -> Response:
    """Show which of my documents hold the words: answered here, since they may be a number, in no address."""
    form = await sent(request, "wallet")
    text, after, narrowed, fault, found = one(form, "q"), one(form, "after"), Narrowed.of(form), Fault(), None
    filters = {name: frozenset([value]) for name, value in narrowed.chosen().items()}
    try:
        found = await searching.mine(vault, caller, searching.Sought(text, filters, after or None))
    except (FieldInvalid, SearchUnavailable) as problem:
        fault = Fault.of(problem)
    narrator = Narrator(language_of(request), vault.book)
    held = [each.record for each in found.hits] if found else await finding.my_records(vault, caller)
    counted = Counted(found.facets, found.issuers) if found else Counted({}, {})
    return page(
        request,
        "records.html",
        section="records",
        here="/wallet",
        status=fault.status,
        headers=fault.headers,
        me=await finding.me(vault, caller),
        waiting=[],
        shut=[],
        added=False,
        known=False,
        records=[narrator.record(each) for each in held],
        sought=text,
        found=found,
        found_in=searching.marker(text, loose=found.loose) if found else unmarked,
        facets=facet_views(narrator, counted, narrowed),
        onward=asdict(narrowed) | {"q": text, "after": found.next} if found and found.next else None,
        first=not after,
        fault=words(fault.code, narrator.language.code) if fault.code else "",
    )


@router.get("/wallet/records/{record}")
async def record(request: Request, vault: TheVault, caller: AsOwner, record: str) -> Response:
    """Show one document: its state, check, history and facts, and the ways to its pages and its file."""
    narrator = Narrator(language_of(request), vault.book)
    kept = await versions.mine(vault, caller, record)
    return page(
        request,
        "record.html",
        section="records",
        one=tell_document(narrator, await looking.look(vault, caller, record), kept),
    )


@router.get("/wallet/records/{record}/view/{number}")
async def view(request: Request, vault: TheVault, caller: AsOwner, record: str, number: str) -> Response:
    """Show a page of the document: asked for by the reader, since the picture in it is an entry."""
    whole = await looking.look(vault, caller, record)
    shown, pages = _number(number), whole.record.pages
    if whole.record.media_type == XML or shown < 1 or (pages is not None and shown > pages):
        raise NotFound
    return page(
        request,
        "view.html",
        section="records",
        here=f"/wallet/records/{record}",  # another language must not open the content again
        one=Narrator(language_of(request), vault.book).record(whole.record),
        number=shown,
        pages=pages,
    )


@router.get("/wallet/records/{record}/pages/{number}")
async def picture(request: Request, vault: TheVault, caller: AsOwner, record: str, number: str) -> Response:
    """Hand out the picture of one page; an entry of the log like every other reading."""
    drawn = await picturing.show_page(vault, caller, record, _number(number))
    return refused(request, drawn) if isinstance(drawn, Refusal) else picture_of(request, drawn)


@router.get("/wallet/records/{record}/content")
async def content(request: Request, vault: TheVault, caller: AsOwner, record: str) -> Response:
    """Hand out the file to its owner; an entry of the log like every other reading."""
    told = await deliver.read_own(vault, caller, record)
    if isinstance(told, Refusal):
        return refused(request, told)
    return file_of(request, told, ranged=False)


@router.get("/wallet/records/{record}/signature")
async def signature(request: Request, vault: TheVault, caller: AsOwner, record: str) -> Response:
    """Hand out the signature that stands beside the file; an entry of the log like every other reading."""
    told = await versions.read_signature(vault, caller, record)
    return refused(request, told) if isinstance(told, Refusal) else file_of(request, told, ranged=False)


@router.get("/wallet/records/{record}/versions/{sha256}/content")
async def version(request: Request, vault: TheVault, caller: AsOwner, record: str, sha256: str) -> Response:
    """Hand out an earlier file or the original; an entry of the log like every other reading."""
    told = await versions.read(vault, caller, record, sha256)
    if isinstance(told, Refusal):
        return refused(request, told)
    return file_of(request, told, ranged=False)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise NotFound
    return int(text)
