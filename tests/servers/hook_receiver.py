"""A receiver of web hooks: it checks what comes in as it must be checked, and can misbehave in every way."""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from signing.hook_signature import Message, examine, public_keys
from signing.receipt import outcome_of
from tests.servers.loopback import Answer, Asked, LoopbackServer
from tests.servers.pki import Pki, serving


class HookReceiver(LoopbackServer):
    """Takes what is signed for it by one of `keys`, and nothing twice at the same time for one subject.

    `taken` are the events that were answered with 2xx, in order; `refused` says why others were not. `fault`
    answers in its stead, as with every server here. `now` is its clock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, Ed25519PublicKey] = {}
        self.taken: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def trusts(self, jwks: dict[str, Any]) -> None:
        """Take the keys as they are published now."""
        self.keys = public_keys(json.dumps(jwks).encode())

    @property
    def codes(self) -> dict[str, str]:
        """What was sent to be handed in, by hook."""
        said = [one["data"] for one in self.taken if one["type"] == "kho.webhook.challenge.v1"]
        return {one["webhook"]: one["code"] for one in said}

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was taken, without challenges."""
        return [one for one in self.taken if one["type"] != "kho.webhook.challenge.v1"]

    def answer(self, asked: Asked) -> Answer:
        """Check a request as a receiver must, and take it."""
        message = Message(asked.method, self.url + asked.path, dict(asked.headers), asked.body)
        with self._lock:
            steps = examine(message, self.keys, self.now(), self._noted)
            if outcome_of(steps) != "valid":
                self.refused.append(steps[-1].name)
                return Answer(b"", "text/plain", 403)
            self.taken.append(json.loads(asked.body))
        return Answer(b"", "text/plain", 204)

    def _noted(self, nonce: str, _until: datetime) -> bool:
        known = nonce in self._seen
        self._seen.add(nonce)
        return known


def over_tls(receiver: HookReceiver, folder: Path, pki: Pki) -> ssl.SSLContext:
    """Have a receiver speak TLS; gives what a sender trusts it by."""
    receiver.tls = serving(folder / "receiver.pem", pki)
    trusted = ssl.create_default_context()
    root = folder / "receiver-root.pem"
    root.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    trusted.load_verify_locations(root)
    return trusted


class Speechless:
    """A server that takes connections and says what it is told to, or nothing at all, while it runs."""

    def __init__(self, says: bytes = b"", *, without_end: bool = False) -> None:
        self._says, self._without_end = says, without_end
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = 0

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._speak, args=(taken,), daemon=True).start()

    def _speak(self, taken: socket.socket) -> None:
        with taken:
            try:
                taken.sendall(self._says)
                while self._without_end and not self._stopping.is_set():
                    taken.sendall(b"x" * 65536)
                self._stopping.wait()
            except OSError:
                return  # whoever asked has left

    def stop(self) -> None:
        """End, with every connection."""
        self._stopping.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=10)
