"""Handing in a result at the desk: composed from fields and sealed here, or a file that is there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from reuse_api import problems
from reuse_api.callers import AsDesk, TheVault
from reuse_api.handing_in import said_of
from reuse_api.pages.desk_fields import Group, Table, groups_of, tables_of
from reuse_api.pages.desk_result_typed import OF_FILE, TypedResult, prefilled
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import MAX_KEY, even, new_key, one, sent
from reuse_api.pages.rendering import check_form, language_of, onward, page
from reuse_api.pages.troubles import AWAY, PageRoute, is_shut, not_done, refused
from reuse_api.schemas import ResultFields
from reuse_api.uploads import FormInvalid, ReceivedForm, receive_file
from signing.errors import SealingFailed
from signing.workers import LARGEST_SIGNATURE
from vault import docket
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.errors import FieldInvalid, MalwareScanUnavailable, VaultBusy
from vault.issue import issue
from vault.progress import Progress, progress, replaceable
from vault.quarantining import KEPT
from vault.records import Stored
from vault.result_paper import TEMPLATES
from vault.services import MAX_UPLOAD, Refusal, Vault
from vault.waiting_seals import GIVEN_UP, WAITING

Faults = dict[str, str]  # the name of a field -> what is wrong with it, a code


class _Shut(dict[str, str]):
    """The fault of a file that is in quarantine now."""


Issued = Literal["result", "waiting"]  # stored, or taken and not sealed yet

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class _Desk:
    """What the form stands on: the dossier, the types that the agency issues, what may be replaced."""

    found: Progress
    types: tuple[str, ...]
    older: Sequence[Stored]
    agency: str

    def chosen(self, type: str) -> str:
        """Give the type named, where the agency issues it; the only one where it issues one; else none."""
        return type if type in self.types else self.types[0] if len(self.types) == 1 else ""


@router.get("/desk/dossiers/{code}/result")
async def form(
    request: Request, vault: TheVault, caller: AsDesk, code: str, type: str = "", by: str = ""
) -> Response:
    """Show the form of a result of one type, filled with what the dossier knows."""
    desk = await _desk(vault, caller, code)
    if not desk.found.is_open:
        return onward(f"/desk/dossiers/{desk.found.code}")
    kind = desk.chosen(type)
    groups, tables = _layout(kind, by)
    known = vault.book.record_type(kind, legal_day(vault.clock.now()))
    typed = prefilled(
        kind,
        groups,
        tables,
        desk.found.parties,
        known.owner_roles if known is not None else (),
        agency=desk.agency,
        today=legal_day(vault.clock.now()),
    )
    return _form(request, vault, desk, typed, {}, by, focus=_first_blank(typed, groups))


@router.post("/desk/dossiers/{code}/result")
async def send(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Add a row to a list, or issue the result from its fields; on a fault show the form again."""
    got = await sent(request, "desk")
    fields = {name: one(got, name) for name in got}
    desk = await _desk(vault, caller, code)
    kind = desk.chosen(fields.get("type", ""))
    groups, tables = _layout(kind, "")
    typed = TypedResult.read(fields, kind, tables)
    deed = fields.get("do", "")
    if deed.startswith("add-"):
        return _form(request, vault, desk, typed.with_item(deed.removeprefix("add-")), {}, "", focus=deed)
    faults = typed.faults(groups, tables) if groups else {"type": "no_template"}
    if faults:
        return _form(request, vault, desk, typed, faults, "")
    told = await _issue(request, vault, caller, code, typed.body(groups), None, fields.get("request", ""))
    return _answer(request, vault, desk, typed, told, "")


@router.post("/desk/dossiers/{code}/result/file")
async def send_file(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Take a result as a file with what it says of itself; on a fault show the form again."""
    desk = await _desk(vault, caller, code)
    names = _names(desk)
    try:
        async with await receive_file(request, vault.scratch, MAX_UPLOAD, names, signed=True) as received:
            check_form(request, received.fields.get("form_token", ""), room="desk")
            fields = even(received.fields)
            typed = TypedResult.read(fields, desk.chosen(fields.get("type", "")), ())
            faults = typed.faults((), ())
            if not faults:
                key = fields.get("request", "")
                told = await _issue(request, vault, caller, code, typed.body_of_file(), received, key)
                return _answer(request, vault, desk, typed, told, "file")
    except FormInvalid as problem:
        fields = even(problem.fields)
        typed = TypedResult.read(fields, desk.chosen(fields.get("type", "")), ())
        faults = {_of_form(problem.field): problem.code}
    return _form(request, vault, desk, typed, faults, "file")


async def _desk(vault: Vault, caller: SystemCaller, code: str) -> _Desk:
    found = await progress(vault, caller, code)
    types = (await docket.competence(vault, caller)).issues
    older = await replaceable(vault, caller, code)
    return _Desk(found, types, older, (await docket.at_desk(vault, caller)).agency_vi)


async def _issue(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    code: str,
    body: Mapping[str, Any],
    form: ReceivedForm | None,
    key: str,
) -> Faults | Refusal | Issued:
    """Issue the result; give what is wrong with the form, a decided no, or what became of it."""
    try:
        value = ResultFields.model_validate(body).value()
        file = form.file if form is not None else None
        told = await issue(vault, caller, code, value, file, key=key[:MAX_KEY] or new_key(), **said_of(form))
    except ValidationError as problem:
        wrong = problems.of_validation([{**each, "loc": ("body", *each["loc"])} for each in problem.errors()])
        return {_field(each.field, form is not None): each.code for each in wrong.faults}
    except FieldInvalid as problem:
        told_at = {_field(problem.field, form is not None): problem.told}
        return _Shut(told_at) if is_shut(problem) else told_at
    except (MalwareScanUnavailable, SealingFailed, VaultBusy) as problem:
        return {"form": not_done(request, problem)}
    if isinstance(told, Refusal):
        return told
    state = told.get("state")
    if state == GIVEN_UP:
        return {"form": GIVEN_UP}
    return "waiting" if state == WAITING else "result"


def _answer(
    request: Request,
    vault: Vault,
    desk: _Desk,
    typed: TypedResult,
    told: Faults | Refusal | Issued,
    by: str,
) -> Response:
    if isinstance(told, Refusal) and told.status == "ended":
        return refused(request, told)
    if isinstance(told, str):
        return onward(f"/desk/dossiers/{desk.found.code}?done={told}")
    faults = {"form": told.code} if isinstance(told, Refusal) else told
    return _form(request, vault, desk, typed, faults, by)


def _layout(kind: str, by: str) -> tuple[tuple[Group, ...], tuple[Table, ...]]:
    template = TEMPLATES.get(kind)
    if template is None or by == "file":
        return (), ()
    return groups_of(template), tables_of(template)


def _first_blank(typed: TypedResult, groups: Sequence[Group]) -> str:
    """Name the first field that must be there and that the dossier could not fill."""
    needed = (one.name for group in groups for one in group.fields if one.required)
    return next((f"f-{name}" for name in needed if not typed.fields.get(name)), "")


def _names(desk: _Desk) -> list[str]:
    """Name every field that the form of a file may send."""
    ticked = [f"role-{each.role}" for each in desk.found.parties]
    ticked += [f"replaces-{each.facts.id}" for each in desk.older]
    return ["form_token", "request", "type", "valid_until", *(f"f-{name}" for name in OF_FILE), *ticked]


def _of_form(part: str) -> str:
    """Give the field at which a fault of the form itself is shown."""
    return {"file": "file", "body": "file", "signature": "signature"}.get(part, "form")


def _field(path: str, of_file: bool) -> str:
    """Give the field of the form that a path in the body came from."""
    beginning, _, rest = path.partition(".")
    if beginning == "fields" and rest:
        place = rest.replace(".", "-")
        return f"l-{place}" if "." in rest else f"f-{place}"
    if of_file and beginning in OF_FILE:
        return f"f-{beginning}"
    known = {"owners": "roles", "owner_roles": "roles"} | {
        each: each for each in ("replaces", "valid_until", "file", "signature", "type")
    }
    return known.get(beginning, "form")


def _form(
    request: Request,
    vault: Vault,
    desk: _Desk,
    typed: TypedResult,
    faults: Faults,
    by: str,
    *,
    focus: str = "",
) -> Response:
    clerk = Clerk(language_of(request), vault.book)
    groups, tables = _layout(typed.type, by)
    here = f"/desk/dossiers/{desk.found.code}/result"
    return page(
        request,
        "desk_result.html",
        room="desk",
        section="desk",
        here=here,
        status=503 if AWAY & set(faults.values()) else 422 if faults else 200,
        one=desk.found,
        place=here,
        clerk=clerk,
        typed=typed,
        types=[(each, clerk.kind_of_paper(each)) for each in desk.types],
        by_file=by == "file" or bool(typed.type and typed.type not in TEMPLATES),
        composed=typed.type in TEMPLATES,
        groups=groups,
        tables=tables,
        older=[clerk.stored(each) for each in desk.older if each.facts.type == typed.type],
        errors={name: problems.words(code, clerk.language.code, "officer") for name, code in faults.items()},
        shut=KEPT.days if isinstance(faults, _Shut) else 0,
        focus=next(iter(faults), focus),
        limit=f"{MAX_UPLOAD // 2**20} MB",
        signature_limit=f"{LARGEST_SIGNATURE // 2**20} MB",
        request_key=new_key(),
    )
