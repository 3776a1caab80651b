"""The asking side: a few connections to a part of the vault, made anew by themselves.

Each carries one call at a time; a call that is broken off takes its connection along, so that an answer can
never be taken for another's.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from vault import tracing, wire, wire_errors
from vault.errors import PartAway, PartFailed, SocketInvalid
from vault.socket_place import check_folder, peer_of
from vault.socket_serving import receive_file, send, send_file
from vault.wire import FrameCut, FrameMalformed

SECONDS = 30.0  # for an answer
SHORTLY = 10.0  # seconds for an answer that takes a moment, where somebody waits
_MOST = 32  # connections of one process to one part
_TO_CONNECT = 5.0
_LOOK = 0.1  # between two tries while a part is waited for


class _Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def open(self) -> bool:
        return not self.reader.at_eof() and not self.writer.is_closing()


class Part:
    """A part of the vault that another process is; `name` is what errors call it."""

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self.place = place
        self._idle: list[_Line] = []
        self._turns = asyncio.Semaphore(_MOST)

    async def ask(
        self,
        call: str,
        said: Mapping[str, Any],
        *,
        content: Path | None = None,
        target: Path | None = None,
        seconds: float = SECONDS,
    ) -> dict[str, Any]:
        """Ask one thing and give what is told.

        Args:
            said: values that `wire_values.written` wrote.
            content: a file that goes with it.
            target: where the file that comes back is put: whole, or not at all.
            seconds: for the answer to begin.

        Raises:
            PartAway: it does not answer.
            PartFailed: it failed, or answered what nobody reads, or others could listen in its place.
            PeerRefused: it takes no calls of ours.
            VaultError, SigningError: what it said of the call.
        """
        async with self._turn(min(seconds, SECONDS)):
            line = await self._line()
            try:
                header = await self._asked(line, call, said, content, seconds)
                size = wire.size_of(header)
                if size or target is not None:
                    await _kept(line.reader, size, target)
            except (ConnectionError, TimeoutError, FrameMalformed) as problem:
                line.writer.close()
                raise self._told(problem) from problem
            except BaseException:
                line.writer.close()
                raise
            self._idle.append(line)
        if "error" in header:
            raise wire_errors.read(header["error"])
        told = header.get("told")
        return dict(told) if isinstance(told, dict) else {}

    async def wait(self, call: str, seconds: float) -> dict[str, Any]:
        """Ask one thing with nothing said, again and again while the part is away.

        Raises:
            SocketInvalid: there is something else than a socket.
            PartAway: it did not come in time.
        """
        until = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                return await self.ask(call, {})
            except PartAway:
                if self.place.parent.exists():
                    check_folder(self.place)
                if asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(_LOOK)

    async def close(self) -> None:
        """Close what is open."""
        while self._idle:
            line = self._idle.pop()
            line.writer.close()
            with suppress(OSError):
                await line.writer.wait_closed()

    async def _line(self) -> _Line:
        while self._idle:
            line = self._idle.pop()
            if line.open:
                return line
            line.writer.close()
        try:
            async with asyncio.timeout(_TO_CONNECT):
                line = _Line(*await asyncio.open_unix_connection(str(self.place)))
        except (OSError, TimeoutError) as problem:
            raise PartAway(f"the {self.name} does not answer at {self.place}: {_why(problem)}") from problem
        try:
            check_folder(self.place, peer_of(line.writer.get_extra_info("socket")))
        except SocketInvalid as problem:  # nothing is said to whom another could have put there
            line.writer.close()
            raise PartFailed(f"the {self.name} is not asked at {self.place}: {problem.detail}") from problem
        return line

    async def _asked(
        self, line: _Line, call: str, said: Mapping[str, Any], content: Path | None, seconds: float
    ) -> dict[str, Any]:
        asked_id = secrets.token_hex(8)
        header: dict[str, Any] = {"v": wire.VERSION, "id": asked_id, "call": call, "said": dict(said)}
        if content is not None:
            header["size"] = os.stat(content).st_size
        header |= tracing.headers()
        try:
            await send(line.writer, wire.encoded(header))
            if content is not None:
                await send_file(line.writer, content)
        except ConnectionError:
            pass  # it may have said why before it left
        answer = await wire.read_header(line.reader, wait=seconds)
        if answer is None:
            raise ConnectionResetError
        if "id" not in answer and "error" in answer:
            raise wire_errors.read(answer["error"])
        if answer.get("id") != asked_id:
            raise FrameMalformed("an answer to something else")
        return answer

    def _told(self, problem: Exception) -> Exception:
        if isinstance(problem, FrameMalformed) and not isinstance(problem, FrameCut):
            return PartFailed(f"the {self.name} at {self.place}: {problem.detail}")
        return PartAway(f"the {self.name} at {self.place} broke off: {_why(problem)}")

    @asynccontextmanager
    async def _turn(self, seconds: float) -> AsyncIterator[None]:
        """Take a place among the connections; waiting for one has an end."""
        try:
            async with asyncio.timeout(seconds):
                await self._turns.acquire()
        except TimeoutError as problem:
            raise PartAway(f"too many calls wait for the {self.name}") from problem
        try:
            yield
        finally:
            self._turns.release()


async def _kept(reader: asyncio.StreamReader, size: int, target: Path | None) -> None:
    if target is None or not size:
        if size:
            raise FrameMalformed("a file came that nobody asked for")
        return
    beside = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        await receive_file(reader, size, beside)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def _why(problem: Exception) -> str:
    if isinstance(problem, FrameMalformed):
        return problem.detail
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    return getattr(problem, "strerror", None) or "it left"
