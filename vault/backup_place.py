"""The folder that backups are kept in: a folder for each, whole once it has its name, and one that is begun.

A backup is written into `begun`, its manifest last; then the folder gets its name, the time it was made at.
So what was cut never looks like a backup, and the next one goes on with it. Equal blobs of two backups are
one file (hard links), so each folder is whole by itself and may be removed or carried away alone.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from storage.durable import sync_folder
from vault.errors import VaultError
from vault.manifest import MANIFEST, BackupCut

MARKER = "kho-backups"  # this file says that the folder is for backups
BEGUN = "begun"
_LOCK = "lock"
_NAME = re.compile(r"\d{8}T\d{6}Z(?:-\d+)?")


class BackupPlaceTaken(VaultError):
    """Backups cannot be kept in that folder."""

    code = "backup_place_taken"


class BackupUnwritable(VaultError):
    """The backup could not be written to its end; earlier ones are untouched. Run it again: it goes on."""

    code = "backup_unwritable"


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Hold the folder for one backup; what the disk refuses comes out as BackupUnwritable.

    Raises:
        BackupPlaceTaken: it holds other things, or another backup is being made there.
        BackupUnwritable: the disk is full, or not ours.
    """
    try:
        _prepare(folder)
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupPlaceTaken(f"another backup is being made in {folder}") from None
            yield
        finally:
            os.close(handle)
    except OSError as problem:
        raise BackupUnwritable(f"{problem.filename or folder}: {problem.strerror}") from problem


def _prepare(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        sync_folder(folder.parent)
    if not folder.is_dir():
        raise BackupPlaceTaken(f"{folder} is no folder")
    if not (folder / MARKER).exists():
        others = sorted(one.name for one in folder.iterdir())
        if others:
            raise BackupPlaceTaken(f"{folder} holds other things: {others[0]}")
        (folder / MARKER).write_text("Backups of Kho, one in each folder. See `kho restore --help`.\n")


def begin(folder: Path, keep: frozenset[str]) -> Path:
    """Give the folder of the backup that is begun, emptied of all but `keep`."""
    begun = folder / BEGUN
    begun.mkdir(mode=0o700, exist_ok=True)
    for one in begun.iterdir():
        if one.name not in keep:
            remove(one)
    return begun


def remove(path: Path) -> None:
    """Take a file or a folder away."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def finish(begun: Path, at: datetime) -> Path:
    """Give the begun folder its name, durably.

    It is never earlier than the newest one there: after a clock that was ahead it would pass for the oldest,
    and be removed.
    """
    earlier = (one.name[:16] for one in whole(begun.parent))
    stem, number = max([at.strftime("%Y%m%dT%H%M%SZ"), *earlier]), 1
    target = begun.with_name(stem)
    while target.exists():
        number += 1
        target = begun.with_name(f"{stem}-{number}")
    sync_folder(begun)
    begun.rename(target)
    sync_folder(target.parent)
    return target


def _named(name: str) -> bool:
    if _NAME.fullmatch(name) is None:
        return False
    with suppress(ValueError):  # numbers that are no time
        return bool(datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ"))
    return False


def whole(folder: Path) -> list[Path]:
    """Give the backups in a folder, oldest first."""
    found = [one for one in folder.iterdir() if _named(one.name)] if folder.is_dir() else []
    return sorted(found, key=lambda one: (one.name[:16], int(one.name[17:] or 1)))


@dataclass(frozen=True)
class Stays:
    """Which backups stay: the newest ones, and the last one of each of the newest days and weeks (UTC)."""

    newest: int
    days: int = 0
    weeks: int = 0

    def of(self, found: Sequence[Path]) -> set[Path]:
        """Choose among backups, the oldest first."""
        days = {one.name[:8]: one for one in found}  # of equal keys the last one counts
        weeks = {_made_on(one).isocalendar()[:2]: one for one in found}
        staying = {*found[-self.newest :]}
        for last, count in ((days, self.days), (weeks, self.weeks)):
            staying |= {*list(last.values())[max(len(last) - count, 0) :]}
        return staying


def _made_on(backup: Path) -> date:
    return datetime.strptime(backup.name[:8], "%Y%m%d").replace(tzinfo=UTC).date()


def prune(folder: Path, stays: int | Stays, manifest: str = MANIFEST) -> list[str]:
    """Remove all backups but those that stay, and what was left of removing others; gives their names."""
    stays = Stays(stays) if isinstance(stays, int) else stays
    found = whole(folder)
    staying = stays.of([one for one in found if (one / manifest).exists()])
    gone = [one for one in found if one not in staying]
    for one in gone:
        # The manifest first: what is removed in part is no backup any more.
        (one / manifest).unlink(missing_ok=True)
        sync_folder(one)
        shutil.rmtree(one)
    return [one.name for one in gone]


def passed_over(folder: Path, taken: Path, manifest: str = MANIFEST) -> list[Path]:
    """Give what is newer than the backup that was chosen in a folder, and has no manifest: it lost it.

    Whatever is cut or removed on purpose never looks so: a backup gets its name after its manifest, and older
    ones are removed first.
    """
    found = whole(folder)
    newer = found[found.index(folder / taken.name) + 1 :] if folder / taken.name in found else []
    return [one for one in newer if not (one / manifest).exists()]


def chosen(folder: Path, manifest: str = MANIFEST) -> Path:
    """Give the backup that a folder is, or the newest in it.

    Raises:
        BackupCut: there is none; it names one that was begun and never ended.
    """
    if (folder / manifest).exists():
        return folder
    found = [one for one in whole(folder) if (one / manifest).exists()]
    if found:
        return found[-1]
    if (folder / BEGUN).exists():
        raise BackupCut(f"{folder} holds one backup, and it was cut before its end")
    raise BackupCut(f"{folder} holds no backup: there is no {manifest} in it")
