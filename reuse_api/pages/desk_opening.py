"""Opening a dossier at the desk: one form in which nothing typed is lost, whatever is wrong with it."""

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from policies.errors import IdentifierInvalid
from policies.identifiers import SCHEMES, dossier_code
from policies.procedures import Procedure
from reuse_api import problems
from reuse_api.callers import AsDesk, TheVault
from reuse_api.pages.desk_typed import MAX_PERSONS, TypedDossier
from reuse_api.pages.desk_views import Clerk, roles
from reuse_api.pages.forms import one, sent
from reuse_api.pages.languages import Language
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.schemas import CHANNELS, DossierBody
from vault import docket
from vault.callers import SystemCaller
from vault.drafting import EVIDENCE
from vault.errors import FieldInvalid, NotFound, RequestConflict
from vault.handling import open_dossier
from vault.services import Refusal, Vault

_FORM = "/desk/new"
_OF_ROW = {
    "identifier.value": "identifier",
    "identifier.scheme": "scheme",
    "representation_evidence": "evidence",
}
_OF_FORM = {"evidence.kind": "evidence", "evidence.reference": "reference"}
# Where a decided no is shown, when it is about something that was typed.
_REFUSED = {
    "outside_territory": "code",
    "dossier_day_in_future": "code",
    "dossier_code_taken": "code",
    "procedure_not_registered": "procedure",
    "evidence_not_recorded": "evidence",
    "person_not_named": "persons",
    "representation_not_evidenced": "persons",
}
Faults = dict[str, str]  # the name of a field -> what is wrong with it, a code

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(_FORM)
async def form(
    request: Request, vault: TheVault, caller: AsDesk, procedure: str = "", code: str = ""
) -> Response:
    """Show the form: for the procedure named, or the only one of the agency, with a free code suggested."""
    allowed = (await docket.competence(vault, caller)).procedures
    named = {one.code for one in allowed}
    chosen = procedure if procedure in named else allowed[0].code if len(allowed) == 1 else ""
    suggested = code or await docket.next_code(vault, caller)
    typed = TypedDossier.fresh(suggested, chosen, _parts(vault, chosen))
    return _form(request, vault, allowed, typed, {}, focus="case" if chosen else "procedure")


@router.post(_FORM)
async def send(request: Request, vault: TheVault, caller: AsDesk) -> Response:
    """Change the form by one row or another procedure, or open the dossier; on a fault show it again."""
    sent_form = await sent(request, "desk")
    typed, deed = TypedDossier.read(sent_form), one(sent_form, "do")
    allowed = (await docket.competence(vault, caller)).procedures
    if deed == "add":
        typed = typed.with_row()
        return _form(request, vault, allowed, typed, {}, focus=f"persons-{len(typed.persons) - 1}-role")
    if deed.startswith("drop-"):
        typed = typed.without_row(deed.removeprefix("drop-"))
        return _form(request, vault, allowed, typed, {}, focus="add")
    if deed == "procedure":
        typed = typed.for_parts(_parts(vault, typed.procedure))
        return _form(request, vault, allowed, typed, {}, focus="case")
    faults = await _open(vault, caller, typed)
    if faults is None:
        return onward(f"/desk/dossiers/{typed.canonical}?done=opened")
    return _form(request, vault, allowed, typed, faults)


async def _open(vault: Vault, caller: SystemCaller, typed: TypedDossier) -> Faults | None:
    """Open the dossier; give what is wrong with the form, None when it is open."""
    faults = _faults(typed)
    if faults:
        return faults
    try:
        body = DossierBody.model_validate(typed.body())
        told = await open_dossier(vault, caller, typed.canonical, body.value())
    except ValidationError as problem:
        wrong = problems.of_validation([{**each, "loc": ("body", *each["loc"])} for each in problem.errors()])
        return {_field(typed, each.field): each.code for each in wrong.faults}
    except FieldInvalid as problem:
        return {_field(typed, problem.field): problem.code}
    except (RequestConflict, NotFound):  # with another body, or by another agency: told alike
        return {"code": "dossier_code_taken"}
    if isinstance(told, Refusal):
        return {_REFUSED.get(code, "form"): code for code in reversed(told.reasons)}
    return None


def _faults(typed: TypedDossier) -> Faults:
    """Find what can be told without asking the vault, so that it is no refusal in anybody's log."""
    faults: Faults = {}
    if not typed.procedure:
        faults["procedure"] = "field_missing"
    if not typed.named:
        faults["persons"] = "persons_missing"
    for number in typed.twice:
        faults[f"persons-{number}-role"] = "role_twice"
    for number, row in typed.named:
        if row.represented and not row.evidence:
            faults[f"persons-{number}-evidence"] = "representation_not_evidenced"
    if not typed.evidence:
        faults["evidence"] = "evidence_not_recorded"
    try:
        dossier_code(typed.code)
    except IdentifierInvalid as problem:
        faults["code"] = problem.code
    return faults


def _field(typed: TypedDossier, path: str) -> str:
    """Give the field of the form that a path in the body came from: rows left blank are not in the body."""
    beginning, _, rest = path.partition(".")
    place, _, name = rest.partition(".")
    if beginning == "persons" and place.isdigit():
        return f"persons-{typed.named[int(place)][0]}-{_OF_ROW.get(name, name)}"
    known = _OF_FORM.get(path, beginning)
    return known if known in TypedDossier.FIELDS else "form"


def _parts(vault: Vault, procedure: str) -> tuple[str, ...]:
    """Name the parts that the procedure's mappings speak of, the applicant first: rows to begin with."""
    mappings = [
        each for (code, _), found in vault.book.mappings.items() if code == procedure for each in found
    ]
    spoken = {each.role for each in mappings} | {each.relation.role for each in mappings if each.relation}
    return tuple(role for role in roles() if role in spoken | {"applicant"})


def _form(
    request: Request,
    vault: Vault,
    allowed: tuple[Procedure, ...],
    typed: TypedDossier,
    faults: Faults,
    *,
    focus: str = "",
) -> Response:
    clerk = Clerk(language_of(request), vault.book)
    procedure = next((one for one in allowed if one.code == typed.procedure), None)
    return page(
        request,
        "desk_new.html",
        room="desk",
        section="new_dossier",
        here=_FORM,
        status=422 if faults else 200,
        clerk=clerk,
        typed=typed,
        procedures=allowed,
        procedure=procedure,
        roles=roles(),
        schemes=[scheme for scheme in SCHEMES if scheme != "agency_code"],
        evidences=EVIDENCE,
        channels=CHANNELS,
        most=MAX_PERSONS,
        errors=_said(clerk.language, faults),
        focus=next(iter(faults), focus),
    )


def _said(language: Language, faults: Mapping[str, str]) -> dict[str, str]:
    return {name: problems.words(code, language.code, "officer") for name, code in faults.items()}
