"""What a search server that is away, refuses us, or is no search server is told as: never with a password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest

from search.errors import IndexAddressInvalid, IndexRefused, IndexUnavailable
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
