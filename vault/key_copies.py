"""Copies of a vault's keys, kept apart from its backups: whoever has both has everything.

A copy is a folder for each time, as with backups (vault/backup_place.py), with a list of its files. Seal keys
in tokens and behind signing services are not copied, nor is any file outside the key folder: they are named.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from signing.errors import SigningError
from signing.keys_file import read_private_file
from storage.durable import sync_folder
from storage.keyring import check_key_folder
from storage.opening import folder_of
from vault import backup_place
from vault.backup_place import BackupPlaceTaken, Stays, chosen
from vault.errors import VaultError
from vault.manifest import BackupCut, BackupDamaged, digest_of
from vault.seal_keys import Place, SealKeys

LIST = "keys.json"
FORMAT = "kho-keys/1"
_SQLITE = ".sqlite"
_BESIDE = ("-wal", "-shm", "-journal")
_HALF_WRITTEN = (".part", ".tmp")
_SECRETS = ("pin_file", "secret_file")


class KeysTogether(VaultError):
    """Keys and backups are kept apart: whoever finds both reads everything."""

    code = "keys_together"


class PlacesTogether(VaultError):
    """The store has a folder of its own: not within the keys, the log, the scratch folder or an old store."""

    code = "places_together"


@dataclass(frozen=True)
class KeysCopied:
    """What was copied, and what an operator must keep in another way: seal keys elsewhere, files outside."""

    folder: Path
    files: int
    elsewhere: tuple[tuple[str, str], ...]  # agency, kind
    outside: tuple[str, ...]  # paths of secrets


def check_apart(backups: Path | None, keys: Path | None, own: Sequence[Path], *, together: bool) -> None:
    """Refuse folders that lie in one another, or in the vault's own.

    Args:
        own: the folders that the vault lives in.
        together: keys beside backups were asked for twice.

    Raises:
        KeysTogether, BackupPlaceTaken.
    """
    if backups is not None and keys is not None and not together and _within(backups, keys):
        raise KeysTogether(f"{keys} and {backups} lie in one another")
    for place in (one for one in (backups, keys) if one is not None):
        for one in own:
            if _within(place, one):
                raise BackupPlaceTaken(f"{place} lies within {one}, which is the vault's own, or around it")


def check_store_apart(store: str, own: Sequence[Path]) -> None:
    """Refuse a store that lies in another folder of the vault, or around one: the keys' above all.

    Raises:
        PlacesTogether.
    """
    folder = folder_of(store)
    if folder is None:
        return
    for one in own:
        if _within(folder, one):
            raise PlacesTogether(f"{folder} lies within {one}, which is the vault's own, or around it")


def _within(one: Path, other: Path) -> bool:
    first, second = one.resolve(), other.resolve()
    return first.is_relative_to(second) or second.is_relative_to(first)


def copy_keys(
    folder: Path, to: Path, at: datetime, keep: int | Stays, passphrase: Path | None = None
) -> KeysCopied:
    """Copy a key folder, durably, and keep the newest `keep` copies, or those that `keep` says; blocks.

    Raises:
        MasterKeyExposed, MasterKeyMissing: of the folder.
        BackupPlaceTaken, BackupUnwritable: of the place.
    """
    check_key_folder(folder)
    with backup_place.writing_to(to):
        begun = backup_place.begin(to, frozenset())
        files = {}
        for path in _files(folder):
            name = path.relative_to(folder).as_posix()
            target = begun / name
            _make_private(target.parent)
            _copy(path, target)
            files[name] = digest_of(target)
        for place in sorted({(begun / name).parent for name in files}):
            sync_folder(place)
        said = {"format": FORMAT, "made_at": at.isoformat(), "files": files}
        _write(begun / LIST, json.dumps(said, indent=1).encode() + b"\n")
        made = backup_place.finish(begun, at)
        backup_place.prune(to, keep, LIST)
    elsewhere, outside = _not_copied(folder, passphrase)
    return KeysCopied(made, len(files), elsewhere, outside)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        passing = path.name.endswith(_BESIDE) or path.suffix in _HALF_WRITTEN
        if path.is_file() and not passing and not path.name.startswith("."):
            yield path


def _copy(source: Path, target: Path) -> None:
    if source.suffix == _SQLITE:  # it may be written to just now
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
            one.backup(other)
    else:
        _write(target, source.read_bytes())
    target.chmod(0o600)


def _make_private(folder: Path) -> None:
    """Make a folder and those above it, each for us alone."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700)


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _not_copied(folder: Path, passphrase: Path | None) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    seals = SealKeys(folder / "seal")
    elsewhere, outside = [], set()
    if passphrase is not None and not _within(passphrase, folder):
        outside.add(str(passphrase))
    for agency in seals.agencies():
        try:
            kind = seals.kind(agency)
            if kind == "file":
                continue
            place = Place.read(read_private_file(folder / "seal" / f"{agency}.json"))
        except SigningError:
            elsewhere.append((agency, "unreadable"))
            continue
        elsewhere.append((agency, kind))
        outside |= {place.said[name] for name in _SECRETS if name in place.said}
    return tuple(elsewhere), tuple(sorted(one for one in outside if not _within(Path(one), folder)))


def examine_keys(copies: Sequence[Path]) -> list[Path]:
    """Give the copy that each folder is, or the newest in it, every file of it found right; blocks.

    Raises:
        BackupCut: there is none.
        BackupDamaged: naming what is missing or altered.
    """
    return [_examined(chosen(one, LIST))[0] for one in copies]


def _examined(copy: Path) -> tuple[Path, dict[str, str]]:
    """Hold a copy to its list: all that it names, nothing else, and no link."""
    try:
        said: Any = json.loads((copy / LIST).read_bytes())
        if said["format"] != FORMAT:
            raise BackupDamaged(f"{copy / LIST} is of the format {said['format']}, this Kho reads {FORMAT}")
        files = {str(name): str(digest) for name, digest in said["files"].items()}
    except FileNotFoundError:
        raise BackupCut(f"{copy} holds no copy of keys: there is no {LIST} in it") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupDamaged(f"{copy / LIST} cannot be understood") from None
    for name, digest in files.items():
        _content(copy, name, digest)
    for path in copy.rglob("*"):
        name = path.relative_to(copy).as_posix()
        if path.is_symlink() or (not path.is_dir() and name not in files and name != LIST):
            raise BackupDamaged(f"{path} is not in the list: nobody copied it there")
    return copy, files


def _content(copy: Path, name: str, digest: str) -> bytes:
    """Read one file of a copy, by a name that stays within it and through no link. Raises BackupDamaged."""
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts:
        raise BackupDamaged(f"{copy / LIST} names {name!r}, which is no name in it")
    steps = [copy.joinpath(*parts[:count]) for count in range(1, len(parts) + 1)]
    if any(one.is_symlink() for one in steps):
        raise BackupDamaged(f"{copy / name} is a link")
    if not steps[-1].is_file():
        raise BackupDamaged(f"{steps[-1]} is missing")
    content = steps[-1].read_bytes()
    if sha256(content).hexdigest() != digest:
        raise BackupDamaged(f"{steps[-1]} was altered")
    return content


def lay_keys(copies: Sequence[Path], staging: Path) -> None:
    """Lay what the lists of the copies name, together, into a folder that is not there yet; blocks.

    Raises:
        BackupCut, BackupDamaged: a copy is not what it was when it was examined.
        OSError
    """
    if staging.exists():
        shutil.rmtree(staging)
    staging.parent.mkdir(parents=True, exist_ok=True)
    staging.mkdir(mode=0o700)
    for copy, files in map(_examined, copies):
        for name, digest in files.items():
            target = staging / name
            _make_private(target.parent)
            if not target.exists():
                _write(target, _content(copy, name, digest))
    for place in sorted(path for path in (staging, *staging.rglob("*")) if path.is_dir()):
        sync_folder(place)
