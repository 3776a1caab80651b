"""One entry: what is known of it closed, the ground for opening it, and what it holds once it is opened.

What is opened is shown in the answer to the form itself, not at an address of its own: looking again is
another look, and another entry.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from reuse_api.callers import AsAuditor, TheVault
from reuse_api.pages.audit_views import Reviewer
from reuse_api.pages.forms import new_key, one, request_key, sent
from reuse_api.pages.rendering import GUARDED, language_of, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.problems import words
from vault import audit_opening, auditing
from vault.assurance import is_strong
from vault.audit_opening import MAX_GROUND, MIN_GROUND, Opening, Replayed
from vault.callers import StaffCaller
from vault.errors import FieldInvalid, NotFound, StepUpNeeded
from vault.services import Vault

T = TypeVar("T")
_PLACE = "/audit/entries/{index}"
_DIGITS = 15  # of an index; a log of 10^15 entries is not in sight

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(_PLACE)
async def closed(request: Request, vault: TheVault, caller: AsAuditor, index: str) -> Response:
    """Show what is known of one entry unopened, and ask for the ground for opening it."""
    return await _closed(request, vault, caller, _number(index))


@router.post(_PLACE)
async def opened(request: Request, vault: TheVault, caller: AsAuditor, index: str) -> Response:
    """Open one entry on a ground; whom it concerns sees that it was opened, by whom and why."""

    def show(told: Opening, ground: str) -> Response:
        return _opened(request, vault, told, ground)

    return await _looked(request, vault, caller, index, audit_opening.open_entry, show)


@router.post(f"{_PLACE}/replay")
async def replayed(request: Request, vault: TheVault, caller: AsAuditor, index: str) -> Response:
    """Decide again what one entry recorded, and show the entry with what that came to."""

    def show(told: Replayed, ground: str) -> Response:
        return _opened(request, vault, told.opening, ground, told)

    return await _looked(request, vault, caller, index, audit_opening.replay_entry, show)


@router.post(f"{_PLACE}/proof")
async def proof(request: Request, vault: TheVault, caller: AsAuditor, index: str) -> Response:
    """Hand out the proof of one entry as a text file."""

    def show(told: str, ground: str) -> Response:
        name = language_of(request).say("access.file_name", index=_number(index))
        headers = {**GUARDED, "Content-Disposition": f'attachment; filename="{name}"'}
        return PlainTextResponse(told, headers=headers)

    return await _looked(request, vault, caller, index, audit_opening.take_proof, show)


async def _looked(
    request: Request,
    vault: Vault,
    caller: StaffCaller,
    index: str,
    look: Callable[..., Awaitable[T]],
    show: Callable[[T, str], Response],
) -> Response:
    """Look on the ground that the form gives, and show it; without a ground show the form again."""
    form = await sent(request, "audit")
    ground, number = one(form, "ground"), _number(index)
    try:
        told = await look(vault, caller, number, ground, key=request_key(form))
    except FieldInvalid as problem:
        return await _closed(request, vault, caller, number, ground, problem.code)
    except StepUpNeeded:
        return await _closed(request, vault, caller, number, ground)
    return show(told, ground)


async def _closed(
    request: Request, vault: Vault, caller: StaffCaller, index: int, ground: str = "", fault: str = ""
) -> Response:
    reviewer = Reviewer(language_of(request), vault.book)
    found = await auditing.look_at(vault, caller, index)
    return page(
        request,
        "audit_entry.html",
        room="audit",
        section="audit",
        here=f"/audit/entries/{index}",
        status=422 if fault else 200,
        one=reviewer.line(found),
        ground=ground,
        error=words(fault, reviewer.language.code, "officer") if fault else "",
        weak=not is_strong(caller, vault.book, vault.clock.now()),
        shortest=MIN_GROUND,
        longest=MAX_GROUND,
        request_key=new_key(),
    )


def _opened(
    request: Request, vault: Vault, told: Opening, ground: str, again: Replayed | None = None
) -> Response:
    reviewer = Reviewer(language_of(request), vault.book)
    one = reviewer.opened(told)
    return page(
        request,
        "audit_opened.html",
        room="audit",
        section="audit",
        here=f"/audit/entries/{one.line.index}",
        one=one,
        ground=ground,
        replay=reviewer.replayed(again) if again is not None else None,
        log_key=vault.signer.verifier_line,
        file_name=reviewer.language.say("access.file_name", index=one.line.index),
        new_key=new_key,
    )


def _number(index: str) -> int:
    if not index.isascii() or not index.isdigit() or len(index) > _DIGITS:
        raise NotFound
    return int(index)
