"""Components of a dossier, where an officer decides: a candidate confirmed, a paper digitised."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.handing_in import handed_in
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import ConfirmationBody, ScanFields
from vault.confirming import confirm
from vault.digitise import digitise
from vault.errors import FieldInvalid

PART = "scan"  # the text part of the form that holds the JSON

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


@router.post("/digitised")
async def post_digitised(
    request: Request, vault: TheVault, caller: AsSystem, code: str, component: str, key: WriteKey
) -> Response:
    """Store a scan in place of a component, marked and signed; 201 with its document codes.

    As multipart/form-data: what is said of it as JSON in the part `scan`, the PDF in the part `file`. Where
    the plan had an answer, a reason for scanning all the same is demanded.
    """
    async with handed_in(request, vault.scratch, PART, ScanFields) as (body, file):
        if file is None:
            raise FieldInvalid("file", "field_missing")
        return answer(
            request, await digitise(vault, caller, code, component, body.value(), file, key=key), 201
        )
