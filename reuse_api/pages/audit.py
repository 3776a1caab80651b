"""The audit's first page: entries found by their codes, unopened, persons masked; an export."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.audit_csv import MEDIA_TYPE, table
from reuse_api.callers import AsAuditor, TheVault
from reuse_api.pages.audit_asked import Asked, asked
from reuse_api.pages.audit_views import Reviewer
from reuse_api.pages.forms import new_key, one, request_key, sent
from reuse_api.pages.rendering import GUARDED, language_of, onward, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.problems import words
from vault import auditing
from vault.auditing import Found
from vault.callers import StaffCaller
from vault.errors import FieldInvalid
from vault.services import Vault

PLACE = "/audit"
_PAGE = 50  # entries on one page
_MAX_INDEX = 2**53  # of an entry; beyond it there is none, and a database may fail to compare

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class _Fault:
    field: str = ""
    code: str = ""


_NONE = _Fault()


@router.get(PLACE)
async def entries(
    request: Request,
    vault: TheVault,
    caller: AsAuditor,
    find: str = "",
    before: Annotated[int | None, Query(ge=0, le=_MAX_INDEX)] = None,
) -> Response:
    """Show the form, and what was asked for by it; nothing is looked for, and entered, before that."""
    wanted = asked(request.query_params)
    if not find:
        return await _shown(request, vault, wanted, None)
    try:
        found = await auditing.search(vault, caller, wanted.filters(), before=before, limit=_PAGE)
    except FieldInvalid as problem:
        return await _shown(request, vault, wanted, None, _fault(problem))
    return await _shown(request, vault, wanted, found, newest=before is None)


@router.post(f"{PLACE}/searches")
async def search(request: Request, vault: TheVault, caller: AsAuditor) -> Response:
    """Lead to what was asked for: a person's number is looked up here and stands in no address."""
    form = await sent(request, "audit")
    wanted = asked(form)
    try:
        number = one(form, "owner")
        if number:
            wanted = Asked({**wanted.typed, "store": await _store(vault, caller, number)})
        wanted.filters()
    except FieldInvalid as problem:
        return await _shown(request, vault, wanted, None, _fault(problem))
    return onward(f"{PLACE}?{wanted.query(find=1)}")


@router.post(f"{PLACE}/exports")
async def export(request: Request, vault: TheVault, caller: AsAuditor) -> Response:
    """Hand out the entries that fit as a table."""
    form = await sent(request, "audit")
    wanted = asked(form)
    try:
        found = await auditing.export(vault, caller, wanted.filters(), key=request_key(form))
    except FieldInvalid as problem:
        return await _shown(request, vault, wanted, None, _fault(problem))
    name = language_of(request).say("audit.export_name", index=found.entered.index)
    headers = {**GUARDED, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(table(found.lines), media_type=MEDIA_TYPE, headers=headers)


async def _store(vault: Vault, caller: StaffCaller, number: str) -> str:
    found = await auditing.find_owner(vault, caller, number)
    if found is None:
        raise FieldInvalid("owner", "owner_unknown")
    return found


def _fault(problem: FieldInvalid) -> _Fault:
    return _Fault("store" if problem.field == "owner" else problem.field, problem.code)


async def _shown(
    request: Request,
    vault: Vault,
    wanted: Asked,
    found: Found | None,
    fault: _Fault = _NONE,
    *,
    newest: bool = True,
) -> Response:
    reviewer = Reviewer(language_of(request), vault.book)
    if fault.field == "store":
        wanted = wanted.without("store")
    error = words(fault.code, reviewer.language.code, "officer") if fault.code else ""
    return page(
        request,
        "audit.html",
        room="audit",
        section="audit",
        here=PLACE,
        status=422 if fault.code else 200,
        asked=wanted,
        owner=await auditing.masked_owner(vault, wanted["store"]) if wanted["store"] else "",
        offered=await auditing.choices(vault),
        reviewer=reviewer,
        found=found,
        lines=[reviewer.line(one) for one in found.lines] if found is not None else [],
        newest=newest,
        errors={fault.field: error} if fault.code else {},
        today=reviewer.today(vault.clock.now()),
        request_key=new_key(),
    )
