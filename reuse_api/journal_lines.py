"""How a line of the journal is made and written: JSON, without anything that a message may hold.

Our own lines are codes and facts (journal_fields.py). Of a library's line only a text is told that stands in
its source as a constant; a text put together at run time may repeat a value, so that of such a line only its
place is told. Of an exception never its message: types, codes and places. A line that cannot be written (the
disk is full) is counted and lost: nobody waits for it, nothing fails, and the next that can be says how many.
"""

import json
import logging
import os
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

from reuse_api.journal_fields import CODE, fitting
from vault import tracing

OURS = "kho"
UNTOLD = "untold"  # the event of a library's line whose text is no constant
_FRAMES = 12  # of the place where something failed: the innermost ones tell it
_MOST_CAUSES = 8
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.<>]{0,119}")
_HOME = Path(__file__).resolve().parent.parent
_written = json.JSONEncoder(ensure_ascii=False).encode
_LONGEST_SOURCE = 2 * 2**20  # bytes


class JsonLines(logging.Formatter):
    """One line of JSON for each record, under the trace that it was written under."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record without its arguments, and without a text that may hold one."""
        ours = record.name == OURS or record.name.startswith(f"{OURS}.")
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name if _NAME.fullmatch(record.name) else UNTOLD,
            "event": (record.msg if CODE(record.msg) else UNTOLD) if ours else _constant(record),
        }
        if not ours:
            line["where"] = place(record.pathname, record.lineno, record.funcName)
        trace = tracing.current()
        if trace is not None:
            line |= {"trace": trace.id, "span": trace.span}
        line |= fitting(getattr(record, "facts", {}))
        if record.exc_info is not None and record.exc_info[1] is not None:
            line["failure"] = list(_causes(record.exc_info[1]))
        return _written(line)


class Lines(logging.Handler):
    """Writes each line whole to a descriptor or to the end of a file; what cannot be written is counted."""

    def __init__(self, target: int | Path) -> None:
        super().__init__()
        self.lost = 0  # lines since the start
        self._target = target
        self._descriptor: int | None = target if isinstance(target, int) else None
        self._unsaid = 0
        self._torn = False  # the last line was cut off in the middle
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; never raises."""
        try:
            line = self.format(record)
            if self._unsaid:
                line = f"{self._lost_line()}\n{line}"
            self._write(f"{line}\n".encode())
        except Exception:  # whatever it is, nobody may wait for the journal
            self.lost += 1
            self._unsaid += 1
        else:
            self._unsaid = 0

    def close(self) -> None:
        """Close the file, if it is one of ours."""
        if isinstance(self._target, Path) and self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        super().close()

    def _write(self, line: bytes) -> None:
        if self._descriptor is None:
            assert isinstance(self._target, Path)  # noqa: S101 - a descriptor is there from the beginning
            self._descriptor = os.open(
                self._target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        rest = b"\n" + line if self._torn else line
        while rest:
            written = os.write(self._descriptor, rest)
            self._torn = written < len(rest)
            rest = rest[written:]

    def _lost_line(self) -> str:
        facts = {"facts": {"lost": self._unsaid}}
        said = logging.LogRecord(OURS, logging.WARNING, __file__, 0, "journal_lines_lost", (), None)
        vars(said).update(facts)
        return self.format(said)


def place(path: str, line: int, function: str | None) -> str:
    """Say where something happened, by a path inside Kho or a library: none begins at a home folder."""
    parts = Path(path).parts
    if path.startswith(f"{_HOME}{os.sep}") and ".venv" not in parts:
        shown = str(Path(path).relative_to(_HOME))
    else:
        shown = "/".join(parts[-2:])
    return f"{shown}:{line} {function or ''}".strip()


def failure_of(problem: BaseException) -> dict[str, Any]:
    """Tell one exception: its type, its code where it has one, and where it came from."""
    frames = traceback.extract_tb(problem.__traceback__)[-_FRAMES:]
    told: dict[str, Any] = {
        "type": type(problem).__qualname__,
        "where": [place(one.filename, one.lineno or 0, one.name) for one in frames],
    }
    code = getattr(problem, "code", None)
    return told | ({"code": code} if CODE(code) else {})


def _causes(problem: BaseException | None) -> Iterator[dict[str, Any]]:
    for _ in range(_MOST_CAUSES):
        if problem is None:
            return
        yield failure_of(problem)
        problem = problem.__cause__ or problem.__context__


def _constant(record: logging.LogRecord) -> str:
    """Give a library's text where it is a constant of its source; else it may repeat anything."""
    if not isinstance(record.msg, str) or record.msg not in _constants(record.pathname):
        return UNTOLD
    return record.msg.strip().partition("\n")[0]


@lru_cache(maxsize=256)
def _constants(path: str) -> frozenset[str]:
    """Give the texts that stand in a source file; none where it cannot be read.

    It is compiled, not made a tree of: in Python 3.11 a tree that is begun within another, by another thread
    or by garbage that says something, fails (python/cpython 106905), and the line would be lost.
    """
    try:
        source = Path(path)
        if source.stat().st_size > _LONGEST_SOURCE:
            return frozenset()
        code = compile(source.read_bytes(), path, "exec", dont_inherit=True)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(_texts(code))


def _texts(code: CodeType) -> Iterator[str]:
    waiting: list[Any] = [code]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, CodeType):
            waiting += one.co_consts
        elif isinstance(one, tuple | frozenset):
            waiting += one
