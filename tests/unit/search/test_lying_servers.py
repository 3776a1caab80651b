"""A search server that answers 200 with what is no answer is away: no other error leaves the adapter."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from search.errors import DocumentsRefused, IndexMissing, IndexNameTaken, IndexReadOnly, IndexUnavailable
from search.index import LAYOUT, Document, Index, Search
from search.opening import open_index
from search.query import read

pytestmark = pytest.mark.anyio

SEARCH = Search(frozenset(("owner:me",)), date(2026, 1, 1), read("nguyen van an"), facets=True, limit=2)
PAPER = Document(
    id="a",
    readers=("owner:me",),
    texts=("Giấy khai sinh",),
    names=(),
    type="GKS",
    issuer=None,
    state="in_force",
    trust="A",
    issued_on=None,
    valid_until=None,
    stored_on=date(2026, 1, 1),
)
ANSWERS: dict[str, Any] = {
    "_mapping": {"kho-0": {"mappings": {"_meta": {"layout": LAYOUT}}}},
    "_count": {"count": 3},
    "_search": {
        "hits": {"total": {"value": 3}, "hits": [{"_id": f"0/{n}", "sort": [1.0, 9 - n]} for n in range(3)]},
        "aggregations": {
            **{name: {"buckets": [{"key": "x", "doc_count": 2}]} for name in ("type", "issuer", "state")},
            **{name: {"buckets": []} for name in ("trust", "year")},
            "over": {"doc_count": 0},
        },
    },
    "_aliases": {"acknowledged": True},
    "_refresh": {},
    "kho-*": {},
}
HTML = b"<html><body>Please sign in</body></html>"


async def built(index: Index) -> None:
    async with index.building() as fresh:
        await fresh.put([PAPER])


OPERATIONS: dict[str, tuple[str, Callable[[Index], Any]]] = {
    "searching, its layout": ("_mapping", lambda index: index.search(SEARCH)),
    "searching": ("_search", lambda index: index.search(SEARCH)),
    "putting, what was there": ("_search", lambda index: index.put([PAPER])),
    "putting": ("_bulk", lambda index: index.put([PAPER])),
    "counting": ("_count", lambda index: index.ready()),
    "building, what was there": ("kho-*", built),
    "building": ("_bulk", built),
}


def written(body: bytes) -> dict[str, Any]:
    operations = [one for one in map(json.loads, body.splitlines()) if {*one} <= {"index", "delete"}]
    items = [{kind: {"_id": one[kind]["_id"], "status": 200}} for one in operations for kind in one]
    return {"errors": False, "items": items}


class Server:
    """Answers by the last part of the path; what is set in `lies` in place of the honest answer."""

    def __init__(self) -> None:
        self.lies: dict[str, tuple[int, str, bytes]] = {}
        self.asked: list[tuple[str, str, bytes]] = []

    def lie(self, about: str, body: Any, *, status: int = 200, kind: str = "application/json") -> None:
        said = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.lies[about] = (status, kind, said)

    def told(self, about: str) -> list[bytes]:
        return [body for _, last, body in self.asked if last == about]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        said = [
            one.partition(":")[2] for one in head.lower().split("\r\n") if one.startswith("content-length")
        ]
        length = int(said[0]) if said else 0
        body = await reader.readexactly(length)
        parts = path.partition("?")[0].strip("/").split("/")
        about = parts[-1].replace("%2A", "*")
        self.asked.append((method, about, body))
        honest = written(body) if about == "_bulk" else ANSWERS.get(about, {"acknowledged": True})
        status, kind, said = self.lies.get(about, (200, "application/json", json.dumps(honest).encode()))
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(said)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + said
        )
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    yield Server()


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[Index]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        index = open_index(f"http://kho:hush-hush@127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        yield index
        await index.close()


async def test_a_server_that_does_not_lie_is_believed(server: Server) -> None:
    async with opened(server) as index:
        page = await index.search(SEARCH)
        assert (page.ids, page.total, page.facets["type"]) == (("0", "1"), 3, {"x": 2})
        assert page.next is not None
        await index.put([PAPER])
        assert await index.ready() == 3
        await built(index)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("application/json", b"[]"),
        ("application/json", b"null"),
        ("application/json", b'"ok"'),
        ("application/json", b'{"hits": null, "count": null, "items": 3, "errors": true, "kho-0": []}'),
        ("application/json", b'{"hits": [], "count": "three", "items": [{}], "errors": true, "a": 1}'),
        ("application/json", b"[" * 100_000),
        ("application/json", b"not json"),
        ("application/json", b"\xff\xfe"),
        ("application/json", b""),
        ("text/html", HTML),
        ("image/png", b"\x89PNG"),
    ],
    ids=(
        "object",
        "list",
        "null",
        "string",
        "odd",
        "odder",
        "deep",
        "broken",
        "bytes",
        "empty",
        "html",
        "png",
    ),
)
async def test_a_lie_is_an_index_that_is_away(server: Server, operation: str, kind: str, body: bytes) -> None:
    about, ask = OPERATIONS[operation]
    if about == "kho-*" and body == b"{}":
        return  # there is nothing of ours: an honest answer
    server.lie(about, body, kind=kind)
    async with opened(server) as index:
        with pytest.raises(IndexUnavailable) as told:
            await ask(index)
        assert "hush" not in str(told.value)
        assert "nguyen" not in str(told.value)


def _with(path: str, value: Any) -> Any:
    """Give the honest answer of a search with one thing in it changed."""
    told = json.loads(json.dumps(ANSWERS["_search"]))
    *way, last = path.split(".")
    place = told
    for one in way:
        place = place[int(one)] if one.isdigit() else place[one]
    if isinstance(place, list):
        place[int(last)] = value
    elif value is ...:
        del place[last]
    else:
        place[last] = value
    return told


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hits.total", 3),
        ("hits.total.value", "3"),
        ("hits.total.value", -1),
        ("hits.total.value", True),
        ("hits.hits", {}),
        ("hits.hits.0", "0/a"),
        ("hits.hits.0._id", 7),
        ("hits.hits.0._id", ...),
        ("hits.hits.1.sort", ...),
        ("hits.hits.1.sort", []),
        ("hits.hits.1.sort", ["x", "y"]),
        ("hits.hits.1.sort", [float("inf"), 1]),
        ("hits.hits.1.sort", [float("nan"), 1]),
        ("hits.hits.1.sort", [900.0, 1]),
        ("hits.hits.1.sort", [1.0, 2**70]),
        ("hits.hits.1.sort", [1.0, -1]),
        ("aggregations", ...),
        ("aggregations.type", ...),
        ("aggregations.type.buckets", {"x": 2}),
        ("aggregations.type.buckets.0.key", 5),
        ("aggregations.type.buckets.0.doc_count", "2"),
        ("aggregations.over.doc_count", None),
    ],
    ids=str,
)
async def test_one_wrong_field_is_enough(server: Server, path: str, value: Any) -> None:
    server.lie("_search", _with(path, value))
    async with opened(server) as index:
        with pytest.raises(IndexUnavailable):
            await index.search(SEARCH)


# What a bulk answer says of each document -------------------------------------------------------------


def _items(*outcomes: tuple[str, int, str]) -> dict[str, Any]:
    items = []
    for place, status, kind in outcomes:
        error = {"error": {"type": kind, "reason": "of no matter"}} if kind else {}
        items.append({"index": {"_id": place, "status": status, **error}})
    return {"errors": True, "items": items}


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (403, "cluster_block_exception", IndexReadOnly),
        (429, "cluster_block_exception", IndexReadOnly),  # a flood stage, as newer servers tell it
        (429, "es_rejected_execution_exception", IndexUnavailable),
        (503, "unavailable_shards_exception", IndexUnavailable),
        (404, "index_not_found_exception", IndexMissing),
        (400, "index_closed_exception", IndexUnavailable),
        (500, "something_new", IndexUnavailable),
    ],
)
async def test_what_a_server_cannot_do_just_now_is_not_the_document_s_fault(
    server: Server, status: int, kind: str, error: type[Exception]
) -> None:
    server.lie("_search", {"hits": {"hits": []}})
    both = _items(("0/a", 400, "document_parsing_exception"), ("0/b", status, kind))
    server.lie("_bulk", both)
    async with opened(server) as index:
        with pytest.raises(IndexUnavailable) as told:
            await index.put([PAPER, replace(PAPER, id="b")])
    assert type(told.value) is error


async def test_a_document_that_is_refused_is_named_and_the_others_are_put(server: Server) -> None:
    server.lie("_search", {"hits": {"hits": []}})
    server.lie("_bulk", _items(("0/a", 400, "document_parsing_exception"), ("0/b", 201, "")))
    async with opened(server) as index:
        with pytest.raises(DocumentsRefused) as told:
            await index.put([PAPER, replace(PAPER, id="b")])
    assert told.value.ids == {"a"}


async def test_a_request_that_is_refused_because_the_index_is_read_only_is_no_wrong_password(
    server: Server,
) -> None:
    block = {"error": {"type": "cluster_block_exception", "root_cause": []}, "status": 403}
    server.lie("_bulk", block, status=403)
    async with opened(server) as index:
        with pytest.raises(IndexReadOnly):
            await index.put([PAPER])


# What is sent is bounded ------------------------------------------------------------------------------


async def test_no_request_is_larger_than_proxies_take(server: Server) -> None:
    papers = [replace(PAPER, id=f"p{n}", texts=("giấy " * 4_000,)) for n in range(40)]
    async with opened(server) as index:
        await index.put(papers)
        async with index.building() as fresh:
            await fresh.put(papers)
    sent = server.told("_bulk")
    assert max(map(len, sent)) <= 900_000
    assert len(sent) >= 4
    lines = [json.loads(line) for body in sent for line in body.splitlines()]
    named = [one["index"]["_id"] for one in lines if "index" in one]
    assert sorted(named) == sorted([f"0/p{n}" for n in range(40)] * 2)


async def test_a_document_that_is_too_large_alone_is_refused_and_the_others_are_put(server: Server) -> None:
    whole = replace(PAPER, id="big", texts=("giấy " * 100_000,))
    async with opened(server) as index:
        with pytest.raises(DocumentsRefused) as told:
            await index.put([PAPER, whole, replace(PAPER, id="b")])
    assert told.value.ids == {"big"}
    (sent,) = server.told("_bulk")
    assert b'"0/a"' in sent
    assert b'"0/b"' in sent
    assert b"0/big" not in sent


# The name --------------------------------------------------------------------------------------------


async def test_an_index_that_has_the_name_itself_is_told_before_anything_is_built(server: Server) -> None:
    server.lie("_mapping", {"kho": {"mappings": {}}})
    async with opened(server) as index:
        for asking in (index.ready(), index.search(SEARCH), index.put([PAPER]), built(index)):
            with pytest.raises(IndexNameTaken):
                await asking
    assert {about for _, about, _ in server.asked} == {"_mapping"}


async def test_nothing_found_is_not_found_with_a_typing_error_put_right(server: Server) -> None:
    nothing = _with("hits.hits", [])
    nothing["hits"]["total"]["value"] = 0
    server.lie("_search", nothing)
    async with opened(server) as index:
        page = await index.search(SEARCH)
    assert (page.ids, page.total, page.loose) == ((), 0, False)
