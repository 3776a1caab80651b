"""An answer that comes before the body was read is heard, and who sends on for ever is left."""

import socket
import threading
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from reuse_api import serving
from reuse_api.lingering import Lingering

_MANY = 3_000_000  # bytes


async def _refuses(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/begun":
        await receive()
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"no"})


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    listening = serving.listen("127.0.0.1", 0)
    one = serving.server(Lingering(_refuses))
    running = threading.Thread(target=one.run, kwargs={"sockets": [listening]})
    running.start()
    yield listening.getsockname()
    one.should_exit = True
    running.join()


def _head(path: str, *headers: str) -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: kho.example", *headers, "", "")).encode()


def _all(asking: socket.socket) -> bytes:
    found = b""
    while more := asking.recv(10_000):
        found += more
    return found


@pytest.mark.parametrize("path", ["/unread", "/begun"])
def test_a_refusal_is_heard_by_who_is_still_sending(address: tuple[str, int], path: str) -> None:
    for _ in range(20):
        with socket.create_connection(address, timeout=60) as asking:
            asking.sendall(_head(path, f"Content-Length: {_MANY}", "Connection: close"))  # as the proxy does
            asking.sendall(bytes(_MANY))
            assert asking.recv(1_000).startswith(b"HTTP/1.1 401 ")


def test_a_chunked_body_too(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=60) as asking:
        asking.sendall(_head("/unread", "Transfer-Encoding: chunked", "Connection: close"))
        for _ in range(30):
            asking.sendall(b"186a0\r\n" + bytes(100_000) + b"\r\n")
        asking.sendall(b"0\r\n\r\n")
        assert asking.recv(1_000).startswith(b"HTTP/1.1 401 ")


def test_who_never_sends_the_rest_is_left(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=60) as asking:
        asking.sendall(_head("/unread", f"Content-Length: {2**30}") + b"some")
        assert _all(asking).endswith(b"no"), "and the connection ends"


def test_who_sends_too_much_is_left(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=60) as asking, pytest.raises(ConnectionError):
        asking.sendall(_head("/unread", f"Content-Length: {2**30}"))
        while True:
            asking.sendall(bytes(2**20))


def test_nobody_is_asked_for_a_body_that_waits(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=60) as asking:
        asking.sendall(_head("/unread", "Content-Length: 9", "Expect: 100-continue"))
        assert _all(asking).startswith(b"HTTP/1.1 401 ")


def test_a_connection_whose_body_was_read_goes_on(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=60) as asking:
        for _ in range(3):
            asking.sendall(_head("/begun", "Content-Length: 4") + b"some")
            found = b""
            while not found.endswith(b"no"):
                found += asking.recv(1_000)
            assert found.startswith(b"HTTP/1.1 401 ")
