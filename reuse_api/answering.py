"""How an operation's outcome leaves as HTTP: an answer with its words, a refusal or an error as a problem."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from policies.wording import Audience
from reuse_api import problems
from reuse_api.callers import CredentialsRefused, door_of, request_id
from reuse_api.journal import failed
from reuse_api.language import Language, language_of
from reuse_api.problems import MEDIA_TYPE, Problem
from reuse_api.same_origin import CrossSite
from signing.errors import SealingFailed
from storage.errors import StoreUnavailable
from vault.assertions import TokenRefused
from vault.errors import (
    ContentDamaged,
    FieldInvalid,
    FileRejected,
    GateRefused,
    MalwareScanUnavailable,
    NotAuthenticated,
    NotFound,
    PartAway,
    PartFailed,
    PeerRefused,
    PictureFailed,
    RequestConflict,
    SearchUnavailable,
    SignatureInvalid,
    StepUpNeeded,
    StoreAway,
    VaultBusy,
)
from vault.receipts import ReceiptGone
from vault.services import Answer, Refusal

_REASONS = {"reasons", "trust_reasons"}  # lists of codes that words are put beside
SEAL_SECONDS = 60  # what Retry-After says while a service that sealing needs is away
SCANNER_SECONDS = 60  # what Retry-After says while the malware scanner is away
_TEXT = {"vi", "en"}  # the members of a text that the policy book has in both languages
_HTTP = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 400: "body_unreadable"}


def answer(
    request: HTTPConnection,
    outcome: Answer | Refusal,
    status: int = 200,
    *,
    audience: Audience = "officer",
    verbatim: Answer | None = None,
) -> Response:
    """Give an operation's outcome: JSON with every reason in words, or the problem of a refusal.

    A machine reads the codes; the words are for whoever it shows them to, an officer or the citizen herself.

    Args:
        verbatim: more members, told as they are: what an entry committed to.
    """
    if isinstance(outcome, Refusal):
        return told(request, problems.of_refusal(outcome, audience))
    language = language_of(request)
    document = spoken(outcome, language, audience) | (verbatim or {})
    headers = _spoken_headers(language)
    if request.app.state.vault.search.away:  # this answer did without it
        headers["Kho-Search"] = "degraded"
    return JSONResponse(document, status, headers=headers)


def told(request: HTTPConnection, problem: Problem) -> Response:
    """Say a problem in the language of the request."""
    language = language_of(request)
    headers = {**_spoken_headers(language), **problem.headers}
    return JSONResponse(problem.body(language), problem.status, headers=headers, media_type=MEDIA_TYPE)


def spoken(value: Any, language: Language, audience: Audience) -> Any:
    """Put words beside the reason codes of an answer, and keep one language of texts that have both.

    Under `reasons` and `trust_reasons` a code becomes
    {"code", "words"}; {"vi", "en"} becomes the text asked for; all else stays.
    """
    if isinstance(value, dict):
        if value.keys() == _TEXT:
            return value[language]
        return {
            key: [problems.reason(code, language, audience) for code in item]
            if key in _REASONS
            else spoken(item, language, audience)
            for key, item in value.items()
        }
    return [spoken(item, language, audience) for item in value] if isinstance(value, list) else value


def _spoken_headers(language: Language) -> dict[str, str]:
    return {"Content-Language": language, "Vary": "Accept-Language"}


# Errors ----------------------------------------------------------------------------------------------

Making = Callable[[Any], Problem]


def _busy(_problem: Exception) -> Problem:
    return problems.of_code("vault_busy", headers={"Retry-After": str(problems.BUSY_SECONDS)})


def _part_away(_problem: Exception) -> Problem:
    return problems.of_code("part_away", headers={"Retry-After": str(problems.BUSY_SECONDS)})


def _unavailable(_problem: Exception) -> Problem:
    return problems.of_code("store_unavailable", headers={"Retry-After": str(problems.BUSY_SECONDS)})


def _unsearchable(_problem: Exception) -> Problem:
    return problems.of_code("search_degraded", headers={"Retry-After": str(problems.BUSY_SECONDS)})


def _unscanned(_problem: Exception) -> Problem:
    return problems.of_code("malware_scan_unavailable", headers={"Retry-After": str(SCANNER_SECONDS)})


def _of_http(problem: HTTPException) -> Problem:
    code = _HTTP.get(problem.status_code, "bad_request")
    return problems.of_code(code, headers=problem.headers)


MAKING: dict[type[Exception], Making] = {
    NotFound: lambda problem: problems.of_code(problem.code),
    PictureFailed: lambda problem: problems.of_code(problem.code),
    ReceiptGone: lambda problem: problems.of_code(problem.code),
    RequestConflict: lambda problem: problems.of_code(problem.code),
    FileRejected: problems.of_file,
    SignatureInvalid: problems.of_signature,
    FieldInvalid: lambda problem: problems.of_field(problem.field, problem.code, problem.details),
    CredentialsRefused: lambda problem: problems.of_credentials(problem.code, problem.scheme),
    # The credential ended, or was withdrawn, between the door and the gate.
    TokenRefused: lambda problem: problems.of_credentials(problem.code, "Bearer"),
    NotAuthenticated: lambda problem: problems.of_credentials(problem.code, "Session"),
    StepUpNeeded: lambda problem: problems.of_step_up(problem.code),
    CrossSite: lambda problem: problems.of_code(problem.code),
    RequestValidationError: lambda problem: problems.of_validation(problem.errors()),
    PartAway: _part_away,
    StoreAway: _unavailable,
    VaultBusy: _busy,
    MalwareScanUnavailable: _unscanned,
    StoreUnavailable: _unavailable,
    SearchUnavailable: _unsearchable,
    HTTPException: _of_http,
}
# Errors of ours: answered in words, and written down.
FAILING: dict[type[Exception], str] = {
    ContentDamaged: "content_damaged",
    GateRefused: "gate_refused",
    PartFailed: "part_failed",
    PeerRefused: "part_failed",
    SealingFailed: "sealing_failed",
}


def answer_errors(app: FastAPI) -> None:
    """Have every error that can leave an operation answered as a problem."""
    for kind in MAKING:
        app.add_exception_handler(kind, _handle)
    for kind in FAILING:
        app.add_exception_handler(kind, _handle_failing)


async def _handle(request: Request, problem: Exception) -> Response:
    making = next(make for kind, make in MAKING.items() if isinstance(problem, kind))
    return told(request, making(problem))


async def _handle_failing(request: Request, problem: Exception) -> Response:
    code = next(code for kind, code in FAILING.items() if isinstance(problem, kind))
    failed(code, problem, door=door_of(request), request=request_id(request))
    if isinstance(problem, SealingFailed):
        return told(request, _unsealed(problem))
    return told(request, problems.of_code(code))


def _unsealed(problem: SealingFailed) -> Problem:
    """Say what stood in the way (time stamps, certificate status, the key), and whether to try again."""
    own = () if problem.code == SealingFailed.code else (problem.code,)
    again = "seal_try_again" if problem.retryable else "seal_no_retry"
    headers = {"Retry-After": str(SEAL_SECONDS)} if problem.retryable else {}
    made = problems.of_code(SealingFailed.code, headers=headers)
    return replace(made, reasons=(*own, again), audience="officer")
