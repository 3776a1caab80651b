"""Components of a dossier, where an officer decides: a candidate confirmed, a paper digitised."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import ConfirmationBody
from vault.confirming import confirm

router = APIRouter(prefix="/v1/dossiers/{code}/components/{component}", tags=["components"])


@router.post("/confirmation")
async def post_confirmation(
    request: Request,
    vault: TheVault,
    caller: AsSystem,
    code: str,
    component: str,
    body: ConfirmationBody,
    key: WriteKey,
) -> Response:
    """Confirm a candidate that an officer looked at; it counts for this component of this dossier alone."""
    outcome = await confirm(vault, caller, code, component, body.record, reason=body.reason, key=key)
    return answer(request, outcome)
