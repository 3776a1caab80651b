"""Files that are wholly there or not there at all, and stay once they are: for blobs and for keys."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".part"


@contextmanager
def temporary_file(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a new empty file (mode 600) in `folder` and its path; it is gone again when the block is left.

    A lock on the file marks it as alive, so that `sweep` of another process leaves it alone. Raises OSError.
    """
    path, file = _create_locked(folder)
    try:
        with file:
            yield path, file
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def _create_locked(folder: Path) -> tuple[Path, BinaryIO]:
    while True:
        path = folder / f"{secrets.token_hex(16)}{SUFFIX}"
        file = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()  # a sweep came between creating and locking: take another name


def sweep(folder: Path) -> int:
    """Remove temporary files in `folder` that no living process holds; gives how many. Raises OSError."""
    removed = 0
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            removed += 1
    return removed


def publish(temporary: Path, file: BinaryIO, target: Path) -> None:
    """Give the written temporary file its final name, durable on return; never replaces a file.

    Both are on one file system. Raises FileExistsError if `target` is there already, and OSError.
    """
    file.flush()
    os.fsync(file.fileno())
    os.link(temporary, target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: what was linked into it stays, what was taken away stays away."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
