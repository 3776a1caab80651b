"""A small HTTP client for the story: it knocks at the real doors over loopback, as any system would."""

import asyncio
import json
import os
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What a door answered; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Door:
    """One caller's way in: an address and the headers that prove the caller."""

    def __init__(self, host: str, port: int, headers: dict[str, str] | None = None) -> None:
        self.host = host
        self.port = port
        self.headers = headers or {}

    def proven(self, headers: dict[str, str]) -> "Door":
        """Give the same address with credentials."""
        return Door(self.host, self.port, self.headers | headers)

    async def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send JSON (or bytes as they are) and read the whole answer; a write gets its Idempotency-Key."""
        sent = self.headers | (headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
            sent = {"Content-Type": "application/json"} | sent
        if method in {"POST", "PATCH"}:
            sent = {"Idempotency-Key": os.urandom(16).hex()} | sent
        return await asyncio.to_thread(self._ask, method, path, body, sent)

    async def send_file(self, path: str, fields: dict[str, str], name: str, content: bytes) -> Reply:
        """Send a form with one PDF file (RFC 7578)."""
        boundary = os.urandom(16).hex()
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        parts += [head.encode(), b"Content-Type: application/pdf\r\n\r\n", content]
        body = b"".join(parts) + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return await self.ask("POST", path, body, headers=kind)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        connection = HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read())
        finally:
            connection.close()
