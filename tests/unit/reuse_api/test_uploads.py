"""A form with a file arrives whole, or leaves nothing behind and a fault that names the part."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from reuse_api.body_limit import BodyLimit
from reuse_api.uploads import FIELD_MAX, receive_file
from vault.errors import FieldInvalid, VaultBusy

BOUNDARY = b"so-not-in-any-file"
FORM = "multipart/form-data; boundary=so-not-in-any-file"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40

pytestmark = pytest.mark.anyio


def part(name: str, content: bytes, file_name: str | None = None, kind: str | None = None) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if file_name is not None:
        head += f'; filename="{file_name}"'
    if kind is not None:
        head += f"\r\nContent-Type: {kind}"
    return b"--" + BOUNDARY + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


def a_file(content: bytes = PDF) -> bytes:
    return part("file", content, "giấy khai sinh.pdf", "Application/PDF")


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


class Sending:
    """A client that sends these pieces, then ends, or leaves."""

    def __init__(self, chunks: Iterable[bytes], *, leaves: bool = False) -> None:
        self._chunks = iter(chunks)
        self._leaves = leaves
        self.sent = 0

    async def __call__(self) -> dict[str, Any]:
        chunk = next(self._chunks, None)
        if chunk is None:
            if self._leaves:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}
        self.sent += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}


async def receive(
    scratch: Path,
    sending: Sending,
    *,
    content_type: str = FORM,
    declared: int | None = None,
    max_bytes: int = 2**20,
    limit: int = 4096,
) -> tuple[Any, bytes]:
    """Receive behind the body limit that the application has, and read the file before it is discarded."""
    headers = [(b"content-type", content_type.encode())]
    if declared is not None:
        headers.append((b"content-length", str(declared).encode()))
    outcome: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with await receive_file(
            Request(scope, receive), scratch, max_bytes, ("title", "type")
        ) as received:
            outcome.extend([received, received.file.read_bytes()])

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    await BodyLimit(app, limit)(scope, sending, send)
    return outcome[0], outcome[1]


async def fault(scratch: Path, body: bytes, **options: Any) -> tuple[str, str]:
    with pytest.raises(FieldInvalid) as caught:
        await receive(scratch, Sending(pieces(body, 1000)), **options)
    assert list(scratch.iterdir()) == []
    return caught.value.field, caught.value.code


@pytest.mark.parametrize("size", [1, 7, 64 * 1024])
async def test_fields_and_file_arrive_however_the_body_is_cut(tmp_path: Path, size: int) -> None:
    body = form(part("title", "Giấy khai sinh".encode()), a_file(), part("type", b""))
    received, content = await receive(tmp_path, Sending(pieces(body, size)), declared=len(body))
    assert content == PDF
    assert received.fields == {"title": "Giấy khai sinh", "type": ""}
    assert received.file_name == "giấy khai sinh.pdf"
    assert received.declared_type == "application/pdf"
    assert list(tmp_path.iterdir()) == [], "what was received is gone once it was used"


async def test_the_file_is_ours_alone_while_it_lies_there(tmp_path: Path) -> None:
    request = Request(
        {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", FORM.encode())]},
        Sending([form(a_file())]),
    )
    received = await receive_file(request, tmp_path, 2**20, ())
    assert received.file.stat().st_mode & 0o777 == 0o600
    received.discard()
    received.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\Users\\an\\giay.pdf", "giay.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a" * 500, "a" * 200),
        ("gia\u0302\u0301y.pdf", "gi\u1ea5y.pdf"),
        ("", ""),
        ("..", ""),
        ("C:\\..", ""),
        ("bang\u202efdp.exe", "bangfdp.exe"),
        ("\u2067..\u2069/giay\u200f.pdf\x00", "giay.pdf"),
    ],
)
async def test_a_file_name_is_no_path(tmp_path: Path, sent: str, kept: str) -> None:
    body = form(part("file", PDF, sent.replace("\\", "\\\\")))
    received, _ = await receive(tmp_path, Sending([body]))
    assert received.file_name == kept
    assert received.declared_type == "application/octet-stream"


async def test_the_largest_file_is_taken_and_one_byte_more_is_not(tmp_path: Path) -> None:
    whole = await receive(tmp_path, Sending([form(a_file(b"x" * 5000))]), max_bytes=5000)
    assert len(whole[1]) == 5000
    assert await fault(tmp_path, form(a_file(b"x" * 5001)), max_bytes=5000) == ("file", "too_large")


async def test_too_large_is_refused_while_it_streams(tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        yield part("file", b"")[:-2]
        while True:
            yield b"x" * 10_000
            assert sum(one.stat().st_size for one in tmp_path.iterdir()) <= 50_000

    sending = Sending(endless())
    with pytest.raises(FieldInvalid) as caught:
        await receive(tmp_path, sending, max_bytes=50_000)
    assert (caught.value.field, caught.value.code) == ("file", "too_large")
    assert sending.sent < 500_000, "reading in vain has an end"
    assert list(tmp_path.iterdir()) == []


async def test_a_declared_length_far_too_large_is_refused_unread(tmp_path: Path) -> None:
    sending = Sending([form(a_file())])
    with pytest.raises(FieldInvalid) as caught:
        await receive(tmp_path, sending, declared=2**40)
    assert caught.value.code == "too_large"
    assert sending.sent == 0


async def test_a_client_that_leaves_leaves_nothing(tmp_path: Path) -> None:
    sending = Sending(pieces(form(a_file())[:-200], 500), leaves=True)
    with pytest.raises(ClientDisconnect):
        await receive(tmp_path, sending)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (form(part("title", b"x")), ("file", "field_missing")),
        (form(a_file(b"")), ("file", "empty")),
        (form(a_file(), a_file()), ("file", "field_repeated")),
        (form(a_file(), part("title", b"a"), part("title", b"b")), ("title", "field_repeated")),
        (form(a_file(), part("agency", b"H26")), ("agency", "field_unknown")),
        (form(a_file(), part("title", b"\xff\xfe")), ("title", "not_utf8")),
        (form(a_file(), part("title", b"x" * (FIELD_MAX + 1))), ("title", "too_long")),
        (form(*[part("title", b"x")] * 30), ("title", "field_repeated")),
        (form(a_file())[:-6], ("body", "multipart_malformed")),
        (b"no form at all", ("body", "multipart_malformed")),
        (b"", ("body", "multipart_malformed")),
        (form(b"--" + BOUNDARY + b"\r\nX: y\r\n\r\nz\r\n"), ("body", "multipart_malformed")),
    ],
)
async def test_a_fault_names_its_part(tmp_path: Path, body: bytes, expected: tuple[str, str]) -> None:
    assert await fault(tmp_path, body) == expected


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/pdf", "media_type_unsupported"),
        ("", "media_type_unsupported"),
        ("multipart/mixed; boundary=x", "media_type_unsupported"),
        ("multipart/form-data", "multipart_malformed"),
        (f"multipart/form-data; boundary={'x' * 71}", "multipart_malformed"),
    ],
)
async def test_another_kind_of_body_is_refused(tmp_path: Path, content_type: str, code: str) -> None:
    assert await fault(tmp_path, form(a_file()), content_type=content_type) == ("body", code)


async def test_a_scratch_folder_that_is_gone_is_said_to_be_busy(tmp_path: Path) -> None:
    with pytest.raises(VaultBusy):
        await receive(tmp_path / "gone", Sending([form(a_file())]))
