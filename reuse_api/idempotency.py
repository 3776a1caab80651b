"""Every write takes an Idempotency-Key: the same request with the same key is done once (DESIGN 10)."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from vault.errors import FieldInvalid

HEADER = "Idempotency-Key"
_MAX = 200  # characters


async def idempotency_key(request: Request) -> str:
    """Give the key of this write.

    Raises:
        FieldInvalid: the header is missing, too long, or has characters that cannot be printed.
    """
    key = request.headers.get(HEADER, "").strip()
    if not key:
        raise FieldInvalid(HEADER, "idempotency_key_missing")
    if len(key) > _MAX or not key.isascii() or not key.isprintable():
        raise FieldInvalid(HEADER, "idempotency_key_malformed")
    return key


WriteKey = Annotated[str, Depends(idempotency_key)]
