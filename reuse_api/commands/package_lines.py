"""Packages of the national catalogue as files have them: a JSON object a line, read one line at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from policies.errors import PackageUnreadable

MAX_LINE = 4 * 2**20  # bytes of one package; the largest of July 2026 has 72,000
_CHUNK = 2**16


@dataclass(frozen=True)
class Line:
    """One line that is not empty: its package, or why it is none; `end` is how far the file is read."""

    number: int
    package: dict[str, Any] | PackageUnreadable
    end: int


def packages(path: Path) -> Iterator[Line]:
    """Read a file of packages; never more than one line of it is held.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE and not line.endswith(b"\n"):
                _skip(file)
                fault = PackageUnreadable("", "line_too_long", most=MAX_LINE // 2**20)
                yield Line(number, fault, file.tell())
            elif line.strip():
                yield Line(number, _package(line), file.tell())


def _skip(file: BinaryIO) -> None:
    while (rest := file.readline(_CHUNK)) and not rest.endswith(b"\n"):
        pass


def _package(line: bytes) -> dict[str, Any] | PackageUnreadable:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return PackageUnreadable("", "line_not_utf8")
    except json.JSONDecodeError as broken:
        return PackageUnreadable("", "line_no_json", why=broken.msg, character=broken.pos + 1)
    except (ValueError, RecursionError):  # a number without end, objects within objects within objects
        return PackageUnreadable("", "line_unreadable")
    return value if isinstance(value, dict) else PackageUnreadable("", "line_no_object")
