"""A new log key in place of one that must not sign any more: the log's rows are older than what it signed.

The old key and its memory go to the folder `retired`, for whoever finds the lost rows after all.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from signing.checkpoint import Checkpoint, LogKey
from storage.durable import publish, sync_folder, temporary_file
from storage.keyring import check_key_folder
from vault.errors import VaultBusy, VaultIncomplete
from vault.signer_memory import KEY_FILE, MEMORY_FILE, SUFFIX_BYTES, Memory, heads_in, read_key

RETIRED = "retired"
_NEXT = ".next"


@dataclass(frozen=True)
class Remembered:
    """A log key and the newest head that its memory knows."""

    key: LogKey
    head: Checkpoint


def remembered(folder: Path) -> Remembered:
    """Read a log key and its memory without taking them. Raises VaultIncomplete, VaultBusy."""
    key = read_key(folder / KEY_FILE)
    head = _head(folder / MEMORY_FILE)
    if head is None or head.origin != key.name:
        raise VaultIncomplete(f"the memory beside {folder / KEY_FILE} is damaged or of another log")
    return Remembered(key, head)


def retired(folder: Path, name: str) -> Remembered | None:
    """Give a retired key by its name, with what it had signed; None: it is not there."""
    place = folder / RETIRED / _short(name)
    return remembered(place) if (place / KEY_FILE).exists() else None


def open_new_log(folder: Path, *, size: int, root: bytes) -> Remembered:
    """Make a log key that goes on from `size` entries, and retire the one that is there; gives the old one.

    Dying anywhere, it is done again to the same end. Raises MasterKeyExposed, VaultIncomplete, VaultBusy.
    """
    check_key_folder(folder)
    try:
        return _open_new_log(folder, size, root)
    except OSError as problem:
        raise VaultBusy(f"{problem.filename}: {problem.strerror}") from problem


def _open_new_log(folder: Path, size: int, root: bytes) -> Remembered:
    old = read_key(folder / KEY_FILE)
    key_next, memory_next = (folder / f"{name}{_NEXT}" for name in (KEY_FILE, MEMORY_FILE))
    if not key_next.exists():
        prefix = old.name.rpartition("-")[0] or old.name
        key = LogKey.new(f"{prefix}-{os.urandom(SUFFIX_BYTES).hex()}")
        memory_next.unlink(missing_ok=True)
        memory = Memory.open(memory_next, create=True)
        memory.begin(key.name)
        memory.remember(Checkpoint(key.name, size, root))
        memory.close()
        _write(key_next, key.to_line().encode() + b"\n")  # last: with it, both are whole
    _retire(folder, old)
    with suppress(FileNotFoundError):  # done before we died
        memory_next.rename(folder / MEMORY_FILE)
    sync_folder(folder)
    key_next.rename(folder / KEY_FILE)
    sync_folder(folder)
    kept = retired(folder, old.name)
    if kept is None:
        raise VaultIncomplete(f"the retired key of {old.name} is missing")
    return kept


def _retire(folder: Path, old: LogKey) -> None:
    place = folder / RETIRED / _short(old.name)
    for one in (place.parent, place):
        one.mkdir(mode=0o700, exist_ok=True)
    for path in (folder / MEMORY_FILE, folder / KEY_FILE):  # the key last: with it, both are there
        if not (place / path.name).exists():
            _write(place / path.name, path.read_bytes())
    for one in (place, place.parent, folder):
        sync_folder(one)


def _write(path: Path, content: bytes) -> None:
    with temporary_file(path.parent) as (temporary, file):
        file.write(content)
        with suppress(FileExistsError):
            publish(temporary, file, path)


def _short(name: str) -> str:
    return name.rpartition("-")[2]


def _head(path: Path) -> Checkpoint | None:
    try:
        known = [head for head in heads_in(path.read_bytes()) if head is not None]
    except FileNotFoundError:
        raise VaultIncomplete(f"the signer's memory {path} is missing") from None
    except OSError as error:
        raise VaultBusy(f"{path}: {error.strerror}") from error
    return max(known, key=lambda head: head.size, default=None)
