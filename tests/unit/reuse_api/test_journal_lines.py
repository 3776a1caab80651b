"""Lines of the journal: whatever is written through whatever logger, nobody's business gets out."""

import argparse
import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import typing
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reuse_api import journal, journal_lines
from reuse_api.journal_fields import FIELDS, fitting
from reuse_api.journal_lines import JsonLines, Lines
from vault import tracing

NAME = " ".join(("Nguyễn", "Thị", "Minh", "Khai"))  # no constant, which a library may tell
NUMBER = "001307012347"
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
FILE = "Giấy khai sinh của Khai.pdf"
PRIVATE = (NAME, NUMBER, TOKEN, FILE, "Khai", "Minh")


def quiet(text: str) -> None:
    """Nothing private stands in a text, not in pieces and not escaped either."""
    for one in PRIVATE:
        assert one not in text, text
        assert json.dumps(one)[1:-1] not in text, text


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Any]:
    """Every line, as the root logger writes it into a file."""
    handler = Lines(tmp_path / "journal.jsonl")
    top = logging.getLogger()
    top.addHandler(handler)

    def read() -> list[dict[str, Any]]:
        path = tmp_path / "journal.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    yield read
    top.removeHandler(handler)
    handler.close()


VALUES: list[Any] = [
    NAME,
    NUMBER,
    FILE,
    TOKEN,
    f"/v1/records/{NUMBER}",
    f"q={NAME}",
    [NAME],
    {NAME: 1},
    {"a": NAME},
    1.5e300,
]


@pytest.mark.parametrize("field", sorted(FIELDS))
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_no_field_takes_what_is_somebodys(field: str, value: Any) -> None:
    told = fitting({field: value})
    assert told == {"left_out": 1}, told


def test_an_unknown_field_is_left_out_with_its_name() -> None:
    assert fitting({NAME: 1, "title": "a", "status": 200, "parent": None}) == {"status": 200, "left_out": 2}


def broken() -> None:
    raise ValueError(f"cannot read {FILE} of {NAME}")


def test_an_exception_is_told_by_type_and_place_alone(lines: Any) -> None:
    try:
        try:
            broken()
        except ValueError as cause:
            raise RuntimeError(NUMBER) from cause
    except RuntimeError as problem:
        journal.failed("request_failed", problem, door="/v1/records/{record}", request="")
        logging.getLogger("library").error("Exception in %s", FILE, exc_info=problem)
    (ours, theirs) = lines()
    assert [one["type"] for one in ours["failure"]] == ["RuntimeError", "ValueError"]
    assert any("broken" in one for one in ours["failure"][1]["where"])
    assert (theirs["event"], theirs["log"]) == ("Exception in %s", "library")
    quiet(json.dumps([ours, theirs], ensure_ascii=False))
    assert str(Path.home()) not in json.dumps(ours) and sys.prefix not in json.dumps(ours)


def test_of_a_library_only_constants_of_its_source_are_told(lines: Any) -> None:
    library = logging.getLogger("some.library")
    library.warning(f"could not open {FILE}")
    library.warning("could not open " + NAME)
    library.warning(NAME)
    library.warning({"name": NAME})
    library.warning("could not open %s", NAME, stack_info=True)
    logging.getLogger(f"library.{NAME}").warning("first line\nof two: %s", NUMBER)
    told = lines()
    assert [one["event"] for one in told] == ["untold"] * 4 + ["could not open %s", "first line"]
    assert all("test_journal_lines.py" in one["where"] for one in told)
    assert told[-1]["log"] == "untold"
    quiet(json.dumps(told, ensure_ascii=False))


@pytest.mark.parametrize(
    "logger",
    ["uvicorn.error", "asyncio", "urllib3.connectionpool", "elastic_transport.transport", "pyhanko.sign"],
)
def test_the_loggers_of_our_libraries_go_the_same_way(
    lines: Any, logger: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (logger, logger.split(".", maxsplit=1)[0]):  # other tests of this process mute a library
        caplog.set_level(logging.WARNING, logger=name)
    logging.getLogger(logger).error(f"{NAME} {TOKEN}", exc_info=KeyError(FILE))
    logging.getLogger(logger).warning("%s", NAME)
    told = lines()
    assert [one["event"] for one in told] == ["untold", "%s"]
    assert told[0]["failure"][0]["type"] == "KeyError"
    quiet(json.dumps(told, ensure_ascii=False))


def test_our_own_event_that_is_no_code_is_not_told(lines: Any) -> None:
    logging.getLogger("kho.requests").warning(f"released {NAME}")
    logging.getLogger("kho.requests").warning("released_to_nobody", extra={"facts": {"name": NAME}})
    told = lines()
    assert [one["event"] for one in told] == ["untold", "released_to_nobody"]
    assert told[1]["left_out"] == 1
    quiet(json.dumps(told, ensure_ascii=False))


def test_a_line_says_the_trace_it_was_written_under(lines: Any) -> None:
    with tracing.under(tracing.begun()) as trace:
        logging.getLogger("kho").warning("inside")
        logging.getLogger("library").warning("inside")
    logging.getLogger("kho").warning("outside")
    first, second, third = lines()
    assert (first["trace"], first["span"]) == (second["trace"], second["span"]) == (trace.id, trace.span)
    assert "trace" not in third


def test_what_nobody_caught_is_told_without_its_words(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((warnings, "showwarning"), (sys, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)

    class Leaving:
        def __del__(self) -> None:
            raise ValueError(NAME)

    async def story() -> None:
        journal.hear()
        failing = asyncio.create_task(asyncio.sleep(0))
        failing.cancel()
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": NAME, "exception": ValueError(NUMBER)})
        loop.call_exception_handler({"message": f"Unclosed {FILE}"})
        loop.call_soon(broken)
        thread = threading.Thread(target=broken, name=NAME)
        thread.start()
        await asyncio.to_thread(thread.join)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = journal._warned
            warnings.warn(f"{NAME} is late", UserWarning, stacklevel=1)
        Leaving().__str__()
        sys.excepthook(ValueError, ValueError(TOKEN), None)

    asyncio.run(story())
    told = lines()
    events = [one["event"] for one in told]
    assert events.count("task_failed") == 2 and events.count("uncaught") == 3, events
    assert "loop_troubled" in events
    (warned,) = [one for one in told if one["event"] == "warning"]
    assert warned["warning"] == "UserWarning" and "test_journal_lines.py" in warned["where"]
    quiet(json.dumps(told, ensure_ascii=False))


# A disk that is full ---------------------------------------------------------------------------------


def record(event: str) -> logging.LogRecord:
    return logging.LogRecord("kho", logging.INFO, __file__, 1, event, (), None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    full, free = os.open("/dev/full", os.O_WRONLY), os.open(tmp_path / "free", os.O_WRONLY | os.O_CREAT)
    handler = Lines(full)
    handler.handle(record("first"))
    handler.handle(record("second"))
    assert handler.lost == 2
    os.dup2(free, full)  # space again
    handler.handle(record("third"))
    handler.handle(record("fourth"))
    told = [json.loads(line) for line in (tmp_path / "free").read_text().splitlines()]
    assert [one["event"] for one in told] == ["journal_lines_lost", "third", "fourth"]
    assert told[0]["lost"] == 2 and handler.lost == 2
    os.close(full)
    os.close(free)


def test_a_line_that_is_cut_off_in_the_middle_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, real, room = Lines(tmp_path / "journal"), os.write, [20]

    def write(descriptor: int, content: bytes) -> int:
        if not room:
            return real(descriptor, content)
        left = room.pop()
        if not left:
            raise OSError(28, "No space left on device")
        room.append(0)
        return real(descriptor, content[:left])

    monkeypatch.setattr(os, "write", write)
    handler.handle(record("first"))
    handler.handle(record("second"))
    handler.close()
    torn, *rest = (tmp_path / "journal").read_text().splitlines()
    assert len(torn) == 20
    assert [json.loads(line)["event"] for line in rest] == ["journal_lines_lost", "second"]


def test_a_journal_that_can_never_be_opened_takes_nothing_down(tmp_path: Path) -> None:
    handler = Lines(tmp_path / "nowhere" / "journal")
    handler.handle(record("first"))
    assert handler.lost == 1
    closed = os.open(os.devnull, os.O_WRONLY)
    os.close(closed)
    Lines(closed).handle(record("first"))


def test_a_record_that_cannot_be_told_takes_nothing_down(tmp_path: Path) -> None:
    class Odd(Exception):
        @property
        def code(self) -> str:
            raise RuntimeError(NAME)

    handler = Lines(tmp_path / "journal")
    one = record("first")
    one.exc_info = (Odd, Odd(), None)
    handler.handle(one)
    handler.handle(record("second"))
    told = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [each["event"] for each in told] == ["journal_lines_lost", "second"]
    handler.close()


def test_a_program_that_fails_says_where_and_not_what(tmp_path: Path) -> None:
    code = (
        "import reuse_api.commands.token as token, sys\n"
        f"def fails(*_): raise ValueError({NAME!r})\n"
        "token._read = fails\n"
        "from reuse_api.__main__ import run\n"
        "sys.exit(int(run(['token', '--key', 'key.json'])))\n"
    )
    (tmp_path / "key.json").write_text("{}")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 70, done.stderr
    told = json.loads(done.stderr.splitlines()[0])
    assert (told["event"], told["failure"][0]["type"]) == ("program_failed", "ValueError")
    quiet(done.stderr + done.stdout)


def test_lines_are_json_of_one_line_each() -> None:
    one = record("first")
    one.facts = {"state": "a\nb"}
    assert "\n" not in JsonLines().format(one)


def test_sources_are_read_by_many_at_once_and_while_garbage_says_something() -> None:
    """Python 3.11 loses count when a tree of syntax is begun within another, and lines were lost by it."""
    read = journal_lines._constants.__wrapped__
    sources = [argparse.__file__, typing.__file__, logging.__file__]
    alone = [read(one) for one in sources]
    assert all(alone)
    found: list[list[frozenset[str]]] = []
    troubles: list[BaseException] = []

    class Said:
        """In a cycle, so that it is said whenever garbage is looked for."""

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            read(journal_lines.__file__)

    def reading() -> None:
        try:
            for _ in range(5):
                Said()
                found.append([read(one) for one in sources])
        except BaseException as problem:
            troubles.append(problem)

    threads = [threading.Thread(target=reading) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert troubles == []
    assert found == [alone] * 20
