"""The folder where files lie unsealed while they are received and examined."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

_OF_A_PROCESS = ".process"
Release = Callable[[], None]


def own_scratch(scratch: Path, *, shared: bool) -> tuple[Path, Release]:
    """Give this process its scratch folder, emptied of what killed ones left, and what gives it up.

    Args:
        shared: other processes may use it now, so that each has a folder inside, locked while it lives.
    """
    if not shared:
        _empty(scratch)
        return scratch, lambda: None
    for other in scratch.glob(f"*{_OF_A_PROCESS}"):
        _remove_unless_alive(other)
    while True:
        own = scratch / f"{os.urandom(8).hex()}{_OF_A_PROCESS}"
        own.mkdir(mode=0o700)
        handle = os.open(own, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if own.exists():  # else another process swept it before it was locked
            break
        os.close(handle)

    def release() -> None:
        shutil.rmtree(own, ignore_errors=True)
        os.close(handle)

    return own, release


def _remove_unless_alive(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _empty(scratch: Path) -> None:
    """Remove what a killed process left there: nothing of it was promised to anybody.

    A folder that others may use too holds what is not ours: of that, only names that we give are removed.
    """
    known = scratch.stat()
    ours = known.st_uid == os.getuid() and not known.st_mode & 0o077
    for pattern in ("*",) if ours else ("*.tmp", ".*.partial"):
        for leftover in scratch.glob(pattern):
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
