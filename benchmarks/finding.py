"""A person's search among a growing number of everybody's documents, on the three back ends."""

import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

from benchmarks.setups import search_node
from benchmarks.table import Row
from policies.book import shipped_book
from policies.entries import RecordType
from search.index import Document, Index, Search
from search.opening import open_index
from search.query import read
from tests.servers.search_nodes import Elasticsearch, Node, OpenSearch
from tests.servers.sharing import Unobtainable

_EACH = 10  # documents of a person
_BATCH = 500
_TODAY = date(2026, 7, 3)
_ASKED = ("khai sinh", "giấy", "uy ban nghia do", "12/2019", '"giấy khai sinh"', "gks 2015", "nghia d")
_FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng", "Đỗ", "Vũ")
_GIVEN = ("An", "Bình", "Dũng", "Hòa", "Hương", "Lan", "Nghĩa", "Thủy", "Tuấn", "Yến")
_WARDS = ("Nghĩa Đô", "Yên Hòa", "Kim Liên", "Bạch Mai", "Hòa Cường", "Trần Phú")


async def measure(folder: Path, sizes: Sequence[int], count: int) -> Iterable[Row]:
    """Index documents up to each size, and let `count` persons search; ratios are to the embedded index."""
    rows: list[Row] = []
    async with AsyncExitStack() as running:
        indexes: dict[str, Index] = {}
        for name, opened in _back_ends(folder).items():
            try:
                indexes[name] = await running.enter_async_context(opened())
            except Unobtainable as missing:
                rows.append(Row(name, "not measured", "", str(missing)))
        there = 0
        for size in sizes:
            for name, index in indexes.items():
                started = time.perf_counter()
                await _filled(index, range(there, size), new=there == 0)
                rate = (size - there) / (time.perf_counter() - started)
                rows.append(
                    Row(f"{size:,} documents indexed, {name}", f"{rate:,.0f}/s", "", f"{_BATCH} at once")
                )
            rows += await _searched(indexes, size, count)
            there = size
    return rows


def _back_ends(folder: Path) -> dict[str, Callable[[], AbstractAsyncContextManager[Index]]]:
    @asynccontextmanager
    async def embedded() -> AsyncIterator[Index]:
        index = open_index(f"tantivy:{folder / 'index'}")
        yield index
        await index.close()

    @asynccontextmanager
    async def served(kind: type[Node]) -> AsyncIterator[Index]:
        with search_node(kind) as node:
            index = open_index(f"{node.url}/kho")
            yield index
            await index.close()

    return {
        "tantivy": embedded,
        "Elasticsearch": lambda: served(Elasticsearch),
        "OpenSearch": lambda: served(OpenSearch),
    }


async def _filled(index: Index, numbers: range, *, new: bool) -> None:
    batches = (
        _documents(range(start, min(start + _BATCH, numbers.stop)))
        for start in range(numbers.start, numbers.stop, _BATCH)
    )
    if not new:
        for batch in batches:
            await index.put(batch)
        return
    async with index.building() as building:
        for batch in batches:
            await building.put(batch)


def _documents(numbers: range) -> list[Document]:
    types = shipped_book().record_types
    return [_document(number, types[number % len(types)]) for number in numbers]


def _document(number: int, type: RecordType) -> Document:
    chance = random.Random(number)
    person = random.Random(-1 - number // _EACH)
    name = f"{person.choice(_FAMILIES)} Thị {person.choice(_GIVEN)}"
    day = date(2005, 1, 1) + timedelta(days=chance.randrange(7_800))
    ward = chance.choice(_WARDS)
    return Document(
        id=f"r{number:08d}",
        readers=(_reader(number // _EACH),),
        texts=(
            type.code,
            type.name.vi,
            f"Ủy ban nhân dân phường {ward}",
            f"{number % 3000}/{day.year}/{type.code}",
        ),
        names=(name, f"{number // _EACH:012d}-{type.code}-0001"),
        type=type.code,
        issuer=f"H{number % 34}",
        state="in_force",
        trust="ABCDE"[number % 5],
        issued_on=day,
        valid_until=None,
        stored_on=day,
    )


def _reader(person: int) -> str:
    return f"owner:{person:08d}"


async def _searched(indexes: dict[str, Index], size: int, count: int) -> list[Row]:
    chance = random.Random(size)
    people = [chance.randrange(size // _EACH) for _ in range(count)]
    took: dict[str, list[float]] = {name: [] for name in indexes}
    found = dict.fromkeys(indexes, 0)
    for turn, person in enumerate(people):  # the back ends in turns, so that all see the same machine
        asked = read(_ASKED[turn % len(_ASKED)])
        search = Search(frozenset([_reader(person)]), _TODAY, asked, names=True, facets=True)
        for name, index in indexes.items():
            started = time.perf_counter()
            page = await index.search(search)
            took[name].append(time.perf_counter() - started)
            found[name] += len(page.ids)
    if len(set(found.values())) != 1:
        raise RuntimeError(f"the back ends found differently: {found}")
    least = statistics.median(next(iter(took.values())))
    rows = []
    for name, times in took.items():
        times.sort()
        median = statistics.median(times)
        p95 = times[int(len(times) * 0.95)]
        rows.append(
            Row(
                f"one's own among {size:,}, {name}",
                f"{median * 1000:.1f} ms",
                f"{median / least:.2f}",
                f"p95 {p95 * 1000:.1f} ms, with facets, one at a time; {found[name]:,} found",
            )
        )
    return rows
