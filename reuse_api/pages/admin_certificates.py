"""The administrator's list of agencies' certificates: whose signature each makes, registered and ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from policies.errors import IdentifierInvalid
from policies.identifiers import agency_code
from reuse_api import problems
from reuse_api.callers import AsAdministrator, TheVault
from reuse_api.language import Language
from reuse_api.pages import dates
from reuse_api.pages.dates import When
from reuse_api.pages.forms import new_key, one, request_key, sent
from reuse_api.pages.rendering import check_form, language_of, onward, page
from reuse_api.pages.troubles import PageRoute
from vault import enrolling
from vault.agency_certificates import Registration
from vault.callers import StaffCaller
from vault.days import legal_day
from vault.enrolling import MAX_CERTIFICATE, MAX_REASON, NewCertificate
from vault.errors import FieldInvalid, NotFound
from vault.services import Vault

_PLACE = "/admin/certificates"
_SHOWN = 200
_TYPED = ("agency", "valid_from", "valid_until", "reason")
Faults = dict[str, str]  # the name of a field -> what is wrong with it, a code

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class ShownCertificate:
    """One registration as the page shows it; `own` is a seal key that the vault holds."""

    agency: str
    name: str
    sha256: str
    subject: str
    since: When
    until: When | None
    own: bool


@router.get(_PLACE)
async def certificates(
    request: Request, vault: TheVault, caller: AsAdministrator, done: str = ""
) -> Response:
    """List the certificates of every agency, with the form to register one."""
    return await _listed(request, vault, done=done if done in ("added", "ended") else "")


@router.post(_PLACE)
async def add(request: Request, vault: TheVault, caller: AsAdministrator) -> Response:
    """Register a certificate from a file; on a fault show the form again, the fault at its field."""
    async with request.form(max_files=1, max_fields=20) as form:
        check_form(request, one(form, "form_token"), room="admin")
        return await _added(request, vault, caller, form)


async def _added(request: Request, vault: Vault, caller: StaffCaller, form: FormData) -> Response:
    typed = {name: one(form, name) for name in _TYPED}
    try:
        new = NewCertificate(
            _agency(typed["agency"]),
            await _pem(form),
            _day(typed, "valid_from"),
            _day(typed, "valid_until") if typed["valid_until"] else None,
            typed["reason"],
        )
        await enrolling.register(vault, caller, new, key=request_key(form))
    except FieldInvalid as problem:
        return await _listed(request, vault, typed=typed, faults={problem.field: problem.code})
    except NotFound:
        return await _listed(request, vault, typed=typed, faults={"agency": "not_found"})
    return onward(f"{_PLACE}?done=added")


@router.post(_PLACE + "/{agency}/{sha256}/end")
async def end(
    request: Request, vault: TheVault, caller: AsAdministrator, agency: str, sha256: str
) -> Response:
    """Give a registration its last day; on a fault show the list again, the fault at its field."""
    form = await sent(request, "admin")
    typed = {name: one(form, name) for name in ("valid_until", "reason")}
    try:
        until = _day(typed, "valid_until")
        key = request_key(form)
        await enrolling.end(vault, caller, agency, sha256, until=until, reason=typed["reason"], key=key)
    except FieldInvalid as problem:
        ending = {"of": f"{agency}-{sha256}", **typed}
        faults = {f"{problem.field}-{agency}-{sha256}": problem.code}
        return await _listed(request, vault, faults=faults, ending=ending)
    return onward(f"{_PLACE}?done=ended")


def _agency(typed: str) -> str:
    try:
        return agency_code(typed)
    except IdentifierInvalid as problem:
        raise FieldInvalid("agency", problem.code) from problem


def _day(typed: Mapping[str, str], field: str) -> date:
    try:
        return date.fromisoformat(typed[field])
    except ValueError as problem:
        raise FieldInvalid(field, "date_malformed") from problem


async def _pem(form: FormData) -> str:
    file = form.get("certificate")
    if not isinstance(file, UploadFile):
        raise FieldInvalid("certificate", "certificate_unreadable")
    content = await file.read(MAX_CERTIFICATE + 1)
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as problem:
        raise FieldInvalid("certificate", "certificate_unreadable") from problem
    if len(text) > MAX_CERTIFICATE:
        raise FieldInvalid("certificate", "certificate_unreadable")
    return text


async def _listed(
    request: Request,
    vault: Vault,
    *,
    done: str = "",
    typed: Mapping[str, str] | None = None,
    faults: Faults | None = None,
    ending: Mapping[str, str] | None = None,
) -> Response:
    language = language_of(request).code
    found = await enrolling.every_certificate(vault, _SHOWN + 1)
    today = legal_day(vault.clock.now()).isoformat()
    return page(
        request,
        "admin_certificates.html",
        room="admin",
        section="certificates",
        here=_PLACE,
        status=422 if faults else 200,
        certificates=[_shown(each, names[language == "en"], language) for each, names in found[:_SHOWN]],
        more=len(found) > _SHOWN,
        limit=_SHOWN,
        longest=MAX_REASON,
        typed=typed or {"agency": "", "valid_from": today, "valid_until": "", "reason": ""},
        ending=ending or {"of": ""},
        today=today,
        errors={name: problems.words(wrong, language, "officer") for name, wrong in (faults or {}).items()},
        done=done,
        new_key=new_key,
    )


def _shown(one: Registration, name: str, language: Language) -> ShownCertificate:
    return ShownCertificate(
        agency=one.agency,
        name=name,
        sha256=one.sha256,
        subject=one.subject,
        since=dates.day(one.valid_from, language),
        until=None if one.valid_until is None else dates.day(one.valid_until, language),
        own=one.index is None,
    )
