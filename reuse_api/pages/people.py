"""Persons I act for, and who acts for me: claimed on evidence in the vault, begun and ended here."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from policies.book import local_day
from reuse_api.callers import AsPerson, TheVault
from reuse_api.pages import forms
from reuse_api.pages.acting import Announced
from reuse_api.pages.languages import Language
from reuse_api.pages.people_views import tell_delegation
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.troubles import PageRoute, refused
from reuse_api.pages.views import Narrator
from reuse_api.problems import words
from vault import claiming, delegating
from vault.callers import OwnerCaller
from vault.errors import FieldInvalid
from vault.services import Refusal, Vault

_HOME = "/wallet/people"
DONE = ("begun", "ended")
_SHOWN_AT = {"kind": "kind", "identifier.scheme": "value", "identifier.value": "value"}
_MAX_VALUE = 40  # characters of an identifier as it may be typed, spaces included

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[Announced])


@dataclass(frozen=True)
class Typed:
    """What stood in the form of a claim."""

    kind: str = ""
    value: str = ""


@router.get(_HOME)
async def people(request: Request, vault: TheVault, caller: AsPerson, done: str = "") -> Response:
    """Show whom I act for and who acts for me, and the form to begin."""
    return await _page(request, vault, caller, done=done if done in DONE else "")


@router.post(_HOME)
async def claim(request: Request, vault: TheVault, caller: AsPerson) -> Response:
    """Begin to act for a child or an enterprise; on any fault show the form again, the fault at its field."""
    form = await forms.sent(request, "wallet")
    typed = Typed(forms.one(form, "kind"), forms.one(form, "value"))
    capacity = vault.book.capacity(typed.kind, local_day(vault.clock.now()))
    faults = {"kind": "field_missing"} if capacity is None else {}
    if not typed.value:
        faults["value"] = "field_missing"
    if capacity is None or faults:
        return await _page(request, vault, caller, typed=typed, faults=faults)
    try:
        told = await claiming.claim(
            vault,
            caller,
            scheme=capacity.scheme,
            value=typed.value[:_MAX_VALUE],
            kind=typed.kind,
            key=forms.request_key(form),
        )
    except FieldInvalid as problem:
        faults = {_SHOWN_AT.get(problem.field, "value"): problem.code}
        return await _page(request, vault, caller, typed=typed, faults=faults)
    if isinstance(told, Refusal):
        return await _page(request, vault, caller, typed=typed, reasons=told.reasons)
    return onward(f"{_HOME}?done=begun")


@router.post("/wallet/people/act")
async def act(request: Request, vault: TheVault, caller: AsPerson) -> Response:
    """Act for another from now on; without a delegation in the form, for myself again."""
    form = await forms.sent(request, "wallet")
    delegation = forms.one(form, "delegation") or None
    try:
        await delegating.act_for(vault, caller, delegation)
    except FieldInvalid as problem:
        return await _page(request, vault, caller, reasons=(problem.code,))
    return onward("/wallet")


@router.post("/wallet/people/end")
async def end(request: Request, vault: TheVault, caller: AsPerson) -> Response:
    """End a delegation, as either of its two parties."""
    form = await forms.sent(request, "wallet")
    told = await delegating.end(vault, caller, forms.one(form, "delegation"), key=forms.request_key(form))
    return refused(request, told) if isinstance(told, Refusal) else onward(f"{_HOME}?done=ended")


async def _page(
    request: Request,
    vault: Vault,
    caller: OwnerCaller,
    *,
    typed: Typed | None = None,
    faults: dict[str, str] | None = None,
    reasons: tuple[str, ...] = (),
    done: str = "",
) -> Response:
    language = language_of(request)
    narrator = Narrator(language, vault.book)
    acting = getattr(request.state, "delegation", None)
    all_of_them = [
        tell_delegation(narrator, one, acting) for one in await delegating.my_delegations(vault, caller)
    ]
    return page(
        request,
        "people.html",
        section="people",
        here=_HOME,
        status=403 if reasons else 422 if faults else 200,
        mine=[one for one in all_of_them if one.mine and one.stands],
        others=[one for one in all_of_them if not one.mine and one.stands],
        past=[one for one in all_of_them if not one.stands],
        kinds=_kinds(narrator, vault),
        typed=typed or Typed(),
        errors={name: _fault(language, name, code) for name, code in (faults or {}).items()},
        reasons=narrator.reasons(reasons),
        done=done,
        stuck=getattr(request.state, "acting_ended", False),
        request_key=forms.new_key(),
    )


def _kinds(narrator: Narrator, vault: Vault) -> list[tuple[str, str]]:
    """Give (key, name) of the capacities in which somebody may act today."""
    day = local_day(vault.clock.now())
    return [(one.key, narrator.capital(one.name)) for one in vault.book.capacities if one.in_force.holds(day)]


def _fault(language: Language, name: str, code: str) -> str:
    if code == "field_missing":
        return language.say(f"people.missing.{name}")
    return words(code, language.code, "citizen")
