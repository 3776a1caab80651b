"""The index follows the rows: through the outbox, over faults of the index, built again where it is lost."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from search.errors import IndexMissing, IndexUnavailable
from search.index import Document, Index, Search
from search.opening import open_index
from search.query import read
from tests.conftest import House
from vault import outbox, revoke
from vault.days import legal_day
from vault.indexing import index_due, issuer_reader, owner_reader, rebuild
from vault.outbox import INDEX
from vault.readiness import ready
from vault.services import Vault
from vault.tables import outbox as outbox_rows
from vault.tables import record_owner

pytestmark = pytest.mark.anyio


class Failures(list[tuple[str, Exception]]):
    def __call__(self, code: str, problem: Exception) -> None:
        self.append((code, problem))


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[Index]:
    opened = open_index(f"tantivy:{tmp_path / 'index'}")
    yield opened
    await opened.close()


@pytest.fixture
def vault(house: House, index: Index) -> Vault:
    return replace(house.vault, index=index)


async def found(vault: Vault, reader: str, text: str | None = None, *, names: bool = False) -> list[str]:
    assert vault.index is not None
    day = legal_day(vault.clock.now())
    return list((await vault.index.search(Search(frozenset((reader,)), day, read(text), names=names))).ids)


async def owner_of(house: House, record: str) -> str:
    rows = await house.rows(select(record_owner.c.owner).where(record_owner.c.record == record))
    return owner_reader(rows[0].owner)


async def test_a_lost_index_is_built_and_follows_what_changes(house: House, vault: Vault) -> None:
    failures = Failures()
    await index_due(vault, failures)
    mine = await owner_of(house, house.daughters)
    assert await found(vault, mine, "giay khai sinh") == [house.daughters]
    assert await found(vault, mine, people.DAUGHTER.name, names=True) == [house.daughters]
    theirs = issuer_reader(people.COMMUNE.code)
    assert set(await found(vault, theirs)) == {house.daughters, house.mothers, house.childs}
    assert await found(vault, theirs, people.DAUGHTER.name) == []  # no search over owners

    commune = await house.system(people.COMMUNE)
    await revoke.revoke(vault, commune, house.daughters, ground="Luật", reason="sai", key=os.urandom(4).hex())
    assert (await ready(vault))["search"]["waiting"] == 1
    await index_due(vault, failures)
    assert vault.index is not None
    page = await vault.index.search(
        Search(frozenset((mine,)), legal_day(vault.clock.now()), filters={"state": frozenset(["revoked"])})
    )
    assert page.ids == (house.daughters,)
    told = (await ready(vault))["search"]
    assert (told["state"], told["waiting"], told["dead"], told["documents"]) == ("ok", 0, 0, 3)
    assert failures == []


async def test_deleting_the_index_breaks_nothing_and_it_comes_back(
    house: House, vault: Vault, tmp_path: Path
) -> None:
    await index_due(vault, Failures())
    shutil.rmtree(tmp_path / "index")
    state = await ready(vault)
    assert state["ready"]
    assert state["search"]["state"] == "index_missing"
    await index_due(vault, Failures())
    mine = await owner_of(house, house.daughters)
    assert await found(vault, mine, "khai sinh") == [house.daughters]


async def test_reindexing_gives_the_same_answers(house: House, vault: Vault) -> None:
    await index_due(vault, Failures())
    theirs = issuer_reader(people.COMMUNE.code)
    before = await found(vault, theirs, "giay")
    assert await rebuild(vault) == 3
    assert await found(vault, theirs, "giay") == before
    assert len(before) == 3


class Broken:
    """An index that fails as its server would."""

    def __init__(self, real: Index, poison: str = "") -> None:
        self.real, self.poison, self.away = real, poison, not poison

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def ready(self) -> int:
        if self.away:
            raise IndexUnavailable
        return await self.real.ready()

    async def put(self, documents: list[Document], gone: tuple[str, ...] = ()) -> None:
        if self.away or any(one.id == self.poison for one in documents):
            raise IndexUnavailable
        await self.real.put(documents, gone)


async def test_an_index_that_is_away_is_waited_for_as_long_as_it_takes(house: House, vault: Vault) -> None:
    await index_due(vault, Failures())
    async with vault.db.write() as db:
        await outbox.add(db, INDEX, [house.daughters], vault.clock.now())
    away = replace(vault, index=Broken(vault.index))  # type: ignore[arg-type]
    for _ in range(outbox.MOST_ATTEMPTS + 3):
        await house.change(update(outbox_rows).values(next_at="2000"))
        await index_due(away, Failures())
    (row,) = await house.rows(select(outbox_rows))
    assert (row.attempts, row.dead_at, row.leased_until) == (0, None, None)
    assert row.reason == "index_unavailable"
    await house.change(update(outbox_rows).values(next_at="2000"))
    await index_due(vault, Failures())
    assert await house.rows(select(outbox_rows)) == []


async def test_what_never_can_be_put_is_given_up_alone_seen_and_tried_again(
    house: House, vault: Vault
) -> None:
    await index_due(vault, Failures())
    poisoned = replace(vault, index=Broken(vault.index, house.mothers))  # type: ignore[arg-type]
    async with vault.db.write() as db:
        await outbox.add(db, INDEX, [house.daughters, house.mothers], vault.clock.now())
    failures = Failures()
    for _ in range(outbox.MOST_ATTEMPTS):
        await house.change(update(outbox_rows).values(next_at="2000"))
        await index_due(poisoned, failures)
    assert {code for code, _ in failures} == {"index_entry_failed"}
    async with vault.db.read() as db:
        (letter,) = await outbox.dead_letters(db)
    assert (letter.subject, letter.attempts) == (house.mothers, outbox.MOST_ATTEMPTS)
    assert (await ready(vault))["search"]["dead"] == 1
    async with vault.db.write() as db:
        assert await outbox.replay(db, vault.clock.now()) == 1
    await index_due(vault, Failures())
    assert await house.rows(select(outbox_rows)) == []


async def test_rows_of_one_subject_are_carried_out_together_and_never_beside_each_other(
    house: House,
) -> None:
    vault, at = house.vault, house.vault.clock.now()
    async with vault.db.write() as db:
        await outbox.add(db, "other", ["a"], at)
        await outbox.add(db, "other", ["b", "a"], at)
        first, second = await outbox.take(db, "other", at, 10)
        assert (first.subject, len(first.rows), second.subject) == ("a", 2, "b")
        await outbox.add(db, "other", ["a"], at)
        assert await outbox.take(db, "other", at, 10) == []  # one of a is in hand
        await outbox.done(db, [first])
        (later,) = await outbox.take(db, "other", at, 10)
        assert later.subject == "a"
        # Whoever took them died: they are due again after the lease.
        again = await outbox.take(db, "other", at + timedelta(minutes=6), 10)
        assert {one.subject for one in again} == {"a", "b"}
        assert all(one.attempts == 2 for one in again)


async def test_without_an_index_nothing_is_lost(house: House, vault: Vault) -> None:
    async with house.vault.db.write() as db:
        await outbox.add(db, INDEX, [house.daughters], vault.clock.now())
    assert await index_due(house.vault, Failures()) == 0
    assert (await ready(house.vault))["search"]["state"] == "off"
    assert vault.index is not None
    with pytest.raises(IndexMissing):
        await vault.index.ready()
    await index_due(vault, Failures())
    assert await house.rows(select(outbox_rows)) == []
