"""What a release was decided on is remembered for as long as its epochs stand, for one caller and one day."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from reuse_api.demo import people
from vault import epochs
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.facts_kept import MOST, FactsKept

pytestmark = pytest.mark.anyio


@pytest.fixture
async def fetched(house: Any, police: SystemCaller) -> tuple[str, str]:
    """A dossier and a release that was fetched once."""
    code = await house.opens(police, people.POLICE, house.residence())
    release = await house.releases(police, code)
    await house.reads(police, release)
    return code, release


async def known(house: Any, caller: SystemCaller, release: str, days: int = 0) -> Any:
    day = legal_day(house.vault.clock.now()) + timedelta(days=days)
    async with house.vault.db.read() as db:
        return await house.vault.facts_kept.still(db, release, caller, day)


async def test_the_second_fetch_reads_only_whether_anything_moved(
    house: Any, police: SystemCaller, fetched: tuple[str, str]
) -> None:
    statements: list[str] = []
    engine = house.vault.db._readers.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    await house.reads(police, fetched[1])
    assert any("FROM epoch" in one for one in statements)
    assert not [one for one in statements if "FROM dossier" in one or "FROM agency" in one]


@pytest.mark.parametrize("what", ["owner", "dossier", "agency", "book"])
async def test_any_epoch_that_moves_makes_it_forgotten(
    house: Any, police: SystemCaller, fetched: tuple[str, str], what: str
) -> None:
    _code, release = fetched
    before = await known(house, police, release)
    moved = next(key for key in before.epochs if key.startswith(f"{what}:"))
    async with house.vault.db.write() as db:
        await epochs.advance(db, [tuple(moved.split(":", 1))])
    assert await known(house, police, release) is None
    await house.reads(police, release)
    after = await known(house, police, release)
    assert after.epochs[moved] == before.epochs[moved] + 1


async def test_it_is_known_for_this_caller_and_this_day_alone(
    house: Any, police: SystemCaller, fetched: tuple[str, str]
) -> None:
    _, release = fetched
    assert await known(house, police, release) is not None
    assert await known(house, police, release, days=1) is None
    assert await known(house, replace(police, officer="somebody-else"), release) is None
    assert await known(house, replace(police, officer=None), release) is None
    assert await known(house, replace(police, system="another"), release) is None


async def test_only_so_many_are_remembered(
    house: Any, police: SystemCaller, fetched: tuple[str, str]
) -> None:
    kept, day = FactsKept(), legal_day(house.vault.clock.now())
    one = await known(house, police, fetched[1])
    for number in range(MOST + 1):
        kept.keep(f"rel-{number}", police, day, one)
    async with house.vault.db.read() as db:
        assert await kept.still(db, "rel-0", police, day) is None
        assert await kept.still(db, "rel-1", police, day) is not None
