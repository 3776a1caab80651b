"""Results: handed in as fields to compose them from, or as a file with what it says of itself."""

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import ResultFields
from reuse_api.uploads import receive_file
from vault.errors import FieldInvalid
from vault.issue import issue
from vault.services import MAX_UPLOAD

PART = "result"  # the text part of a multipart request that holds the JSON

router = APIRouter(prefix="/v1/dossiers", tags=["results"])


@router.post("/{code}/results")
async def post_result(
    request: Request, vault: TheVault, caller: AsSystem, code: str, key: WriteKey
) -> Response:
    """Store the result of a dossier in the stores of its owners; 201 with its document codes.

    As application/json: the fields of the result. As multipart/form-data: the same JSON in the part `result`,
    and the file in the part `file`.
    """
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    if kind == b"application/json":
        body = _read(await request.body())
        return answer(request, await issue(vault, caller, code, body.value(), None, key=key), 201)
    async with await receive_file(request, vault.scratch, MAX_UPLOAD, (PART,)) as form:
        if PART not in form.fields:
            raise FieldInvalid(PART, "field_missing")
        body = _read(form.fields[PART].encode())
        return answer(request, await issue(vault, caller, code, body.value(), form.file, key=key), 201)


def _read(text: bytes) -> ResultFields:
    try:
        return ResultFields.model_validate_json(text)
    except ValidationError as problem:
        faults = problem.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in faults]) from problem
