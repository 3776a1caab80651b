"""What stands before a real S3 server: passes on what is asked, refuses or holds up what it is told to."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_XML = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>said the relay</Message></Error>'
_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}

Rule = Callable[[str, str], bool]  # of a method, and of the path with its query


@dataclass
class Relay:
    """A running relay. Rules may change while it runs; `asked` is every request that came, refused or not."""

    host: str
    refusals: list[tuple[Rule, int, str]] = field(default_factory=list)  # which, HTTP status, S3 code
    held_up: list[tuple[Rule, float]] = field(default_factory=list)  # which, seconds before each byte or so
    asked: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, rule: Rule, status: int, code: str) -> None:
        """Answer what the rule says with an error of S3."""
        self.refusals.append((rule, status, code))


def asking(method: str, words: str) -> Rule:
    """Give the rule for a method and words of its path or query."""
    return lambda asked, path: asked == method and words in path


@contextmanager
def relay_to(host: str) -> Iterator[Relay]:
    """Stand before the server at `host` ("HOST:PORT") while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            relay.asked.append((self.command, self.path))
            refused = next((one for one in relay.refusals if one[0](self.command, self.path)), None)
            if refused is not None:
                self._answer(
                    refused[1], {"Content-Type": "application/xml"}, _XML.format(refused[2]).encode()
                )
                return
            there = http.client.HTTPConnection(host, timeout=60)
            try:
                there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    there.putheader(name, value)
                there.endheaders(body)
                told = there.getresponse()
                content = told.read()
                headers = {name: value for name, value in told.getheaders() if name.lower() not in _HOP}
                length = told.getheader("Content-Length") if self.command == "HEAD" else None
            finally:
                there.close()
            pause = next((one[1] for one in relay.held_up if one[0](self.command, self.path)), 0.0)
            self._answer(told.status, headers, content, length, pause)

        def _answer(
            self,
            status: int,
            headers: dict[str, str],
            body: bytes,
            length: str | None = None,
            pause: float = 0,
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            if self.command == "HEAD":
                return
            step = max(len(body) // 50, 1) if pause else len(body) or 1
            for at in range(0, len(body), step):
                time.sleep(pause)
                self.wfile.write(body[at : at + step])
                self.wfile.flush()

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # whoever asked has gone
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    relay = Relay(f"127.0.0.1:{server.server_address[1]}")
    running = threading.Thread(target=server.serve_forever, daemon=True)
    running.start()
    try:
        yield relay
    finally:
        server.shutdown()
        server.server_close()
        running.join()
