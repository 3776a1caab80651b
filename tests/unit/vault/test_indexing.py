"""The index follows the rows: through the outbox, over faults of the index, built again where it is lost."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from search.errors import DocumentsRefused, IndexMissing, IndexReadOnly, IndexUnavailable
from search.index import Document, Index, Search
from search.opening import open_index
from search.query import read
from signing.errors import WorkerFailed
from tests.conftest import House
from vault import outbox, revoke
from vault.clock import FixedClock
from vault.days import legal_day
from vault.indexing import BuildingStopped, at_once, index_due, issuer_reader, owner_reader, rebuild
from vault.outbox import INDEX
from vault.readiness import ready
from vault.services import SearchState, Vault
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
    """An index in front of a real one, which fails as it is told to."""

    def __init__(
        self,
        real: Any,
        *,
        away: Exception | None = None,
        takes_nothing: Exception | None = None,
        poison: str = "",
        refusal: Exception | None = None,
        before_putting: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.real, self.away, self.takes_nothing = real, away, takes_nothing
        self.poison, self.refusal, self.before_putting = poison, refusal, before_putting
        self.put_together: list[set[str]] = []
        self.built = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def ready(self) -> int:
        if self.away:
            raise self.away
        return int(await self.real.ready())

    async def put(self, documents: Sequence[Document], gone: Sequence[str] = ()) -> None:
        self.put_together.append({one.id for one in documents})
        if self.away or self.takes_nothing:
            raise self.away or self.takes_nothing or AssertionError
        if self.before_putting is not None:
            called, self.before_putting = self.before_putting, None
            await called()
        bad = [one for one in documents if one.id == self.poison]
        if bad and self.refusal is not None:
            raise self.refusal
        kept = [one for one in documents if one.id != self.poison]
        await (self.real.put(kept, gone) if gone else self.real.put(kept))
        if bad:
            raise DocumentsRefused([self.poison])

    @asynccontextmanager
    async def building(self) -> AsyncIterator[Any]:
        self.built += 1
        if self.takes_nothing:
            raise self.takes_nothing
        async with self.real.building() as fresh:
            yield Broken(fresh, poison=self.poison, refusal=self.refusal)


def broken(vault: Vault, **how: Any) -> tuple[Vault, Broken]:
    index = Broken(vault.index, **how)
    return replace(vault, index=index, search=SearchState()), index  # type: ignore[arg-type]


async def waits(house: House, *records: str) -> None:
    async with house.vault.db.write() as db:
        await outbox.add(db, INDEX, records, house.vault.clock.now())


async def made_due(house: House, *vaults: Vault) -> None:
    await house.change(update(outbox_rows).values(next_at="2000"))
    for one in vaults:
        one.search.writing.next_at = None


@pytest.mark.parametrize("name", ["away", "takes_nothing"])
async def test_an_index_that_is_away_or_read_only_is_waited_for_as_long_as_it_takes(
    house: House, vault: Vault, name: str
) -> None:
    await index_due(vault, Failures())
    await waits(house, house.daughters, house.mothers, house.childs)
    failures = Failures()
    away, _ = broken(vault, **{name: IndexUnavailable() if name == "away" else IndexReadOnly()})
    for _ in range(outbox.MOST_ATTEMPTS + 3):
        await made_due(house, away)
        await index_due(away, failures)
    rows = await house.rows(select(outbox_rows))
    assert {(row.attempts, row.dead_at, row.leased_until) for row in rows} == {(0, None, None)}
    told = (await ready(away))["search"]
    assert (told["dead"], told["waiting"]) == (0, 3)
    assert told["state"] == ("index_unavailable" if name == "away" else "index_read_only")
    assert failures == [], "no document failed"
    await made_due(house)
    await index_due(vault, Failures())
    assert await house.rows(select(outbox_rows)) == []


async def test_a_server_that_takes_nothing_is_asked_ever_later(house: House, vault: Vault) -> None:
    await index_due(vault, Failures())
    await waits(house, house.daughters)
    away, index = broken(vault, takes_nothing=IndexReadOnly())
    for _ in range(5):
        await house.change(update(outbox_rows).values(next_at="2000"))
        await index_due(away, Failures())
    assert len(index.put_together) == 1
    index.takes_nothing = None
    await made_due(house, away)
    await index_due(away, Failures())
    assert (await ready(away))["search"]["state"] == "ok"


@pytest.mark.parametrize(
    "refusal", [None, RuntimeError(), AssertionError(), KeyError(), MemoryError()], ids=repr
)
async def test_what_never_can_be_put_is_given_up_alone_seen_and_tried_again(
    house: House, vault: Vault, refusal: Exception | None
) -> None:
    await index_due(vault, Failures())
    poisoned, _ = broken(vault, poison=house.mothers, refusal=refusal)
    await waits(house, house.daughters, house.mothers, house.childs)
    failures = Failures()
    await index_due(poisoned, failures)
    assert [row.subject for row in await house.rows(select(outbox_rows))] == [house.mothers]
    for _ in range(outbox.MOST_ATTEMPTS - 1):
        await made_due(house, poisoned)
        await waits(house, house.daughters)
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


async def test_what_failed_is_tried_again_beside_nothing_else(house: House, vault: Vault) -> None:
    await index_due(vault, Failures())
    poisoned, index = broken(vault, poison=house.mothers)
    await waits(house, house.mothers)
    await index_due(poisoned, Failures())
    await waits(house, house.daughters, house.childs)
    await made_due(house)
    index.put_together.clear()
    await index_due(poisoned, Failures())
    assert index.put_together == [{house.mothers}, {house.daughters, house.childs}]


# A worker that is slow -------------------------------------------------------------------------------


async def states(house: House, vault: Vault, state: str) -> list[str]:
    """Ask the index itself which of the daughter's it has in a state."""
    assert vault.index is not None
    mine = await owner_of(house, house.daughters)
    filters = {"state": frozenset([state])}
    asked = Search(frozenset((mine,)), legal_day(vault.clock.now()), filters=filters)
    return list((await vault.index.search(asked)).ids)


async def revoked_and_put_by_another(house: House, vault: Vault) -> None:
    """Do what happens while a worker stands still for longer than its lease."""
    commune = await house.system(people.COMMUNE)
    await revoke.revoke(vault, commune, house.daughters, ground="Luật", reason="sai", key=os.urandom(4).hex())
    later = FixedClock(vault.clock.now() + timedelta(minutes=6))
    await index_due(replace(vault, clock=later, full_text=frozenset()), Failures())
    assert await states(house, vault, "revoked") == [house.daughters]
    assert await house.rows(select(outbox_rows)) == []


async def test_a_worker_that_put_late_leaves_nothing_old(house: House, vault: Vault) -> None:
    await index_due(vault, Failures())
    await waits(house, house.daughters)
    slow, index = broken(vault, before_putting=lambda: revoked_and_put_by_another(house, vault))
    await index_due(slow, Failures())
    assert index.put_together == [{house.daughters}, {house.daughters}], "what was lost is put again"
    assert await states(house, vault, "revoked") == [house.daughters]
    assert await house.rows(select(outbox_rows)) == []


class SlowReaders:
    """Workers that read, in front of real ones; something happens while they do."""

    def __init__(self, real: Any, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.real, self.meanwhile = real, meanwhile
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def words(self, path: Path) -> Any:
        self.read += 1
        if self.read == 1:
            await self.meanwhile()
        return await self.real.words(path)


async def test_a_worker_that_read_for_too_long_puts_nothing_old(
    house: House, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.full_text.sensitive_types", lambda _book: frozenset())
    await index_due(vault, Failures())
    await waits(house, house.daughters)
    readers = SlowReaders(vault.workers, lambda: revoked_and_put_by_another(house, vault))
    watched, index = broken(vault)
    await index_due(
        replace(watched, workers=readers, full_text=frozenset(["GKS"])),  # type: ignore[arg-type]
        Failures(),
    )
    assert index.put_together == [], "what it had read was old"
    assert await states(house, vault, "revoked") == [house.daughters]


async def test_few_are_in_hand_at_once_where_pages_are_read(house: House, vault: Vault) -> None:
    assert at_once(vault) > at_once(replace(vault, full_text=frozenset(["VBTN"]))) == 5


class AwayReaders(SlowReaders):
    """Workers that do not run."""

    async def words(self, path: Path) -> Any:
        raise WorkerFailed("the pool of workers is not running")


async def test_readers_that_fail_are_not_an_index_that_is_away(
    house: House, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.full_text.sensitive_types", lambda _book: frozenset())
    await index_due(vault, Failures())
    await waits(house, house.daughters, house.mothers)
    failures = Failures()
    watched, index = broken(vault)
    away: Any = AwayReaders(vault.workers, lambda: None)  # type: ignore[arg-type,return-value]
    unread = replace(watched, workers=away, full_text=frozenset(["GKS"]))
    for _ in range(outbox.MOST_ATTEMPTS + 1):
        await made_due(house)
        await index_due(unread, failures)
    rows = await house.rows(select(outbox_rows))
    assert {(row.attempts, row.dead_at, row.reason) for row in rows} == {(0, None, "content_unread")}
    assert (index.put_together, failures) == ([], [])
    assert (await ready(unread))["search"]["state"] == "ok"
    await made_due(house)
    await index_due(vault, Failures())
    assert await house.rows(select(outbox_rows)) == []


# Building --------------------------------------------------------------------------------------------


async def test_a_build_that_fails_is_begun_again_ever_later_and_that_is_told(
    house: House, vault: Vault
) -> None:
    clock = FixedClock(vault.clock.now())
    failing, index = broken(replace(vault, clock=clock), takes_nothing=IndexReadOnly())
    failures = Failures()
    begun = []
    for _ in range(120):
        for _ in range(3):
            await index_due(failing, failures)
        begun.append(index.built)
        clock.advance(timedelta(seconds=30))
    assert begun[0] == 1
    assert 6 <= index.built <= 20, "an hour of them"
    assert len(failures) == index.built
    assert {code for code, _ in failures} == {"index_build_failed"}
    told = (await ready(failing))["search"]
    assert told["state"] == "index_missing"
    assert (told["building"]["failures"], told["building"]["reason"]) == (index.built, "index_read_only")
    wait = datetime.fromisoformat(told["building"]["next_at"]) - clock.now()
    assert wait <= timedelta(minutes=12.5)
    index.takes_nothing = None
    clock.advance(timedelta(minutes=15))
    await index_due(failing, failures)
    assert "building" not in (await ready(failing))["search"]
    assert (await ready(failing))["search"]["documents"] == 3


async def test_a_document_that_is_refused_stops_no_build_and_is_tried_by_itself(
    house: House, vault: Vault
) -> None:
    poisoned, _ = broken(vault, poison=house.mothers)
    failures = Failures()
    await index_due(poisoned, failures)
    assert (await ready(poisoned))["search"]["documents"] == 2
    rows = await house.rows(select(outbox_rows))
    assert {(row.subject, row.attempts, row.reason) for row in rows} == {
        (house.mothers, 1, "documents_refused")
    }
    assert {code for code, _ in failures} == {"index_entry_failed"}


async def test_a_build_that_is_stopped_leaves_the_old_index_in_place(house: House, vault: Vault) -> None:
    await index_due(vault, Failures())
    theirs = issuer_reader(people.COMMUNE.code)
    before = await found(vault, theirs, "giay")
    ending = asyncio.Event()
    ending.set()
    with pytest.raises(BuildingStopped):
        await rebuild(vault, ending=ending)
    assert await found(vault, theirs, "giay") == before
    assert await rebuild(vault, ending=asyncio.Event()) == 3


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
