"""What is written down about running: one JSON object a line on stderr, without personal data.

No token, no query string, no path with a code in it, no message of an exception (it may repeat a value): a
request is told by the template of its route, a failure by its type and where it happened. Failed
authentications have a log of their own, `kho.security`, and a counter; they are no entries: strangers must
not fill the tree (DESIGN 6). The demo writes to a file, so that its terminal tells the story alone.
"""

import json
import logging
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = "kho"
_requests = logging.getLogger("kho.requests")
_security = logging.getLogger("kho.security")
_failures = logging.getLogger("kho.failures")
_FRAMES = 12  # of the place where something failed: the innermost ones tell it

failed_authentications: Counter[str] = Counter()


class JsonLines(logging.Formatter):
    """One line of JSON for each record: our own with their facts, a library's by its first line alone."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record without its arguments and further lines, which may hold anything."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "event": str(record.msg).strip().partition("\n")[0],
        }
        line |= getattr(record, "facts", {})
        if record.exc_info is not None and record.exc_info[1] is not None:
            line["failure"] = list(_causes(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False)


def open_journal(level: int = logging.INFO, path: Path | None = None) -> None:
    """Send our own lines, and the warnings of every library, to stderr or a file; call once, at start.

    The file is made by its first line, at the end of what it holds.
    """
    handler = (
        logging.StreamHandler(sys.stderr)
        if path is None
        else logging.FileHandler(path, encoding="utf-8", delay=True)
    )
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(ROOT).setLevel(level)
    # A request is told by us; uvicorn would tell it with its path and query.
    logging.getLogger("uvicorn.access").disabled = True


def request_done(**facts: str | int | float) -> None:
    """Tell one answered request: id, method, route template, status, milliseconds, kind of caller."""
    _requests.info("request", extra={"facts": facts})


def authentication_failed(code: str, *, door: str, request: str) -> None:
    """Count one failed authentication and tell it; `door` is a route template, `request` the request's id."""
    failed_authentications[code] += 1
    facts = {"code": code, "door": door, "request": request, "count": failed_authentications[code]}
    _security.warning("authentication_failed", extra={"facts": facts})


def failed(event: str, problem: BaseException, **facts: str) -> None:
    """Tell a failure of ours: its type, its causes and where they happened."""
    _failures.error(event, exc_info=problem, extra={"facts": facts})


def noted(event: str, **facts: str | int) -> None:
    """Tell a thing worth knowing that is no request: started, stopped, published again."""
    logging.getLogger(ROOT).info(event, extra={"facts": facts})


def _causes(problem: BaseException | None) -> Iterator[dict[str, Any]]:
    while problem is not None:
        frames = traceback.extract_tb(problem.__traceback__)[-_FRAMES:]
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        code = getattr(problem, "code", None)
        yield {"type": type(problem).__qualname__, "where": where} | (
            {"code": code} if isinstance(code, str) else {}
        )
        problem = problem.__cause__ or problem.__context__
