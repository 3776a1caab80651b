"""Adding a document of one's own: a form that loses nothing that was typed when something is wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsOwner, TheVault
from reuse_api.pages.acting import Announced
from reuse_api.pages.languages import Language
from reuse_api.pages.quarantine_views import found_words
from reuse_api.pages.rendering import check_form, language_of, onward, page
from reuse_api.pages.troubles import PageRoute, is_shut
from reuse_api.pages.views import Narrator
from reuse_api.uploads import FormInvalid, receive_file
from signing.workers import LARGEST_SIGNATURE
from vault.deposit import MAX_TITLE, upload
from vault.errors import FieldInvalid
from vault.quarantining import KEPT
from vault.services import MAX_UPLOAD, Vault

_FORM = "/wallet/upload"
_FIELDS = ("form_token", "request", "title", "type")
_SHOWN = ("title", "type", "file", "signature")
_LARGEST = {"file": MAX_UPLOAD, "signature": LARGEST_SIGNATURE}
_LIMIT = f"{MAX_UPLOAD // 2**20} MB"  # in the unit that computers show files in
_MAX_KEY = 200  # characters of a request key

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[Announced])


@dataclass(frozen=True)
class Typed:
    """What stood in the form."""

    title: str = ""
    type: str = ""


@router.get(_FORM)
async def form(request: Request, vault: TheVault, caller: AsOwner) -> Response:
    """Show the empty form."""
    return _form(request, vault, Typed(), {})


@router.post("/wallet/records")
async def add(request: Request, vault: TheVault, caller: AsOwner) -> Response:
    """Take a file with its title and type; on any fault show the form again, the fault at its field."""
    typed, shut = Typed(), False
    try:
        async with await receive_file(request, vault.scratch, MAX_UPLOAD, _FIELDS, signed=True) as received:
            check_form(request, received.fields.get("form_token", ""))
            typed = _typed(received.fields)
            faults = _faults(typed)
            if not faults:
                answer = await upload(
                    vault,
                    caller,
                    received.file,
                    title=typed.title,
                    type=typed.type,
                    declared_type=received.declared_type,
                    signature=received.signature,
                    key=received.fields.get("request", "")[:_MAX_KEY] or _new_key(),
                )
    except FormInvalid as problem:
        typed = _typed(problem.fields)
        faults = (_faults(typed) if problem.fields else {}) | {_field(problem): problem.code}
    except FieldInvalid as problem:
        faults = {_field(problem): problem.told}
        shut = is_shut(problem)
    if faults:
        return _form(request, vault, typed, faults, shut)
    return onward("/wallet?known=1" if answer["already_stored"] else "/wallet?added=1")


def _typed(fields: Mapping[str, str]) -> Typed:
    return Typed(" ".join(fields.get("title", "").split()), fields.get("type", ""))


def _faults(typed: Typed) -> dict[str, str]:
    faults = {}
    if not typed.title:
        faults["title"] = "missing"
    elif len(typed.title) > MAX_TITLE:
        faults["title"] = "too_long"
    if not typed.type:
        faults["type"] = "missing"
    return faults


def _field(problem: FieldInvalid) -> str:
    return problem.field if problem.field in _SHOWN else "file"


def _form(
    request: Request, vault: Vault, typed: Typed, faults: dict[str, str], shut: bool = False
) -> Response:
    """Show the form; `shut` tells that the file is in quarantine now."""
    language = language_of(request)
    narrator = Narrator(language, vault.book)
    return page(
        request,
        "upload.html",
        section="records",
        here=_FORM,
        status=422 if faults else 200,
        typed=typed,
        types=narrator.type_choices(vault.clock.now()),
        errors={name: _words(language, name, faults[name]) for name in _SHOWN if name in faults},
        shut=KEPT.days if shut else 0,
        limit=_LIMIT,
        signature_limit=f"{LARGEST_SIGNATURE // 2**20} MB",
        title_limit=MAX_TITLE,
        request_key=_new_key(),
    )


def _words(language: Language, name: str, code: str) -> str:
    code, _, found = code.partition(":")
    key = f"upload.error.{name}.{code}"
    known = key if language.has(key) else f"upload.error.{name}.other"
    size = f"{_LARGEST.get(name, MAX_UPLOAD) // 2**20} MB"
    said = language.say(known, size=size, limit=MAX_TITLE)
    if not found:
        return said
    return f"{said} {found_words(language, found.split(','))}"


def _new_key() -> str:
    return os.urandom(16).hex()
