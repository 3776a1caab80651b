"""Workers: whatever a file does to the process that reads it, the answer is an examination."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from signing.errors import WorkerFailed
from signing.workers import Limits, WorkerPool
from tests.hostile.making import paper, stream

pytestmark = pytest.mark.anyio

MOST = 50 * 1024 * 1024
ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")


class _Nurseries:
    """The nurseries of this process that were not there before."""

    def __init__(self) -> None:
        self._others = set(_nurseries())

    def only(self) -> int:
        (found,) = set(_nurseries()) - self._others
        return found


Raised = tuple[WorkerPool, _Nurseries]


@asynccontextmanager
async def _raised(limits: Limits | None = None) -> AsyncIterator[Raised]:
    """Start a pool; beside it those of other tests may be running in this process."""
    nurseries = _Nurseries()
    pool = WorkerPool(limits=limits)
    await pool.start()
    try:
        yield pool, nurseries
    finally:
        await pool.close()


@pytest.fixture
async def raised(anyio_backend: str) -> AsyncIterator[Raised]:
    async with _raised() as both:
        yield both


@pytest.fixture
def pool(raised: Raised) -> WorkerPool:
    return raised[0]


def _nurseries() -> list[int]:
    return [one for one in _children(os.getpid()) if b"signing.nursery" in _command(one)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _children(pid: int) -> list[int]:
    # A child belongs to the thread that made it, and passes to another one when that thread ends.
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (thread / "children").read_text().split())
    return found


async def _first(children_of: int) -> int:
    while True:
        found = _children(children_of)
        if found:
            return found[0]
        await asyncio.sleep(0.001)


def _reasons(examination: Any) -> tuple[str, ...]:
    assert examination.report.verdict == "undetermined"
    return tuple(examination.report.reasons)


async def test_a_sealed_file_is_found_valid(pool: WorkerPool, sealed_certificate: Any) -> None:
    found = await pool.examine(
        sealed_certificate.sealed,
        anchors=sealed_certificate.anchors,
        at=sealed_certificate.at,
        max_bytes=MOST,
    )
    content = sealed_certificate.sealed.read_bytes()
    assert (found.sha256, found.size) == (sha256(content).digest(), len(content))
    assert (found.media_type, found.pages, found.refusal) == ("application/pdf", 1, None)
    assert (found.report.verdict, found.report.signatures[0].level) == ("valid", "B-LTA")
    assert found.network_cut == pool.network_cut


async def test_a_signed_file_with_a_broken_structure_is_told_as_changed(
    pool: WorkerPool, sealed_certificate: Any, tmp_path: Path
) -> None:
    content = sealed_certificate.sealed.read_bytes()
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(content.replace(b"endobj", b"endobk", 1))
    found = await pool.examine(
        broken, anchors=sealed_certificate.anchors, at=sealed_certificate.at, max_bytes=MOST
    )
    assert (found.refusal, found.found) == ("unreadable", ("mended",))
    assert found.report.verdict == "invalid"


async def test_many_files_at_once(pool: WorkerPool, sealed_certificate: Any) -> None:
    found = await asyncio.gather(
        *(
            pool.examine(path, anchors=sealed_certificate.anchors, at=sealed_certificate.at, max_bytes=MOST)
            for path in [sealed_certificate.sealed, sealed_certificate.composed] * 3
        )
    )
    assert [one.report.verdict for one in found] == ["valid", "undetermined"] * 3


@pytest.mark.parametrize(
    ("content", "most", "declared", "refusal"),
    [
        (b"", MOST, "application/pdf", "empty"),
        (b"%PDF-1.7 and more", 10, "application/pdf", "too_large"),
        (b"just words", MOST, "application/pdf", "not_a_pdf"),
        (b"\x89PNG\r\n\x1a\n", MOST, "application/pdf", "mislabelled"),
        (b"%PDF-1.7\n%%EOF\n", MOST, "application/pdf", "unreadable"),
    ],
)
async def test_refusals_come_back_as_values(
    pool: WorkerPool,
    sealed_certificate: Any,
    tmp_path: Path,
    content: bytes,
    most: int,
    declared: str,
    refusal: str,
) -> None:
    path = tmp_path / "odd.pdf"
    path.write_bytes(content)
    found = await pool.examine(
        path, anchors=[], at=sealed_certificate.at, declared_type=declared, max_bytes=most
    )
    assert (found.refusal, found.size) == (refusal, len(content))
    assert _reasons(found) == ("file_refused",)


@ON_LINUX
async def test_a_killed_worker_leaves_an_answer_and_no_zombie(
    raised: Raised, sealed_certificate: Any
) -> None:
    pool, nurseries = raised
    path, at = sealed_certificate.sealed, sealed_certificate.at
    async with asyncio.TaskGroup() as tasks:
        examining = tasks.create_task(pool.examine(path, anchors=[], at=at, max_bytes=MOST))
        os.kill(await _first(nurseries.only()), signal.SIGKILL)
    assert _reasons(examining.result()) == ("worker_crashed",)
    assert _children(nurseries.only()) == []
    assert _reasons(await pool.examine(path, anchors=[], at=at, max_bytes=MOST)) == ("signer_not_trusted",)


@ON_LINUX
async def test_a_killed_nursery_is_replaced(raised: Raised, sealed_certificate: Any) -> None:
    pool, nurseries = raised
    path, at = sealed_certificate.sealed, sealed_certificate.at
    first = nurseries.only()
    async with asyncio.TaskGroup() as tasks:
        examining = tasks.create_task(pool.examine(path, anchors=[], at=at, max_bytes=MOST))
        worker = await _first(first)
        os.kill(first, signal.SIGKILL)
    assert _reasons(examining.result()) == ("worker_crashed",)
    while _lives(worker):  # the worker dies with its nursery
        await asyncio.sleep(0.01)
    assert _reasons(await pool.examine(path, anchors=[], at=at, max_bytes=MOST)) == ("signer_not_trusted",)
    assert nurseries.only() != first


@ON_LINUX
async def test_an_abandoned_examination_ends_its_worker(raised: Raised, sealed_certificate: Any) -> None:
    pool, nurseries = raised
    path, at = sealed_certificate.sealed, sealed_certificate.at
    for _ in range(3):
        async with asyncio.TaskGroup() as tasks:
            examining = tasks.create_task(pool.examine(path, anchors=[], at=at, max_bytes=MOST))
            worker = await _first(nurseries.only())
            examining.cancel()
        while _lives(worker):
            await asyncio.sleep(0.01)
    assert _reasons(await pool.examine(path, anchors=[], at=at, max_bytes=MOST)) == ("signer_not_trusted",)


@ON_LINUX
async def test_a_worker_that_stands_still_is_ended(sealed_certificate: Any) -> None:
    async with _raised(Limits(wall_seconds=1)) as (pool, nurseries), asyncio.TaskGroup() as tasks:
        examining = tasks.create_task(
            pool.examine(sealed_certificate.sealed, anchors=[], at=sealed_certificate.at, max_bytes=MOST)
        )
        os.kill(await _first(nurseries.only()), signal.SIGSTOP)
        assert _reasons(await examining) == ("worker_timeout",)


def _hungry(path: Path, size: int) -> Path:
    """Write a file whose page holds `size` spaces: to be read as it lies there, no ceiling is met before."""
    path.write_bytes(paper(contents=stream(b" " * size)))
    return path


@ON_LINUX
async def test_a_worker_without_memory_says_so(sealed_certificate: Any) -> None:
    async with _raised(Limits(memory_bytes=1024 * 1024)) as (pool, _):
        path, at = sealed_certificate.sealed, sealed_certificate.at
        found = await pool.examine(path, anchors=[], at=at, max_bytes=MOST)
        assert _reasons(found) == ("worker_memory",)


@ON_LINUX
async def test_a_memory_bomb_harms_nobody_else(sealed_certificate: Any, tmp_path: Path) -> None:
    size = 150 * 1024 * 1024
    async with _raised(Limits(memory_bytes=340 * 1024 * 1024)) as (pool, _):
        anchors, at = sealed_certificate.anchors, sealed_certificate.at
        bomb = _hungry(tmp_path / "bomb.pdf", size)
        found = await pool.examine(bomb, anchors=anchors, at=at, max_bytes=size + MOST)
        assert _reasons(found) == ("worker_memory",)
        honest = await pool.examine(sealed_certificate.sealed, anchors=anchors, at=at, max_bytes=MOST)
        assert honest.report.verdict == "valid"


def _endless(path: Path) -> Path:
    """Write a file with so many nested objects that walking it takes many seconds."""
    with pikepdf.new() as document:
        page = document.add_blank_page()
        many = pikepdf.Array()
        for number in range(30):
            many.append(pikepdf.Dictionary(N=number))
        for _ in range(5):
            many = pikepdf.Array([many] * 10)
        page.obj.Odd = many
        document.save(path)
    return path


@ON_LINUX
async def test_endless_work_is_undetermined(sealed_certificate: Any, tmp_path: Path) -> None:
    async with _raised(Limits(cpu_seconds=1)) as (pool, _):
        found = await pool.examine(
            _endless(tmp_path / "endless.pdf"), anchors=[], at=sealed_certificate.at, max_bytes=MOST
        )
        assert _reasons(found) == ("worker_timeout",)


async def test_a_closed_pool_says_so(sealed_certificate: Any) -> None:
    pool = WorkerPool()
    await pool.start()
    await pool.close()
    await pool.close()
    with pytest.raises(WorkerFailed):
        await pool.examine(sealed_certificate.sealed, anchors=[], at=sealed_certificate.at, max_bytes=MOST)


@ON_LINUX
async def test_the_nursery_holds_no_secret_and_no_door(sealed_certificate: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, (tmp_path / "secret.key").open("w+b") as secret:
        os.set_inheritable(door.fileno(), True)
        os.set_inheritable(secret.fileno(), True)
        os.environ["KHO_TEST_SECRET"] = "not for workers"
        try:
            async with _raised() as (_, nurseries):
                process = Path(f"/proc/{nurseries.only()}")
                assert b"KHO_TEST_SECRET" not in (process / "environ").read_bytes()
                held = [os.readlink(one) for one in (process / "fd").iterdir()]
        finally:
            del os.environ["KHO_TEST_SECRET"]
        assert str(tmp_path / "secret.key") not in held
        assert os.readlink(f"/proc/self/fd/{door.fileno()}") not in held


@ON_LINUX
def test_ctrl_c_and_a_sudden_death_leave_no_process(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import asyncio
            import signal
            from signing.workers import WorkerPool

            # Whoever started the tests in the background ignores it, and so would this program.
            signal.signal(signal.SIGINT, signal.default_int_handler)

            async def run():
                pool = WorkerPool()
                await pool.start()
                print("started", flush=True)
                try:
                    await asyncio.sleep(60)
                finally:
                    await pool.close()

            asyncio.run(run())
            """
        )
    )
    for deadly in (signal.SIGINT, signal.SIGKILL):
        with subprocess.Popen(
            [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            (nursery,) = _children(process.pid)
            process.send_signal(deadly)
        while _lives(nursery):
            time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # nobody but the first process of the system can reap an orphan
