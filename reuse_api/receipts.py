"""Receipts: the proof that a caller takes away."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from reuse_api.callers import AsEither, TheVault
from vault.receipts import fetch

router = APIRouter(prefix="/v1/receipts", tags=["receipts"])


@router.get("/{receipt}")
async def get_receipt(vault: TheVault, caller: AsEither, receipt: str) -> PlainTextResponse:
    """Give a receipt (C2SP tlog-proof) to the caller whose access it proves."""
    return PlainTextResponse(await fetch(vault, caller, receipt))
