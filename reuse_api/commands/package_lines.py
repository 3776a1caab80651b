"""Packages of the national catalogue as files have them: a JSON object a line, read one line at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAX_LINE = 4 * 2**20  # bytes of one package; the largest of July 2026 has 72,000
_CHUNK = 2**16


@dataclass(frozen=True)
class Line:
    """One line that is not empty: its package, or why it is none; `end` is how far the file is read."""

    number: int
    package: dict[str, Any] | None
    fault: str
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
                yield Line(number, None, f"is longer than {MAX_LINE // 2**20} MiB", file.tell())
            elif line.strip():
                package, fault = _package(line)
                yield Line(number, package, fault, file.tell())


def _skip(file: BinaryIO) -> None:
    while (rest := file.readline(_CHUNK)) and not rest.endswith(b"\n"):
        pass


def _package(line: bytes) -> tuple[dict[str, Any] | None, str]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None, "is not UTF-8"
    except json.JSONDecodeError as broken:
        return None, f"is no JSON: {broken.msg} at character {broken.pos + 1}"
    except (ValueError, RecursionError):  # a number without end, objects within objects within objects
        return None, "is no JSON that can be read"
    return (value, "") if isinstance(value, dict) else (None, "is no JSON object")
