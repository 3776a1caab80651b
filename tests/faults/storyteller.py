"""Tells the demo's story in children that can be killed at any moment; a program of `test_story_killed.py`.

It has read everything in and has no thread, so that a telling begins as soon as it is forked. A line of input
says when to kill the next one: after how many of its events, and how many milliseconds after that; nothing
kills it when it never comes to that event. A line of output says how it ended. Events are the operations on
files below the folder and the commits of the database, each just before it happens.
"""

import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Engine

from reuse_api.demo import story

WATCHED = {"open", "os.link", "os.remove", "os.rename", "os.rmdir", "sqlite3.connect"}


def tell(folder: Path, number: int, later: int) -> dict[str, Any]:
    """Tell the story once; gives its exit status, how many events, which one came next, and its words."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _tell_and_exit(folder, number, later, writing)
    os.close(writing)
    with os.fdopen(reading) as said:
        reached = said.readline()
        if reached and later:
            ended = os.pidfd_open(child)
            select.select([ended], [], [], later / 1000)
            os.close(ended)
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        events, _, what = (reached or said.readline()).strip().partition(" ")
    return {"status": status, "events": int(events or 0), "what": what, "told": (folder / "told").read_text()}


def _tell_and_exit(folder: Path, number: int, later: int, writing: int) -> NoReturn:
    told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(told, 1)
    os.dup2(told, 2)
    events = 0

    def count(what: str) -> None:
        nonlocal events
        if events == number:
            os.write(writing, f"{events} {what}\n".encode())
            if not later:
                os.kill(os.getpid(), signal.SIGKILL)
        events += 1

    def watch(name: str, arguments: tuple[Any, ...]) -> None:
        if name in WATCHED and str(folder) in str(arguments[0]):
            count(f"{name} {arguments[0]}")

    status = 70
    try:
        sys.addaudithook(watch)
        event.listen(Engine, "commit", lambda _: count("commit"))
        status = story.run(folder=folder / "demo", keys=folder / "demo-keys", once=True, lang="en", port=0)
        os.write(writing, f"{events} the end\n".encode())
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(tell(Path(sys.argv[1]), *map(int, line.split()))), flush=True)
