"""Searching what the persons of a dossier hold for its components: an entry for each of them."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsDesk, TheVault
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import one, sent
from reuse_api.pages.rendering import language_of, page
from reuse_api.pages.search_views import Counted, Fault, Narrowed, facet_views, issuer_names, unmarked
from reuse_api.pages.troubles import PageRoute, refused
from reuse_api.problems import words
from vault.dossier_search import in_dossier
from vault.errors import FieldInvalid, SearchUnavailable
from vault.progress import progress
from vault.searching import Sought, marker
from vault.services import Answer, Refusal

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/desk/dossiers/{code}/search")
async def searched(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Show what was found, for which components it can be used, and why or why not."""
    form = await sent(request, "desk")
    text, after, narrowed, fault = one(form, "q"), one(form, "after"), Narrowed.of(form), Fault()
    filters = {name: frozenset([value]) for name, value in narrowed.chosen().items()}
    told: Answer = {"records": [], "loose": False, "facets": {}, "issuers": {}}
    try:
        outcome = await in_dossier(vault, caller, code, Sought(text, filters, after or None))
    except (FieldInvalid, SearchUnavailable) as problem:
        fault = Fault.of(problem)
    else:
        if isinstance(outcome, Refusal):
            return refused(request, outcome)
        told = outcome
    found = await progress(vault, caller, code)
    clerk = Clerk(language_of(request), vault.book)
    return page(
        request,
        "desk_found.html",
        room="desk",
        section="desk",
        here=f"/desk/dossiers/{found.code}",
        one=found,
        status=fault.status,
        headers=fault.headers,
        fault=words(fault.code, clerk.language.code, "officer") if fault.code else "",
        sought=text,
        hits=[clerk.hit(each, found) for each in told["records"]],
        loose=told["loose"],
        found_in=unmarked if fault.code else marker(text, loose=told["loose"]),
        facets=facet_views(clerk, Counted(told["facets"], issuer_names(told)), narrowed),
        onward=asdict(narrowed) | {"q": text, "after": told["next"]} if "next" in told else None,
    )
