"""What every search index promises; tantivy, Elasticsearch and OpenSearch are run through all of it."""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from search.conditions import Has, every
from search.errors import (
    CursorInvalid,
    DocumentsRefused,
    IndexBusy,
    IndexMissing,
    IndexNameTaken,
    IndexNewer,
    IndexReadOnly,
    IndexUnavailable,
    QueryInvalid,
)
from search.index import LAYOUT, Document, Index, Page, Search
from search.query import Asked, read
from search.ranking import Round
from tests.contracts.indexes import BACK_ENDS, address_of, asked_of, built, opened
from tests.servers import search_nodes

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(400)]

TODAY = date(2026, 7, 3)
ME, OTHER = "owner:me", "owner:other"


@pytest.fixture(params=BACK_ENDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return address_of(request.param, tmp_path)


@pytest.fixture
async def index(address: str) -> AsyncIterator[Index]:
    async with opened(address) as one:
        async with one.building():
            pass
        yield one


def paper(id: str, *texts: str, **changes: Any) -> Document:
    one = Document(
        id=id,
        readers=(ME,),
        texts=texts,
        names=(),
        type="GKS",
        issuer="H26",
        state="in_force",
        trust="A",
        issued_on=date(2024, 3, 12),
        valid_until=None,
        stored_on=date(2024, 3, 13),
    )
    return replace(one, **changes)


async def find(index: Index, text: str | None, **changes: Any) -> Page:
    return await index.search(replace(Search(frozenset((ME,)), TODAY, read(text)), **changes))


async def ids(index: Index, text: str | None, **changes: Any) -> list[str]:
    return list((await find(index, text, **changes)).ids)


# What is put is found, by those who may


async def test_what_was_put_is_found_and_what_was_taken_away_is_not(index: Index) -> None:
    await index.put([paper("a", "Giấy khai sinh"), paper("b", "Hộ chiếu")])
    assert await ids(index, "khai sinh") == ["a"]
    await index.put([paper("a", "Giấy chứng sinh")], ["b"])
    assert await ids(index, "khai sinh") == []
    assert await ids(index, "chung sinh") == ["a"]
    assert await ids(index, "ho chieu") == []
    assert await index.ready() == 1


async def test_doing_it_again_changes_nothing(index: Index) -> None:
    for _ in range(2):
        await index.put([paper("a", "Giấy khai sinh")], ["gone"])
    assert (await find(index, "khai sinh")).total == 1


async def test_only_who_may_see_finds(index: Index) -> None:
    both = paper("both", "Giấy khai sinh", readers=(ME, OTHER))
    await index.put(
        [paper("mine", "Giấy khai sinh"), paper("theirs", "Giấy khai sinh", readers=(OTHER,)), both]
    )
    assert sorted(await ids(index, "khai sinh")) == ["both", "mine"]
    assert sorted(await ids(index, None)) == ["both", "mine"]
    found = await find(index, "khai sinh", visible_to=frozenset((OTHER,)), facets=True)
    assert sorted(found.ids) == ["both", "theirs"]
    assert found.facets["type"] == {"GKS": 2}
    assert await ids(index, "khai sinh", visible_to=frozenset(("owner:nobody",))) == []


def test_nobody_searches_for_nobody() -> None:
    for nobody in ((), ("",)):
        with pytest.raises(ValueError, match="who may see"):
            Search(frozenset(nobody), TODAY)


async def test_names_are_found_only_where_they_may_be(index: Index) -> None:
    await index.put([paper("a", "Giấy khai sinh", names=("Nguyễn Văn Hòa", "001307012347-GKS-0001"))])
    for text in ("nguyen van hoa", "001307012347", "001307", "khai sinh hoà"):
        assert await ids(index, text, names=True) == ["a"]
        assert await ids(index, text) == []
    assert await ids(index, "khai sinh", names=True) == ["a"]


async def test_what_is_found_by_one_reader_s_names_is_not_by_another_s(index: Index) -> None:
    """A paper of two owners is put once for each, in one go; the latest putting is all there is of it."""
    first = paper("both", "Giấy khai sinh", names=("An",), readers=(ME, "issuer:H26"))
    second = replace(first, names=("Bình",), readers=(OTHER,))
    await index.put([paper("a", "Giấy"), first, second])
    them = frozenset((OTHER,))
    for text, mine, theirs in (("an", ["both"], []), ("binh", [], ["both"]), ("khai", ["both"], ["both"])):
        page = await find(index, text, names=True, facets=True)
        assert (list(page.ids), page.total, page.loose) == (mine, len(mine), False), text
        assert page.facets["type"] == ({"GKS": 1} if mine else {})
        assert await ids(index, text, names=True, visible_to=them) == theirs, text
    assert await ids(index, "khai", visible_to=frozenset((ME, OTHER))) == ["both"]
    await index.put([replace(first, names=("An", "Chi"))])
    assert await ids(index, "khai", visible_to=them) == []
    assert await ids(index, "chi", names=True) == ["both"]
    await index.put([first, second])
    await index.put([], ["both"])
    assert await ids(index, "khai", visible_to=frozenset((ME, OTHER))) == []
    async with index.building() as fresh:
        await fresh.put([first, second])
    assert await ids(index, "an", names=True) == ["both"]
    assert await ids(index, "binh", names=True, visible_to=them) == ["both"]


async def test_what_can_never_be_put_is_named_and_everything_else_is_put(index: Index) -> None:
    half = paper("half", "giấy", type="GKS\ud800")
    for _ in range(2):
        with pytest.raises(DocumentsRefused) as refused:
            await index.put([paper("a", "giấy"), half, replace(half, readers=(OTHER,)), paper("b", "giấy")])
        assert refused.value.ids == {"half"}
        assert sorted(await ids(index, "giay")) == ["a", "b"]
    async with index.building() as fresh:
        with pytest.raises(DocumentsRefused):
            await fresh.put([half, paper("c", "giấy")])
        await fresh.put([paper("d", "giấy")])
    assert sorted(await ids(index, "giay")) == ["c", "d"]


async def test_more_is_put_in_one_go_than_a_request_may_hold(index: Index) -> None:
    long = "dài " * 20_000
    await index.put([paper(f"p{n:02}", "giấy", long) for n in range(12)], ["gone"])
    assert (await find(index, "giay")).total == 12
    async with index.building() as fresh:
        await fresh.put([paper(f"q{n:02}", "giấy", long) for n in range(12)])
    assert (await find(index, "giay")).total == 12


# Words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("giay khai sinh", "giấy giày"),
        ("giấy khai sinh", "giấy giày"),
        ("giày khai sinh", "giày giấy"),
        ("sinh khai giấy", "giấy giày"),
        ("GIẤY KHAI SINH", "giấy giày"),
        ("giâ\u0301y khai sinh", "giấy giày"),
        ("hoà binh", "tone"),
        ("hòa", "tone"),
        ("dat dai", "đ"),
        ("đất", "đ"),
        ("khai si", "giấy giày"),
        ("khai", "giấy giày"),
        ('"khai sinh"', "giấy giày"),
        ('"sinh khai"', ""),
        ('"nghĩa đô giấy"', ""),
        ("123/2024/ABC", "number"),
        ("123-2024-abc", "number"),
        ("1232024abc", "number"),
        ("số 123/2024", "number"),
        ("23/2024", ""),
        ("13/12/2019", "day"),
        ("2019-12-13", "day"),
        ("ngày 13 tháng 12 năm 2019", "day"),
        ("thang 12 nam 2019", "day"),
        ("12/2019", "day"),
        ("2019", "day"),
        ("14/12/2019", ""),
        ("Lý", "y i"),
        ("li", "i y"),
        ("tuyen quang", "new old"),
        ("Hà Giang", "old new"),
        ("ubnd", "short long"),
        ("uy ban nhan dan", "short long"),
        ("phuogn nghia do", "ward"),
        ("phường AND NOT nghĩa OR title:đô*", ""),
    ],
)
async def test_words_are_found_as_people_write_them(shelf: Index, text: str, found: str) -> None:
    told = await ids(shelf, text)
    assert sorted(told) == sorted(found.split())
    if not text.isascii():  # typed with accents: its own spelling comes first
        assert told[:1] == found.split()[:1]


@pytest.fixture(scope="module", params=BACK_ENDS)
async def shelf(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Index]:
    """Papers that tests only look at."""
    day = date(2019, 12, 13)
    papers = [
        paper("giấy", "Giấy khai sinh", issued_on=None),
        paper("giày", "Giày khai sinh", issued_on=None),
        paper("tone", "Hoà Bình", issued_on=None),
        paper("đ", "Đất đai", issued_on=None),
        paper("number", "Số 123/2024/ABC", issued_on=None),
        paper("day", "Một tờ", issued_on=day),
        paper("y", "Lý", issued_on=None),
        paper("i", "Lí", issued_on=None),
        paper("old", "tỉnh Hà Giang", issued_on=date(2020, 1, 2)),
        paper("new", "tỉnh Tuyên Quang", issued_on=date(2025, 7, 1)),
        paper("short", "UBND", issued_on=None),
        paper("long", "Ủy ban nhân dân", issued_on=None),
        paper("ward", "Phường Nghĩa Đô", "giấy", issued_on=None),
    ]
    async with opened(address_of(request.param, tmp_path_factory.mktemp("shelf"))) as index:
        async with index.building() as fresh:
            await fresh.put(papers)
        yield index


async def test_a_phrase_does_not_reach_from_one_text_into_the_next(shelf: Index) -> None:
    assert await ids(shelf, '"nghĩa đô"') == ["ward"]
    assert await ids(shelf, '"đô giấy"') == []
    assert await ids(shelf, "đô giấy") == ["ward"]


async def test_a_typing_error_is_put_right_only_where_nothing_is_right(shelf: Index) -> None:
    assert (await find(shelf, "phuogn")).loose
    assert not (await find(shelf, "phuong")).loose
    assert await ids(shelf, "giya") == []  # four letters are too few to guess
    nothing = await find(shelf, "zzzzzzz")
    assert (nothing.ids, nothing.loose) == ((), False), "nothing was put right"


async def test_a_query_that_is_too_big_is_refused_and_the_index_is_not_taken_to_be_away(shelf: Index) -> None:
    big = Asked((Round(every(), tuple(Has(f"w{n}") for n in range(1100))),))
    try:
        assert (await shelf.search(Search(frozenset((ME,)), TODAY, big))).ids
    except QueryInvalid as refused:
        assert refused.reason == "query_too_many_words"


# Filters, facets, pages


async def test_filters_and_facets(index: Index) -> None:
    over = date(2026, 7, 2)
    await index.put(
        [
            paper("a", "x"),
            paper("b", "x", type="HC", issuer="H01", trust="D", valid_until=over),
            paper("c", "x", state="revoked", issued_on=date(2023, 1, 1), valid_until=TODAY),
            paper("d", "x", issuer=None, issued_on=None, valid_until=TODAY),
        ]
    )
    found = await find(index, "x", facets=True)
    assert found.facets == {
        "type": {"GKS": 3, "HC": 1},
        "issuer": {"H26": 2, "H01": 1},
        "state": {"in_force": 2, "expired": 1, "revoked": 1},
        "trust": {"A": 3, "D": 1},
        "year": {"2024": 2, "2023": 1},
    }
    for filters, wanted in (
        ({"type": {"HC"}}, "b"),
        ({"type": {"HC", "GKS"}, "trust": {"A"}}, "acd"),
        ({"state": {"expired"}}, "b"),
        ({"state": {"in_force"}}, "ad"),
        ({"state": {"in_force", "revoked"}}, "acd"),
        ({"year": {"2023"}}, "c"),
        ({"issuer": {"H01"}}, "b"),
        ({"type": {"none"}}, ""),
    ):
        chosen = {name: frozenset(values) for name, values in filters.items()}
        assert sorted(await ids(index, "x", filters=chosen)) == list(wanted), filters
    assert await ids(index, "x", issued_from=date(2024, 1, 1), issued_until=date(2024, 3, 11)) == []
    assert sorted(await ids(index, "x", issued_from=date(2024, 3, 12))) == ["a", "b"]
    assert await ids(index, "x", issued_until=date(2023, 12, 31)) == ["c"]


async def test_pages_give_everything_once_best_and_newest_first(index: Index) -> None:
    plain = [paper(f"p{n:02}", "giay", issued_on=date(2020, 1, 1 + n)) for n in range(15)]
    accented = [paper(f"q{n:02}", "giấy", issued_on=date(2019, 1, 1 + n)) for n in range(5)]
    await index.put(plain + accented)
    told, after = [], None
    while True:
        page = await find(index, "giấy", limit=4, after=after)
        assert page.total == 20
        told += page.ids
        if page.next is None:
            break
        after = page.next
    assert told == [one.id for one in (*reversed(accented), *reversed(plain))]


async def test_what_ranks_alike_stands_in_force_first_then_newest_by_issue_then_by_storing(
    index: Index,
) -> None:
    over = TODAY - timedelta(days=1)
    new, old = date(2025, 5, 5), date(2020, 1, 1)
    first = [
        paper("new, stored later", "giấy", issued_on=new, stored_on=date(2026, 2, 2)),
        paper("new, its last day", "giấy", issued_on=new, stored_on=date(2026, 2, 1), valid_until=TODAY),
        paper("no day of issue", "giấy", issued_on=None, stored_on=date(2024, 4, 4)),
        paper("old", "giấy", issued_on=old),
    ]
    then = [
        paper("new, revoked", "giấy", issued_on=new, state="revoked"),
        paper("new, expired yesterday", "giấy", issued_on=date(2025, 4, 4), valid_until=over),
        paper("old, replaced", "giấy", issued_on=old, state="replaced"),
    ]
    other = [  # spelled otherwise, so that they rank after everything of the first class
        paper("giày, in force", "giày", issued_on=date(2026, 1, 1)),
        paper("giày, suspended", "giày", issued_on=date(2026, 1, 2), state="suspended"),
    ]
    await index.put([*other, *reversed(then), *reversed(first)])
    wanted = [one.id for one in (*first, *then, *other)]
    for limit in (1, 2, 3, 4, 20):
        assert await _all_pages(index, "giấy", limit) == wanted, limit
    assert (await ids(index, "giấy", day=over))[:2] == wanted[:2], "the day of the search decides"
    assert "new, expired yesterday" in (await ids(index, "giấy", day=over))[:4]
    nothing_typed = await _all_pages(index, None, 2)
    assert nothing_typed[0] == "giày, in force"
    assert nothing_typed[5:] == [other[1].id, *(one.id for one in then)]


async def test_many_papers_of_one_day_are_each_given_once(index: Index) -> None:
    await index.put([paper(f"p{n:02}", "giấy") for n in range(30)])
    told = await _all_pages(index, "giấy", 4)
    assert sorted(told) == [f"p{n:02}" for n in range(30)]
    assert told == await ids(index, "giấy", limit=100)


async def _all_pages(index: Index, text: str | None, limit: int) -> list[str]:
    told, after = [], None
    while True:
        page = await find(index, text, limit=limit, after=after)
        told += page.ids
        if page.next is None:
            return told
        after = page.next


def _cursor(*parts: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "WzAsMF0", "Wy0xLDAsMF0", "WzAsOSwwXQ", "é", "WzAsMCwtMV0", "W" * 9000),
        _cursor(0, 0, 5),  # of a Kho whose order knew no state
        *(_cursor(0, 0, 2, 5), _cursor(0, 0, -1, 5), _cursor(0, 0, 0, 2**63), _cursor(0, 0, 0, -1)),
    ],
)
async def test_a_cursor_that_no_search_gave_is_refused(index: Index, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        await find(index, "x", after=cursor)


# The life of an index


async def test_where_there_is_no_index_it_is_said_so_and_none_is_made(address: str) -> None:
    async with opened(address) as index:
        for _ in range(2):
            with pytest.raises(IndexMissing):
                await find(index, "x")
            with pytest.raises(IndexMissing):
                await index.put([paper("a", "x")])
            with pytest.raises(IndexMissing):
                await index.ready()


async def test_a_new_index_is_built_beside_and_takes_the_place_at_once(address: str) -> None:
    async with opened(address) as index, opened(address) as reader:
        async with index.building() as fresh:
            await fresh.put([paper("old", "giấy cũ")])
        assert await ids(reader, "giay") == ["old"]
        async with index.building() as fresh:
            await fresh.put([paper("new", "giấy mới"), paper("new", "giấy mới")])
            assert await ids(reader, "giay") == ["old"]
            await index.put([paper("meanwhile", "giấy khác")])
            assert sorted(await ids(reader, "giay")) == ["meanwhile", "old"]
        assert await ids(index, "giay") == ["new"]
        assert await ids(reader, "giay") == ["new"]


async def test_a_building_that_fails_leaves_the_old_one_in_use(address: str) -> None:
    async with opened(address) as index:
        async with index.building() as fresh:
            await fresh.put([paper("old", "giấy")])
        with pytest.raises(KeyError):
            async with index.building() as fresh:
                await fresh.put([paper("new", "giấy")])
                raise KeyError
        assert len(built(address)) == 1, "what was built is swept away"
        assert await ids(index, "giay") == ["old"]
        async with index.building():
            pass
        assert await index.ready() == 0


async def test_another_process_finds_what_was_put(address: str) -> None:
    async with opened(address) as index:
        async with index.building():
            pass
        await index.put([paper("a", "giấy")])
    async with opened(address) as again:
        assert await ids(again, "giay") == ["a"]
        await again.put([paper("b", "giấy")])
        assert (await find(again, "giay")).total == 2


async def test_tasks_search_and_put_at_once(index: Index) -> None:
    async def put(number: int) -> None:
        await index.put([paper(f"p{number}", f"giấy {number}")])
        assert f"p{number}" in await ids(index, f"giay {number}", limit=100)

    await asyncio.gather(*(put(number) for number in range(12)))
    assert (await find(index, "giay")).total == 12


async def test_an_index_of_an_older_kho_is_missing_until_it_is_built_again(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for adapter in ("elastic", "embedded"):
        monkeypatch.setattr(f"search.{adapter}.LAYOUT", LAYOUT - 1)
    async with opened(address) as older, older.building() as fresh:
        await fresh.put([paper("a", "giấy")])
    monkeypatch.undo()
    async with opened(address) as index:
        for asking in (find(index, "x"), index.put([paper("b", "x")]), index.ready()):
            with pytest.raises(IndexMissing):
                await asking
        async with index.building() as fresh:
            await fresh.put([paper("a", "giấy")])
        assert await ids(index, "giay") == ["a"]


async def test_an_embedded_index_of_a_newer_kho_is_refused_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    async with opened(f"tantivy:{folder}") as index:
        async with index.building() as fresh:
            await fresh.put([paper("a", "giấy")])
        pointer = folder / "current.json"
        kept = json.loads(pointer.read_text())
        pointer.write_text(json.dumps(kept | {"layout": 99}))
        with pytest.raises(IndexNewer, match="99"):
            await find(index, "giay")
        with pytest.raises(IndexNewer):
            await index.put([paper("b", "giấy")])
        pointer.write_text(json.dumps(kept))
        assert await ids(index, "giay") == ["a"]
    for one in (folder / kept["folder"]).glob("*"):
        one.write_bytes(b"\x00" * 50)
    async with opened(f"tantivy:{folder}") as index:
        with pytest.raises(IndexUnavailable):
            await find(index, "giay")
        async with index.building() as fresh:
            await fresh.put([paper("a", "giấy")])
        assert await ids(index, "giay") == ["a"]


async def test_an_embedded_index_that_is_deleted_is_missing_until_it_is_built(tmp_path: Path) -> None:
    async with opened(f"tantivy:{tmp_path / 'index'}") as index:
        async with index.building() as fresh:
            await fresh.put([paper("a", "giấy")])
        await index.put([paper("b", "giấy")])
        shutil.rmtree(tmp_path / "index")
        with pytest.raises(IndexMissing):
            await find(index, "giay")
        with pytest.raises(IndexMissing):
            await index.put([paper("c", "giấy")])
        async with index.building() as fresh:
            await fresh.put([paper("a", "giấy")])
        assert await ids(index, "giay") == ["a"]


@pytest.mark.parametrize("kind", ["elasticsearch", "opensearch"])
async def test_a_server_index_of_a_newer_kho_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = search_nodes.address(kind)
    async with opened(address) as newer:
        monkeypatch.setattr("search.elastic.LAYOUT", 99)
        async with newer.building():
            pass
        monkeypatch.undo()
    async with opened(address) as index:
        for refused in (find(index, "x"), index.put([paper("a", "x")]), index.ready()):
            with pytest.raises(IndexNewer, match="99"):
                await refused


async def test_an_embedded_index_that_another_process_writes_is_busy(tmp_path: Path) -> None:
    address = f"tantivy:{tmp_path / 'index'}"
    async with opened(address) as index, opened(address) as other:
        async with index.building():
            pass
        await index.put([paper("a", "giấy")])
        with pytest.raises(IndexBusy):
            await other.put([paper("b", "giấy")])
        assert await ids(other, "giay") == ["a"]
    async with opened(address) as other:
        await other.put([paper("b", "giấy")])
        assert sorted(await ids(other, "giay")) == ["a", "b"]


@pytest.mark.parametrize("kind", ["elasticsearch", "opensearch"])
async def test_a_server_whose_disk_is_full_takes_nothing_for_now_and_refuses_no_document(kind: str) -> None:
    """What a flood stage does: the index is read-only, but for being deleted."""
    address = search_nodes.address(kind)
    server, _, _ = address.rpartition("/")
    async with opened(address) as index:
        async with index.building():
            pass
        await index.put([paper("a", "giấy")])
        (name,) = built(address)
        block = "index.blocks.read_only_allow_delete"
        asked_of(server, "PUT", f"{name}/_settings", {block: True})
        for _ in range(2):
            with pytest.raises(IndexReadOnly):
                await index.put([paper("b", "giấy")])
        assert await ids(index, "giay") == ["a"]
        assert await index.ready() == 1
        asked_of(server, "PUT", f"{name}/_settings", {block: None})
        await index.put([paper("b", "giấy")])
        assert sorted(await ids(index, "giay")) == ["a", "b"]
        asked_of(server, "POST", f"{name}/_close")
        with pytest.raises(IndexUnavailable):
            await index.put([paper("c", "giấy")])


@pytest.mark.parametrize("kind", ["elasticsearch", "opensearch"])
async def test_a_document_that_a_server_refuses_takes_no_other_down(kind: str) -> None:
    async with opened(search_nodes.address(kind)) as index:
        async with index.building():
            pass
        with pytest.raises(DocumentsRefused) as refused:  # longer than any word that is kept whole
            await index.put([paper("a", "giấy"), paper("b", "giấy", type="T" * 33_000), paper("c", "giấy")])
        assert refused.value.ids == {"b"}
        assert sorted(await ids(index, "giay")) == ["a", "c"]


@pytest.mark.parametrize("kind", ["elasticsearch", "opensearch"])
async def test_where_something_else_has_the_name_nothing_is_built_and_nothing_is_touched(kind: str) -> None:
    address = search_nodes.address(kind)
    server, _, name = address.rpartition("/")
    asked_of(server, "PUT", name, {})
    async with opened(address) as index:
        for asking in (index.ready(), find(index, "x"), index.put([paper("a", "x")])):
            with pytest.raises(IndexNameTaken, match=name):
                await asking
        with pytest.raises(IndexNameTaken):
            async with index.building():
                raise AssertionError
    assert built(address) == []
    other = search_nodes.address(kind)
    asked_of(server, "PUT", f"{name}-theirs", {"aliases": {other.rpartition("/")[2]: {}}})
    async with opened(other) as index:
        with pytest.raises(IndexNameTaken):
            async with index.building():
                raise AssertionError
    assert asked_of(server, "GET", f"{name}-theirs/_alias")[f"{name}-theirs"]["aliases"]


@pytest.mark.parametrize("kind", ["elasticsearch", "opensearch"])
async def test_building_leaves_every_other_index_of_the_server_alone(kind: str) -> None:
    """What begins with our name may be anybody's: a vault beside us, logs, a copy somebody keeps."""
    address = search_nodes.address(kind)
    server, _, name = address.rpartition("/")
    half_built = f"{name}-{'0' * 12}"
    kept = {f"{name}-access-logs", f"{name}-{'a' * 12}", f"{name}-{'b' * 12}"}
    ours = {"mappings": {"_meta": {"layout": 1}}}
    asked_of(server, "PUT", f"{name}-access-logs", {})
    asked_of(server, "PUT", f"{name}-{'a' * 12}", {})  # of our form, but none that a Kho made
    asked_of(server, "PUT", f"{name}-{'b' * 12}", ours | {"aliases": {"kept-by-hand": {}}})
    asked_of(server, "PUT", half_built, ours)
    async with opened(f"{address}-test") as neighbour, opened(address) as index:
        async with neighbour.building() as fresh:
            await fresh.put([paper("theirs", "giấy")])
        for _ in range(2):
            async with index.building():
                pass
        assert await ids(neighbour, "giay") == ["theirs"]
        left = set(built(address))
        assert kept <= left
        assert half_built not in left
        assert len([one for one in left - kept if not one.startswith(f"{name}-test-")]) == 1


# Codes, days and places, however they are written


NUMBERED = {
    "decision": "Quyết định số 12/2024/QĐ-UBND. Hà Nội",
    "survey": "Bản vẽ KS-2024/015 – phường Nghĩa Đô",
    "birth": "Giấy khai sinh - 12/2024/GKS",
    "spaced": "Giấy tờ số 889 - 2023 - KHAC",
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12/2024/QĐ-UBND", ["decision"]),
        ("12/2024/qd-ubnd ", ["decision"]),
        ("122024qdubnd ", ["decision"]),
        ("12/2024/QĐ-U", ["decision"]),
        ("12/2024/QĐ-UBND. Hà Nội", ["decision"]),
        ("Quyết định - 12/2024/QĐ-UBND", ["decision"]),
        ("số 12/2024", ["birth", "decision"]),
        ("KS-2024/015", ["survey"]),
        ("KS–2024/015", ["survey"]),
        ("ks2024015 ", ["survey"]),
        ("2024/01", ["survey"]),
        ("KS 2024/015", ["survey"]),
        ("bản vẽ - KS-2024/015 - phường Nghĩa Đô", ["survey"]),
        ("giấy khai sinh - 12/2024/GKS", ["birth"]),
        ("122024gks ", ["birth"]),
        ("889/2023/KHAC", ["spaced"]),
        ("889 - 2023 - KHAC ", ["spaced"]),
        ("8892023khac ", ["spaced"]),
    ],
)
async def test_a_code_beside_a_year_is_one_code_and_no_date(
    index: Index, text: str, found: list[str]
) -> None:
    await index.put([paper(name, one, issued_on=None) for name, one in NUMBERED.items()])
    assert sorted(await ids(index, text)) == found


APART = {
    "apart": "Giấy chứng nhận, số AA 261127061106",
    "dashed": "Giấy chứng nhận AA-261127061106",
    "one": "Giấy chứng nhận AA261127061106",
    "grouped": "Giấy chứng nhận AA 261127 061106 cấp lại",
    "other": "Giấy chứng nhận AB 261127061106",
    "đ": "Số phát hành CĐ 456789",
    "plate": "Xe biển số 29A 123.45",
    "plate, dashed": "Xe biển số 29A-123.45",
    "words": "Khai sinh 12 ban sao, quận 3",
    "numbers": "1234 5 A",
}
ALL = ["apart", "dashed", "grouped", "one"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("AA261127061106", ALL),
        ("aa261127061106 ", ALL),
        ("AA2611270", ALL),  # while it is typed
        ("AA 261127061106", ALL),
        ("AA 261127061106 ", ALL),
        ("AA-261127061106 ", ALL),
        ("AA 261127 061106 ", ALL),
        ("AA 2611270", ALL),
        ("giấy chứng nhận AA261127061106 ", ALL),
        ("AA261127061106 cấp lại ", ["grouped"]),
        ("AB261127061106", ["other"]),
        ("CĐ456789 ", ["đ"]),
        ("cd456789 ", ["đ"]),
        ("CĐ 456789 ", ["đ"]),
        ("29A12345 ", ["plate", "plate, dashed"]),
        ("29A-12345 ", ["plate", "plate, dashed"]),
        ("29 A 12345 ", ["plate", "plate, dashed"]),
        # and nothing else is found by it
        ("khaisinh", []),
        ("bansao ", []),
        ("AA ", ["apart", "dashed", "grouped"]),
        ("12345", ["plate"]),
        ("quan 3 ", ["words"]),
        ("khai sinh 12 ", ["words"]),
    ],
)
async def test_letters_and_digits_are_one_number_apart_or_together(
    index: Index, text: str, found: list[str]
) -> None:
    await index.put([paper(name, one, issued_on=None) for name, one in APART.items()])
    assert sorted(await ids(index, text)) == found


CALLED = {
    "land": "Giấy chứng nhận quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất",
    "house": "Giấy chứng nhận quyền sở hữu nhà ở",
    "by its name": "Bản quét sổ đỏ nhà ông Ba",
    "drawing": "Sơ đồ thửa đất",
    "licence": "Giấy phép lái xe hạng A1",
    "short": "GPLX hạng A1",
    "marriage": "Giấy chứng nhận kết hôn",
    "old card": "Chứng minh nhân dân",
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sổ đỏ", ["by its name", "drawing", "land"]),  # folded words must match, as ever
        ("SỔ ĐỎ ", ["by its name", "drawing", "land"]),
        ("so do ", ["by its name", "drawing", "land"]),
        ("sổ hồng ", ["by its name", "house", "land"]),
        ("sơ đồ ", ["by its name", "drawing"]),
        ('"sổ đỏ"', ["by its name", "drawing"]),
        ("giấy chứng nhận quyền sử dụng đất ", ["by its name", "land"]),
        ("bằng lái ", ["licence", "short"]),
        ("bằng lái xe A1 ", ["licence", "short"]),
        ("hôn thú ", ["marriage"]),
        ("cmt ", ["old card"]),
        ("chứng minh thư ", ["old card"]),
    ],
)
async def test_papers_are_found_by_what_people_call_them(index: Index, text: str, found: list[str]) -> None:
    await index.put([paper(name, one, issued_on=None) for name, one in CALLED.items()])
    assert sorted(await ids(index, text)) == found


async def test_the_paper_that_is_meant_comes_before_words_that_only_fold_alike(index: Index) -> None:
    apart = paper("apart", "Sở Y tế, phường Nghĩa Đô", issued_on=date(2026, 1, 1))
    await index.put([apart, *(paper(name, one) for name, one in CALLED.items())])
    assert (await ids(index, "so do "))[-1] == "apart"
    *best, last_but_one, last = await ids(index, "sổ đỏ ")
    assert (sorted(best), last_but_one, last) == (["by its name", "land"], "drawing", "apart")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3/5/99", ["old", "short"]),
        ("3/5/1999", ["old", "short"]),
        ("03-05-99 ", ["old", "short"]),
        ("ngày 3 tháng 5 năm 99", ["old", "short"]),
        ("3/5/24", ["new"]),
        ("15/6/2024 - 20/6/2024", []),
        ("3/5/2024 - Hà Nội", ["new"]),
        ("99", ["short"]),
    ],
)
async def test_a_year_of_two_digits_is_of_either_century(index: Index, text: str, found: list[str]) -> None:
    papers = [
        paper("old", "Giấy khai sinh", issued_on=date(1999, 5, 3)),
        paper("new", "Giấy khai sinh, Hà Nội", issued_on=date(2024, 5, 3)),
        paper("short", "Cấp ngày 3/5/99", issued_on=None),
    ]
    await index.put(papers)
    assert sorted(await ids(index, text)) == found


PLACED = {
    "hue_before": ("tỉnh Thừa Thiên - Huế", date(2024, 12, 31)),
    "hue_between": ("thành phố Huế", date(2025, 1, 1)),
    "hcm": ("TP. Hồ Chí Minh", date(2020, 1, 1)),
    "saigon": ("Sài Gòn", date(1999, 1, 1)),
    "brvt": ("tỉnh BR-VT", date(2020, 1, 1)),
    "daklak": ("tỉnh Đắc Lắc", date(2010, 1, 1)),
    "phuyen": ("tỉnh Phú Yên", date(2010, 1, 1)),
    "hatay": ("tỉnh Hà Tây", date(2007, 1, 1)),
    "hanoi_before": ("Hà Nội", date(2007, 1, 1)),
    "hanoi_since": ("Hà Nội", date(2009, 1, 1)),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Thừa Thiên Huế", ["hue_before", "hue_between"]),
        ("Thừa Thiên - Huế ", ["hue_before", "hue_between"]),
        ("thua thien hue", ["hue_before", "hue_between"]),
        ("TT-Huế", ["hue_before", "hue_between"]),
        ("Huế", ["hue_before", "hue_between"]),
        ("TP HCM", ["brvt", "hcm", "saigon"]),
        ("TP.HCM", ["brvt", "hcm", "saigon"]),
        ("tphcm ", ["brvt", "hcm", "saigon"]),
        ("hcm", ["brvt", "hcm", "saigon"]),
        ("Sài Gòn", ["brvt", "hcm", "saigon"]),
        ("thành phố Hồ Chí Minh", ["brvt", "hcm", "saigon"]),
        ("BR-VT", ["brvt"]),
        ("Bà Rịa - Vũng Tàu", ["brvt"]),
        ("ba ria vung tau ", ["brvt"]),
        ("Đăk Lăk", ["daklak", "phuyen"]),
        ("Đắc Lắc", ["daklak", "phuyen"]),
        ("Đắk Lắk", ["daklak", "phuyen"]),
        ("dak lak", ["daklak", "phuyen"]),
        ("tỉnh Đắk Lắk", ["daklak", "phuyen"]),
        ("Hà Tây", ["hanoi_since", "hatay"]),
        ("Phú Yên", ["phuyen"]),
    ],
)
async def test_places_are_found_by_their_other_names_and_spellings(
    index: Index, text: str, found: list[str]
) -> None:
    await index.put([paper(name, one, issued_on=day) for name, (one, day) in PLACED.items()])
    assert sorted(await ids(index, text)) == found


async def test_the_spelling_that_was_typed_comes_first(index: Index) -> None:
    await index.put([paper(name, one, issued_on=day) for name, (one, day) in PLACED.items()])
    assert (await ids(index, "Đắc Lắc "))[0] == "daklak"
    assert (await ids(index, "Sài Gòn "))[0] == "saigon"
    assert (await ids(index, "thành phố Huế "))[0] == "hue_between"
