"""A refusal that comes before the body was read is still heard.

Who closes a connection with bytes unread resets it, and the reset overtakes the answer: the caller, or the
proxy before us, sees a broken connection instead of a 401 or 413, and the proxy may take the whole process
for dead. So what is still coming is taken and thrown away for a moment (RFC 9112, 9.6: a server that closes
with a request under way does so in stages).
"""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = 2.0  # to take what is still coming
_BYTES = 4 * 2**20  # of it


class Lingering:
    """Sends the answer whole, and only then, before it ends, throws away the rest of the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        read = False

        async def heard() -> Message:
            nonlocal read
            message = await receive()
            read = read or not message.get("more_body", False)
            return message

        async def thrown_away() -> None:
            left = _BYTES
            while not read and left > 0:
                left -= len((await heard()).get("body", b""))

        async def said(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body") and not read:
                await send({**message, "more_body": True})
                try:
                    async with asyncio.timeout(_SECONDS):
                        await thrown_away()
                except TimeoutError:
                    pass  # whoever sends that slowly has had time to hear us
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, heard, said)


def _has_body(scope: Scope) -> bool:
    """Whether a body comes without our asking: after `Expect` it waits for that."""
    headers = Headers(scope=scope)
    comes = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    return comes and "expect" not in headers
