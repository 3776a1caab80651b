"""Golden queries, asked of all back ends: the same answers in the same order, and good ones."""

import pytest

from search.index import Index, Page, Search
from search.query import read
from tests.contracts import golden
from tests.contracts.golden_papers import READER, TODAY, papers
from tests.contracts.indexes import BACK_ENDS, address_of, opened

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
async def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Page]]:
    """What each back end answers to every golden query."""
    documents = [one.document() for one in papers()]
    found: dict[str, list[Page]] = {}
    for kind in BACK_ENDS:
        async with opened(address_of(kind, tmp_path_factory.mktemp("golden"))) as index:
            async with index.building() as fresh:
                for start in range(0, len(documents), 1000):
                    await fresh.put(documents[start : start + 1000])
            found[kind] = [await _asked(index, one.text) for one in golden.queries()]
    return found


async def _asked(index: Index, text: str) -> Page:
    asked = Search(frozenset((READER,)), TODAY, read(text), names=True, facets=True, limit=100)
    return await index.search(asked)


async def test_all_back_ends_give_the_same_answers_in_the_same_order(
    answers: dict[str, list[Page]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(golden.queries()) >= 120
    for kind in BACK_ENDS[1:]:
        other = [
            one.text
            for one, page, embedded in zip(golden.queries(), answers[kind], answers["tantivy"], strict=True)
            if page != embedded
        ]
        with capsys.disabled():
            same = len(golden.queries()) - len(other)
            print(f"\n{kind}: {same} of {len(golden.queries())} answers as tantivy's: hits, order, counts")
        assert other == []


async def test_the_answers_are_good(
    answers: dict[str, list[Page]], capsys: pytest.CaptureFixture[str]
) -> None:
    means = {}
    for back_end, pages in answers.items():
        scores = [(one.ndcg(page.ids), one) for one, page in zip(golden.queries(), pages, strict=True)]
        means[back_end] = sum(score for score, _ in scores) / len(scores)
        assert [one.text for score, one in scores if score == 0] == [], back_end
    with capsys.disabled():
        print(f"\nnDCG@10 over {len(scores)} golden queries and {len(papers())} papers:", end=" ")
        print(", ".join(f"{mean:.3f} {back_end}" for back_end, mean in means.items()))
        for kind in dict.fromkeys(one.kind for _, one in scores):
            mine = [score for score, one in scores if one.kind == kind]
            print(f"  {sum(mine) / len(mine):.3f}  {kind} ({len(mine)})")
    assert min(means.values()) >= 0.9
