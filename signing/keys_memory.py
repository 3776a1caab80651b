"""What was signed under which request id: kept on disk, so that a lost answer never signs twice.

One SQLite file beside the keys. It holds digests and signatures, no secret. A row is written before a service
that counts signatures is asked, and completed before the signature is used: whoever dies between the two
finds a request that was asked and not answered, and does not ask again.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from signing.errors import SealAnswerLost, SealKeyRefused, SealKeyUnavailable, SealRequestConflict

_KEPT = 10_000  # answered requests for each key; older ones are forgotten. Unanswered ones never are
_PATIENCE = 10.0  # seconds to wait for the file
_TURN = 0.02  # seconds between looks whether the same request has been answered
_TABLE = """
CREATE TABLE IF NOT EXISTS request (
    key TEXT NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL, signature BLOB, number INTEGER PRIMARY KEY,
    UNIQUE (key, id)
)
"""
_PRUNE = """
DELETE FROM request WHERE key = ? AND signature IS NOT NULL AND number <= (
    SELECT number FROM request WHERE key = ? AND signature IS NOT NULL ORDER BY number DESC LIMIT 1 OFFSET ?
)
"""


@dataclass
class Request:
    """A request in hand: `signature` is there when it was answered before, and is to be set when not."""

    signature: bytes | None = None


class SigningMemory:
    """The file (mode 600) of requests and their signatures; safe for threads of this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._busy: set[tuple[str, str]] = set()
        self._unsettled: set[str] = set()  # ids that were answered here, of keys that are not repeatable
        self._lock = threading.Lock()

    @asynccontextmanager
    async def request(self, key: str, id_: str, digest: bytes, *, repeatable: bool) -> AsyncIterator[Request]:
        """Take a request in hand; what is set as its signature is kept when the block ends well.

        A block that ends with SealKeyUnavailable or SealKeyRefused signed nothing: the request may be asked
        again. Any other end of one that is not `repeatable` leaves it asked and never answered.

        Raises:
            SealRequestConflict: the id is that of another digest, and was answered.
            SealAnswerLost: it was asked before, for whatever digest, not answered, and is not `repeatable`.
        """
        turn = (key, id_)
        while not self._take(turn):  # noqa: ASYNC110  the other may be in another thread and loop
            await asyncio.sleep(_TURN)
        try:
            request = Request(self._begin(key, id_, digest, repeatable=repeatable))
            known = request.signature is not None
            try:
                yield request
            except (SealKeyUnavailable, SealKeyRefused):
                self._forget(key, id_)
                raise
            if not known and request.signature is not None:
                self._keep(key, id_, digest, request.signature)
                if not repeatable:
                    with self._lock:
                        self._unsettled.add(id_)
        finally:
            with self._lock:
                self._busy.discard(turn)

    def settle(self, id_: str, *, used: bool) -> None:
        """Say what became of a request that this process was answered: one of no use may be asked anew.

        What nobody answered stays as it is, and so does what a process was answered that then died.
        """
        with self._lock:
            answered = id_ in self._unsettled
            self._unsettled.discard(id_)
        if answered and not used:
            with self._opened() as db:
                db.execute("DELETE FROM request WHERE id = ? AND signature IS NOT NULL", (id_,))

    def _take(self, turn: tuple[str, str]) -> bool:
        with self._lock:
            free = turn not in self._busy
            self._busy.add(turn)
            return free

    def _begin(self, key: str, id_: str, digest: bytes, *, repeatable: bool) -> bytes | None:
        with self._opened() as db:
            known = db.execute(
                "SELECT digest, signature FROM request WHERE key = ? AND id = ?", (key, id_)
            ).fetchone()
            if known is None:
                if not repeatable:
                    db.execute("INSERT INTO request (key, id, digest) VALUES (?, ?, ?)", (key, id_, digest))
                return None
        if known[1] is None and not repeatable:
            raise SealAnswerLost
        if known[0] != digest:
            raise SealRequestConflict
        return None if known[1] is None else bytes(known[1])

    def _keep(self, key: str, id_: str, digest: bytes, signature: bytes) -> None:
        with self._opened() as db:
            db.execute(
                "INSERT INTO request (key, id, digest, signature) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (key, id) DO UPDATE SET signature = excluded.signature",
                (key, id_, digest, signature),
            )
            db.execute(_PRUNE, (key, key, _KEPT))

    def _forget(self, key: str, id_: str) -> None:
        with self._opened() as db:
            db.execute("DELETE FROM request WHERE key = ? AND id = ? AND signature IS NULL", (key, id_))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous = FULL")
            db.execute(_TABLE)
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise SealKeyUnavailable(f"what was signed cannot be written down: {error}") from error
        finally:
            db.close()
