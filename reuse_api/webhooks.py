"""Web hooks: where a system is told of what concerns it, and what a receiver checks that by."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reuse_api.answering import answer
from reuse_api.callers import Anybody, AsSystem, TheVault
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import Closed, Code
from vault import hook_keys, hooking
from vault.hook_event import SCHEMA, SCHEMA_PATH
from vault.hook_queue import TOPICS
from vault.hooking import MAX_URL, NewHook
from vault.hooks import Hook
from vault.outbox import Lag

KEYS_PATH = "/.well-known/webhook-keys.json"
_FOR_EVERYBODY = {"Cache-Control": f"public, max-age={int(hook_keys.KEPT.total_seconds())}"}

router = APIRouter(tags=["webhooks"])


class HookBody(Closed):
    """An address (https) and what is to be told there; without topics all of them."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL)]
    topics: tuple[Code, ...] = Field((), max_length=len(TOPICS))


class ConfirmationBody(Closed):
    """The code that was sent to the address."""

    code: Code


@router.get("/v1/webhooks")
async def get_webhooks(request: Request, vault: TheVault, caller: AsSystem) -> Response:
    """List the addresses that this system registered, ended ones too."""
    return answer(request, {"webhooks": [_told(*one) for one in await hooking.mine(vault, caller)]})


@router.post("/v1/webhooks")
async def post_webhook(
    request: Request, vault: TheVault, caller: AsSystem, body: HookBody, key: WriteKey
) -> Response:
    """Register an address; a code is sent there, and nothing else before that is handed in. An entry."""
    new = NewHook(body.url, body.topics)
    return answer(request, await hooking.register(vault, caller, new, key=key), 201)


@router.get("/v1/webhooks/{webhook}")
async def get_webhook(request: Request, vault: TheVault, caller: AsSystem, webhook: str) -> Response:
    """Tell of one address: its state, what waits, and what last failed."""
    return answer(request, _told(*await hooking.one_of_mine(vault, caller, webhook)))


@router.post("/v1/webhooks/{webhook}/confirmation")
async def post_confirmation(
    request: Request, vault: TheVault, caller: AsSystem, webhook: str, body: ConfirmationBody, key: WriteKey
) -> Response:
    """Hand in the code that was sent to the address: from now on it is told. An entry."""
    return answer(request, await hooking.confirm(vault, caller, webhook, body.code, key=key))


@router.delete("/v1/webhooks/{webhook}")
async def delete_webhook(
    request: Request, vault: TheVault, caller: AsSystem, webhook: str, key: WriteKey
) -> Response:
    """Take an address back: nothing more is told there, not even what waits. An entry."""
    return answer(request, await hooking.take_back(vault, caller, webhook, key=key))


@router.get(KEYS_PATH, dependencies=[Anybody])
async def get_keys(vault: TheVault) -> JSONResponse:
    """Give the public keys that what is sent to web hooks is signed with (RFC 7517); they change."""
    return JSONResponse(await hook_keys.published(vault), headers=_FOR_EVERYBODY)


@router.get(SCHEMA_PATH, dependencies=[Anybody])
async def get_schema() -> JSONResponse:
    """Give the schema of the data of every event: what `dataschema` names."""
    return JSONResponse(SCHEMA, headers=_FOR_EVERYBODY, media_type="application/schema+json")


def _told(hook: Hook, lag: Lag) -> dict[str, Any]:
    told = {
        "webhook": hook.id,
        "url": hook.url,
        "topics": list(hook.topics),
        "state": hook.state,
        "reason": hook.reason,
        "answer_until": hook.answer_until.isoformat() if hook.confirmed_at is None else None,
        "created_at": hook.created_at.isoformat(),
        "confirmed_at": hook.confirmed_at.isoformat() if hook.confirmed_at is not None else None,
        "ended_at": hook.ended_at.isoformat() if hook.ended_at is not None else None,
        "waiting": lag.waiting,
        "given_up": lag.dead,
        "last_ok_at": hook.last_ok_at.isoformat() if hook.last_ok_at is not None else None,
        "last_failure": hook.last_failure,
        "last_failed_at": hook.last_failed_at.isoformat() if hook.last_failed_at is not None else None,
    }
    return {name: value for name, value in told.items() if value is not None}
