"""For whom the wallet acts: told on every page of it while it acts for another."""

from fastapi import Depends
from starlette.requests import Request

from reuse_api.callers import SESSION_COOKIE, TheVault, cookie_of
from vault import finding
from vault.errors import NotAuthenticated


async def announce(request: Request, vault: TheVault) -> None:
    """Look up for whom this session acts, so that the page can say so; nothing is proven by it."""
    secret = cookie_of(request, SESSION_COOKIE)
    if not secret:
        return
    try:
        caller = await vault.gate.check_session(secret)
    except NotAuthenticated as problem:
        request.state.acting_ended = problem.code == "acting_ended"
        return
    if caller.delegation is not None:
        request.state.acting = await finding.me(vault, caller)
        request.state.delegation = caller.delegation


Announced = Depends(announce)
