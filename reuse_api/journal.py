"""What is written down about running: one JSON object a line on stderr, without personal data.

No token, no query string, no path with a code in it, no message of an exception (it may repeat a value): a
request is told by the template of its route, a failure by its type and where it happened. Which fields there
are, journal_fields.py says; how lines are made, of ours and of every library, journal_lines.py. Failed
authentications have a log of their own, `kho.security`, and a counter; they are no entries: strangers must
not fill the tree (DESIGN 6). The demo writes to a file, so that its terminal tells the story alone.
"""

import asyncio
import logging
import sys
import threading
import warnings
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from reuse_api.journal_lines import OURS, JsonLines, Lines, place

__all__ = ["JsonLines", "authentication_failed", "failed", "hear", "noted", "open_journal", "request_done"]

ROOT = OURS
_STDERR = 2
_requests = logging.getLogger("kho.requests")
_security = logging.getLogger("kho.security")
_failures = logging.getLogger("kho.failures")
_libraries = logging.getLogger("kho.libraries")

failed_authentications: Counter[str] = Counter()
failures: Counter[str] = Counter()  # by event
_opened: list[Lines] = []


def open_journal(level: int = logging.INFO, path: Path | None = None) -> None:
    """Send our own lines, and the warnings of every library, to stderr or a file; call once, at start.

    The file is made by its first line, at the end of what it holds.
    """
    handler = Lines(_STDERR if path is None else path)
    _opened[:] = [handler]
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(ROOT).setLevel(level)
    # A request is told by us; uvicorn would tell it with its path and query.
    logging.getLogger("uvicorn.access").disabled = True


def hear() -> None:
    """Take over what Python itself would print, with its values: warnings, and what nobody caught.

    For a program that does nothing but serve; call it inside its event loop.
    """
    warnings.showwarning = _warned
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)
    sys.unraisablehook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)
    asyncio.get_running_loop().set_exception_handler(_in_the_loop)


def lost_lines() -> int:
    """Say how many lines could not be written since the journal was opened."""
    return sum(one.lost for one in _opened)


def request_done(**facts: str | int | float) -> None:
    """Tell one answered request: id, method, route template, status, milliseconds, what caused it."""
    _requests.info("request", extra={"facts": facts})


def authentication_failed(code: str, *, door: str, request: str) -> None:
    """Count one failed authentication and tell it; `door` is a route template, `request` the request's id."""
    failed_authentications[code] += 1
    facts = {"code": code, "door": door, "request": request, "count": failed_authentications[code]}
    _security.warning("authentication_failed", extra={"facts": facts})


def failed(event: str, problem: BaseException, **facts: str) -> None:
    """Tell a failure of ours: its type, its causes and where they happened."""
    failures[event] += 1
    _failures.error(event, exc_info=problem, extra={"facts": facts})


def tell_failure(event: str, problem: BaseException) -> None:
    """Tell what ends the program, to stderr where no journal was opened: without its message, as ever."""
    if not _opened:
        open_journal()
    failed(event, problem)


def noted(event: str, **facts: Any) -> None:
    """Tell a thing worth knowing that is no request: started, stopped, published again."""
    logging.getLogger(ROOT).info(event, extra={"facts": facts})


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    facts = {"warning": category.__name__, "where": place(filename, lineno, "")}
    _libraries.warning("warning", extra={"facts": facts})


def _uncaught(
    _kind: type[BaseException], problem: BaseException | None, _trace: TracebackType | None
) -> None:
    if problem is not None:
        failed("uncaught", problem)


def _in_the_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    problem = context.get("exception")
    if isinstance(problem, BaseException):
        failed("task_failed", problem)
    else:
        _libraries.error("loop_troubled")
