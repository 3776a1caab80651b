"""Sessions as an API: one's own, listed and ended; officers', listed and ended by an administrator."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsAdministrator, AsPerson, AsStaff, TheVault
from reuse_api.idempotency import WriteKey
from vault import my_sessions, staff_sessions
from vault.sessions import Line
from vault.staff_sessions import MAX_REASON

_LISTED = 500

router = APIRouter(prefix="/v1", tags=["sessions"])


class EndingBody(BaseModel):
    """Why an administrator ends an officer's session."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=MAX_REASON)


@router.get("/me/sessions")
async def get_mine(request: Request, vault: TheVault, caller: AsPerson) -> Response:
    """List where I am signed in, newest first; `current` is this one."""
    found = await my_sessions.listed(vault, caller)
    return answer(request, {"sessions": [_told(one) for one in found]}, audience="citizen")


@router.post("/me/sessions/{session}/end")
async def post_end_mine(
    request: Request, vault: TheVault, caller: AsPerson, session: str, key: WriteKey
) -> Response:
    """End one of my sessions; one that has ended already is not there."""
    await my_sessions.end(vault, caller, session)
    return answer(request, {"session": session, "state": "ended"}, audience="citizen")


@router.get("/staff/sessions")
async def get_own(request: Request, vault: TheVault, caller: AsStaff) -> Response:
    """List where I, an officer, am signed in, in whatever role; `current` is this one."""
    found = await my_sessions.listed(vault, caller)
    return answer(request, {"sessions": [_told(one) for one in found]})


@router.post("/staff/sessions/{session}/end")
async def post_end_own(
    request: Request, vault: TheVault, caller: AsStaff, session: str, key: WriteKey
) -> Response:
    """End one of my sessions as an officer."""
    await my_sessions.end(vault, caller, session)
    return answer(request, {"session": session, "state": "ended"})


@router.get("/officers/sessions")
async def get_every(request: Request, vault: TheVault, caller: AsAdministrator) -> Response:
    """List the sessions of all officers, newest first."""
    found = await staff_sessions.every(vault, caller, _LISTED)
    return answer(request, {"sessions": [_told(one) for one in found]})


@router.post("/officers/sessions/{session}/end")
async def post_end(
    request: Request, vault: TheVault, caller: AsAdministrator, session: str, body: EndingBody, key: WriteKey
) -> Response:
    """End an officer's session; it is an entry that names the reason."""
    return answer(request, await staff_sessions.end(vault, caller, session, body.reason, key=key))


def _told(one: Line) -> dict[str, Any]:
    told = {name: value for name, value in asdict(one).items() if value is not None}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
