"""The bytes of a document as they leave: whole or one range, with digest, verdict, validity and receipt."""

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from unicodedata import combining, normalize
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from policies.wording import Audience
from reuse_api.answering import answer
from signing.picture import Picture
from vault.sending import Chunks, Delivery
from vault.services import Refusal

_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Span:
    """The part of a file that is asked for: from `start` up to `stop`, exclusive, or to its end."""

    start: int = 0
    stop: int | None = None


def asked_span(request: Request) -> Span | None:
    """Read the Range header (RFC 9110 14.2); None means the whole file.

    One range from a given start is served. Anything else (several ranges, the last n bytes, another unit, a
    range with a condition) is ignored, as a server may: the whole file is the answer.
    """
    found = _RANGE.fullmatch(request.headers.get("range", "").strip().lower())
    if found is None or "if-range" in request.headers:
        return None
    start, last = int(found[1]), found[2]
    if last and int(last) < start:
        return None
    return Span(start, int(last) + 1 if last else None)


def content(
    request: Request, delivery: Delivery | Refusal, *, ranged: bool, audience: Audience = "officer"
) -> Response:
    """Give a delivery as a streamed answer, 206 if a range was asked for; a refusal as its problem."""
    if isinstance(delivery, Refusal):
        return answer(request, delivery, audience=audience)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": _attachment(delivery.name),
        "Content-Length": str(delivery.stop - delivery.start),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": f'"sha256-{delivery.digest.hex()}"',
        "Repr-Digest": f"sha-256=:{b64encode(delivery.digest).decode()}:",
        "Kho-Verdict": delivery.verdict,
        "Kho-Validity": delivery.validity,
        "Kho-Receipt": delivery.receipt,
        "Kho-Leaf-Index": str(delivery.index),
    }
    if ranged:
        headers["Content-Range"] = f"bytes {delivery.start}-{delivery.stop - 1}/{delivery.size}"
    return _Stream(delivery.chunks, 206 if ranged else 200, headers, media_type=delivery.media_type)


def picture(request: Request, drawn: Picture | Refusal, *, audience: Audience = "citizen") -> Response:
    """Give the picture of a page, to be shown in place and kept by nobody; a refusal as its problem."""
    if isinstance(drawn, Refusal):
        return answer(request, drawn, audience=audience)
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Kho-Pages": str(drawn.pages)}
    return Response(drawn.png, headers=headers, media_type="image/png")


class _Stream(StreamingResponse):
    """A client that leaves ends the reading at once, and not when memory is swept."""

    def __init__(self, chunks: Chunks, *args: Any, **kwargs: Any) -> None:
        super().__init__(chunks, *args, **kwargs)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._chunks.aclose()


def _attachment(name: str) -> str:
    """Name the file (RFC 6266): without marks for old clients, as it is (RFC 8187) for all others."""
    bare = "".join(one for one in normalize("NFD", name) if not combining(one))
    plain = _PLAIN.sub("_", bare.replace("đ", "d").replace("Đ", "D"))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
