"""Scanning a paper at the desk: only where the plan has no answer, or with a reason in spite of it.

A scan may be measured and read first: the officer sees what was found, and confirms what was suggested.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from policies.book import Book
from policies.facts import RESCAN_REASONS
from reuse_api import problems
from reuse_api.callers import AsDesk, TheVault
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import MAX_KEY, even, new_key, sent
from reuse_api.pages.languages import Language
from reuse_api.pages.rendering import check_form, language_of, onward, page
from reuse_api.pages.scan_views import DraftView, draft_view, measured_rows, names_differ
from reuse_api.pages.troubles import AWAY, PageRoute, is_shut, not_done, refused
from reuse_api.schemas import ScanFields
from reuse_api.uploads import FormInvalid, ReceivedForm, receive_file
from signing.errors import SealingFailed
from vault import plan
from vault.callers import SystemCaller
from vault.digitise import digitise
from vault.errors import FieldInvalid, MalwareScanUnavailable, NotFound, VaultBusy
from vault.progress import Progress, done_before, progress
from vault.quarantining import KEPT
from vault.scan_drafting import begin, opened
from vault.scan_drafts import ScanDraft
from vault.scan_found import JudgedScan, Reading
from vault.scan_judging import TAKEN, ScanRefused
from vault.services import MAX_UPLOAD, Answer, Refusal, Vault
from vault.validity import MAX_WORDS
from vault.waiting_seals import GIVEN_UP, WAITING, of_agency

_TEXTS = ("type", "title", "number", "issued_on", "issuer_name", "reason", "explanation", "compared")
_PLACES = {"owner_roles": "roles", "owners": "roles"} | {name: name for name in (*_TEXTS, "file")}
Faults = dict[str, str]  # the name of a field -> what is wrong with it, a code
Scanned = Literal["scanned", "scan_waits"]  # stored, or taken and not sealed yet


class _Faults(dict[str, str]):
    """Faults of which one weaves values into its words, or has everything that was measured behind it."""

    def __init__(self, faults: Faults, problem: FieldInvalid) -> None:
        super().__init__(faults)
        self.details = problem.details
        self.quality = problem.quality if isinstance(problem, ScanRefused) else None
        self.shut = is_shut(problem)


@dataclass(frozen=True)
class _Scan:
    """The file of a scan, what it is declared to be, and what was found of it before."""

    file: Path
    declared_type: str
    known: tuple[JudgedScan, Reading] | None = None


router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class _Typed:
    """What stood in the form."""

    texts: Mapping[str, str]
    roles: tuple[str, ...]

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "_Typed":
        roles = tuple(name.removeprefix("role-") for name in fields if name.startswith("role-"))
        return cls({name: fields.get(name, "") for name in _TEXTS}, roles)

    def suggested(self, reading: Reading) -> "_Typed":
        """Fill in what was read where nothing was typed yet."""
        read: dict[str, str] = {
            str(one.field): one.value for one in reading.suggestions if one.field in _TEXTS
        }
        return _Typed({name: text or read.get(name, "") for name, text in self.texts.items()}, self.roles)

    def faults(self, answered: str) -> Faults:
        """Find what is missing beside what the plan `answered`, so that it is no refusal in anybody's log."""
        faults: Faults = {} if self.roles else {"roles": "owners_missing"}
        if not self.texts["type"]:
            faults["type"] = "field_missing"
        if answered != "none" and not self.texts["reason"]:
            faults["reason"] = "field_missing"
        return faults

    def fields(self) -> ScanFields:
        """Give the form as the body that a system would send. Raises ValidationError."""
        said = {name: text for name, text in self.texts.items() if text and name != "compared"}
        return ScanFields.model_validate(said | {"owner_roles": list(self.roles)})


@router.get("/desk/dossiers/{code}/scan")
async def form(request: Request, vault: TheVault, caller: AsDesk, code: str, component: str = "") -> Response:
    """Show the form of a scan for one component; where the plan has an answer, it asks why all the same.

    Where a scan for it waits for its seal, the dossier's page says so instead.
    """
    found = await progress(vault, caller, code)
    waiting = await of_agency(vault, caller, found.code)
    if any(each.component == component and each.state == WAITING for each in waiting):
        return onward(f"/desk/dossiers/{found.code}")
    types, roles = _accepted(vault.book, found, component)
    first = types[0] if len(types) == 1 else ""
    named = {one.role for one in found.parties}
    ours = tuple(role for role in roles if role in named) or ("applicant",)
    return await _form(
        request,
        vault,
        caller,
        found,
        component,
        _Typed(dict.fromkeys(_TEXTS, "") | {"type": first}, ours),
        {},
    )


@router.post("/desk/dossiers/{code}/scan")
async def send(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Take the scan of a paper: measured, copied, marked, signed, stored."""
    found = await progress(vault, caller, code)
    try:
        async with await _received(request, vault, found) as received:
            fields = even(received.fields)
            scan = _Scan(received.file, received.declared_type)
            told = await _scan(request, vault, caller, found, fields, scan)
    except FormInvalid as problem:
        fields = even(problem.fields)
        told = {"file" if problem.field in ("file", "body") else "form": problem.code}
    return await _outcome(request, vault, caller, found, fields, told)


@router.post("/desk/dossiers/{code}/scan/look")
async def look(request: Request, vault: TheVault, caller: AsDesk, code: str) -> Response:
    """Measure and read a scan, and show what was found beside the form; nothing is stored of it yet."""
    found = await progress(vault, caller, code)
    try:
        async with await _received(request, vault, found) as received:
            fields = even(received.fields)
            told = await _begun(request, vault, caller, found, fields.get("component", ""), received)
    except FormInvalid as problem:
        fields = even(problem.fields)
        told = {"file" if problem.field in ("file", "body") else "form": problem.code}
    component, typed = fields.get("component", ""), _Typed.read(fields)
    if isinstance(told, Refusal):
        return refused(request, told)
    if isinstance(told, ScanDraft):
        typed = typed.suggested(told.reading)
        return await _form(request, vault, caller, found, component, typed, {}, told)
    return await _form(request, vault, caller, found, component, typed, told)


async def _begun(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    found: Progress,
    component: str,
    received: ReceivedForm,
) -> ScanDraft | Faults | Refusal:
    """Measure and read; give the draft, what is wrong with the file, or a decided no."""
    asked = await plan.look(vault, caller, found.code)
    if isinstance(asked, Refusal):
        return asked
    _answered(asked, component)
    types, _ = _accepted(vault.book, found, component)
    known = {one.code: one.name.vi for one in vault.book.record_types if one.code in types}
    handed = (received.file, received.declared_type, received.file_name)
    try:
        return await begin(vault, caller, found.code, component, *handed, known)
    except FieldInvalid as problem:
        return _Faults({"file": problem.told}, problem)
    except (MalwareScanUnavailable, VaultBusy) as problem:
        return {"form": not_done(request, problem)}


@router.post("/desk/dossiers/{code}/scan/{draft}")
async def confirm(request: Request, vault: TheVault, caller: AsDesk, code: str, draft: str) -> Response:
    """Take a scan that was measured and read, with what its officer says of it."""
    found = await progress(vault, caller, code)
    form = await sent(request, "desk")
    fields = even({name: value for name, value in form.items() if isinstance(value, str)})
    before = await done_before(vault, caller, fields.get("request", "")[:MAX_KEY])
    if before is not None:
        return await _outcome(request, vault, caller, found, fields, _became(before))
    waiting = vault.drafts.find(caller, found.code, draft, vault.clock.now())
    if waiting is None or waiting.component != fields.get("component", ""):
        return await _outcome(request, vault, caller, found, fields, {"file": "scan_draft_gone"})
    async with opened(vault, waiting) as file:
        scan = _Scan(file, waiting.declared_type, (waiting.judged, waiting.reading))
        told = await _scan(request, vault, caller, found, fields, scan)
    if isinstance(told, str):
        vault.drafts.drop(draft)
    return await _outcome(request, vault, caller, found, fields, told, waiting)


async def _received(request: Request, vault: Vault, found: Progress) -> ReceivedForm:
    """Receive the form with its file. Raises FormInvalid, FormRefused."""
    roles = [f"role-{one.role}" for one in found.parties]
    names = ["form_token", "request", "component", *_TEXTS, *roles]
    received = await receive_file(request, vault.scratch, MAX_UPLOAD, names)
    try:
        check_form(request, received.fields.get("form_token", ""), room="desk")
    except BaseException:
        received.discard()
        raise
    return received


async def _outcome(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    found: Progress,
    fields: Mapping[str, str],
    told: Faults | Refusal | Scanned,
    draft: ScanDraft | None = None,
) -> Response:
    if isinstance(told, str):
        return onward(f"/desk/dossiers/{found.code}?done={told}")
    if isinstance(told, Refusal):
        if told.status == "ended":
            return refused(request, told)
        told = {"form": told.code}
    component = fields.get("component", "")
    return await _form(request, vault, caller, found, component, _Typed.read(fields), told, draft)


async def _scan(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    found: Progress,
    fields: Mapping[str, str],
    scan: _Scan,
) -> Faults | Refusal | Scanned:
    """Digitise; give what is wrong with the form, a decided no, or what became of it."""
    typed, component = _Typed.read(fields), fields.get("component", "")
    told = await plan.look(vault, caller, found.code)
    if isinstance(told, Refusal):
        return told
    key = fields.get("request", "")[:MAX_KEY] or new_key()
    faults = typed.faults(_answered(told, component))
    if scan.known is not None and names_differ(scan.known[1], _chosen(found, typed)):
        faults |= {} if typed.texts["compared"] else {"compared": "scan_names_differ"}
    if faults and not await done_before(vault, caller, key):  # what was stored already is itself an answer
        return faults
    try:
        value = typed.fields().value()
        done = await digitise(
            vault,
            caller,
            found.code,
            component,
            value,
            scan.file,
            key=key,
            declared_type=scan.declared_type,
            known=scan.known,
        )
    except ValidationError as problem:
        wrong = problems.of_validation([{**each, "loc": ("body", *each["loc"])} for each in problem.errors()])
        return {_PLACES.get(each.field.partition(".")[0], "form"): each.code for each in wrong.faults}
    except FieldInvalid as problem:
        return _Faults({_PLACES.get(problem.field, "form"): problem.told}, problem)
    except (MalwareScanUnavailable, SealingFailed, VaultBusy) as problem:
        return {"form": not_done(request, problem)}
    return done if isinstance(done, Refusal) else _became(done)


def _became(told: Answer) -> Faults | Scanned:
    """Say what became of a scan that was taken, by its answer."""
    state = told.get("state")
    if state == GIVEN_UP:
        return {"form": GIVEN_UP}
    return "scan_waits" if state == WAITING else "scanned"


def _chosen(found: Progress, typed: _Typed) -> tuple[str, ...]:
    """Name the persons whose paper it is said to be."""
    return tuple(one.name for one in found.parties if one.role in typed.roles)


def _answered(told: Answer, component: str) -> str:
    """Give what the plan said of a component. Raises NotFound for one that the dossier does not ask for."""
    found = (one["state"] for one in told["components"] if one["component"] == component)
    state = next(found, None)
    if state is None:
        raise NotFound
    return str(state)


def _accepted(book: Book, found: Progress, component: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Give the types that the component takes, every type where none is said, and whose it wants."""
    facts = found.opened.facts
    cases = (facts.case, *facts.additional_cases)
    mappings = book.mappings_for(facts.procedure, cases, component, facts.opened_on)
    types = dict.fromkeys(kind for each in mappings for kind in sorted(each.types))
    known = [each.code for each in book.record_types if each.in_force.holds(facts.opened_on)]
    return tuple(types or dict.fromkeys(known)), frozenset(each.role for each in mappings)


async def _form(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    found: Progress,
    component: str,
    typed: _Typed,
    faults: Faults,
    draft: ScanDraft | None = None,
) -> Response:
    told = await plan.look(vault, caller, found.code)
    if isinstance(told, Refusal):
        return refused(request, told)
    answered = _answered(told, component)
    details = faults.details if isinstance(faults, _Faults) else None
    quality = faults.quality if isinstance(faults, _Faults) else None
    clerk = Clerk(language_of(request), vault.book)
    rows = clerk.plan(told, found, await of_agency(vault, caller, found.code)).rows
    types, _ = _accepted(vault.book, found, component)
    return page(
        request,
        "desk_scan.html",
        room="desk",
        section="desk",
        here=f"/desk/dossiers/{found.code}/scan?component={quote(component, safe='')}",
        status=503 if AWAY & set(faults.values()) else 422 if faults else 200,
        one=found,
        component=component,
        label=clerk.component(found, component),
        row=next((each for each in rows if each.code == component), None),
        answered=answered,
        clerk=clerk,
        typed=typed,
        types=[(each, clerk.kind_of_paper(each)) for each in types],
        reasons=[(each, clerk.name("rescan_reason", each)) for each in RESCAN_REASONS],
        errors={
            name: problems.words(code, clerk.language.code, "officer", details)
            for name, code in faults.items()
        },
        shut=KEPT.days if isinstance(faults, _Faults) and faults.shut else 0,
        measured=measured_rows(quality, clerk.language) if quality is not None else (),
        draft=_shown(vault, draft, clerk.language) if draft is not None else None,
        doubted=draft is not None and names_differ(draft.reading, _chosen(found, typed)),
        takes=",".join((*TAKEN, ".heic", ".heif")),
        focus=next(iter(faults), "file" if answered == "none" else "reason"),
        most=min(MAX_WORDS, 500),
        limit=f"{MAX_UPLOAD // 2**20} MB",
        request_key=new_key(),
    )


def _shown(vault: Vault, draft: ScanDraft, language: Language) -> DraftView:
    return draft_view(draft.id, draft.file_name, draft.judged, draft.reading, vault.ocr.state, language)
