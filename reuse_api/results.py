"""Results: handed in as fields to compose them from, or as a file with what it says of itself."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsSystem, TheVault
from reuse_api.handing_in import handed_in, said_of
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import ResultFields
from reuse_api.waiting_seals import handed
from vault.issue import issue

PART = "result"  # the text part of a multipart request that holds the JSON

router = APIRouter(prefix="/v1/dossiers", tags=["results"])


@router.post("/{code}/results")
async def post_result(
    request: Request, vault: TheVault, caller: AsSystem, code: str, key: WriteKey
) -> Response:
    """Store the result of a dossier for its owners; 201 with its document codes, 202 while it waits.

    As application/json: the fields of the result. As multipart/form-data: the same JSON in the part `result`,
    and the file in the part `file`; a signature that stands beside it in the part `signature`.
    """
    async with handed_in(request, vault.scratch, PART, ResultFields) as (body, form):
        file = form.file if form is not None else None
        told = await issue(vault, caller, code, body.value(), file, key=key, **said_of(form))
        return handed(request, told)
