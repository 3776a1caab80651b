"""The pool of processes that touch foreign bytes: one file each, then gone; no key, no network if possible.

The main program only opens, measures and hashes the file; parsing happens behind `signing.nursery`. Whatever
happens there, the answer is an Examination, or a Picture or the reason why there is none, or another file.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from signing.anchors import Anchor
from signing.answers import Answer, Body, read_answer
from signing.errors import RewritingFailed, WorkerFailed
from signing.file_types import UNKNOWN
from signing.grounds import POLICY, Judgement, Piece
from signing.measured import Measurement
from signing.picture import NoPicture, Picture
from signing.report import Examination, undetermined
from signing.status_proofs import StatusAnswer
from signing.worded import Worded

LARGEST_SIGNATURE = 1024 * 1024  # bytes, of one that stands beside its file
_LONGEST_ANSWER = 16 * 1024 * 1024  # bytes: a picture of the most pixels that does not pack, as base64
_START_SECONDS = 60
_GRACE_SECONDS = 10  # how long the nursery may be late itself before it is replaced
_SOURCE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Limits:
    """What one worker may use up: address space in bytes, seconds of processor, seconds by the clock."""

    memory_bytes: int = 1536 * 1024 * 1024
    cpu_seconds: int = 20
    wall_seconds: int = 30


@dataclass(frozen=True)
class _Asked:
    anchors: tuple[Anchor, ...]
    at: datetime
    fetched: tuple[Piece, ...]
    answers: tuple[StatusAnswer, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "anchors": [one.to_json() for one in self.anchors],
            "at": self.at.isoformat(),
            "fetched": [one.to_json() for one in self.fetched],
            "answers": [one.to_json() for one in self.answers],
        }


@dataclass(frozen=True)
class _Opened:
    descriptor: int
    size: int
    sha256: bytes


@dataclass
class _Nursery:
    process: subprocess.Popen[bytes]
    control: socket.socket
    network_cut: bool
    files_cut: bool
    magic: bool


class WorkerPool:
    """At most `size` workers at once; the others wait. Use in one event loop; start, then close."""

    def __init__(self, size: int = 2, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._free = asyncio.Semaphore(size)
        self._starting = asyncio.Lock()
        self._nursery: _Nursery | None = None
        self._open = False
        self.size = size
        self.busy = 0  # workers at a file now
        self.waiting = 0  # files that wait for one
        self.endings: Counter[str] = Counter()  # of workers since the start, by code
        self.restarts = 0  # of the process that raises them, since the start

    @property
    def network_cut(self) -> bool:
        """Whether the workers have no network at all; False before the start."""
        return self._nursery is not None and self._nursery.network_cut

    @property
    def files_cut(self) -> bool:
        """Whether the workers can open no file by its name; False before the start."""
        return self._nursery is not None and self._nursery.files_cut

    @property
    def magic(self) -> bool:
        """Whether libmagic of this machine is asked as well what a file is; False before the start."""
        return self._nursery is not None and self._nursery.magic

    async def start(self) -> None:
        """Start the nursery; raises WorkerFailed when it does not come up."""
        self._open = True
        async with self._starting:
            if self._nursery is None:
                self._nursery = await self._raise_nursery()

    async def close(self) -> None:
        """Stop every worker and wait until none is left; what is being examined ends as crashed."""
        self._open = False
        async with self._starting:
            if self._nursery is not None:
                nursery, self._nursery = self._nursery, None
                await asyncio.to_thread(_bury, nursery)

    async def examine(
        self,
        path: Path,
        *,
        anchors: Sequence[Anchor],
        at: datetime,
        declared_type: str = "application/pdf",
        sealing: bool = False,
        max_bytes: int,
        fetched: Sequence[Piece] = (),
        answers: Sequence[StatusAnswer] = (),
        etsi: bool = False,
    ) -> Examination:
        """Return what a worker finds out about the file; a worker that fails gives "undetermined".

        `anchors` are those to trust, `at` (aware) the time to judge at, `sealing` tells that the file is
        about to be sealed, so that it may hide nothing. `fetched` are proofs from outside that were checked
        before, `answers` what came back to questions about certificates; `etsi` asks for a report by
        TS 119 102-2 as well. Raises WorkerFailed when the pool is closed, OSError when the file cannot be
        opened; never anything for the sake of its content.
        """
        request = {"task": "examine", "declared_type": declared_type, "sealing": sealing, "etsi": etsi}
        return await self._examined(
            path, request, _Asked(tuple(anchors), at, tuple(fetched), tuple(answers)), max_bytes
        )

    async def examine_detached(
        self,
        path: Path,
        signature: bytes,
        *,
        anchors: Sequence[Anchor],
        at: datetime,
        max_bytes: int,
        fetched: Sequence[Piece] = (),
        answers: Sequence[StatusAnswer] = (),
    ) -> Examination:
        """Return what a worker finds out about a signature (CMS or CAdES, DER or PEM) beside a file.

        Arguments and errors as of `examine`; a signature of more than `LARGEST_SIGNATURE` bytes is refused
        ("too_large").
        """
        asked = _Asked(tuple(anchors), at, tuple(fetched), tuple(answers))
        if len(signature) > LARGEST_SIGNATURE:
            max_bytes = 0
        request = {"task": "examine_detached", "signature": base64.b64encode(signature).decode()}
        return await self._examined(path, request, asked, max_bytes)

    async def examine_xml(
        self,
        path: Path,
        *,
        anchors: Sequence[Anchor],
        at: datetime,
        max_bytes: int,
        fetched: Sequence[Piece] = (),
        answers: Sequence[StatusAnswer] = (),
        taking: bool = False,
    ) -> Examination:
        """Return what a worker finds out about the signature in an XML document; as `examine`.

        `taking`: it is to be taken into a store, so that what may not lie there is refused (xml_intake.py).
        """
        asked = _Asked(tuple(anchors), at, tuple(fetched), tuple(answers))
        return await self._examined(path, {"task": "examine_xml", "taking": taking}, asked, max_bytes)

    async def _examined(
        self, path: Path, request: Mapping[str, Any], asked: "_Asked", max_bytes: int
    ) -> Examination:
        async with _aside(path) as opened:
            if opened.size == 0 or opened.size > max_bytes:
                refusal = "empty" if opened.size == 0 else "too_large"
                report = undetermined("file_refused")
                return Examination(opened.sha256, opened.size, UNKNOWN, None, refusal, report)
            answer, cut = await self._ask(opened.descriptor, {**request, **asked.to_json()})
        judged = Judgement(opened.sha256, asked.anchors, asked.at, POLICY, fetched=asked.fetched)
        return answer.examination(opened.sha256, opened.size, cut, judged, asked.answers)

    async def measure(
        self,
        path: Path,
        *,
        declared_type: str,
        paper_sizes: Sequence[tuple[float, float]],
        max_bytes: int,
    ) -> Measurement:
        """Return what a worker measures of a scan (PDF or picture), or why nothing could be.

        Raises WorkerFailed when the pool is closed, OSError when the file cannot be opened; never anything
        for the sake of its content.
        """
        async with _aside(path) as opened:
            if opened.size == 0 or opened.size > max_bytes:
                refusal = "empty" if opened.size == 0 else "too_large"
                return Measurement(opened.sha256, opened.size, None, refusal)
            request = {"task": "measure", "declared_type": declared_type, "paper_sizes": list(paper_sizes)}
            answer, _ = await self._ask(opened.descriptor, request)
        return answer.measurement(opened.sha256, opened.size)

    async def lasts(self, path: Path) -> datetime | None:
        """Return until when the newest archive time stamp of a file can be verified; None without one.

        Raises RewritingFailed when nobody can tell, WorkerFailed when the pool is closed, OSError.
        """
        async with _aside(path) as opened:
            answer, _ = await self._ask(opened.descriptor, {"task": "lasts"})
        return answer.until()

    async def picture(self, file: int, page: int) -> Picture | NoPicture:
        """Return the picture of a page (from 1) of an open file, drawn by a worker.

        `file` is a descriptor, at its beginning, that stays the caller's. Raises WorkerFailed when the pool
        is closed; never anything for the sake of the file's content.
        """
        answer, _ = await self._ask(file, {"task": "picture", "page": page})
        return answer.picture()

    async def words(self, path: Path) -> Worded:
        """Return the words of a PDF that can be seen, page by page; of any other file none.

        Raises WorkerFailed when the pool is closed, OSError when the file cannot be opened; never anything
        for the sake of its content.
        """
        async with _aside(path) as opened:
            answer, _ = await self._ask(opened.descriptor, {"task": "words"})
        return answer.words()

    async def undrawn(self, path: Path) -> str | None:
        """Have the first pages of a PDF drawn once, small; gives why they cannot be, None where they were.

        The reason is "unreadable", or that drawing them takes too much: "too_slow", or how the worker ended.
        Raises WorkerFailed when the pool is closed, OSError when the file cannot be opened; never anything
        for the sake of its content.
        """
        async with _aside(path) as opened:
            answer, _ = await self._ask(opened.descriptor, {"task": "draw"})
        return answer.undrawn()

    async def rewrite(
        self, path: Path, target: Path, request: Mapping[str, Any], *, max_bytes: int
    ) -> Mapping[str, Any]:
        """Have a worker make another file of one; gives what it says of it (see rewriting.py).

        `target` must exist and is written from its beginning; on failure it holds nothing of use. `max_bytes`
        are the most that either file may have. Raises RewritingFailed for a file that cannot be rewritten,
        WorkerFailed when the pool is closed, OSError for the files themselves.
        """
        async with _aside(path) as opened:
            if opened.size > max_bytes:
                raise RewritingFailed("the file is too large")
            with target.open("r+b") as made:
                body = Body(made, max_bytes)
                answer, _ = await self._ask(opened.descriptor, request, body)
        return answer.rewritten(body)

    async def extend(self, path: Path, request: Mapping[str, Any], *, max_bytes: int) -> Mapping[str, Any]:
        """Have a worker look at a file and write what it gives behind it; gives what it says of it.

        `max_bytes` are the most that the file may come to have. On failure what stands behind it is of no
        use. Raises as `rewrite` does.
        """
        async with _aside(path) as opened:
            if opened.size > max_bytes:
                raise RewritingFailed("the file is too large")
            with path.open("r+b") as made:
                made.seek(opened.size)
                body = Body(made, max_bytes - opened.size)
                answer, _ = await self._ask(opened.descriptor, request, body)
        return answer.rewritten(body)

    async def _ask(
        self, file: int, request: Mapping[str, Any], body: Body | None = None
    ) -> tuple[Answer, bool]:
        async with self._taken():
            answer, cut = await self._converse(file, json.dumps(request).encode() + b"\n", body)
        read = read_answer(answer)
        self.endings[read.ending] += 1
        return read, cut

    @contextlib.asynccontextmanager
    async def _taken(self) -> AsyncIterator[None]:
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
            self._free.release()

    async def _converse(self, file: int, request: bytes, body: Body | None) -> tuple[bytes, bool]:
        nursery = await self._living()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            try:
                socket.send_fds(nursery.control, [b"x"], [theirs.fileno(), file])
                theirs.close()
                async with asyncio.timeout(self._limits.wall_seconds + _GRACE_SECONDS):
                    return await _converse(ours, request, body), nursery.network_cut
            except TimeoutError:
                nursery.process.kill()
                return b'{"exit": -9, "late": true}\n', nursery.network_cut
            except OSError:
                return b"", nursery.network_cut  # the nursery has gone; the next one asks a new one

    async def _living(self) -> _Nursery:
        async with self._starting:
            if not self._open:
                raise WorkerFailed("the pool of workers is not running")
            if self._nursery is not None and self._nursery.process.poll() is not None:
                nursery, self._nursery = self._nursery, None
                self.restarts += 1
                await asyncio.to_thread(_bury, nursery)
            if self._nursery is None:
                self._nursery = await self._raise_nursery()
            return self._nursery

    async def _raise_nursery(self) -> _Nursery:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.to_thread(_spawn, theirs, self._limits)
        ours.setblocking(False)
        nursery = _Nursery(process, ours, network_cut=False, files_cut=False, magic=False)
        try:
            async with asyncio.timeout(_START_SECONDS):
                hello = await asyncio.get_running_loop().sock_recv(ours, 4096)
            cut = json.loads(hello)
            nursery.network_cut, nursery.files_cut = bool(cut["network_cut"]), bool(cut["files_cut"])
            nursery.magic = bool(cut["magic"])
        except (OSError, TimeoutError, ValueError) as error:
            await asyncio.to_thread(_bury, nursery)
            raise WorkerFailed("the process that raises workers did not start") from error
        except BaseException:
            process.kill()
            _bury(nursery)
            raise
        return nursery


def _spawn(control: socket.socket, limits: Limits) -> subprocess.Popen[bytes]:
    # A session of its own keeps Ctrl-C away; an empty environment and closed descriptors keep secrets away.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "signing.nursery", json.dumps(asdict(limits))],
        stdin=control.fileno(),
        stdout=subprocess.DEVNULL,
        close_fds=True,
        cwd="/",
        env={"PYTHONPATH": str(_SOURCE), "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )


def _bury(nursery: _Nursery) -> None:
    nursery.control.close()
    try:
        nursery.process.wait(timeout=_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        nursery.process.kill()
        nursery.process.wait()


@contextlib.asynccontextmanager
async def _aside(path: Path) -> AsyncIterator[_Opened]:
    """Open a file in a thread of its own, and close it again."""
    opened = await _open_aside(path)
    try:
        yield opened
    finally:
        os.close(opened.descriptor)


async def _open_aside(path: Path) -> _Opened:
    opening = asyncio.ensure_future(asyncio.to_thread(_open, path))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_again)
        raise


def _close_again(opening: asyncio.Future[_Opened]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result().descriptor)


def _open(path: Path) -> _Opened:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        digest, size = hashlib.sha256(), 0
        while chunk := os.read(descriptor, 1024 * 1024):
            digest.update(chunk)
            size += len(chunk)
        return _Opened(descriptor, size, digest.digest())
    except BaseException:
        os.close(descriptor)
        raise


async def _converse(ours: socket.socket, request: bytes, body: Body | None) -> bytes:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended early: its last line says how
        await loop.sock_sendall(ours, request)
    answer = bytearray()
    while len(answer) <= _LONGEST_ANSWER:
        chunk = await loop.sock_recv(ours, 65_536)
        if not chunk:
            return bytes(answer)
        answer += chunk if body is None else body.take(chunk)
    return b""
