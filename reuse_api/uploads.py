"""Receiving a file: multipart/form-data, read as it comes into a scratch file, refused while it streams.

Nothing is kept in memory but one chunk, the small text fields and a signature beside the file. The scratch
file is gone on every failure, also when the client leaves; on success it belongs to the `ReceivedForm`, a
context that removes it.
"""

import os
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from reuse_api.body_limit import BodyTooLarge, declared_length, lift_limit
from signing.workers import LARGEST_SIGNATURE
from vault.errors import FieldInvalid, VaultBusy

if TYPE_CHECKING:  # the library defines this type for checkers alone
    from python_multipart.multipart import MultipartCallbacks

FILE, SIGNATURE = "file", "signature"
FIELD_MAX = 64 * 1024  # bytes of all text fields together
_OVERHEAD = FIELD_MAX + 64 * 1024  # of a whole form beside its file: fields, part headers, boundaries
_MAX_PARTS = 20
_MAX_NAME = 200  # characters of a file name


@dataclass(frozen=True)
class ReceivedForm:
    """A form that arrived whole: its text fields, and its file on disk until this is left or discarded.

    `file_name` is the last part of the name the sender gave it ("" if none), `declared_type` its media type
    in lower case without parameters ("application/octet-stream" if none). `signature` is what came beside the
    file, at most `LARGEST_SIGNATURE` bytes, in memory; None where nothing did.
    """

    fields: dict[str, str]
    file: Path
    file_name: str
    declared_type: str
    signature: bytes | None = None

    def discard(self) -> None:
        """Remove the scratch file; it may be gone already."""
        self.file.unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


class FormInvalid(FieldInvalid):
    """A form that cannot be taken; `fields` are the text fields that had come by then, lest they be lost."""

    def __init__(self, problem: FieldInvalid, fields: dict[str, str]) -> None:
        super().__init__(problem.field, problem.code, problem.detail)
        self.fields = fields


async def receive_file(
    request: Request, scratch: Path, max_bytes: int, fields: Collection[str], *, signed: bool = False
) -> ReceivedForm:
    """Read a form with one part named `file` and text parts of the names in `fields`, each at most once.

    A file field in which nothing was chosen, as browsers send it (no name, no byte), counts as no signature.

    Args:
        request: its body must not have been read.
        scratch: an existing folder; the file is made in it, readable by us alone.
        max_bytes: of the file itself.
        fields: names of the text parts that may come; which of them must come is the caller's matter.
        signed: a part `signature` may come beside the file.

    Raises:
        VaultBusy: the scratch folder cannot take the file.
        FormInvalid: ("file", too_large | empty | field_missing), (name, field_unknown | field_repeated |
            too_long | not_utf8), ("signature", signature_too_large | signature_empty), ("body",
            multipart_malformed | media_type_unsupported).
        ClientDisconnect: the client left before the end.
    """
    boundary = _boundary(request)
    limit = (
        2 * max_bytes + _OVERHEAD + (LARGEST_SIGNATURE if signed else 0)
    )  # what lies beyond the file's own limit is read, but not kept
    lift_limit(request, limit)
    if declared_length(request.scope) > limit:
        raise FormInvalid(FieldInvalid(FILE, "too_large"), {})
    path = scratch / f"{os.urandom(16).hex()}.tmp"  # what a killed process leaves is swept by this ending
    form = _Form(frozenset(fields), max_bytes, signed)
    parser = MultipartParser(boundary, callbacks=form.callbacks())
    try:
        with await to_thread.run_sync(_create, path) as handle:
            await _pour(request, parser, form, handle)
        return form.finished(path)
    except BaseException as problem:
        path.unlink(missing_ok=True)
        if isinstance(problem, BodyTooLarge):
            raise FormInvalid(FieldInvalid(FILE, "too_large"), form.heard()) from problem
        if isinstance(problem, FieldInvalid):
            raise FormInvalid(problem, form.heard()) from problem
        if isinstance(problem, OSError):
            raise VaultBusy(f"scratch: {problem.strerror}") from problem
        raise


def _create(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb")


async def _pour(request: Request, parser: MultipartParser, form: "_Form", handle: IO[bytes]) -> None:
    """Feed the parser; after a fault go on reading without keeping, so that the client hears the answer.

    A client that is cut off while sending sees a reset instead of the problem; how much is read in vain is
    bounded by the limit that the body was given.
    """
    async for chunk in request.stream():
        if form.fault is not None:
            continue
        try:
            parser.write(chunk)
        except FormParserError:
            form.fault = FieldInvalid("body", "multipart_malformed")
            continue
        content = form.take()
        if content:
            await to_thread.run_sync(handle.write, content)
    if form.fault is not None:
        raise form.fault


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data":
        raise FieldInvalid("body", "media_type_unsupported")
    if not 0 < len(boundary) <= 70:  # RFC 2046 5.1.1
        raise FieldInvalid("body", "multipart_malformed")
    return boundary


@dataclass
class _Part:
    name: str = ""
    file_name: str = ""
    declared_type: str = "application/octet-stream"
    nothing_chosen: bool = False  # a file field that was left empty


@dataclass
class _Form:
    """What the parser tells, part by part; the first fault is kept and ends the taking."""

    allowed: frozenset[str]
    max_bytes: int
    signed: bool
    fault: FieldInvalid | None = None
    ended: bool = False
    values: dict[str, bytearray] = field(default_factory=dict)
    file: _Part | None = None
    size: int = 0
    beside: _Part | None = None
    signature: bytearray = field(default_factory=bytearray)
    _part: _Part = field(default_factory=_Part)
    _parts: int = 0
    _header: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _pending: list[bytes] = field(default_factory=list)

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }

    def take(self) -> bytes:
        """Give what came of the file since the last time."""
        content = b"".join(self._pending)
        self._pending.clear()
        return content

    def heard(self) -> dict[str, str]:
        """Give the text fields as far as they have come."""
        return {name: value.decode(errors="replace") for name, value in self.values.items()}

    def finished(self, path: Path) -> ReceivedForm:
        """Give the form, now that the body has ended; raises FieldInvalid when something is missing."""
        if not self.ended:
            raise FieldInvalid("body", "multipart_malformed")
        if self.file is None:
            raise FieldInvalid(FILE, "field_missing")
        if not self.size:
            raise FieldInvalid(FILE, "empty")
        texts = {name: _text(name, bytes(value)) for name, value in self.values.items()}
        return ReceivedForm(texts, path, self.file.file_name, self.file.declared_type, self._signature())

    def _signature(self) -> bytes | None:
        if self.beside is None or (not self.signature and self.beside.nothing_chosen):
            return None
        if not self.signature:
            raise FieldInvalid(SIGNATURE, "signature_empty")
        return bytes(self.signature)

    def _fail(self, name: str, code: str) -> None:
        self.fault = self.fault or FieldInvalid(name, code)

    def _on_part_begin(self) -> None:
        self._parts += 1
        self._part, self._headers = _Part(), {}
        if self._parts > _MAX_PARTS:
            self._fail("body", "multipart_malformed")

    def _on_header_end(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _on_headers_finished(self) -> None:
        self._part = part = _part_of(self._headers)
        if not part.name:
            self._fail("body", "multipart_malformed")
        elif part.name == FILE:
            if self.file is not None:
                self._fail(FILE, "field_repeated")
            self.file = part
        elif part.name == SIGNATURE and self.signed:
            if self.beside is not None:
                self._fail(SIGNATURE, "field_repeated")
            self.beside = part
        elif part.name not in self.allowed:
            self._fail(part.name[:_MAX_NAME], "field_unknown")
        elif part.name in self.values:
            self._fail(part.name, "field_repeated")
        else:
            self.values[part.name] = bytearray()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self.fault is not None:
            return
        if self._part.name == FILE:
            self.size += end - start
            if self.size > self.max_bytes:
                self._fail(FILE, "too_large")
                self._pending.clear()
            else:
                self._pending.append(data[start:end])
            return
        if self._part is self.beside:
            self.signature.extend(data[start:end])
            if len(self.signature) > LARGEST_SIGNATURE:
                self._fail(SIGNATURE, "signature_too_large")
            return
        self.values[self._part.name].extend(data[start:end])
        if sum(map(len, self.values.values())) > FIELD_MAX:
            self._fail(self._part.name, "too_long")

    def _on_end(self) -> None:
        self.ended = True


def _part_of(headers: dict[bytes, bytes]) -> _Part:
    kind, options = parse_options_header(headers.get(b"content-disposition", b""))
    if kind != b"form-data":
        return _Part()
    media_type, _ = parse_options_header(headers.get(b"content-type", b""))
    return _Part(
        name=options.get(b"name", b"").decode(errors="replace"),
        file_name=_base_name(options.get(b"filename", b"").decode(errors="replace")),
        declared_type=media_type.decode("latin-1").lower() or "application/octet-stream",
        nothing_chosen=options.get(b"filename") == b"",
    )


def _base_name(name: str) -> str:
    """Keep the last part of a name, without what hides, steers or turns text around."""
    last = unicodedata.normalize("NFC", PurePosixPath(PureWindowsPath(name).name).name)
    name = "".join(one for one in last if not unicodedata.category(one).startswith("C"))[:_MAX_NAME]
    return "" if name in (".", "..") else name


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise FieldInvalid(name, "not_utf8") from None
