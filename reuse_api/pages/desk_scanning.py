"""Scanning a paper at the desk: only where the plan has no answer, or with a reason in spite of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from policies.book import Book
from policies.facts import RESCAN_REASONS
from reuse_api import problems
from reuse_api.callers import AsDesk, TheVault
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import MAX_KEY, even, new_key
from reuse_api.pages.rendering import check_form, language_of, onward, page
from reuse_api.pages.troubles import AWAY, PageRoute, not_done, refused
from reuse_api.schemas import ScanFields
from reuse_api.uploads import FormInvalid, ReceivedForm, receive_file
from signing.errors import SealingFailed
from vault import plan
from vault.callers import SystemCaller
from vault.digitise import digitise
from vault.errors import FieldInvalid, MalwareScanUnavailable, NotFound, VaultBusy
from vault.progress import Progress, done_before, progress
from vault.services import MAX_UPLOAD, Answer, Refusal, Vault
from vault.validity import MAX_WORDS

_TEXTS = ("type", "title", "number", "issued_on", "issuer_name", "reason", "explanation")
_PLACES = {"owner_roles": "roles", "owners": "roles"} | {name: name for name in (*_TEXTS, "file")}
Faults = dict[str, str]  # the name of a field -> what is wrong with it, a code

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
        said = {name: text for name, text in self.texts.items() if text}
        return ScanFields.model_validate(said | {"owner_roles": list(self.roles)})


@router.get("/desk/dossiers/{code}/scan")
async def form(request: Request, vault: TheVault, caller: AsDesk, code: str, component: str = "") -> Response:
    """Show the form of a scan for one component; where the plan has an answer, it asks why all the same."""
    found = await progress(vault, caller, code)
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
    """Take the scan of a paper: marked, signed, stored, never more than a candidate."""
    found = await progress(vault, caller, code)
    roles = [f"role-{one.role}" for one in found.parties]
    names = ["form_token", "request", "component", *_TEXTS, *roles]
    try:
        async with await receive_file(request, vault.scratch, MAX_UPLOAD, names) as received:
            check_form(request, received.fields.get("form_token", ""), room="desk")
            fields = even(received.fields)
            told = await _scan(request, vault, caller, found, fields, received)
    except FormInvalid as problem:
        fields = even(problem.fields)
        told = {"file" if problem.field in ("file", "body") else "form": problem.code}
    component = fields.get("component", "")
    if told is None:
        return onward(f"/desk/dossiers/{code}?done=scanned")
    if isinstance(told, Refusal):
        if told.status == "ended":
            return refused(request, told)
        told = {"form": told.code}
    return await _form(request, vault, caller, found, component, _Typed.read(fields), told)


async def _scan(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    found: Progress,
    fields: Mapping[str, str],
    received: ReceivedForm,
) -> Faults | Refusal | None:
    """Digitise; give what is wrong with the form, a decided no, or None when it is stored."""
    typed, component = _Typed.read(fields), fields.get("component", "")
    told = await plan.look(vault, caller, found.code)
    if isinstance(told, Refusal):
        return told
    key = fields.get("request", "")[:MAX_KEY] or new_key()
    faults = typed.faults(_answered(told, component))
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
            received.file,
            key=key,
            declared_type=received.declared_type,
        )
    except ValidationError as problem:
        wrong = problems.of_validation([{**each, "loc": ("body", *each["loc"])} for each in problem.errors()])
        return {_PLACES.get(each.field.partition(".")[0], "form"): each.code for each in wrong.faults}
    except FieldInvalid as problem:
        return {_PLACES.get(problem.field, "form"): problem.told}
    except (MalwareScanUnavailable, SealingFailed, VaultBusy) as problem:
        return {"form": not_done(request, problem)}
    return done if isinstance(done, Refusal) else None


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
) -> Response:
    told = await plan.look(vault, caller, found.code)
    if isinstance(told, Refusal):
        return refused(request, told)
    answered = _answered(told, component)
    clerk = Clerk(language_of(request), vault.book)
    rows = clerk.plan(told, found).rows
    types, _ = _accepted(vault.book, found, component)
    return page(
        request,
        "desk_scan.html",
        room="desk",
        section="desk",
        here=f"/desk/dossiers/{found.code}",
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
        errors={name: problems.words(code, clerk.language.code, "officer") for name, code in faults.items()},
        focus=next(iter(faults), "file" if answered == "none" else "reason"),
        most=min(MAX_WORDS, 500),
        limit=f"{MAX_UPLOAD // 2**20} MB",
        request_key=new_key(),
    )
