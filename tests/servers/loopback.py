"""A small real HTTP server on loopback, in threads, that can be told to misbehave."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

GIANT = 64 * 2**20  # bytes that a giant answer would have, if anybody read them all


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer; `drop` closes the connection instead, after everything was done."""

    body: bytes
    kind: str = "application/octet-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


Fault = Callable[[Asked], "Answer | None"]


class LoopbackServer:
    """A server that answers by `answer`; use as a context manager, or `start` and `stop`.

    `fault` is asked before: what it answers goes out instead. `asked` holds all requests in order.
    `clock_ahead` are the seconds that its clock is ahead. `tls` makes it https. `slow` are seconds to wait
    before each answer, `trickle` sends a byte at a time with that pause.
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.slow = 0.0
        self.clock_ahead = 0.0
        self.trickle = 0.0
        self.tls: ssl.SSLContext | None = None
        self.asked: list[Asked] = []
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._port = 0

    @property
    def port(self) -> int:
        assert self._port, "the server was never started"
        return self._port

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def start(self) -> Self:
        """Listen, on the same port as before if it was stopped."""
        self._stopping.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        if self.tls is not None:
            # Shaken hands with in the thread of the request: whoever hangs up there does not stop the server.
            self._server.socket = self.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Be down: connections are refused."""
        if self._server is not None and self._thread is not None:
            self._stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(timeout=10)
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        house = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string((timestamp or time.time()) + house.clock_ahead)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing on the terminal."""

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, self.rfile.read(length))
                house.asked.append(asked)
                answer = (house.fault(asked) if house.fault else None) or house.answer(asked)
                house._stopping.wait(house.slow)
                try:
                    self._send(answer)
                except OSError:
                    self.close_connection = True  # whoever asked has left

            def _send(self, answer: Answer) -> None:
                if answer.drop:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if not house.trickle:
                    self.wfile.write(answer.body)
                    return
                for start in range(len(answer.body)):
                    if house._stopping.is_set():
                        return
                    self.wfile.write(answer.body[start : start + 1])
                    self.wfile.flush()
                    time.sleep(house.trickle)

        return Handler


def garbage(asked: Asked) -> Answer:
    """Answer with bytes that are nothing."""
    return Answer(b"\x30\x82\xff\xff" + bytes(range(256)))


def page(asked: Asked) -> Answer:
    """Answer as a proxy does that wants somebody to sign in."""
    return Answer(b"<html>sign in</html>", "text/html")


def giant(asked: Asked) -> Answer:
    """Answer with more than anybody should read."""
    return Answer(bytes(GIANT))


def dropped(asked: Asked) -> Answer:
    """Hang up without an answer."""
    return Answer(b"", drop=True)


def failing(status: int) -> Fault:
    """Answer with an HTTP error."""
    return lambda asked: Answer(b"no", "text/plain", status)


def elsewhere(url: str) -> Fault:
    """Send whoever asks to another address."""
    return lambda asked: Answer(b"", "text/plain", 302, {"Location": url})


def times(count: int, fault: Fault) -> Fault:
    """Misbehave `count` times, then behave."""
    left = [count]

    def now_and_then(asked: Asked) -> Answer | None:
        left[0] -= 1
        return fault(asked) if left[0] >= 0 else None

    return now_and_then


def free_ports(count: int) -> list[int]:
    """Give ports of loopback where nobody listens now."""
    taken = [socket.socket() for _ in range(count)]
    for one in taken:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports
