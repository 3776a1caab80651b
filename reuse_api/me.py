"""The wallet as an API: my documents, their content, uploads, and who has looked at them, with proof."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from policies.wording import name, validity_group
from reuse_api.answering import answer
from reuse_api.callers import AsOwner, TheVault
from reuse_api.content import Span, asked_span, content, picture
from reuse_api.idempotency import WriteKey
from reuse_api.language import Language, language_of
from reuse_api.narrowing import Narrowing
from reuse_api.uploads import receive_file
from vault import deliver, finding, picturing, receipts, searching, versions
from vault.deposit import upload
from vault.errors import FieldInvalid, NotFound
from vault.finding import MAX_PAGE, MyAccess, MyRecord
from vault.services import MAX_UPLOAD

_DIGITS = 15  # of an index or cursor; a log of 10^15 entries is not in sight
_NAMED = {"trust": "trust", "verdict": "verdict", "validity": "validity", "basis": "basis", "kind": "entry"}


router = APIRouter(prefix="/v1/me", tags=["me"])


@router.get("/records")
async def get_records(
    request: Request,
    vault: TheVault,
    caller: AsOwner,
    narrowed: Narrowing,
    q: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=searching.MAX_PAGE)] = 20,
) -> Response:
    """List my documents, newest first; with `q`, those that are found, the best first, with counts.

    What ranks alike by `q` stands in force first, then the newest.
    Narrowed by type, issuer, state, class and year, with `q` and without.
    """
    language = language_of(request)
    if q is not None:
        sought = searching.Sought(q, narrowed.filters(), cursor, limit)
        found = await searching.mine(vault, caller, sought)
        return answer(request, _found(found, language), audience="citizen")
    held = await finding.my_records(vault, caller, narrowed.filters())
    return answer(request, {"records": [_record(one, language) for one in held]}, audience="citizen")


@router.post("/records")
async def post_record(request: Request, vault: TheVault, caller: AsOwner, key: WriteKey) -> Response:
    """Add a document of mine: multipart/form-data with `file`, `title`, and `type` where it is known.

    A signature (CMS, CAdES) that stands beside the file comes in the part `signature`.
    """
    async with await receive_file(request, vault.scratch, MAX_UPLOAD, ("title", "type"), signed=True) as form:
        if "title" not in form.fields:
            raise FieldInvalid("title", "field_missing")
        stored = await upload(
            vault,
            caller,
            form.file,
            title=form.fields["title"],
            type=form.fields.get("type") or None,
            declared_type=form.declared_type,
            signature=form.signature,
            key=key,
        )
    return answer(request, stored, 201, audience="citizen")


@router.get("/records/{record}/content")
async def get_content(request: Request, vault: TheVault, caller: AsOwner, record: str) -> Response:
    """Read a file of mine, or a range of it; an entry like every other reading."""
    span = asked_span(request)
    part = span or Span()
    delivery = await deliver.read_own(vault, caller, record, start=part.start, stop=part.stop)
    return content(request, delivery, ranged=span is not None, audience="citizen")


@router.get("/records/{record}/signature")
async def get_signature(request: Request, vault: TheVault, caller: AsOwner, record: str) -> Response:
    """Read the signature that stands beside a file of mine; an entry like every other reading."""
    delivery = await versions.read_signature(vault, caller, record)
    return content(request, delivery, ranged=False, audience="citizen")


@router.get("/records/{record}/versions")
async def get_versions(request: Request, vault: TheVault, caller: AsOwner, record: str) -> Response:
    """List every file of a document of mine, oldest first: the original, and each renewal; no content."""
    found = await versions.mine(vault, caller, record)
    told = [asdict(one) | {"since": one.since.isoformat()} for one in found]
    return answer(request, {"versions": told}, audience="citizen")


@router.get("/records/{record}/versions/{sha256}/content")
async def get_version(
    request: Request, vault: TheVault, caller: AsOwner, record: str, sha256: str
) -> Response:
    """Read one file of a document of mine, or a range of it, by its SHA-256; an entry like any reading."""
    span = asked_span(request)
    part = span or Span()
    delivery = await versions.read(vault, caller, record, sha256, start=part.start, stop=part.stop)
    return content(request, delivery, ranged=span is not None, audience="citizen")


@router.get("/records/{record}/pages/{page}")
async def get_page(request: Request, vault: TheVault, caller: AsOwner, record: str, page: str) -> Response:
    """Show one page of a document of mine as PNG, pages from 1; an entry like every other reading."""
    return picture(request, await picturing.show_page(vault, caller, record, _index(page)))


@router.get("/accesses")
async def get_accesses(
    request: Request,
    vault: TheVault,
    caller: AsOwner,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> Response:
    """List who opened a dossier about me, asked, read or was refused, newest first; `next` is a cursor."""
    before = None if cursor is None else _cursor(cursor)
    found = await finding.my_accesses(vault, caller, before=before, limit=limit)
    page: dict[str, Any] = {"accesses": [_access(one, language_of(request)) for one in found]}
    if len(found) == limit and found[-1].index > 0:
        page["next"] = str(found[-1].index)
    return answer(request, page, audience="citizen")


@router.get("/accesses/{index}")
async def get_access(request: Request, vault: TheVault, caller: AsOwner, index: str) -> Response:
    """Give one entry about me."""
    found = await finding.my_access(vault, caller, _index(index))
    return answer(request, _access(found, language_of(request)), audience="citizen")


@router.get("/accesses/{index}/proof")
async def get_proof(vault: TheVault, caller: AsOwner, index: str) -> PlainTextResponse:
    """Give the proof of one entry about me (C2SP tlog-proof), whoever acted."""
    return PlainTextResponse(await receipts.proof_of(vault, caller, _index(index)))


def _found(found: searching.Found, language: Language) -> dict[str, Any]:
    told: dict[str, Any] = {
        "records": [
            _record(one.record, language)
            | {"highlight": [{"text": text, "found": sought} for text, sought in one.title]}
            for one in found.hits
        ],
        "total": found.total,
        "facets": found.facets,
        "issuers": {code: name.vi if language == "vi" else name.en for code, name in found.issuers.items()},
        "loose": found.loose,
    }
    return told | ({"next": found.next} if found.next else {})


def _cursor(cursor: str) -> int:
    if not _is_number(cursor):
        raise FieldInvalid("cursor", "cursor_malformed")
    return int(cursor)


def _index(index: str) -> int:
    if not _is_number(index):
        raise NotFound
    return int(index)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _record(one: MyRecord, language: Language) -> dict[str, Any]:
    told = asdict(one)
    told["reasons"] = told.pop("verdict_reasons")
    group = validity_group(one.validity, one.source, one.valid_until)
    return _plain(told, language) | {"validity_words": name(group, one.validity, language)}


def _access(one: MyAccess, language: Language) -> dict[str, Any]:
    told = asdict(one)
    agency = {"vi": told.pop("agency_vi"), "en": told.pop("agency_en")}
    return _plain(told | {"agency": agency[language]}, language)


def _plain(told: dict[str, Any], language: Language) -> dict[str, Any]:
    """Leave out what is not known, write instants as text, put names beside the codes of states."""
    plain: dict[str, Any] = {}
    for key, value in told.items():
        if value is None:
            continue
        plain[key] = value.isoformat() if isinstance(value, datetime) else value
        if key in _NAMED:
            plain[f"{key}_words"] = name(_NAMED[key], str(value), language)
    return plain
