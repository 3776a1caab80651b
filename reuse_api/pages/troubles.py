"""When a page cannot be given: the same table of errors as the other doors, told on a page."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from policies.wording import Audience, say
from reuse_api.answering import SCANNER_SECONDS
from reuse_api.callers import CredentialsRefused, door_of, request_id
from reuse_api.journal import failed
from reuse_api.pages.rendering import ROOMS, FormRefused, language_of, onward, page, room_of
from reuse_api.problems import BUSY_SECONDS
from reuse_api.same_origin import CrossSite
from signing.errors import SealingFailed
from storage.errors import StoreUnavailable
from vault.errors import (
    ContentDamaged,
    FieldInvalid,
    FileRejected,
    MalwareScanUnavailable,
    NotAuthenticated,
    NotFound,
    PartAway,
    PictureFailed,
    RequestConflict,
    StoreAway,
    VaultBusy,
)
from vault.receipts import ReceiptGone
from vault.services import Refusal


@dataclass(frozen=True)
class Trouble:
    """What a page says about an error: its words' key, its status, and the headers that go with it."""

    words: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)


_SHORTLY = {"Retry-After": str(BUSY_SECONDS)}
_STORE_AWAY = Trouble("store_unavailable", 503, _SHORTLY)
TROUBLES: dict[type[Exception], Trouble] = {
    NotFound: Trouble("not_found", 404),
    PartAway: Trouble("part_away", 503, _SHORTLY),
    StoreAway: _STORE_AWAY,
    VaultBusy: Trouble("vault_busy", 503, _SHORTLY),
    StoreUnavailable: _STORE_AWAY,
    MalwareScanUnavailable: Trouble("malware_scan_unavailable", 503, {"Retry-After": str(SCANNER_SECONDS)}),
    RequestConflict: Trouble("idempotency_conflict", 409),
    ContentDamaged: Trouble("content_damaged", 500),
    PictureFailed: Trouble("picture_failed", 422),
    ReceiptGone: Trouble("gone", 410),
    FormRefused: Trouble("form_refused", 403),
    CrossSite: Trouble("form_refused", 403),
    RequestValidationError: Trouble("form_refused", 422),
    FieldInvalid: Trouble("form_refused", 422),
}
# Codes of what can be tried again as it is.
AWAY = {VaultBusy.code, PartAway.code, StoreAway.code, MalwareScanUnavailable.code}
OTHER = Trouble("other", 500)
_OURS = (ContentDamaged,)  # told in words of their own, and written down all the same

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route whose errors are pages; who is not signed in is sent to the door."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler, its dependencies included."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except (CredentialsRefused, NotAuthenticated) as problem:  # at the door, or after it at the gate
                return onward("/wallet/people" if problem.code == "acting_ended" else "/sign-in")
            except (ClientDisconnect, HTTPException):
                raise
            except Exception as problem:
                return _told(request, problem)

        return guarded


def refused(request: Request, refusal: Refusal) -> Response:
    """Tell a decided no, with its reasons."""
    language = language_of(request)
    audience: Audience = "citizen" if room_of(request) == "wallet" else "officer"
    reasons = [say(code, audience, language.code) for code in refusal.reasons]
    status = 410 if refusal.status == "ended" else 403
    return _problem(request, Trouble("refused", status), refusal.code, reasons)


def not_done(request: Request, problem: SealingFailed | VaultBusy | MalwareScanUnavailable) -> str:
    """Give the code by which a form says that nothing was done; a seal that failed is written down."""
    if isinstance(problem, (VaultBusy, MalwareScanUnavailable)):
        return problem.code
    failed("sealing_failed", problem, door=door_of(request), request=request_id(request))
    return SealingFailed.code


def is_shut(problem: Exception) -> bool:
    """Say whether the file is in quarantine now, so that nobody says that nothing was kept of it."""
    return isinstance(problem, FileRejected) and problem.quarantine is not None


def _told(request: Request, problem: Exception) -> Response:
    trouble = next((one for kind, one in TROUBLES.items() if isinstance(problem, kind)), OTHER)
    if trouble is OTHER or isinstance(problem, _OURS):
        event = "page_failed" if trouble is OTHER else trouble.words
        failed(event, problem, door=door_of(request), request=request_id(request))
    return _problem(request, trouble, str(getattr(problem, "code", trouble.words)), [])


def _problem(request: Request, trouble: Trouble, code: str, reasons: list[str]) -> Response:
    room = room_of(request)
    return page(
        request,
        "problem.html",
        room=room,
        here=ROOMS[room].home,
        status=trouble.status,
        headers=trouble.headers,
        problem=trouble.words,
        code=code,
        reasons=reasons,
    )
