"""Rows as files that no database owns: one for each table, compressed lines of JSON.

The first line names the table and its columns, each with its kind; every other line is a row, its values in
that order. Bytes are base64; a value that is absent is null. So the rows of one database go into another, and
any program can read them.
"""

import gzip
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from vault.errors import VaultError

KINDS = ("text", "bytes", "number", "boolean")
Columns = Sequence[tuple[str, str]]  # name and kind
_LEVEL = 3  # of 9: three times as fast as the usual one, files a tenth larger
_LONGEST_LINE = 256 * 2**20  # characters
_AT_ONCE = 200
_PIECE = 1024 * 1024
_DECODERS: dict[str, Callable[[Any], Any]] = {"bytes": lambda value: b64decode(value, validate=True)}
_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "bytes": lambda value: b64encode(value).decode(),
    "boolean": bool,
}


class RowsFileDamaged(VaultError):
    """A file of rows cannot be read."""

    code = "rows_file_damaged"


@dataclass(frozen=True)
class Written:
    """A file that was written: its name in the backup, size in bytes, SHA-256 as hex, rows in it."""

    file: str
    size: int
    sha256: str
    rows: int


class _Hashing:
    """A file that is hashed as it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = sha256()
        self.size = 0

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        self.size += len(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


class RowsWriter:
    """Writes one file (mode 600 by the process's mask); use it as a context, then ask what was `written`."""

    def __init__(self, path: Path, name: str, table: str, columns: Columns) -> None:
        """Begin the file at `path`, called `name` in the backup. Raises OSError."""
        self._name = name
        self._file = path.open("xb")
        self._hashing = _Hashing(self._file)
        # No name and no time in the header: the same rows are the same bytes.
        self._gzip = gzip.GzipFile("", "wb", _LEVEL, cast(BinaryIO, self._hashing), mtime=0)
        self._encoders = [_ENCODERS.get(kind) for _, kind in columns]
        self._rows = 0
        self._line({"table": table, "columns": [list(one) for one in columns]})

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows. Raises OSError."""
        for row in rows:
            self._line(
                [
                    value if value is None or encode is None else encode(value)
                    for value, encode in zip(row, self._encoders, strict=True)
                ]
            )
        self._rows += len(rows)

    def _line(self, said: Any) -> None:
        self._gzip.write(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    @property
    def written(self) -> Written:
        """Say what was written, once the context is left."""
        return Written(self._name, self._hashing.size, self._hashing.digest.hexdigest(), self._rows)

    def __enter__(self) -> Self:
        """Give the writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        """Close the file; what was written in full is durable."""
        try:
            if kind is None:
                self._gzip.close()
                self._file.flush()
        finally:
            self._file.close()


class _Read:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    def to_the_end(self) -> str:
        """Read what is left, and give the SHA-256 of all."""
        while self.read(_PIECE):
            pass
        return self._hash.hexdigest()


class RowsReader:
    """One file of rows: its table, its columns, and the rows in portions."""

    def __init__(self, path: Path, digest: str | None = None) -> None:
        """Read the first line.

        Args:
            digest: the SHA-256 of the file, which `portions` holds it to once more while it reads.

        Raises:
            RowsFileDamaged, OSError.
        """
        self._path = path
        self._digest = digest
        with gzip.GzipFile(path, "rb") as file:
            head = self._parsed(next(self._lines(file), b""))
        try:
            self.table = str(head["table"])
            self.columns = [(str(name), str(kind)) for name, kind in head["columns"]]
        except (TypeError, KeyError, ValueError):
            raise RowsFileDamaged(f"{path} does not name its table") from None
        if not self.columns or {kind for _, kind in self.columns} - set(KINDS):
            raise RowsFileDamaged(f"{path} has columns of an unknown kind")

    def portions(self) -> Iterator[list[dict[str, Any]]]:
        """Give the rows as mappings, some at a time. Raises RowsFileDamaged, OSError."""
        names = [name for name, _ in self.columns]
        decoders = [_DECODERS.get(kind) for _, kind in self.columns]
        with self._path.open("rb") as raw:
            read = _Read(raw)
            lines = self._lines(gzip.GzipFile(fileobj=cast(Any, read), mode="rb"))
            next(lines, None)
            portion: list[dict[str, Any]] = []
            for line in lines:
                portion.append(self._row(line, names, decoders))
                if len(portion) == _AT_ONCE:
                    yield portion
                    portion = []
            if portion:
                yield portion
            if self._digest is not None and read.to_the_end() != self._digest:
                raise RowsFileDamaged(f"{self._path} was altered while it was read")

    def _row(self, line: bytes, names: list[str], decoders: list[Any]) -> dict[str, Any]:
        values = self._parsed(line)
        try:
            return {
                name: value if value is None or decode is None else decode(value)
                for name, value, decode in zip(names, values, decoders, strict=True)
            }
        except (TypeError, ValueError):
            raise RowsFileDamaged(f"{self._path} holds a row that does not fit its columns") from None

    def _lines(self, file: gzip.GzipFile) -> Iterator[bytes]:
        while True:
            try:
                line = file.readline(_LONGEST_LINE)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise RowsFileDamaged(f"{self._path} breaks off or is no compressed file") from None
            if not line:
                return
            yield line

    def _parsed(self, line: bytes) -> Any:
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            raise RowsFileDamaged(f"{self._path} holds a line that is no JSON") from None
