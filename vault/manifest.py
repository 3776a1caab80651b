"""The manifest of a backup: every file's hash, what was counted, which log. It is written last.

It names the files of the rows and one list of the blobs, each by its SHA-256; the list names every blob by
its own. So whoever keeps the manifest's SHA-256 elsewhere knows each byte of the backup again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from vault.errors import VaultError
from vault.row_files import Written

FORMAT = "kho-backup/1"
MANIFEST = "manifest.json"
BLOBS = "blobs.jsonl.gz"  # the list of blobs: key, SHA-256 of the sealed bytes
_LARGEST = 64 * 2**20  # bytes


class BackupCut(VaultError):
    """It has no manifest, so it was cut before its end, or is no backup."""

    code = "backup_cut"


class BackupDamaged(VaultError):
    """The backup is not what its manifest says; nothing is restored from it."""

    code = "backup_damaged"


@dataclass(frozen=True)
class LogHead:
    """The log as the rows tell it, and the newest head that was published: `root` as hex."""

    size: int
    root: str
    origin: str | None  # the name of its key; None: the vault was never opened since it keeps the name
    key_line: str | None
    checkpoint: str | None  # a signed note of this size or less; None: none was published yet


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. Damaged blobs, with a code each, were so in the vault already."""

    kho: str
    made_at: str
    schema: str
    rows: tuple[tuple[str, Written], ...]  # table and file, in an order in which they can be inserted
    blobs: Written
    blob_bytes: int
    damaged: Mapping[str, str]
    log: LogHead
    left_out: tuple[str, ...]  # tables whose rows are not kept: what ends by itself within the hour

    def text(self) -> bytes:
        """Give the file's content."""
        said = {
            "format": FORMAT,
            "kho": self.kho,
            "made_at": self.made_at,
            "schema": self.schema,
            "log": asdict(self.log),
            "rows": [{"table": table, **asdict(one)} for table, one in self.rows],
            "blobs": {**asdict(self.blobs), "bytes": self.blob_bytes, "damaged": dict(self.damaged)},
            "left_out": list(self.left_out),
        }
        return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, folder: Path) -> tuple[Self, str]:
        """Read the manifest of a backup, and give its SHA-256 as hex with it.

        Raises:
            BackupCut: there is none.
            BackupDamaged: it cannot be understood.
        """
        path = folder / MANIFEST
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST)
        except FileNotFoundError:
            raise BackupCut(
                f"{folder} has no {MANIFEST}: it was cut before its end, or is no backup"
            ) from None
        try:
            said = json.loads(content)
            if said["format"] != FORMAT:
                raise BackupDamaged(f"{path} is of the format {said['format']}, this Kho reads {FORMAT}")
            return cls._from(said), sha256(content).hexdigest()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BackupDamaged(f"{path} cannot be understood") from None

    @classmethod
    def _from(cls, said: Any) -> Self:
        blobs = said["blobs"]
        return cls(
            kho=str(said["kho"]),
            made_at=str(said["made_at"]),
            schema=str(said["schema"]),
            rows=tuple((str(one["table"]), _written(one)) for one in said["rows"]),
            blobs=_written(blobs),
            blob_bytes=int(blobs["bytes"]),
            damaged={str(key): str(code) for key, code in blobs["damaged"].items()},
            log=LogHead(**{one.name: said["log"][one.name] for one in fields(LogHead)}),
            left_out=tuple(map(str, said["left_out"])),
        )

    def files(self) -> list[Written]:
        """Give every file but the blobs themselves."""
        return [one for _, one in self.rows] + [self.blobs]


def _written(said: Any) -> Written:
    name = str(said["file"])
    if name.startswith(("/", ".")) or ".." in name.split("/") or "\\" in name:
        raise ValueError("a file outside the backup")
    return Written(name, int(said["size"]), str(said["sha256"]), int(said["rows"]))


def digest_of(path: Path, told: Callable[[bytes], None] | None = None) -> str:
    """Give the SHA-256 of a file as hex, read in pieces. Raises OSError."""
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            digest.update(piece)
            if told is not None:
                told(piece)
    return digest.hexdigest()


def listed(found: Sequence[str], most: int = 5) -> str:
    """Name what was found, the first few."""
    more = len(found) - most
    return "; ".join(found[:most]) + (f"; and {more} more" if more > 0 else "")
