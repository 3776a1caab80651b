"""Records, as the agency that issued them sees them: the end of their validity."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import RevocationBody
from vault.revoke import revoke

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.post("/{record}/revocation")
async def post_revocation(
    request: Request, vault: TheVault, caller: AsSystem, record: str, body: RevocationBody, key: WriteKey
) -> Response:
    """Revoke a record with its legal ground: it is released no more, from the very next read on."""
    outcome = await revoke(vault, caller, record, ground=body.ground, reason=body.reason, key=key)
    return answer(request, outcome)
