"""Runs a command of `kho` and is killed before its Nth step on disk or database; for test_killed.py.

Without a number (0) it runs to the end, and says on its last line how many steps there were.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from reuse_api.__main__ import run

STEPS = ("fsync", "link", "rename", "unlink", "mkdir")


class Steps:
    """Counts them, and kills this process before the last."""

    def __init__(self, last: int) -> None:
        self.count, self._last = 0, last

    def take(self, *_said: object) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(self, done: Callable[..., Any]) -> Callable[..., Any]:
        def step(*said: Any, **more: Any) -> Any:
            self.take()
            return done(*said, **more)

        return step


if __name__ == "__main__":
    steps = Steps(int(sys.argv[1]))
    for name in STEPS:
        setattr(os, name, steps.counted(getattr(os, name)))
    event.listen(Engine, "commit", steps.take)
    os.umask(0o077)
    status = run(sys.argv[2:])
    print(f"steps {steps.count}")
    sys.exit(int(status))
