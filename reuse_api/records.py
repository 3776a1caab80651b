"""Records, as the agency that issues them sees them: stored, searched for, their validity changed."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from policies.facts import TrustClass, Validity
from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.handing_in import handed_in, said_of
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import Day, RecordFields, ReplacementBody, ValidityBody
from reuse_api.waiting_seals import handed
from vault import issued_search, revoke
from vault.issue_record import issue_record

PART = "record"  # the text part of a multipart request that holds the JSON
_TEXT = Annotated[str | None, Query(min_length=1, max_length=200)]

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.post("")
async def post_record(request: Request, vault: TheVault, caller: AsSystem, key: WriteKey) -> Response:
    """Store a record outside any dossier for its owners; 201 with codes, 202 while it waits.

    As application/json: its fields. As multipart/form-data: the same JSON in the part `record`, and the file
    in the part `file`; a signature that stands beside it in the part `signature`.
    """
    async with handed_in(request, vault.scratch, PART, RecordFields) as (body, form):
        file = form.file if form is not None else None
        told = await issue_record(vault, caller, body.value(), file, key=key, **said_of(form))
        return handed(request, told)


@router.get("")
async def get_records(
    request: Request,
    vault: TheVault,
    caller: AsSystem,
    type: _TEXT = None,
    state: Validity | None = None,
    number: _TEXT = None,
    q: str | None = None,
    issued_from: Day | None = None,
    issued_until: Day | None = None,
    issuer: _TEXT = None,
    trust: TrustClass | None = None,
    year: Annotated[str | None, Query(pattern="^[0-9]{4}$")] = None,
    cursor: _TEXT = None,
    limit: Annotated[int, Query(ge=1, le=issued_search.MAX_PAGE)] = 50,
) -> Response:
    """Search what the agency issued; `next` is a cursor. A search is an entry.

    Newest first; with words in `q` (titles, types, issuers, numbers, days; never owners) the best first, with
    counts. What ranks alike by words, or is found by its class alone, stands in force first, then the newest.
    """
    sought = issued_search.Sought(type, state, number, q, issued_from, issued_until, issuer, trust, year)
    outcome = await issued_search.search(
        vault, caller, sought, after=cursor, limit=limit, facets=q is not None
    )
    return answer(request, outcome)


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
