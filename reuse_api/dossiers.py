"""Dossiers: opened by the system that processes them, asked about once, closed for good."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.idempotency import WriteKey
from reuse_api.narrowing import Narrowing
from reuse_api.schemas import DossierBody, DossierChange
from vault.dossier_search import in_dossier
from vault.handling import close_dossier, open_dossier
from vault.plan import ask
from vault.searching import MAX_PAGE, Sought

router = APIRouter(prefix="/v1/dossiers", tags=["dossiers"])


@router.put("/{code}")
async def put_dossier(
    request: Request, vault: TheVault, caller: AsSystem, code: str, body: DossierBody
) -> Response:
    """Open a dossier and answer its plan; the same body again, the same answer."""
    return answer(request, await open_dossier(vault, caller, code, body.value()))


@router.get("/{code}/plan")
async def get_plan(request: Request, vault: TheVault, caller: AsSystem, code: str) -> Response:
    """Ask the one question: what of this dossier is already there?"""
    return answer(request, await ask(vault, caller, code))


@router.get("/{code}/search")
async def get_search(
    request: Request,
    vault: TheVault,
    caller: AsSystem,
    code: str,
    narrowed: Narrowing,
    q: str = "",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
) -> Response:
    """Search what this dossier's persons hold for its components, with counts; an entry for each of them.

    The best first; what ranks alike stands in force first, then the newest.
    Narrowed by type, issuer, state, class and year, with words and without.
    """
    sought = Sought(q, narrowed.filters(), cursor, limit)
    return answer(request, await in_dossier(vault, caller, code, sought))


@router.patch("/{code}")
async def patch_dossier(
    request: Request, vault: TheVault, caller: AsSystem, code: str, body: DossierChange, key: WriteKey
) -> Response:
    """Close a dossier: it releases nothing more and never reopens."""
    return answer(request, await close_dossier(vault, caller, code, key=key))
