"""Figures of an agency, counted from what was entered and from nothing that a sender claims (DESIGN 2.12)."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsCounting, TheVault
from reuse_api.schemas import Day
from vault.callers import StaffCaller
from vault.errors import FieldInvalid
from vault.rescans import audited_rescans, rescans

router = APIRouter(prefix="/v1/indicators", tags=["indicators"])


@router.get("/rescans")
async def get_rescans(
    request: Request,
    vault: TheVault,
    caller: AsCounting,
    since: Annotated[Day, Query()],
    until: Annotated[Day, Query()],
) -> Response:
    """Count scans of some days, and those in spite of an answer, by reason and by answer.

    A system is told of its own agency's, an auditor of all.
    """
    if until < since:
        raise FieldInvalid("until", "ends_before_it_begins")
    days = {"since": since.isoformat(), "until": until.isoformat()}
    if isinstance(caller, StaffCaller):
        found = await audited_rescans(vault, caller, since=since, until=until)
    else:
        found = await rescans(vault, since=since, until=until, agency=caller.agency)
    return answer(request, days | asdict(found))
