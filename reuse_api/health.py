"""For the operator: is the process there, and is the vault fit to serve?"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from reuse_api.callers import Anybody, TheVault, the_settings
from vault.readiness import ready

# Anybody may ask, and a look writes to the store.
KEPT = 2.0  # seconds that an answer of /readyz is given again

router = APIRouter(tags=["health"], dependencies=[Anybody])


@router.get("/healthz")
async def get_health() -> JSONResponse:
    """Say that the process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def get_readiness(vault: TheVault, request: Request) -> JSONResponse:
    """Say whether rows, store, log and content are sound: 200, or 503 naming what is not.

    One look is under way at most, and its answer is given to whoever asks within two seconds.
    """
    state = await vault.looks.kept("readiness", lambda: ready(vault), KEPT)
    if the_settings(request).work == "off":
        state = {**state, "work": "off"}
    return JSONResponse(state, 200 if state["ready"] else 503)
