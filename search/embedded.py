"""The embedded index: tantivy, in a folder of its own, written by one process (DESIGN 9).

`current.json` in the folder names the index in use; renaming it is the switch. tantivy is synchronous, so it
runs in threads: one that writes, a few that read.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from itertools import product
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import tantivy

from search.embedded_queries import FIELDS, document, filtered, finding, standing
from search.errors import DocumentsRefused, IndexBusy, IndexMissing, IndexNewer, IndexUnavailable
from search.index import FACETS, IN_FORCE, LAYOUT, Cursor, Document, Page, Search, day_number, with_expired
from search.ranking import Round

T = TypeVar("T")

_HEAP = 32_000_000  # bytes that a writer gathers before it writes a segment
_READERS = 2
_MOST_VALUES = 1000  # of one facet
_Query = tantivy.Query


class EmbeddedIndex:
    """A tantivy index (contract: search/index.py)."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`; nothing is read or made before it is asked for."""
        self._folder = folder
        self._pointer = folder / "current.json"
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="search")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="index")
        self._open: tuple[str, int, tantivy.Index] | None = None
        self._writer: tantivy.IndexWriter | None = None
        self._writes_to = ""  # the folder that the writer is of

    async def search(self, search: Search) -> Page:
        """As the contract says."""
        cursor = Cursor.read(search.after, search.asked)
        return await self._in(self._reading, lambda: self._found(search, cursor))

    async def put(self, documents: Sequence[Document], gone: Sequence[str] = ()) -> None:
        """As the contract says."""
        await self._in(self._writing, lambda: self._put(documents, gone))

    @asynccontextmanager
    async def building(self) -> AsyncIterator["_Fresh"]:
        """As the contract says."""
        fresh = await self._in(self._writing, self._begin)
        try:
            yield fresh
            await self._in(self._writing, lambda: self._switch(fresh))
        finally:
            await self._in(self._writing, lambda: self._end(fresh))

    async def ready(self) -> int:
        """As the contract says."""
        return await self._in(self._reading, lambda: int(self._index().searcher().num_docs))

    async def close(self) -> None:
        """As the contract says."""
        await self._in(self._writing, self._forget)
        for pool in (self._reading, self._writing):
            await asyncio.to_thread(pool.shutdown)

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except (OSError, ValueError, RuntimeError) as problem:
            # tantivy raises ValueError for a full disk and for a damaged file alike.
            await asyncio.get_running_loop().run_in_executor(self._writing, self._forget)
            raise IndexUnavailable(f"{self._folder}: {type(problem).__name__}") from problem

    def _current(self) -> str:
        try:
            said = json.loads(self._pointer.read_text(encoding="utf-8"))
            layout, name = int(said["layout"]), str(said["folder"])
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise IndexMissing(str(self._folder)) from problem
        if layout > LAYOUT:
            raise IndexNewer(f"{self._folder}: layout {layout}, this Kho knows {LAYOUT}")
        if layout < LAYOUT or not (self._folder / name / "meta.json").is_file():
            raise IndexMissing(str(self._folder))
        return name

    def _index(self) -> tantivy.Index:
        name = self._current()
        written = (self._folder / name / "meta.json").stat().st_mtime_ns
        kept = self._open
        if kept is None or kept[0] != name:
            try:
                kept = (name, written, opened(self._folder / name))
            except (OSError, ValueError) as problem:  # damaged: as good as none, it is built again
                raise IndexMissing(f"{self._folder}: {type(problem).__name__}") from problem
        elif kept[1] != written:
            kept[2].reload()
            kept = (name, written, kept[2])
        self._open = kept
        return kept[2]

    def _put(self, documents: Sequence[Document], gone: Sequence[str]) -> None:
        if self._writer is not None and self._writes_to != self._current():
            self._forget()  # another process has put a new index in its place
        index = self._index()
        kept, refused = _made(documents)
        if self._writer is None:
            self._writer, self._writes_to = self._only_writer(index), self._current()
        for one in {*(id for id, _ in kept), *gone}:
            self._writer.delete_documents_by_term("id", one)
        for _, each in kept:
            self._writer.add_document(each)
        self._writer.commit()
        index.reload()
        if refused:
            raise DocumentsRefused(refused, str(self._folder))

    def _only_writer(self, index: tantivy.Index) -> tantivy.IndexWriter:
        try:
            return index.writer(_HEAP, 1)
        except ValueError as problem:
            if "LockBusy" in str(problem):  # it has no type of its own
                raise IndexBusy(str(self._folder)) from problem
            raise

    def _begin(self) -> "_Fresh":
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(IndexMissing):
            self._sweep(self._current())
        path = self._folder / f"index-{token_hex(8)}"
        path.mkdir(mode=0o700)
        return _Fresh(path, self._writing, self._in)

    def _switch(self, fresh: "_Fresh") -> None:
        fresh.commit()
        self._forget()
        text = json.dumps({"layout": LAYOUT, "folder": fresh.path.name})
        draft = self._folder / ".current.json"
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._pointer)  # dying before it leaves the old one in use
        self._sweep(fresh.path.name)

    def _end(self, fresh: "_Fresh") -> None:
        fresh.end()
        with suppress(IndexMissing, IndexNewer):
            if self._current() == fresh.path.name:
                return
        shutil.rmtree(fresh.path, ignore_errors=True)

    def _sweep(self, kept: str) -> None:
        for one in self._folder.glob("index-*"):
            if one.name != kept:
                shutil.rmtree(one, ignore_errors=True)  # a reader of the old one has its files open

    def _forget(self) -> None:
        with suppress(OSError, ValueError, RuntimeError):  # what it had not committed is put again
            self._end_writer()
        self._writer = None
        self._open = None

    def _end_writer(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.rollback()
            writer.wait_merging_threads()

    def _found(self, search: Search, cursor: Cursor | None) -> Page:
        index = self._index()
        searcher, within = index.searcher(), filtered(search)
        first = cursor.round if cursor else 0
        for number, one in enumerate(search.asked.rounds):
            query = _Query.boolean_query([within, finding(one.must, search)])
            total = _count(searcher, query)
            if number >= first and (total or number == len(search.asked.rounds) - 1):
                return _page(searcher, search, number, query, total, cursor)
        return Page((), 0, {}, None)


class _Fresh:
    """An index in the making."""

    def __init__(self, path: Path, pool: ThreadPoolExecutor, run: Callable[..., Any]) -> None:
        self.path = path
        self._pool, self._run = pool, run
        self._writer: tantivy.IndexWriter | None = opened(path).writer(_HEAP, 1)

    async def put(self, documents: Sequence[Document]) -> None:
        await self._run(self._pool, lambda: self._add(documents))

    def _add(self, documents: Sequence[Document]) -> None:
        if self._writer is None:
            raise IndexUnavailable("this building has ended")
        kept, refused = _made(documents)
        for one in {id for id, _ in kept}:
            self._writer.delete_documents_by_term("id", one)
        for _, each in kept:
            self._writer.add_document(each)
        if refused:
            raise DocumentsRefused(refused, str(self.path))

    def commit(self) -> None:
        if self._writer is not None:
            self._writer.commit()

    def end(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.wait_merging_threads()


def _made(documents: Sequence[Document]) -> tuple[list[tuple[str, tantivy.Document]], set[str]]:
    """Give documents as tantivy keeps them, and the ids of those that it cannot keep."""
    made, refused = [], set[str]()
    for one in documents:
        try:
            made.append((one.id, document(one)))
        except (UnicodeEncodeError, OverflowError):  # half a letter, or a number that is none of its own
            refused.add(one.id)
    return [(id, each) for id, each in made if id not in refused], refused


def opened(path: Path) -> tantivy.Index:
    """Open the tantivy index at `path`, made if there is none."""
    index = tantivy.Index(FIELDS, path=str(path))
    spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer("spaces", spaces)
    return index


def _count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    return int(searcher.search(query, 1, count=True).count)  # type: ignore[attr-defined]  # not in its stub


def _page(
    searcher: tantivy.Searcher,
    search: Search,
    number: int,
    query: tantivy.Query,
    total: int,
    cursor: Cursor | None,
) -> Page:
    hits: list[tuple[int, int, int, Any]] = []  # class, whether it has ended, order, address
    asked = search.asked.rounds[number]
    begun = (cursor.rank, cursor.ended) if cursor else (0, 0)
    for rank, ended in product(range(len(asked.classes) + 1), (0, 1)):
        wanted = search.limit + 1 - len(hits)
        if wanted <= 0 or len(hits) == total:
            break
        if (rank, ended) < begun:
            continue
        below = cursor.order if cursor and (rank, ended) == begun else None
        ranked = _ranked(query, asked, (rank, ended), below, search)
        found = searcher.search(ranked, wanted, count=False, order_by_field="order").hits
        hits.extend((rank, ended, int(order), address) for order, address in found)
    shown, more = hits[: search.limit], len(hits) > search.limit
    return Page(
        ids=tuple(dict.fromkeys(searcher.doc(address)["id"][0] for *_, address in shown)),
        total=total,
        facets=_facets(searcher, query, search) if search.facets else {},
        next=str(Cursor(number, *shown[-1][:3])) if more else None,
        loose=number > 0 and total > 0,
    )


def _ranked(
    query: tantivy.Query, one: Round, place: tuple[int, int], below: int | None, search: Search
) -> tantivy.Query:
    """Narrow a query to one class of its round, in force or not, and to what comes after an order in it."""
    must, never = tantivy.Occur.Must, tantivy.Occur.MustNot
    rank, ended = place
    parts = [(must, query), standing(search, ended)]
    parts += [(never, finding(better, search)[1]) for better in one.classes[:rank]]
    if rank < len(one.classes):
        parts.append(finding(one.classes[rank], search))
    if below is not None:
        unsigned = tantivy.FieldType.Unsigned
        parts.append((must, _Query.range_query(FIELDS, "order", unsigned, 0, below, True, False)))
    return _Query.boolean_query(parts)


def _facets(searcher: tantivy.Searcher, query: tantivy.Query, search: Search) -> dict[str, dict[str, int]]:
    asked = {one: {"terms": {"field": one, "size": _MOST_VALUES}} for one in FACETS}
    counted = searcher.aggregate(query, asked)
    facets = {
        one: {bucket["key"]: int(bucket["doc_count"]) for bucket in counted[one]["buckets"]} for one in FACETS
    }
    over = _Query.boolean_query(
        [
            (tantivy.Occur.Must, query),
            (tantivy.Occur.Must, _Query.term_query(FIELDS, "state", IN_FORCE, "basic")),
            (
                tantivy.Occur.Must,
                _Query.range_query(
                    FIELDS,
                    "valid_until",
                    tantivy.FieldType.Unsigned,
                    0,
                    day_number(search.day, 0),
                    True,
                    False,
                ),
            ),
        ]
    )
    facets["state"] = with_expired(facets["state"], _count(searcher, over))
    return facets
