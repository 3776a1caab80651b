"""The catalogue: procedures and what each row was taken for, the work that is left, edits, record types."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from policies.edits import Change
from policies.recording import plain
from policies.wording import name
from reuse_api.answering import answer
from reuse_api.callers import AsAdministrator, TheVault
from reuse_api.catalogue_schemas import EditBody, EditsQuery, EndBody, PageQuery, ProceduresQuery
from reuse_api.idempotency import WriteKey
from reuse_api.language import Language, language_of
from vault import catalogue_work, cataloguing, editing
from vault.catalogue_edits import Published
from vault.catalogue_work import WorkItem
from vault.cataloguing import Described, RowLine

router = APIRouter(prefix="/v1/catalogue", tags=["catalogue"])


@router.get("/procedures")
async def get_procedures(
    request: Request, vault: TheVault, caller: AsAdministrator, query: Annotated[ProceduresQuery, Query()]
) -> Response:
    """List procedures by code, each in its newest version; `next` is a cursor."""
    found = await cataloguing.procedures(vault, after=query.cursor, limit=query.limit + 1, wanted=query.q)
    shown = found[: query.limit]
    page: dict[str, Any] = {
        "procedures": [asdict(one) | {"imported_at": one.imported_at.isoformat()} for one in shown]
    }
    return answer(request, page | ({"next": shown[-1].code} if len(found) > len(shown) else {}))


@router.get("/procedures/{code}")
async def get_procedure(
    request: Request,
    vault: TheVault,
    caller: AsAdministrator,
    code: str,
    version: Annotated[int | None, Query(ge=1, le=10**6)] = None,
) -> Response:
    """Tell of one procedure: its versions, its cases, and every row with what it was taken for and why."""
    found = await cataloguing.described(vault, code, version)
    return answer(request, {}, verbatim=_described(found, language_of(request)))


@router.get("/work-list")
async def get_work_list(
    request: Request, vault: TheVault, caller: AsAdministrator, query: Annotated[PageQuery, Query()]
) -> Response:
    """List what is left to do: components without a mapping, derived keys, edits that find no row."""
    found = await catalogue_work.work_list(vault, after=query.cursor, limit=query.limit + 1)
    shown = found[: query.limit]
    page: dict[str, Any] = {"work": [_work(one, language_of(request)) for one in shown]}
    return answer(request, page | ({"next": shown[-1].cursor} if len(found) > len(shown) else {}))


@router.get("/edits")
async def get_edits(
    request: Request, vault: TheVault, caller: AsAdministrator, query: Annotated[EditsQuery, Query()]
) -> Response:
    """List edits, newest first."""
    before = None if query.cursor is None else int(query.cursor)
    found = await cataloguing.edits(vault, procedure=query.procedure, before=before, limit=query.limit + 1)
    shown = found[: query.limit]
    page: dict[str, Any] = {"edits": [edit_told(one, language_of(request)) for one in shown]}
    more = {"next": str(shown[-1].index)} if len(found) > len(shown) else {}
    return answer(request, {}, verbatim=page | more)


@router.post("/edits")
async def post_edit(
    request: Request, vault: TheVault, caller: AsAdministrator, body: EditBody, key: WriteKey
) -> Response:
    """Publish an edit: it speaks in dossiers that are opened from now on, on the days it is in force."""
    told = await editing.publish_edit(vault, caller, body.value(), key=key)
    return answer(request, told, 201)


@router.post("/edits/{edit}/end")
async def post_end(
    request: Request, vault: TheVault, caller: AsAdministrator, edit: str, body: EndBody, key: WriteKey
) -> Response:
    """Give an edit its last day."""
    told = await editing.end_edit(vault, caller, edit, until=body.valid_until, reason=body.reason, key=key)
    return answer(request, told)


@router.get("/types")
async def get_types(request: Request, vault: TheVault, caller: AsAdministrator) -> Response:
    """List the record types of the policy book, with their days in force."""
    return answer(request, {"types": [plain(one) for one in cataloguing.types(vault)]})


def edit_told(one: Published, language: Language) -> dict[str, Any]:
    """Tell an edit: names in both languages, as they were written; the reason in the reader's."""
    edit = one.edit
    told = {
        "id": edit.id,
        "procedure": edit.procedure,
        "case": edit.case,
        "component": edit.component,
        **_change(edit.change),
        "valid_from": edit.in_force.start.isoformat(),
        "valid_until": edit.in_force.end.isoformat() if edit.in_force.end else None,
        "reason": edit.reason.vi if language == "vi" else edit.reason.en,
        "legal_reference": edit.legal_reference,
        "shipped": edit.shipped,
        "agency": one.agency,
        "officer": one.officer,
        "index": one.index,
        "at": one.at.isoformat(),
        "end_reason": one.end_reason,
    }
    return {key: value for key, value in told.items() if value is not None}


def _change(change: Change) -> dict[str, Any]:
    told: dict[str, Any] = plain(change)
    if change.act != "add":
        told = {key: value for key, value in told.items() if key not in ("originals", "copies")}
    return told


def _described(found: Described, language: Language) -> dict[str, Any]:
    read = found.read
    return {
        "code": read.code,
        "name": read.name,
        "version": found.version,
        "versions": [asdict(one) | {"imported_at": one.imported_at.isoformat()} for one in found.versions],
        "results": [plain(one) for one in read.results],
        "conditions": {key: plain(words) for key, words in sorted(read.conditions.items())},
        "cases": [
            {
                "key": case.key,
                "name": plain(case.name),
                "package_name": case.package_name,
                "additional": case.additional,
                "rule": case.rule,
                "rule_words": name("reading_rule", case.rule, language),
            }
            for case in read.cases
        ],
        "rows": [_row(one, language) for one in found.rows],
        "edits": [edit_told(one, language) | {"idle": one.edit.id in found.idle} for one in found.edits],
    }


def _row(one: RowLine, language: Language) -> dict[str, Any]:
    told: dict[str, Any] = plain(one)
    return told | {
        "kind_words": name("component_kind", one.kind, language),
        "rule_words": name("reading_rule", one.rule, language),
        "heading_rule_words": name("reading_rule", one.heading_rule, language),
    }


def _work(one: WorkItem, language: Language) -> dict[str, Any]:
    told: dict[str, Any] = plain(one)
    told["reason_words"] = name("work_reason", one.reason, language)
    return told
