"""The listening side of a part of the vault: who may ask, what may be asked, and answers in turn.

Each connection asks one thing at a time. Whatever is no frame of ours, or asks what is not answered here,
ends the connection with a line in the journal: nothing is guessed.
"""

import asyncio
import fcntl
import os
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from vault import tracing, wire, wire_errors
from vault.errors import PeerRefused, SocketInvalid, VaultLocked
from vault.socket_place import check_folder, peer_of
from vault.wire import FrameMalformed
from vault.wire_values import inside, text

_MOST = 256  # connections at one time
_MOST_OF_ONE = 128  # of one user, so that others are always heard
_GRACE = 10.0  # seconds that answers in flight are given when it ends
_LONGEST_ID = 64


class Journal(Protocol):
    """Where things worth knowing are written."""

    def noted(self, event: str, **facts: str | int) -> None:
        """Write a thing worth knowing."""

    def failed(self, event: str, problem: BaseException, **facts: str) -> None:
        """Write a failure of ours."""


@dataclass(frozen=True)
class Asked:
    """One call: what is said in it, by which user of the system, and the file that came with it, if any."""

    said: Mapping[str, Any]
    user: int
    content: Path | None = None


@dataclass(frozen=True)
class Told:
    """An answer, and the file that goes with it; whoever sends it removes the file."""

    said: Mapping[str, Any] = field(default_factory=dict)
    content: Path | None = None


Call = Callable[[Asked], Awaitable[Told]]


@asynccontextmanager
async def listening(
    place: Path,
    calls: Mapping[str, Call],
    *,
    peers: Collection[int],
    journal: Journal,
    scratch: Path | None = None,
) -> AsyncIterator[None]:
    """Listen at a path while inside, for these users.

    Args:
        calls: what may be asked, by name.
        scratch: a private folder for files that come with a call; None: none is taken.

    Raises:
        SocketInvalid: something else is there, or others could listen there too.
        VaultLocked: another process listens there.
    """
    with ExitStack() as stack:
        bound = stack.enter_context(_bound(place, shut=set(peers) <= {os.geteuid()}))
        serving = _Serving(calls, peers, journal, scratch)
        server = await asyncio.start_unix_server(serving.meet, sock=bound)
        try:
            yield
        finally:
            server.close()
            await serving.end()


@contextmanager
def _bound(place: Path, *, shut: bool) -> Iterator[socket.socket]:
    """Give a socket that stands at its place, with its mode from the first moment on."""
    check_folder(place, os.geteuid())
    with ExitStack() as stack:
        try:
            lock = os.open(f"{place}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            beside = place.with_name(f".{secrets.token_hex(3)}")
            stack.callback(beside.unlink, missing_ok=True)
            listening.bind(str(beside))
            beside.chmod(0o600 if shut else 0o660)
            listening.listen(128)
            beside.rename(place)  # what a killed process left there is replaced
        except BlockingIOError:
            raise VaultLocked(f"another process listens at {place}") from None
        except OSError as problem:
            raise SocketInvalid(f"{place}: {problem.strerror}") from problem
        stack.callback(place.unlink, missing_ok=True)
        yield listening


class _Serving:
    """The open connections."""

    def __init__(
        self, calls: Mapping[str, Call], peers: Collection[int], journal: Journal, scratch: Path | None
    ) -> None:
        self._calls = calls
        self._peers = frozenset(peers)
        self._journal = journal
        self._scratch = scratch
        self._tasks: dict[asyncio.Task[Any], bool] = {}  # of each connection: whether it is being answered
        self._of = Counter[int]()  # how many each user has

    async def end(self) -> None:
        """Let answers in flight end, for a while."""
        for task, busy in self._tasks.items():
            if not busy:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(list(self._tasks), timeout=_GRACE)
            for one in late:
                one.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it is closed."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - we are in one
        user = peer_of(writer.get_extra_info("socket"))
        try:
            if user not in self._peers or len(self._tasks) >= _MOST or self._of[user] >= _MOST_OF_ONE:
                await self._turn_away(writer, user)
                return
            self._tasks[task] = False
            self._of[user] += 1
            while (header := await wire.read_header(reader)) is not None:
                self._tasks[task] = True
                with tracing.under(_trace(header)):
                    await self._answer(header, reader, writer, user)
                self._tasks[task] = False
        except FrameMalformed:
            self._journal.noted("frame_refused", user=user)
        except (ConnectionError, TimeoutError):
            pass  # it left, or reads nothing
        except asyncio.CancelledError:
            pass  # we end
        finally:
            if self._tasks.pop(task, None) is not None:
                self._of[user] -= 1
            writer.close()

    async def _turn_away(self, writer: asyncio.StreamWriter, user: int) -> None:
        many = user in self._peers
        self._journal.noted("connections_exhausted" if many else "peer_refused", user=user)
        if not many:
            refused = PeerRefused(f"user {user} may not ask there; its KHO_PEERS does not name them")
            await send(writer, wire.encoded({"v": wire.VERSION, "error": wire_errors.told(refused)}))

    async def _answer(
        self, header: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter, user: int
    ) -> None:
        name, asked_id, said = text(header, "call"), text(header, "id"), inside(header, "said")
        call = self._calls.get(name)
        if call is None or len(asked_id) > _LONGEST_ID:
            raise FrameMalformed("nothing of that name is answered here")
        begun: dict[str, Any] = {"v": wire.VERSION, "id": asked_id}
        async with self._received(header, reader) as content:
            try:
                told = await call(Asked(said, user, content))
            except FrameMalformed:
                raise
            except Exception as problem:
                await send(writer, wire.encoded(begun | {"error": self._error(name, problem)}))
                return
        try:
            size = told.content.stat().st_size if told.content is not None else 0
            await send(writer, wire.encoded(begun | {"told": told.said} | ({"size": size} if size else {})))
            if told.content is not None:
                await send_file(writer, told.content)
        finally:
            if told.content is not None:
                told.content.unlink(missing_ok=True)

    def _error(self, call: str, problem: Exception) -> dict[str, str]:
        told = wire_errors.told(problem)
        if told is None:
            self._journal.failed("call_failed", problem, call=call)
        return told or {"kind": type(problem).__name__}

    @asynccontextmanager
    async def _received(
        self, header: dict[str, Any], reader: asyncio.StreamReader
    ) -> AsyncIterator[Path | None]:
        size = wire.size_of(header)
        if not size:
            yield None
            return
        if self._scratch is None:
            raise FrameMalformed("no files are taken here")
        path = self._scratch / f"{secrets.token_hex(16)}.part"
        try:
            await receive_file(reader, size, path)
            yield path
        finally:
            path.unlink(missing_ok=True)


def _trace(header: Mapping[str, Any]) -> tracing.Trace:
    """Go on under the trace of whoever asks, or begin one."""
    named = [[str(header[one])] if one in header else [] for one in ("traceparent", "tracestate")]
    return tracing.from_headers(*named)


async def receive_file(reader: asyncio.StreamReader, size: int, path: Path) -> None:
    """Write what follows a header into a new file, ours alone. Raises FrameMalformed, OSError."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        async for piece in wire.read_content(reader, size):
            await asyncio.to_thread(file.write, piece)


async def send_file(writer: asyncio.StreamWriter, path: Path) -> None:
    """Send a file as the content of the header before it."""
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, wire.RAW_MAX):
            await send(writer, wire.piece(piece))


async def send(writer: asyncio.StreamWriter, frame: bytes) -> None:
    """Send a frame. Raises TimeoutError where nobody reads it, ConnectionError where nobody is there."""
    writer.write(frame)
    async with asyncio.timeout(wire.SECONDS):
        await writer.drain()
