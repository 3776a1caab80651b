"""Letters read off a page by tesseract, if it is there: a search aid, never a source of what a result says.

The program runs in a room of its own (signing.ocr_room), as many pages at a time as there are processors.
"""

import asyncio
import contextlib
import math
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PAGE_SECONDS = 20.0  # for one page, the wait for a processor included
LEAST_CONFIDENCE = 70.0  # of a page, in hundredths: below it a person must look
SHARE = 10_000  # parts of a page that places are told in
_LEAST_WORDS = 5
_MOST_WORDS = 5_000  # of one page
_LONGEST_WORD = 60  # characters
_LONGEST_ANSWER = 4 * 1024 * 1024  # bytes
_ASKING_SECONDS = 10
_SOURCE = Path(__file__).resolve().parent.parent

State = Literal["ready", "not_installed", "no_vietnamese", "off"]


@dataclass(frozen=True)
class Word:
    """A word and its place in parts of 10,000 of the page; `confidence` 0 to 100, `line` its line."""

    text: str
    left: int
    top: int
    width: int
    height: int
    confidence: float
    line: int


@dataclass(frozen=True)
class ReadPage:
    """What was read of a page (from 1). `failure`: "", ocr_timeout or ocr_failed."""

    number: int
    words: tuple[Word, ...]
    failure: str = ""

    @property
    def confidence(self) -> float:
        """How sure the reading is, on average of its words; 0 where nothing was read."""
        return sum(one.confidence for one in self.words) / len(self.words) if self.words else 0.0

    @property
    def needs_person(self) -> bool:
        """Whether what was read is too little or too unsure to suggest anything by."""
        return len(self.words) < _LEAST_WORDS or self.confidence < LEAST_CONFIDENCE


class Ocr:
    """Tesseract with its Vietnamese data, or the knowledge that it is not there."""

    def __init__(self, program: Path | None, data: Path | None, *, off: bool = False) -> None:
        self._program = program
        self._data = data
        self._off = off
        self._free = asyncio.Semaphore(processors())

    @classmethod
    def found(cls) -> "Ocr":
        """Look for tesseract on this machine; asks it once for its languages."""
        program = shutil.which("tesseract")
        if program is None:
            return cls(None, None)
        try:
            told = subprocess.run(
                [program, "--list-langs"], capture_output=True, text=True, timeout=_ASKING_SECONDS, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return cls(None, None)
        head, *languages = told.stdout.splitlines() or [""]
        folder = head.partition('"')[2].partition('"')[0]
        known = "vie" in languages and bool(folder)
        return cls(Path(program).resolve(), Path(folder).resolve() if known else None)

    @classmethod
    def off(cls) -> "Ocr":
        """Read nothing, whatever is installed."""
        return cls(None, None, off=True)

    @property
    def state(self) -> State:
        """Whether pages can be read, or what is missing."""
        if self._off:
            return "off"
        if self._program is None:
            return "not_installed"
        return "ready" if self._data is not None else "no_vietnamese"

    async def read(self, picture: Path, number: int, dpi: int, *, seconds: float = PAGE_SECONDS) -> ReadPage:
        """Read a page from a PGM picture that a worker made; whatever goes wrong is told in the answer.

        `seconds` from now on it has to be read, the wait for a free processor included.
        """
        if self._program is None or self._data is None:
            return ReadPage(number, (), "ocr_failed")
        try:
            async with asyncio.timeout(seconds), self._free:
                with picture.open("rb") as file:
                    room = await self._enter(file.fileno(), self._program, self._data, dpi)
                try:
                    answer = await _answer(room)
                finally:
                    await _leave(room)
        except TimeoutError:
            return ReadPage(number, (), "ocr_timeout")
        if room.returncode == -signal.SIGXCPU:
            return ReadPage(number, (), "ocr_timeout")
        if room.returncode != 0 or answer is None:
            return ReadPage(number, (), "ocr_failed")
        return ReadPage(number, _words(answer.decode("utf-8", "replace")))

    async def _enter(self, picture: int, program: Path, data: Path, dpi: int) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "signing.ocr_room", str(program), str(data), str(dpi)),
            stdin=picture,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd="/",
            env={"PYTHONPATH": str(_SOURCE), "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )


def processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


async def _answer(room: Process) -> bytes | None:
    """Read everything it says; None when that is too much."""
    assert room.stdout is not None  # noqa: S101 - it was asked for
    answer = bytearray()
    while chunk := await room.stdout.read(65_536):
        answer += chunk
        if len(answer) > _LONGEST_ANSWER:
            return None
    await room.wait()
    return bytes(answer)


async def _leave(room: Process) -> None:
    if room.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(room.pid, signal.SIGKILL)
        await room.wait()


def _words(table: str) -> tuple[Word, ...]:
    """Read tesseract's table: level 1 tells the size of the page, level 5 a word and its place."""
    wide = high = 0
    lines: dict[tuple[str, ...], int] = {}
    found: list[Word] = []
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) != 12 or len(found) >= _MOST_WORDS:
            continue
        try:
            left, top, width, height = (int(one) for one in cells[6:10])
            sure = float(cells[10])
        except ValueError:
            continue
        if cells[0] == "1":
            wide, high = width, height
        text = "".join(one for one in cells[11].strip() if one.isprintable())[:_LONGEST_WORD]
        if cells[0] != "5" or not text or not math.isfinite(sure) or wide <= 0 or high <= 0:
            continue
        line = lines.setdefault(tuple(cells[1:5]), len(lines))
        places = (left * SHARE // wide, top * SHARE // high, width * SHARE // wide, height * SHARE // high)
        if min(places) >= 0 and max(places) <= SHARE:
            found.append(Word(text, *places, max(0.0, min(100.0, sure)), line))
    return tuple(found)
