"""What a search server that is away, refuses us, or is no search server is told as: never with a password."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from search.access import IndexAccess
from search.errors import IndexAddressInvalid, IndexCredentialsUnusable, IndexRefused, IndexUnavailable
from search.index import Search
from search.opening import open_index
from search.query import read

pytestmark = pytest.mark.anyio

_SEARCH = Search(frozenset(("owner:me",)), date(2026, 1, 1), read("nguyen van an"))


@asynccontextmanager
async def answering(status: str, body: bytes = b"{}") -> AsyncIterator[int]:
    """Listen as a server that answers everything the same way; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_wrong_credentials_are_told_without_them(status: str) -> None:
    async with answering(status) as port:
        index = open_index(f"http://kho:hush-hush@127.0.0.1:{port}/papers")
        for asking in (index.search(_SEARCH), index.ready(), index.put([], ["a"])):
            with pytest.raises(IndexRefused) as refused:
                await asking
            assert "hush" not in str(refused.value)
            assert "nguyen" not in str(refused.value)
            assert f"127.0.0.1:{port}" in str(refused.value)
        await index.close()


@asynccontextmanager
async def hearing() -> AsyncIterator[tuple[int, list[str]]]:
    """Listen as a server that refuses everybody, and remembers who they said they are."""
    heard: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heard.extend(line for line in head.splitlines() if line.lower().startswith("authorization: "))
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kho\nmat khau\n", "Basic " + base64.b64encode(b"kho:mat khau").decode()),
        ("a2V5LWlkOmh1c2g=\n", "ApiKey a2V5LWlkOmh1c2g="),
    ],
    ids=["password", "key"],
)
async def test_credentials_of_a_file_go_before_those_of_the_address(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "credentials"
    path.touch(mode=0o600)
    path.write_text(text)
    async with hearing() as (port, heard):
        index = open_index(f"http://other:secret@127.0.0.1:{port}", IndexAccess(path))
        with pytest.raises(IndexRefused) as refused:
            await index.ready()
        await index.close()
    assert {one.partition(": ")[2] for one in heard} == {said}
    assert not any(one in str(refused.value) for one in ("mat", "a2V5", "secret"))


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("kho\nhush", 0o640, "chmod 600"),
        ("", 0o600, "two lines"),
        ("kho\nhush\nhush", 0o600, "two lines"),
        ("kho hush", 0o600, "two lines"),
        ("k:o\nhush", 0o600, "two lines"),
        ("hush\x00hush", 0o600, "two lines"),
        ("kho\nmật khẩu hush", 0o600, "not ASCII"),
        (None, 0o600, "No such file"),
    ],
    ids=["open", "empty", "three", "spaced", "colon", "control", "accents", "none"],
)
async def test_a_file_of_credentials_that_is_none_is_told_at_the_start_and_not_repeated(
    tmp_path: Path, text: str | None, mode: int, why: str
) -> None:
    path = tmp_path / "credentials"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(IndexCredentialsUnusable, match=why) as refused:
        open_index("http://127.0.0.1:9", IndexAccess(path))
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("body", [b"{}", b"not json", b"[]"])
async def test_what_is_no_search_server_is_unavailable(body: bytes) -> None:
    async with answering("500 Internal Server Error", body) as port:
        index = open_index(f"http://127.0.0.1:{port}")
        with pytest.raises(IndexUnavailable):
            await index.search(_SEARCH)
        await index.close()


async def test_a_server_that_is_away_is_unavailable() -> None:
    async with answering("200 OK") as port:
        pass
    index = open_index(f"http://kho:hush-hush@127.0.0.1:{port}")
    with pytest.raises(IndexUnavailable) as told:
        await index.search(_SEARCH)
    assert "hush" not in str(told.value)
    await index.close()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "tantivy:",
        "ftp://host",
        "http:host",
        "http://",
        "http://u:hush@host:notaport",
        "http://u:hush@host/A B",
        "http://u:hush@host/a,b",
        "http://u:hush@host/*",
        "https://u:hush@host/a?x=1",
    ],
)
async def test_an_address_where_no_index_can_be_is_refused_at_once(address: str) -> None:
    with pytest.raises(IndexAddressInvalid) as refused:
        open_index(address)
    assert "hush" not in str(refused.value)
