"""Consents: asked by a bank or school, answered in the wallet, used by fetches that count."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from policies.recording import plain
from policies.wording import name
from reuse_api.answering import answer
from reuse_api.callers import AsOwner, AsSystem, TheVault
from reuse_api.consent_schemas import ConsentAnswerBody, ConsentRequestBody, FetchBody
from reuse_api.idempotency import WriteKey
from reuse_api.language import Language, language_of
from vault import asking, consenting, fetching, my_consents
from vault.my_consents import MyConsent

router = APIRouter(prefix="/v1", tags=["consents"])


@router.post("/consent-requests")
async def post_request(
    request: Request, vault: TheVault, caller: AsSystem, body: ConsentRequestBody, key: WriteKey
) -> Response:
    """Ask a person for consent; whether Kho knows them is not told."""
    return answer(request, await asking.request(vault, caller, body.value(), key=key), 201)


@router.get("/consent-requests/{request_id}")
async def get_request(request: Request, vault: TheVault, caller: AsSystem, request_id: str) -> Response:
    """Tell whoever asked what has come of a request; records are named once they are agreed to."""
    return answer(request, await asking.state(vault, caller, request_id))


@router.post("/consent-requests/{request_id}/lapse")
async def post_lapse(
    request: Request, vault: TheVault, caller: AsSystem, request_id: str, key: WriteKey
) -> Response:
    """Take a request back: what of it waits for an answer lapses."""
    return answer(request, await asking.lapse(vault, caller, request_id, key=key))


@router.post("/fetches")
async def post_fetch(
    request: Request, vault: TheVault, caller: AsSystem, body: FetchBody, key: WriteKey
) -> Response:
    """Fetch records under a consent: each is released for 15 minutes and counted, or refused with reasons."""
    return answer(request, await fetching.fetch(vault, caller, body.value(), key=key))


# In the wallet -------------------------------------------------------------------------------------------


@router.get("/me/consent-requests")
async def get_my_requests(request: Request, vault: TheVault, caller: AsOwner) -> Response:
    """List what waits for my answer, newest first, each with the exact text and its hash."""
    language = language_of(request)
    waiting = await my_consents.pending(vault, caller)
    return answer(request, {"consents": [_consent(one, language) for one in waiting]}, audience="citizen")


@router.get("/me/consents")
async def get_my_consents(request: Request, vault: TheVault, caller: AsOwner) -> Response:
    """List the consents I was asked for, newest first: state, text, every use, who acted."""
    language = language_of(request)
    held = await my_consents.my_consents(vault, caller)
    return answer(request, {"consents": [_consent(one, language) for one in held]}, audience="citizen")


@router.get("/me/consents/{consent}")
async def get_my_consent(request: Request, vault: TheVault, caller: AsOwner, consent: str) -> Response:
    """Give one consent of mine."""
    found = await my_consents.my_consent(vault, caller, consent)
    return answer(request, _consent(found, language_of(request)), audience="citizen")


@router.post("/me/consents/{consent}/answer")
async def post_answer(
    request: Request, vault: TheVault, caller: AsOwner, consent: str, body: ConsentAnswerBody, key: WriteKey
) -> Response:
    """Give or refuse one consent; giving takes the hash of the text that was shown."""
    outcome = await consenting.answer(
        vault,
        caller,
        consent,
        act=body.act,
        text_hash=body.text_hash,
        language=body.language,
        records=tuple(body.records),
        child_agrees=body.child_agrees,
        key=key,
    )
    return answer(request, outcome, audience="citizen")


@router.post("/me/consents/{consent}/pause")
async def post_pause(
    request: Request, vault: TheVault, caller: AsOwner, consent: str, key: WriteKey
) -> Response:
    """Pause a consent of mine."""
    return answer(request, await consenting.pause(vault, caller, consent, key=key), audience="citizen")


@router.post("/me/consents/{consent}/resume")
async def post_resume(
    request: Request, vault: TheVault, caller: AsOwner, consent: str, key: WriteKey
) -> Response:
    """Resume a consent of mine that is paused."""
    return answer(request, await consenting.resume(vault, caller, consent, key=key), audience="citizen")


@router.post("/me/consents/{consent}/withdrawal")
async def post_withdrawal(
    request: Request, vault: TheVault, caller: AsOwner, consent: str, key: WriteKey
) -> Response:
    """Withdraw a consent of mine, in this one step: the very next read is refused."""
    return answer(request, await consenting.withdraw(vault, caller, consent, key=key), audience="citizen")


def _consent(one: MyConsent, language: Language) -> dict[str, Any]:
    """Write a consent out; text and hash are both those of the language that is answered in."""
    told: dict[str, Any] = plain(one)
    return told | {"state_words": name("consent_state", one.state, language), "language": language}
