"""What happens around every request: an id, headers that close doors nobody needs, one line in the journal.

An error that nothing else answered becomes a problem 500 here, told without its message. Once an answer has
begun it can only be broken off: the error goes on to the server, which closes the connection.
"""

import os
import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reuse_api import journal
from reuse_api.answering import told
from reuse_api.callers import door_of
from reuse_api.problems import of_code

# Set where an answer has not set its own.
CLOSED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_BROKEN = 499  # written down for an answer that the client did not wait for; never sent


class Doorway:
    """The outermost part of the application that is ours (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, send)
        try:
            await self._app(scope, receive, visit.send)
        except ClientDisconnect:
            visit.status = visit.status or _BROKEN
        except Exception as problem:
            journal.failed("request_failed", problem, request=visit.id, door=visit.door)
            if visit.status:
                raise
            response = told(Request(scope), of_code("internal_error"))
            await response(scope, receive, visit.send)
        finally:
            visit.tell()


class _Visit:
    """One request on its way: its id, when it came, how it was answered."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.id = os.urandom(12).hex()
        self.status = 0
        self._scope = scope
        self._send = send
        self._started = time.monotonic()
        scope.setdefault("state", {})["request_id"] = self.id

    @property
    def door(self) -> str:
        return door_of(Request(self._scope))

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["Request-Id"] = self.id
            for name, value in CLOSED.items():
                headers.setdefault(name, value)
        await self._send(message)

    def tell(self) -> None:
        facts: dict[str, Any] = {
            "request": self.id,
            "method": self._scope["method"] if self._scope["method"].isalpha() else "?",
            "door": self.door,
            "status": self.status,
            "milliseconds": round((time.monotonic() - self._started) * 1000),
        }
        journal.request_done(**facts)
