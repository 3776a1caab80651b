"""Records, as the agency that issued them sees them: the end of their validity."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import ReplacementBody, ValidityBody
from vault import revoke

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.post("/{record}/revocation")
async def post_revocation(
    request: Request, vault: TheVault, caller: AsSystem, record: str, body: ValidityBody, key: WriteKey
) -> Response:
    """Revoke a record with its legal ground: it is released no more, from the very next read on."""
    outcome = await revoke.revoke(vault, caller, record, ground=body.ground, reason=body.reason, key=key)
    return answer(request, outcome)


@router.post("/{record}/suspension")
async def post_suspension(
    request: Request, vault: TheVault, caller: AsSystem, record: str, body: ValidityBody, key: WriteKey
) -> Response:
    """Suspend a record with its legal ground, until it is reinstated."""
    outcome = await revoke.suspend(vault, caller, record, ground=body.ground, reason=body.reason, key=key)
    return answer(request, outcome)


@router.post("/{record}/reinstatement")
async def post_reinstatement(
    request: Request, vault: TheVault, caller: AsSystem, record: str, body: ValidityBody, key: WriteKey
) -> Response:
    """End a suspension with its legal ground."""
    outcome = await revoke.reinstate(vault, caller, record, ground=body.ground, reason=body.reason, key=key)
    return answer(request, outcome)


@router.post("/{record}/replacement")
async def post_replacement(
    request: Request, vault: TheVault, caller: AsSystem, record: str, body: ReplacementBody, key: WriteKey
) -> Response:
    """Have a newer record, stored already, take the place of this one, with its legal ground."""
    outcome = await revoke.replace(
        vault, caller, record, by=body.by, ground=body.ground, reason=body.reason, key=key
    )
    return answer(request, outcome)
