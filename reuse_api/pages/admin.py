"""The administrator's room: what the catalogue asks for and why, and dated edits where it is wrong."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from reuse_api import problems
from reuse_api.callers import AsAdministrator, TheVault
from reuse_api.catalogue_schemas import EditBody, EndBody
from reuse_api.pages.admin_typed import KEEP, NONE, TypedEdit, field_of
from reuse_api.pages.admin_views import KINDS, Registrar
from reuse_api.pages.forms import new_key, one, request_key, sent
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.troubles import PageRoute
from vault import catalogue_work, cataloguing, editing
from vault.callers import StaffCaller
from vault.cataloguing import Described
from vault.days import legal_day
from vault.errors import FieldInvalid, NotFound
from vault.services import Vault

_PAGE = 50
Faults = dict[str, str]  # the name of a field -> what is wrong with it, a code
After = Annotated[str, Query(max_length=200)]

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/admin")
async def procedures(
    request: Request, vault: TheVault, caller: AsAdministrator, q: After = "", after: After = ""
) -> Response:
    """List the procedures of the catalogue, by code; those that hold the words searched for."""
    found = await cataloguing.procedures(vault, after=after or None, limit=_PAGE + 1, wanted=q)
    shown = found[:_PAGE]
    return page(
        request,
        "admin.html",
        room="admin",
        section="admin",
        here="/admin",
        procedures=shown,
        wanted=q,
        older=shown[-1].code if len(found) > len(shown) else None,
        first=not after,
    )


@router.get("/admin/work")
async def work(request: Request, vault: TheVault, caller: AsAdministrator, after: After = "") -> Response:
    """List what is left to do on the catalogue."""
    found = await catalogue_work.work_list(vault, after=after or None, limit=_PAGE + 1)
    shown = found[:_PAGE]
    return page(
        request,
        "admin_work.html",
        room="admin",
        section="work",
        here="/admin/work",
        work=_registrar(request, vault).work(shown),
        older=shown[-1].cursor if len(found) > len(shown) else None,
        first=not after,
    )


@router.get("/admin/procedures/{code}")
async def procedure(
    request: Request,
    vault: TheVault,
    caller: AsAdministrator,
    code: str,
    row: After = "",
    version: Annotated[int | None, Query(ge=1, le=10**6)] = None,
    done: After = "",
) -> Response:
    """Show every row, what it was taken for and by which rule; the form for the row chosen, or for a line."""
    found = await cataloguing.described(vault, code, version)
    typed = _chosen(found, row, legal_day(vault.clock.now())) if row else None
    return _procedure(request, vault, found, typed, {}, done=done)


@router.post("/admin/procedures/{code}/edits")
async def edit(request: Request, vault: TheVault, caller: AsAdministrator, code: str) -> Response:
    """Publish the edit of the form; on any fault show it again, the fault at its field."""
    form = await sent(request, "admin")
    typed = TypedEdit.read(form)
    faults = await _publish(vault, caller, code, typed, request_key(form))
    found = await cataloguing.described(vault, code)
    if not faults:
        return onward(f"/admin/procedures/{found.read.code}?done=published")
    return _procedure(request, vault, found, typed, faults)


@router.post("/admin/edits/{edit_id}/end")
async def end(request: Request, vault: TheVault, caller: AsAdministrator, edit_id: str) -> Response:
    """Give an edit its last day; on any fault show the procedure again, the fault at the field."""
    form = await sent(request, "admin")
    code = one(form, "procedure")
    body = {"valid_until": one(form, "valid_until"), "reason": one(form, "reason")}
    try:
        read = EndBody.model_validate(body)
        until, why = read.valid_until, read.reason
        told = await editing.end_edit(vault, caller, edit_id, until=until, reason=why, key=request_key(form))
        return onward(f"/admin/procedures/{told['procedure']}?done=ended")
    except ValidationError as problem:
        faults = _validation(problem)
    except FieldInvalid as problem:
        faults = {problem.field: problem.code}
    found = await cataloguing.described(vault, code)
    ending = {f"{edit_id}-{name}": code for name, code in faults.items()}
    return _procedure(request, vault, found, None, ending, ending={"id": edit_id} | body)


def _chosen(found: Described, row: str, today: date) -> TypedEdit:
    if row == "new":
        return TypedEdit.fresh("", "", None, today)
    line = next((one for one in found.rows if str(one.place) == row and one.component), None)
    if line is None:
        raise NotFound
    return TypedEdit.fresh(row, line.component, line.case, today)


async def _publish(vault: Vault, caller: StaffCaller, code: str, typed: TypedEdit, key: str) -> Faults:
    try:
        body = EditBody.model_validate(typed.body(code))
        await editing.publish_edit(vault, caller, body.value(), key=key)
    except ValidationError as problem:
        return {field_of(name): wrong for name, wrong in _validation(problem).items()}
    except FieldInvalid as problem:
        if problem.field == "procedure":
            raise NotFound from problem
        return {field_of(problem.field): problem.code}
    return {}


def _validation(problem: ValidationError) -> Faults:
    told = problems.of_validation([{**each, "loc": ("body", *each["loc"])} for each in problem.errors()])
    return {each.field: each.code for each in told.faults}


def _procedure(
    request: Request,
    vault: Vault,
    found: Described,
    typed: TypedEdit | None,
    faults: Faults,
    *,
    done: str = "",
    ending: Mapping[str, str] | None = None,
) -> Response:
    registrar = _registrar(request, vault)
    code = registrar.language.code
    newest = found.version == found.versions[0].version
    conditions = {key: registrar.text(words) for key, words in found.read.conditions.items()}
    keys = {one.alternative for one in found.rows if one.alternative}
    return page(
        request,
        "admin_procedure.html",
        room="admin",
        section="admin",
        here=f"/admin/procedures/{found.read.code}",
        status=422 if faults else 200,
        found=found,
        newest=newest,
        groups=registrar.groups(found),
        edits=[registrar.edit(each, each.edit.id in found.idle) for each in found.edits],
        registrar=registrar,
        typed=replace(typed, component=typed.component[:120]) if typed and newest else None,
        cases=[(case.key, registrar.text(case.name)) for case in found.read.cases],
        conditions=conditions,
        alternatives=sorted(keys),
        kinds=[(kind, registrar.name("component_kind", kind)) for kind in KINDS],
        keep=KEEP,
        none=NONE,
        errors={name: problems.words(wrong, code, "officer") for name, wrong in faults.items()},
        done=done if done in ("published", "ended") else "",
        ending=ending or {},
        focus=next(iter(faults), ""),
        today=legal_day(vault.clock.now()).isoformat(),
        request_key=new_key(),
        new_key=new_key,
    )


def _registrar(request: Request, vault: Vault) -> Registrar:
    return Registrar(language_of(request), vault.book)
