"""Notices: what a processing system hears of the documents it used, in order, until it has seen them."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.idempotency import WriteKey
from vault import notifying
from vault.notifying import MAX_PAGE, Notice
from vault.services import Refusal

router = APIRouter(prefix="/v1/notices", tags=["notices"])


@router.get("")
async def get_notices(
    request: Request,
    vault: TheVault,
    caller: AsSystem,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    unseen: bool = False,
    dossier: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """List the notices to this system, oldest first; `next` is a cursor, there while more may follow.

    With `dossier` only those about it; of a dossier that is unknown or another's there are none.
    """
    found = await notifying.for_agency(
        vault, caller, after=cursor, limit=limit, unseen=unseen, dossier=dossier
    )
    if isinstance(found, Refusal):
        return answer(request, found)
    page: dict[str, Any] = {"notices": [_notice(one) for one in found]}
    if len(found) == limit:
        page["next"] = found[-1].id
    return answer(request, page)


@router.post("/{notice}/seen")
async def post_seen(
    request: Request, vault: TheVault, caller: AsSystem, notice: str, key: WriteKey
) -> Response:
    """Acknowledge a notice; an entry."""
    return answer(request, await notifying.mark_seen(vault, caller, notice, key=key))


def _notice(one: Notice) -> dict[str, Any]:
    told = asdict(one) | {
        "at": one.at.isoformat(),
        "seen_at": one.seen_at.isoformat() if one.seen_at is not None else None,
    }
    return {name: value for name, value in told.items() if value is not None}
