"""How large a body may be: little by default; a door that receives a file lifts the limit of its request.

FastAPI has limits for bodies too, but it answers a declared length over the limit with plain text; ours
leaves as a problem like every other refusal, and the limit is known only once a route was found.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LIMIT = "kho.body_limit"


class BodyTooLarge(HTTPException):
    """The body is larger than this door takes."""

    def __init__(self) -> None:
        super().__init__(413)


def lift_limit(request: Request, limit: int) -> None:
    """Let the body of this request have `limit` bytes; before any of it is read."""
    request.scope[_LIMIT] = limit


class BodyLimit:
    """Counts the body of every request while it is read; raises BodyTooLarge into the reader."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[_LIMIT] = self._limit
        declared = declared_length(scope)
        received = 0

        async def counted() -> Message:
            nonlocal received
            if max(declared, received) > scope[_LIMIT]:
                raise BodyTooLarge
            message = await receive()
            received += len(message.get("body", b""))
            if received > scope[_LIMIT]:
                raise BodyTooLarge
            return message

        await self._app(scope, counted, send)


def declared_length(scope: MutableMapping[str, Any]) -> int:
    """Give the Content-Length of a request in bytes, 0 without a readable one."""
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0
