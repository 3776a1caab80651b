"""What a server does with those who are on their way in when it stops."""

import socket
import threading
import time
from collections import Counter

from starlette.types import Receive, Scope, Send

from reuse_api import serving

_ASKED = b"POST / HTTP/1.1\r\nHost: kho.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_CALLERS, _ROUNDS = 8, 10


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _ask(address: tuple[str, int], answers: Counter[str]) -> None:
    while True:
        try:
            asking = socket.create_connection(address, timeout=30)
        except ConnectionRefusedError:
            return
        with asking:
            try:
                asking.sendall(_ASKED)
                answers["answered" if asking.recv(100).startswith(b"HTTP/1.1 204") else "nothing"] += 1
            except ConnectionError:
                answers["broken"] += 1


def test_whoever_got_through_is_answered() -> None:
    answers: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        listening = serving.listen("127.0.0.1", 0)
        address = listening.getsockname()
        one = serving.server(_app)
        running = threading.Thread(target=one.run, kwargs={"sockets": [listening]})
        running.start()
        callers = [threading.Thread(target=_ask, args=(address, answers)) for _ in range(_CALLERS)]
        for caller in callers:
            caller.start()
        time.sleep(0.15)
        one.should_exit = True
        for thread in (running, *callers):
            thread.join()
    # Who comes between the last one accepted and the end of listening is reset: microseconds.
    assert answers["answered"] > _CALLERS * _ROUNDS
    assert answers.total() - answers["answered"] <= 2, answers
