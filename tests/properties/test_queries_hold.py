"""Whatever is typed is read as a query or refused for a reason; whatever is stored is read as words."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.errors import QueryInvalid
from search.highlighting import marked
from search.index import Document, Index, Page, Search
from search.opening import open_index
from search.query import LONGEST, read
from search.ranking import leaves
from search.terms import analysed

_PIECES = st.sampled_from(
    [
        *("12/2024/QĐ-UBND", "KS-2024/015", "3/5/99", "29/2/00", "2024-02-30", "ngày", "tháng", "năm", "số"),
        *("TP", "HCM", "TP.HCM", "Thừa Thiên - Huế", "br-vt", "Đắc Lắc", "tỉnh", "thành phố", "Sài Gòn"),
        *("GKS", "ubnd", "của", "và", "Nhung", "Lý", "nguyễn", "truong", "001 180 034 562", "0", "99999999"),
        *("/", "-", "–", ".", "_", '"', "“", "”", " ", "  ", "\t", "\u200b", "\u0301", "\u0323", "đ", "Đ"),
        *(
            "ﬁ",
            "½",
            "①",
            "Ⅳ",
            "İ",
            "ß",
            "ſ",
            "\ufffd",
            "١٢",
            "１２",
            "#d20240312",
            "\U0001f4dc",
            "\ud800",
            "\x00",
        ),
    ]
)
_TYPED = st.one_of(
    st.lists(_PIECES, max_size=24).map("".join),
    st.lists(_PIECES, max_size=24).map(" ".join),
    st.text(max_size=LONGEST),
    st.text(alphabet="0123456789/-. abđ", max_size=60),
)


@settings(max_examples=600, deadline=None)
@given(_TYPED, st.booleans(), _TYPED)
def test_whatever_is_typed_is_read_or_refused(text: str, typing: bool, stored: str) -> None:
    try:
        asked = read(text, typing=typing)
    except QueryInvalid as refused:
        assert refused.reason.startswith("query_")
        return
    for one in asked.rounds:
        assert sum(map(leaves, (one.must, *one.classes))) < 500
    for shown in (text, stored):
        pieces = marked(shown, asked, loose=True)
        assert all(piece for piece, _ in pieces)


@settings(max_examples=400, deadline=None)
@given(st.lists(_TYPED, max_size=4), st.one_of(st.none(), st.dates(min_value=date(1, 1, 1))))
def test_whatever_is_stored_is_read_as_words(texts: list[str], day: date | None) -> None:
    terms = analysed(texts, day)
    assert all(part and part == " ".join(part.split()) for part in (*terms.folded, *terms.exact))


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, min_size=1, max_size=6).map(" ".join))
def test_what_was_stored_is_marked_by_the_words_it_was_stored_in(text: str) -> None:
    try:
        asked = read(text)
    except QueryInvalid:
        return
    if asked.words:
        assert any(found for _, found in marked(text, asked))


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, bool], Page]]:
    """Ask a real index that holds a little of everything."""
    with asyncio.Runner() as runner:
        index = open_index(f"tantivy:{tmp_path_factory.mktemp('odd') / 'index'}")
        runner.run(_filled(index))

        def ask(text: str, typing: bool) -> Page:
            wanted = Search(frozenset(("me",)), date(2026, 7, 3), read(text, typing=typing), names=True)
            return runner.run(index.search(wanted))

        yield ask
        runner.run(index.close())


async def _filled(index: Index) -> None:
    texts = (
        "Giấy khai sinh số 12/2024/QĐ-UBND, Thừa Thiên - Huế",
        "ngày 3/5/99",
        "\ud800 ﬁ ½ ١٢ KS–2024/015",
    )
    one = Document(
        "a", ("me",), texts, ("Nguyễn Văn An",), "GKS", None, "in_force", "A", None, None, date(2024, 1, 1)
    )
    async with index.building() as fresh:
        await fresh.put([one])


@settings(max_examples=300, deadline=None)
@given(_TYPED, st.booleans())
def test_whatever_is_read_can_be_asked_of_an_index(
    asking: Callable[[str, bool], Page], text: str, typing: bool
) -> None:
    try:
        page = asking(text, typing)
    except QueryInvalid:
        return
    assert page.total in (0, 1)
