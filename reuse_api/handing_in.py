"""A document handed in: as JSON alone, to be composed, or as a form of that JSON and a file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from reuse_api.uploads import ReceivedForm, receive_file
from vault.errors import FieldInvalid
from vault.services import MAX_UPLOAD

M = TypeVar("M", bound=BaseModel)


@asynccontextmanager
async def handed_in(
    request: Request, scratch: Path, part: str, model: type[M]
) -> AsyncIterator[tuple[M, ReceivedForm | None]]:
    """Read what was handed in; the form, None when JSON came alone, is gone with its file on leaving.

    Args:
        part: the text part of a form that holds the JSON; the file is the part `file`, a signature beside it
            the part `signature`.

    Raises:
        FieldInvalid, RequestValidationError: naming the field; as `receive_file` too.
    """
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    if kind == b"application/json":
        yield read(model, await request.body()), None
        return
    async with await receive_file(request, scratch, MAX_UPLOAD, (part,), signed=True) as form:
        if part not in form.fields:
            raise FieldInvalid(part, "field_missing")
        yield read(model, form.fields[part].encode()), form


class _Said(TypedDict, total=False):
    declared_type: str
    signature: bytes | None


def said_of(form: ReceivedForm | None) -> _Said:
    """Give what an operation is told of a file beside its bytes; nothing where none came."""
    if form is None:
        return {}
    return {"declared_type": form.declared_type, "signature": form.signature}


def read(model: type[M], text: bytes) -> M:
    """Read a model from JSON, with faults told as those of any body."""
    try:
        return model.model_validate_json(text)
    except ValidationError as problem:
        faults = problem.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in faults]) from problem
