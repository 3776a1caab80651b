"""Searching one's own documents, a dossier's, an agency's: found, entered, refused, and never shown."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from reuse_api.demo import people
from search.index import Cursor, Document, Index, Page, Search
from search.opening import open_index
from signing.leaf import Kind
from tests.conftest import House
from vault import issued_search, outbox, plan, revoke
from vault.callers import OwnerCaller
from vault.dossier_search import in_dossier
from vault.errors import FieldInvalid, NotFound, SearchUnavailable
from vault.indexing import documents, index_due
from vault.searching import Sought, mine
from vault.services import Refusal, Vault
from vault.tables import record, record_owner

pytestmark = pytest.mark.anyio


def unexpected(code: str, problem: Exception) -> None:
    raise AssertionError(code) from problem


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[Index]:
    opened = open_index(f"tantivy:{tmp_path / 'index'}")
    yield opened
    await opened.close()


@pytest.fixture
async def vault(house: House, index: Index) -> Vault:
    vault = replace(house.vault, index=index)
    await index_due(vault, unexpected)
    return vault


async def poisoned(vault: Vault, record_id: str, *readers: str) -> None:
    """Have the index say that others may see a record."""
    assert vault.index is not None
    async with vault.db.read() as db:
        (one,) = await documents(db, vault, [record_id])
    await vault.index.put([replace(one, readers=(*one.readers, *readers))])


async def test_an_owner_finds_her_own_and_that_is_no_entry(house: House, vault: Vault) -> None:
    me, before = await house.owner(people.DAUGHTER), await house.size()
    for text in (
        "giay khai sinh",
        "gks",
        people.DAUGHTER.number,
        people.DAUGHTER.name,
        "sinh khai",
        "giayy khai",
    ):
        found = await mine(vault, me, Sought(text))
        assert [one.record.id for one in found.hits] == [house.daughters], text
    assert found.loose
    assert (await mine(vault, me, Sought(people.MOTHER.name))).hits == ()
    found = await mine(vault, me, Sought("khai"))
    assert [text for text, asked in found.hits[0].title if asked] == ["khai"]
    assert found.facets["type"] == {"GKS": 1}
    assert found.total == 1
    revoked = {"state": frozenset(["revoked"])}
    assert (await mine(vault, me, Sought("khai", revoked))).hits == ()
    assert await house.size() == before


async def test_a_poisoned_index_shows_nothing_foreign(house: House, vault: Vault) -> None:
    me = await house.owner(people.DAUGHTER)
    commune, police = await house.system(people.COMMUNE), await house.system(people.POLICE)
    readers = [f"owner:{me.owner}", f"issuer:{people.POLICE.code}"]
    await poisoned(vault, house.mothers, *readers)
    assert vault.index is not None
    foreign = Document(
        "rec-unknown", tuple(readers), ("Giấy khai sinh",), (), "GKS", None, "in_force", "A", None, None,
        house.clock.now().date(),
    )  # fmt: skip
    await vault.index.put([foreign])
    found = await mine(vault, me, Sought("khai sinh"))
    assert [one.record.id for one in found.hits] == [house.daughters]
    told = await issued_search.search(vault, police, issued_search.Sought(text="khai sinh"))
    assert isinstance(told, dict)
    assert told["records"] == []
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    told = await in_dossier(vault, commune, code, Sought("khai sinh"))
    assert isinstance(told, dict)
    assert {one["record"] for one in told["records"]} <= {house.daughters}


class Altered:
    """An index that somebody altered, in front of a real one: what it says is changed."""

    def __init__(self, real: Any, change: Callable[[Search, Page], Page]) -> None:
        self.real, self.change = real, change
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def search(self, search: Search) -> Page:
        self.asked += 1
        return self.change(search, await self.real.search(search))


def altered(vault: Vault, change: Callable[[Search, Page], Page]) -> tuple[Vault, Altered]:
    index = Altered(vault.index, change)
    return replace(vault, index=index), index  # type: ignore[arg-type]


LIES = {
    "type": {"GKS": 900, "HC": 4, "nonsense": 1},
    "issuer": {people.COMMUNE.code: 7, people.POLICE.code: 3, "H99": 1},
    "state": {"in_force": 900, "lost": 2},
    "trust": {"A": 900, "Z": 9},
    "year": {"1066": 5, "٢٠٢٤": 1, "x": 3},
}


async def test_an_altered_index_counts_nothing_that_the_rows_do_not_hold(house: House, vault: Vault) -> None:
    me, commune = await house.owner(people.DAUGHTER), await house.system(people.COMMUNE)
    lying, _ = altered(vault, lambda _, page: replace(page, facets=LIES, total=900))
    found = await mine(lying, me, Sought("khai sinh"))
    assert found.total == 1
    one = {
        "type": {"GKS": 1},
        "issuer": {people.COMMUNE.code: 1},
        "state": {"in_force": 1},
        "trust": {"A": 1},
    }
    assert found.facets == one | {"year": {}}
    assert set(found.issuers) == {people.COMMUNE.code}
    told = await issued_search.search(lying, commune, issued_search.Sought(text="khai"), facets=True)
    assert isinstance(told, dict)
    facets = told["facets"]
    assert set(facets["issuer"]) == set(told["issuers"]) == {people.COMMUNE.code}, "what it issued is its own"
    assert (set(facets["type"]), set(facets["year"])) == ({"GKS", "HC"}, {"1066"})
    assert (set(facets["state"]), set(facets["trust"])) == ({"in_force"}, {"A"})


async def test_an_altered_index_counts_nothing_foreign_within_a_dossier(house: House, vault: Vault) -> None:
    police = await house.system(people.POLICE)
    code = await house.opens(police, people.POLICE, house.residence())
    lying, _ = altered(vault, lambda _, page: replace(page, facets=LIES, total=900))
    told = await in_dossier(lying, police, code, Sought("khai sinh"))
    assert isinstance(told, dict)
    assert told["facets"]["type"] == {"GKS": 2}
    assert told["facets"]["issuer"] == {people.COMMUNE.code: 2}
    assert (set(told["issuers"]), told["facets"]["year"]) == ({people.COMMUNE.code}, {})
    assert told["facets"]["state"] == {"in_force": 2}


async def test_where_nothing_is_shown_no_typing_error_was_put_right(house: House, vault: Vault) -> None:
    me, police = await house.owner(people.DAUGHTER), await house.system(people.POLICE)
    code = await house.opens(police, people.POLICE, house.residence())
    lying, _ = altered(vault, lambda _, page: replace(page, ids=("rec-foreign",), loose=True, next=None))
    found = await mine(lying, me, Sought("khai sinh"))
    assert (found.hits, found.loose) == ((), False)
    for told in (
        await issued_search.search(lying, police, issued_search.Sought(text="khai sinh")),
        await in_dossier(lying, police, code, Sought("khai sinh")),
    ):
        assert isinstance(told, dict)
        assert (told["records"], told["loose"]) == ([], False)


async def test_an_index_that_never_ends_is_not_read_to_its_end(house: House, vault: Vault) -> None:
    police = await house.system(people.POLICE)
    code = await house.opens(police, people.POLICE, house.residence())

    def never_ending(search: Search, page: Page) -> Page:
        before = Cursor.read(search.after, search.asked)
        onward = str(Cursor(0, 0, 0, before.order - 1 if before else 10_000))
        return replace(page, ids=("rec-foreign",), next=onward)

    lying, index = altered(vault, never_ending)
    async with asyncio.timeout(60):
        told = await in_dossier(lying, police, code, Sought("khai sinh"))
    assert isinstance(told, dict)
    assert (told["records"], index.asked) == ([], 20)
    assert told["next"], "whoever asks may go on"


async def test_an_officer_searches_a_dossier_and_each_person_sees_it(house: House, vault: Vault) -> None:
    police = await house.system(people.POLICE)
    code = await house.opens(police, people.POLICE, house.residence())
    told = await in_dossier(vault, police, code, Sought("giay khai sinh"))
    assert isinstance(told, dict)
    assert {one["record"] for one in told["records"]} == {house.daughters, house.mothers}
    assert all(people.KINSHIP in one["components"] for one in told["records"])
    assert len(told["receipts"]) == 2
    for citizen, own in ((people.DAUGHTER, house.daughters), (people.MOTHER, house.mothers)):
        (entry,) = await house.last(await house.owner(citizen))
        assert (entry.kind, entry.parts.event["type"]) == (Kind.SEARCH, "dossier_searched")
        assert entry.parts.purpose["dossier"] == code
        assert entry.parts.basis["found"] == [own]
    # Somebody else's dossier, and none at all, are the same.
    commune = await house.system(people.COMMUNE)
    for other in (code, house.code(people.COMMUNE)):
        with pytest.raises(NotFound):
            await in_dossier(vault, commune, other, Sought("giay"))


async def test_no_officer_no_search(house: House, vault: Vault) -> None:
    police = await house.system(people.POLICE)
    code = await house.opens(police, people.POLICE, house.residence())
    unnamed = await house.system(people.POLICE, officer=False)
    assert isinstance(await in_dossier(vault, unnamed, code, Sought("giay")), Refusal)
    asked = await issued_search.search(vault, unnamed, issued_search.Sought(text="giay"))
    assert isinstance(asked, Refusal)


async def test_an_agency_searches_what_it_issued_but_not_over_owners(house: House, vault: Vault) -> None:
    commune = await house.system(people.COMMUNE)
    told = await issued_search.search(vault, commune, issued_search.Sought(text="khai sinh"), limit=2)
    assert isinstance(told, dict)
    assert len(told["records"]) == 2
    sought = issued_search.Sought(text="khai sinh")
    more = await issued_search.search(vault, commune, sought, after=told["next"], limit=2)
    assert isinstance(more, dict)
    every = {one["record"] for one in told["records"] + more["records"]}
    assert every == {house.daughters, house.mothers, house.childs}
    assert "next" not in more
    (entry,) = await house.last(commune)
    assert (entry.kind, entry.parts.basis["sought"]["text"]) == (Kind.SEARCH, "khai sinh")
    for text in (people.DAUGHTER.name, people.DAUGHTER.number):
        told = await issued_search.search(vault, commune, issued_search.Sought(text=text))
        assert isinstance(told, dict)
        assert told["records"] == []
    await revoke.revoke(vault, commune, house.mothers, ground="Luật", reason="sai", key=os.urandom(4).hex())
    # The rows count, though the index has not heard of it yet.
    told = await issued_search.search(vault, commune, issued_search.Sought(text="khai sinh"))
    assert isinstance(told, dict)
    states = {one["record"]: one["validity"] for one in told["records"]}
    assert states[house.mothers] == "revoked"


async def test_search_down_is_said_so_and_plans_and_releases_go_on(house: House, vault: Vault) -> None:
    me, police = await house.owner(people.DAUGHTER), await house.system(people.POLICE)
    code = await house.opens(police, people.POLICE, house.residence())
    gone = open_index("http://kho:hush@127.0.0.1:9")
    for down in (replace(vault, index=gone), replace(vault, index=None)):
        before = await house.size()
        for asking in (
            mine(down, me, Sought("giay")),
            in_dossier(down, police, code, Sought("giay")),
            issued_search.search(down, police, issued_search.Sought(text="giay")),
        ):
            with pytest.raises(SearchUnavailable) as told:
                await asking
            assert "hush" not in str(told.value)
        assert await house.size() == before
        assert isinstance(await plan.ask(down, police, code), dict)
    assert await house.releases(police, code)
    await gone.close()


@pytest.mark.parametrize("text", ["a" * 10_000, "của và", "*", "a\x00b", "Nguуễn"])
async def test_words_that_cannot_be_searched_for_are_refused_before_anything_is_entered(
    house: House, vault: Vault, text: str
) -> None:
    me, police = await house.owner(people.DAUGHTER), await house.system(people.POLICE)
    before = await house.size()
    for asking in (
        mine(vault, me, Sought(text)),
        in_dossier(vault, police, "no-dossier", Sought(text)),
        issued_search.search(vault, police, issued_search.Sought(text=text)),
    ):
        with pytest.raises(FieldInvalid) as refused:
            await asking
        assert refused.value.field == "q"
    assert await house.size() == before


async def test_a_record_that_is_gone_from_the_rows_is_not_shown(house: House, vault: Vault) -> None:
    me = await house.owner(people.DAUGHTER)
    assert len(await house.rows(select(record))) == 3
    assert vault.index is not None
    await vault.index.put([
        Document("rec-gone", (f"owner:{me.owner}",), ("khai",), (), "GKS", None, "in_force", "A", None, None,
                 house.clock.now().date())
    ])  # fmt: skip
    assert [one.record.id for one in (await mine(vault, me, Sought("khai"))).hits] == [house.daughters]
    with pytest.raises(FieldInvalid):
        await mine(vault, me, Sought("khai", after="nonsense"))


async def shared_with_another(house: House, vault: Vault) -> OwnerCaller:
    """Make the daughter's paper one of two owners, and give the other."""
    other = await house.owner(people.STRANGER)
    (kept,) = await house.rows(select(record_owner).where(record_owner.c.record == house.daughters))
    shared = dict(kept._mapping) | {"owner": other.owner, "document_code": f"{people.STRANGER.number}-GKS-77"}
    await house.change(insert(record_owner).values(**shared))
    async with vault.db.write() as db:
        await outbox.add(db, outbox.INDEX, [house.daughters], vault.clock.now())
    await index_due(vault, unexpected)
    return other


OF_THE_OTHER = (people.STRANGER.name, people.STRANGER.number, people.STRANGER.number[:7], "zzz qqq")


async def test_who_else_owns_a_record_is_not_found_out_by_who_owns_it(house: House, vault: Vault) -> None:
    """Neither by a hit nor by a count: a number could be read out of it digit by digit."""
    me, other = await house.owner(people.DAUGHTER), await shared_with_another(house, vault)
    for text in OF_THE_OTHER:
        found = await mine(vault, me, Sought(text))
        assert (found.hits, found.total, found.next, found.loose) == ((), 0, None, False), text
        assert not any(found.facets.values()), text
    for who, own in ((me, people.DAUGHTER), (other, people.STRANGER)):
        for text in (own.name, own.number, own.number[:7], "khai sinh"):
            found = await mine(vault, who, Sought(text))
            assert [one.record.id for one in found.hits] == [house.daughters], text
            assert found.total == 1
    commune = await house.system(people.COMMUNE)
    told = await issued_search.search(vault, commune, issued_search.Sought(text="khai sinh"), facets=True)
    assert isinstance(told, dict)
    assert len(told["records"]) == 3
    assert told["facets"]["type"] == {"GKS": 3}
    # Once it is hers alone, nothing of the other is left.
    await house.change(delete(record_owner).where(record_owner.c.owner == other.owner))
    async with vault.db.write() as db:
        await outbox.add(db, outbox.INDEX, [house.daughters], vault.clock.now())
    await index_due(vault, unexpected)
    assert (await mine(vault, other, Sought("khai sinh"))).total == 0
    assert (await mine(vault, me, Sought("khai sinh"))).total == 1


async def test_who_else_owns_a_record_is_not_found_out_within_a_dossier(house: House, vault: Vault) -> None:
    """A record of two owners is found by either; a dossier of one must not tell of the other."""
    police = await house.system(people.POLICE)
    code = await house.opens(police, people.POLICE, house.residence())
    other = await shared_with_another(house, vault)
    assert [one.record.id for one in (await mine(vault, other, Sought(people.STRANGER.name))).hits]

    async def found(text: str) -> tuple[set[str], bool, bool]:
        told = await in_dossier(vault, police, code, Sought(text, limit=1))
        assert isinstance(told, dict)
        return {one["record"] for one in told["records"]}, told["loose"], "next" in told

    for text in OF_THE_OTHER:
        assert await found(text) == (set(), False, False), text
    for text in (people.DAUGHTER.name, people.DAUGHTER.number):
        assert (await found(text))[0] == {house.daughters}, text
