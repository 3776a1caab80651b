"""Results and scans that wait for their seal: how a system is told, and where it asks again."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api import problems
from reuse_api.answering import answer, told
from reuse_api.callers import AsSystem, TheVault
from vault import waiting_seals
from vault.services import Answer, Refusal
from vault.waiting_seals import FIRST, GIVEN_UP, WAITING

PLACE = "/v1/waiting-seals"

router = APIRouter(prefix=PLACE, tags=["results"])


@router.get("/{waiting}")
async def get_waiting(request: Request, vault: TheVault, caller: AsSystem, waiting: str) -> Response:
    """Tell the state of what waits: `waiting_for_seal`, `sealed` with its record, `seal_given_up`.

    The whole answer of a sealed one is given to its own request, sent again under the same Idempotency-Key.
    """
    return answer(request, (await waiting_seals.one(vault, caller, waiting)).answer())


def handed(request: Request, outcome: Answer | Refusal) -> Response:
    """Answer what was handed in: 201 stored, 202 taken but not sealed yet, 409 given up."""
    state = None if isinstance(outcome, Refusal) else outcome.get("state")
    if isinstance(outcome, Refusal) or state not in (WAITING, GIVEN_UP):
        return answer(request, outcome, 201)
    if state == GIVEN_UP:
        reasons, receipt = outcome["reasons"], outcome["receipt"]
        return told(request, problems.Problem(GIVEN_UP, 409, reasons=tuple(reasons), receipts=(receipt,)))
    response = answer(request, outcome, 202)
    response.headers["Location"] = f"{PLACE}/{outcome['waiting']}"
    response.headers["Retry-After"] = str(int(FIRST.total_seconds()))
    return response
