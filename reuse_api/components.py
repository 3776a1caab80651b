"""Components of a dossier, where an officer decides: a candidate confirmed, a paper digitised."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.handing_in import read
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import ConfirmationBody, ScanFields
from reuse_api.uploads import receive_file
from reuse_api.waiting_seals import handed
from vault.confirming import confirm
from vault.digitise import digitise
from vault.errors import FieldInvalid
from vault.services import MAX_UPLOAD

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
    """Store a scan in place of a component, marked and signed; 201 with its codes, 202 while it waits.

    As multipart/form-data: what is said of it as JSON in the part `scan`, the file (PDF, JPEG, PNG, TIFF or
    HEIC, with its Content-Type) in the part `file`. A scan that is not good enough is refused with what was
    measured. Where the plan had an answer, a reason for scanning all the same is demanded.

    Where letters are read (`read` is "ready"), the first answer has `reading`: `pages` with how surely each
    was read (`needs_person` where a person must look), and `suggestions` of type, number, issued_on,
    issuer_name and name, each with page, place (left, top, width, height in parts of 10,000 of the page) and
    confidence (0 to 100). The officer compares them with the paper: nothing is decided by them. Of a scan
    that waited for its seal, `reading` comes with the 201 that is given under its Idempotency-Key once it is
    sealed, for seven days. The same bytes for the same component wait once: under another key the answer is
    that of the first.
    """
    if request.headers.get("content-type", "").startswith("application/json"):
        raise FieldInvalid("file", "field_missing")
    async with await receive_file(request, vault.scratch, MAX_UPLOAD, (PART,)) as form:
        if PART not in form.fields:
            raise FieldInvalid(PART, "field_missing")
        said = read(ScanFields, form.fields[PART].encode()).value()
        done = await digitise(
            vault, caller, code, component, said, form.file, key=key, declared_type=form.declared_type
        )
        return handed(request, done)
