"""Saying yes or no to what a bank or a school asks, and every consent with its uses: one step each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsOwner, TheVault
from reuse_api.pages import forms
from reuse_api.pages.acting import Announced
from reuse_api.pages.consent_views import tell_consent, tell_requests
from reuse_api.pages.rendering import language_of, onward, page
from reuse_api.pages.troubles import PageRoute, refused
from reuse_api.pages.views import Narrator
from reuse_api.problems import words
from vault import consenting as acts
from vault import finding, my_consents
from vault.assurance import is_strong
from vault.callers import OwnerCaller
from vault.errors import FieldInvalid, NotFound
from vault.services import Answer, Refusal, Vault

_HOME = "/wallet/consents"
DONE = ("given", "refused", "paused", "resumed", "withdrawn")

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[Announced])


@dataclass(frozen=True)
class Typed:
    """What stood in the form of one consent, and why it was not taken."""

    records: tuple[str, ...] = ()
    child_agrees: bool = False
    faults: tuple[str, ...] = ()  # words


@router.get("/wallet/requests/{bundle}")
async def request(request: Request, vault: TheVault, caller: AsOwner, bundle: str) -> Response:
    """Show what was asked for together: the exact text of each purpose, each with its own yes and no."""
    return await _asked(request, vault, caller, bundle, {})


@router.post("/wallet/requests/{bundle}")
async def answer(request: Request, vault: TheVault, caller: AsOwner, bundle: str) -> Response:
    """Take the answer to one purpose; on any fault show the page again, nothing chosen being lost."""
    form = await forms.sent(request, "wallet")
    consent, act = forms.one(form, "consent"), forms.one(form, "act")
    typed = Typed(forms.many(form, "records"), forms.one(form, "child_agrees") == "yes")
    if act not in ("give", "refuse"):
        raise NotFound
    if act == "give" and not is_strong(caller, vault.book, vault.clock.now()):
        return await _asked(request, vault, caller, bundle, {})  # which asks to be authenticated afresh
    try:
        told = await acts.answer(
            vault,
            caller,
            consent,
            act="give" if act == "give" else "refuse",
            text_hash=forms.one(form, "text_hash") or None,
            language=_shown_in(forms.one(form, "language")),
            records=typed.records if act == "give" else (),
            child_agrees=typed.child_agrees,
            key=forms.request_key(form),
        )
        codes = told.reasons if isinstance(told, Refusal) else ()
    except FieldInvalid as problem:
        codes = (problem.code,)
    if codes:
        language = language_of(request).code
        faults = tuple(words(code, language, "citizen") for code in codes)
        kept = Typed(typed.records, typed.child_agrees, faults)
        return await _asked(request, vault, caller, bundle, {consent: kept})
    return onward(f"{_HOME}/{consent}?done={'given' if act == 'give' else 'refused'}")


@router.get(_HOME)
async def consents(request: Request, vault: TheVault, caller: AsOwner) -> Response:
    """List what waits for an answer, what was agreed to, and what is over."""
    narrator = Narrator(language_of(request), vault.book)
    held = await my_consents.my_consents(vault, caller)
    told = [tell_consent(narrator, one) for one in held if one.state != "requested"]
    return page(
        request,
        "consents.html",
        section="consents",
        waiting=tell_requests(narrator, [one for one in held if one.state == "requested"]),
        standing=[one for one in told if one.can_withdraw],
        over=[one for one in told if not one.can_withdraw],
    )


@router.get("/wallet/consents/{consent}")
async def consent(
    request: Request, vault: TheVault, caller: AsOwner, consent: str, done: str = ""
) -> Response:
    """Show one consent: what it allows, every use and every step with its proof, and how to end it."""
    found = await my_consents.my_consent(vault, caller, consent)
    return page(
        request,
        "consent.html",
        section="consents",
        one=tell_consent(Narrator(language_of(request), vault.book), found),
        done=done if done in DONE else "",
        request_key=forms.new_key(),
    )


Step = Callable[..., Awaitable[Answer | Refusal]]
_STEPS: dict[str, tuple[Step, str]] = {
    "pause": (acts.pause, "paused"),
    "resume": (acts.resume, "resumed"),
    "withdraw": (acts.withdraw, "withdrawn"),
}


@router.post("/wallet/consents/{consent}")
async def step(request: Request, vault: TheVault, caller: AsOwner, consent: str) -> Response:
    """Pause, resume or withdraw, each in one step."""
    form = await forms.sent(request, "wallet")
    known = _STEPS.get(forms.one(form, "do"))
    if known is None:
        raise NotFound
    doing, done = known
    told = await doing(vault, caller, consent, key=forms.request_key(form))
    if isinstance(told, Refusal):
        return refused(request, told)
    return onward(f"{_HOME}/{consent}?done={done}")


async def _asked(
    request: Request, vault: Vault, caller: OwnerCaller, bundle: str, typed: dict[str, Typed]
) -> Response:
    narrator = Narrator(language_of(request), vault.book)
    held = [one for one in await my_consents.my_consents(vault, caller) if one.bundle == bundle]
    if not held or not typed.keys() <= {one.id for one in held}:
        raise NotFound
    held.sort(key=lambda one: one.purpose)
    told: list[tuple[Any, Typed]] = [
        (tell_consent(narrator, one), typed.get(one.id, Typed())) for one in held
    ]
    return page(
        request,
        "request.html",
        section="consents",
        here=f"/wallet/requests/{bundle}",
        status=422 if typed else 200,
        me=await finding.me(vault, caller),
        asked=narrator.moment(held[0].asked_at),
        consents=told,
        first=told[0][0],
        weak=not is_strong(caller, vault.book, vault.clock.now()) and any(one.waiting for one, _ in told),
        keys=[forms.new_key() for _ in told],
    )


def _shown_in(language: str) -> Literal["vi", "en"]:
    return "en" if language == "en" else "vi"
