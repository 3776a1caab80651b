"""Around every request: an id, its trace, headers that close doors, a count, a line in the journal.

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
from reuse_api.traffic import Traffic
from vault import tracing

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
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BROKEN = 499  # written down for an answer that the client did not wait for; never sent


class Doorway:
    """The outermost part of the application that is ours (ASGI)."""

    def __init__(self, app: ASGIApp, traffic: Traffic | None = None) -> None:
        self._app = app
        self._traffic = traffic or Traffic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, send, self._traffic)
        with tracing.under(_trace_of(scope)):
            await self._serve(visit, scope, receive)

    async def _serve(self, visit: "_Visit", scope: Scope, receive: Receive) -> None:
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

    def __init__(self, scope: Scope, send: Send, traffic: Traffic) -> None:
        self.id = os.urandom(12).hex()
        self.status = 0
        self._scope = scope
        self._send = send
        self._started = time.monotonic()
        self._traffic = traffic
        traffic.in_hand += 1
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
        seconds, door = time.monotonic() - self._started, self.door
        method = self._scope["method"] if self._scope["method"] in METHODS else "?"
        self._traffic.in_hand -= 1
        self._traffic.answered(method, door, self.status, seconds)
        facts: dict[str, Any] = {
            "request": self.id,
            "method": method,
            "door": door,
            "status": self.status,
            "milliseconds": round(seconds * 1000),
        }
        trace = tracing.current()
        if trace is not None and trace.parent is not None:
            facts["parent"] = trace.parent
        journal.request_done(**facts)


def _trace_of(scope: Scope) -> tracing.Trace:
    """Go on under the caller's trace (W3C Trace Context), or begin one."""
    parents: list[str] = []
    states: list[str] = []
    for name, value in scope["headers"]:
        if name == b"traceparent":
            parents.append(value.decode("latin-1"))
        elif name == b"tracestate":
            states.append(value.decode("latin-1"))
    return tracing.from_headers(parents, states)
