"""Two processes share one outbox on PostgreSQL: each thing once, and what one leaves the other takes."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from sqlalchemy import delete, select

from tests.conftest import House, Template
from tests.faults.test_several_processes import hear, process, tell
from vault import outbox
from vault.outbox import INDEX
from vault.rows_address import RowsAddress
from vault.tables import outbox as outbox_rows

pytestmark = pytest.mark.anyio
ROWS = ("postgresql",)
_ROUNDS = 20


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def worker(folder: Path, rows_address: RowsAddress, template: Template, journal: Path) -> Iterator[Any]:
    """Start workers by name; `stops` has one stop in the middle of its work."""
    started: list[Popen[str]] = []

    def start(name: str, *, lease: float, stops: bool = False) -> Popen[str]:
        said = {"folder": str(folder), "rows": rows_address.text, "keys": template.keys}
        said |= {"journal": str(journal), "name": name, "lease": lease, "stops": stops}
        started.append(process(said, "tests.faults.indexing_process"))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


async def add(house: House, *records: str) -> None:
    async with house.vault.db.write() as db:
        await outbox.add(db, INDEX, records, house.vault.clock.now())


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(120):
        while not await condition():
            await asyncio.sleep(0.05)


def told(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []


async def test_two_that_take_at_once_pass_over_each_others_subjects(house: House) -> None:
    at = house.vault.clock.now()
    async with house.vault.db.write() as db:
        await outbox.add(db, "other", ["a", "b", "c", "d"], at)
        await outbox.add(db, "other", ["a"], at)
    async with house.vault.db.beside() as one, house.vault.db.beside() as other:
        first = await outbox.take(one, "other", at, 2)
        second = await outbox.take(other, "other", at, 10)
        async with house.vault.db.write() as db:  # nobody who appends waits for them
            await outbox.add(db, "other", ["e"], at)
    assert [(due.subject, len(due.rows)) for due in first] == [("a", 2), ("b", 1)]
    assert [due.subject for due in second] == ["c", "d"]


async def test_each_is_done_and_no_record_by_two_at_the_same_time(
    open_house: Any, worker: Any, journal: Path
) -> None:
    async with open_house() as house:
        await house.change(delete(outbox_rows))
        both = [worker(name, lease=300) for name in ("one", "other")]
        assert [await asyncio.to_thread(hear, one) for one in both] == ["open", "open"]
        for one in both:
            tell(one, "go")
        for number in range(_ROUNDS):
            await add(house, *(house.daughters, house.mothers, house.childs)[number % 2 :])
            await asyncio.sleep(0.03)
        await until(lambda: nothing_waits(house))
        for one in both:
            tell(one, "end")
        assert [await asyncio.to_thread(one.wait, 60) for one in both] == [0, 0]
    lines = told(journal)
    assert {line["who"] for line in lines} == {"one", "other"}, "both had work"
    in_hand: dict[str, str] = {}
    for line in lines:
        for record in line["ids"]:
            if line["what"] == "begins":
                assert record not in in_hand, "two at it at the same time"
                in_hand[record] = line["who"]
            else:
                assert in_hand.pop(record) == line["who"]
    assert in_hand == {}
    assert {one for line in lines for one in line["ids"]} == {house.daughters, house.mothers, house.childs}


async def nothing_waits(house: House) -> bool:
    return not await house.rows(select(outbox_rows.c.n))


async def test_what_a_killed_one_had_in_hand_another_takes(
    open_house: Any, worker: Any, journal: Path
) -> None:
    async with open_house() as house:
        await house.change(delete(outbox_rows))
        await add(house, house.daughters, house.mothers)
        dies, lives = worker("dies", lease=5, stops=True), worker("lives", lease=5)
        assert [await asyncio.to_thread(hear, one) for one in (dies, lives)] == ["open", "open"]
        tell(dies, "go")
        await until(lambda: begun(journal))
        tell(lives, "go")
        await add(house, house.childs)
        await until(lambda: ended(journal, house.childs))
        assert not await ended(journal, house.daughters), "another has it in hand"
        dies.kill()
        await until(lambda: nothing_waits(house))
        assert await ended(journal, house.daughters)
        assert await ended(journal, house.mothers)


async def begun(journal: Path) -> bool:
    return bool(told(journal))


async def ended(journal: Path, record: str) -> bool:
    return any(line["what"] == "ends" and record in line["ids"] for line in told(journal))
