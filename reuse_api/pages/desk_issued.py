"""What the agency issued, and the end of a record's validity: revoked, suspended, in force again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from policies.facts import TrustClass, Validity
from reuse_api.callers import AsDesk, TheVault
from reuse_api.pages.check_views import tell_stored
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.forms import new_key, one, request_key, sent
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.search_views import Counted, Fault, Narrowed, facet_views, issuer_names, unmarked
from reuse_api.pages.troubles import PageRoute, refused
from reuse_api.problems import words
from vault import revoke
from vault.callers import SystemCaller
from vault.docket import competence
from vault.errors import FieldInvalid, NotFound, SearchUnavailable
from vault.issued import heard, one_issued
from vault.issued_search import Sought, search
from vault.searching import marker
from vault.services import Answer, Refusal, Vault
from vault.validity import MAX_WORDS

_PAGE = 20  # records on one page
STATES = tuple(each.value for each in Validity)
CLASSES = tuple(each.value for each in TrustClass)
Turning = Callable[..., Awaitable[Answer | Refusal]]
TURNS: dict[str, Turning] = {
    "suspend": revoke.suspend,
    "revoke": revoke.revoke,
    "reinstate": revoke.reinstate,
}
_OFFERED = {"in_force": ("suspend", "revoke"), "expired": ("revoke",), "suspended": ("reinstate", "revoke")}


@dataclass(frozen=True)
class _Typed:
    """What is looked for, "" where nothing is, and the cursor that the page follows."""

    narrowed: Narrowed
    number: str = ""
    after: str = ""
    text: str = ""

    @property
    def sought(self) -> bool:
        return any((self.number, self.after, self.text, self.narrowed.chosen()))

    def fields(self) -> dict[str, str]:
        """Give the fields of a form that asks the same again."""
        return self.narrowed.chosen() | {"number": self.number, "text": self.text, "after": self.after}

    def query(self) -> str:
        """Give the part of an address that asks the same again, what is answered in no address apart."""
        return urlencode(self.narrowed.chosen() | ({"after": self.after} if self.after else {}))

    def asked(self) -> Sought:
        chosen = self.narrowed
        return Sought(
            type=chosen.type or None,
            state=Validity(chosen.state) if chosen.state else None,
            number=self.number or None,
            text=self.text or None,
            issuer=chosen.issuer or None,
            trust=TrustClass(chosen.trust) if chosen.trust else None,
            year=chosen.year or None,
        )


router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/desk/issued")
async def listed(request: Request, vault: TheVault, caller: AsDesk) -> Response:
    """Show what the agency issued, the newest first; of one type, in one state and so on, if asked."""
    asked = request.query_params
    return await _listed(request, vault, caller, _Typed(Narrowed.of(asked), after=one(asked, "after")))


@router.post("/desk/issued")
async def searched(request: Request, vault: TheVault, caller: AsDesk) -> Response:
    """Search what the agency issued: a number, which may be a person's, and words are in no address."""
    form = await sent(request, "desk")
    number, after, text = (one(form, name) for name in ("number", "after", "text"))
    typed = _Typed(Narrowed.of(form), number, after, text)
    if typed.number or typed.text:
        return await _listed(request, vault, caller, typed)
    return onward("?".join(part for part in ("/desk/issued", typed.query()) if part))


async def _listed(request: Request, vault: Vault, caller: SystemCaller, typed: _Typed) -> Response:
    clerk = Clerk(language_of(request), vault.book)
    fault, told = Fault(), dict[str, Any](records=[], loose=False)
    try:
        outcome = await search(
            vault, caller, typed.asked(), after=typed.after or None, limit=_PAGE, facets=True
        )
    except FieldInvalid as problem:
        if problem.field != "q":
            raise NotFound from None
        fault = Fault.of(problem)
    except SearchUnavailable as problem:
        fault = Fault.of(problem)
    else:
        if isinstance(outcome, Refusal):
            return refused(request, outcome)
        told = outcome
    issues = (await competence(vault, caller)).issues
    counted = Counted(
        told.get("facets", {}), issuer_names(told), {"type": issues, "state": STATES, "trust": CLASSES}
    )
    return page(
        request,
        "desk_issued.html",
        room="desk",
        section="issued",
        here="/desk/issued",
        papers=[clerk.paper(each) for each in told["records"]],
        typed=typed,
        status=fault.status,
        headers=fault.headers,
        fault=words(fault.code, clerk.language.code, "officer") if fault.code else "",
        facets=facet_views(clerk, counted, typed.narrowed),
        found_in=marker(typed.text, loose=told["loose"]) if typed.text and not fault.code else unmarked,
        loose=told["loose"],
        older=replace(typed, after=told["next"]) if "next" in told else None,
    )


@router.get("/desk/issued/{record}")
async def shown(request: Request, vault: TheVault, caller: AsDesk, record: str, did: str = "") -> Response:
    """Show one record that the agency issued, how its validity went, and what may be done about it."""
    told = await heard(vault, caller, record, did) if did else None
    return await _record(request, vault, caller, record, {}, {}, told)


@router.post("/desk/issued/{record}")
async def turn(request: Request, vault: TheVault, caller: AsDesk, record: str) -> Response:
    """Revoke, suspend or reinstate a record, with its legal ground; on a fault show the form again."""
    form = await sent(request, "desk")
    typed = {name: one(form, name) for name in ("turn", "ground", "reason")}
    faults = {name: "text_length" for name in ("ground", "reason") if not 0 < len(typed[name]) <= MAX_WORDS}
    turning = TURNS.get(typed["turn"])
    if turning is None:
        faults = {"turn": "field_missing"} | faults
    if turning is None or faults:
        return await _record(request, vault, caller, record, typed, faults)
    key = request_key(form)
    try:
        told = await turning(vault, caller, record, ground=typed["ground"], reason=typed["reason"], key=key)
    except FieldInvalid as problem:
        return await _record(request, vault, caller, record, typed, {problem.field: problem.code})
    if isinstance(told, Refusal):
        return await _record(request, vault, caller, record, typed, {"turn": told.code})
    return onward(f"/desk/issued/{record}?did={key}")


async def _record(
    request: Request,
    vault: Vault,
    caller: SystemCaller,
    record: str,
    typed: dict[str, str],
    faults: dict[str, str],
    heard_of: int | None = None,
) -> Response:
    found = await one_issued(vault, caller, record)
    clerk = Clerk(language_of(request), vault.book)
    return page(
        request,
        "desk_record.html",
        room="desk",
        section="issued",
        here=f"/desk/issued/{record}",
        status=422 if faults else 200,
        one=found,
        paper=clerk.stored(found.stored),
        check=tell_stored(clerk, found.stored),
        clerk=clerk,
        turns=_OFFERED.get(found.stored.facts.validity.value, ()),
        typed={"turn": "", "ground": "", "reason": ""} | typed,
        errors={name: words(code, clerk.language.code, "officer") for name, code in faults.items()},
        focus=next(iter(faults), ""),
        heard=heard_of,
        most=MAX_WORDS,
        request_key=new_key(),
    )
