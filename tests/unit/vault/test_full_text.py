"""Words of pages in the index: of types that were named, never of sensitive ones, each reading an entry."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from policies.book import shipped_book
from reuse_api.demo import people
from reuse_api.settings import Settings, SettingsInvalid
from reuse_api.wiring import places_of
from search.index import Index, Search
from search.opening import open_index
from search.query import read
from signing.composing import compose
from signing.leaf import Kind
from tests.conftest import House
from vault import issued_search
from vault.days import legal_day
from vault.deposit import upload
from vault.full_text import INDEXED, sensitive_types
from vault.indexing import index_due, rebuild
from vault.searching import Sought, mine
from vault.services import Vault

pytestmark = pytest.mark.anyio

SECRET = "kim ngân hoa"  # stands on the page alone
PAGE = '"quốc tịch"'  # stands on every birth certificate
EVERY = frozenset(one.code for one in shipped_book().record_types)


def unexpected(code: str, problem: Exception) -> None:
    raise AssertionError(code) from problem


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[Index]:
    opened = open_index(f"tantivy:{tmp_path / 'index'}")
    yield opened
    await opened.close()


async def adds(house: House, folder: Path, kind: str) -> str:
    """Have the daughter add a paper of a type that says the secret on its page."""
    at = house.clock.now()
    fields = {"title": "Giấy xác nhận", "issuer_name": "Trường", "issuer_title": "HIỆU TRƯỞNG", "signer": "A"}
    fields |= {"body": f"Loài {SECRET}, {os.urandom(4).hex()}", "issued_on": at.date().isoformat()}
    path = folder / f"{kind}.pdf"
    path.write_bytes(compose("general_result", fields, at=at))
    me = await house.owner(people.DAUGHTER)
    told = await upload(
        house.vault, me, path, title="Một tờ", type=kind, declared_type="application/pdf", key=kind
    )
    return str(told["record"])


async def found(vault: Vault, reader: str, text: str) -> set[str]:
    """Ask the index itself, for everything it has."""
    assert vault.index is not None
    day = legal_day(vault.clock.now())
    return set((await vault.index.search(Search(frozenset((reader,)), day, read(text), names=True))).ids)


async def test_off_by_default_no_word_of_a_page_is_in_the_index(
    house: House, index: Index, tmp_path: Path
) -> None:
    await adds(house, tmp_path, "VBTN")
    vault = replace(house.vault, index=index)
    assert vault.full_text == frozenset()
    before = await house.size()
    await index_due(vault, unexpected)
    me = await house.owner(people.DAUGHTER)
    assert await found(vault, f"owner:{me.owner}", f'"{SECRET}"') == set()
    assert await house.size() == before, "nothing was opened"


async def test_a_type_that_was_named_is_found_by_its_pages_and_a_sensitive_one_never(
    house: House, index: Index, tmp_path: Path
) -> None:
    vault = replace(house.vault, index=index, full_text=EVERY)  # as if nobody had refused the setting
    await index_due(vault, unexpected)
    kept = await adds(house, tmp_path, "VBTN")
    for kind in sorted(sensitive_types(house.vault.book)):
        await adds(house, tmp_path, kind)
    me = await house.owner(people.DAUGHTER)
    before = await house.size()
    await index_due(vault, unexpected)
    hits = (await mine(vault, me, Sought("kim ngan hoa"))).hits
    assert [one.record.id for one in hits] == [kept]
    for reader in (f"owner:{me.owner}", f"issuer:{people.COMMUNE.code}"):
        assert await found(vault, reader, f'"{SECRET}"') <= {kept}
    assert await found(vault, f"owner:{me.owner}", PAGE) == set()
    assert await house.size() == before + 1
    (entry,) = await house.last(me)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.MAINTENANCE, INDEXED)
    assert entry.parts.subject["record"] == kept
    assert await rebuild(vault) == 4 + len(sensitive_types(vault.book))
    assert await found(vault, f"owner:{me.owner}", f'"{SECRET}"') == {kept}


async def test_an_agency_does_not_find_what_it_issued_by_its_pages(
    house: House, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages name persons, and there is no search over owners."""
    monkeypatch.setattr("vault.full_text.sensitive_types", lambda _book: frozenset())
    vault = replace(house.vault, index=index, full_text=frozenset(["GKS"]))
    await index_due(vault, unexpected)
    me, commune = await house.owner(people.DAUGHTER), await house.system(people.COMMUNE)
    assert await found(vault, f"owner:{me.owner}", PAGE) == {house.daughters}
    told = await issued_search.search(vault, commune, issued_search.Sought(text=PAGE))
    assert isinstance(told, dict)
    assert told["records"] == []


async def test_what_is_damaged_is_found_by_its_metadata(house: House, index: Index, tmp_path: Path) -> None:
    kept = await adds(house, tmp_path, "VBTN")
    for blob in Path(house.places.store.partition(":")[2]).rglob("*"):
        if blob.is_file():
            blob.write_bytes(bytes(blob.stat().st_size))
    vault = replace(house.vault, index=index, full_text=frozenset(["VBTN"]))
    await index_due(vault, unexpected)
    me = await house.owner(people.DAUGHTER)
    assert await found(vault, f"owner:{me.owner}", f'"{SECRET}"') == set()
    assert kept in await found(vault, f"owner:{me.owner}", "mot to")


@pytest.mark.parametrize(
    ("text", "told"), [("VBTN,CCCD", "CCCD"), ("GKS", "GKS"), ("VBTN, NONE", "NONE"), ("vbtn", "vbtn")]
)
async def test_a_setting_that_names_a_sensitive_type_or_none_is_refused(text: str, told: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"KHO_FULL_TEXT.*{told}"):
        places_of(Settings(full_text=text))
    assert places_of(Settings(full_text=" VBTN ,HC,")).full_text == {"VBTN", "HC"}
    assert places_of(Settings()).full_text == frozenset()
