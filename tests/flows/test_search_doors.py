"""The three doors of searching on every search index, with rows in PostgreSQL."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from reuse_api.__main__ import run
from reuse_api.app import create_app
from reuse_api.callers import SESSION_COOKIE, cookie_at
from reuse_api.commands.serve import tell_search
from reuse_api.demo import people
from reuse_api.demo.people import Citizen, Office
from reuse_api.health import KEPT
from reuse_api.settings import Settings
from search.index import Document, Index
from search.opening import open_index
from signing.workers import WorkerPool
from tests.conftest import ISSUER, House, Template, opened_house
from tests.contracts.indexes import BACK_ENDS, address_of, built, destroy
from tests.servers import postgres
from vault import authenticating, outbox
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE
from vault.indexing import documents, index_due
from vault.rows_address import RowsAddress
from vault.services import Vault

ROWS = ("postgresql",)
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]


def unexpected(code: str, problem: Exception) -> None:
    raise AssertionError(code) from problem


@dataclass(frozen=True)
class Doors:
    """A vault with an index, its doors, and who knocks there."""

    house: House
    vault: Vault
    address: str
    daughter: httpx.AsyncClient
    stranger: httpx.AsyncClient
    commune: httpx.AsyncClient
    police: httpx.AsyncClient
    dossier: str

    def all(self) -> list[tuple[httpx.AsyncClient, str]]:
        return [
            (self.daughter, "/v1/me/records"),
            (self.police, f"/v1/dossiers/{self.dossier}/search"),
            (self.commune, "/v1/records"),
        ]

    async def found(self, text: str = "giay khai sinh") -> list[set[str]]:
        """Ask all three, and give the records of each answer."""
        answers = []
        for client, door in self.all():
            reply = await client.get(door, params={"q": text})
            assert reply.status_code == 200, reply.text
            answers.append({one.get("record") or one["id"] for one in reply.json()["records"]})
        return answers

    async def readiness(self) -> dict[str, Any]:
        await asyncio.sleep(KEPT)  # what an answer before said is over
        reply = await self.daughter.get("/readyz")
        told: dict[str, Any] = reply.json()
        assert reply.status_code == 200, told
        return told

    async def works_without(self) -> None:
        """Everything but searching goes on."""
        for client, door in self.all():
            reply = await client.get(door, params={"q": "giay khai sinh"})
            assert reply.status_code == 503, (door, reply.text)
            assert reply.json()["type"].endswith("search_degraded")
            assert "hush" not in reply.text
        told = await self.readiness()
        assert (told["ready"], told["degraded"]) == (True, ["search"])
        plan = await self.police.get(f"/v1/dossiers/{self.dossier}/plan")
        assert plan.status_code == 200
        wanted = {"components": [{"component": people.KINSHIP}]}
        key = {"Idempotency-Key": os.urandom(8).hex()}
        taken = await self.police.post(f"/v1/dossiers/{self.dossier}/releases", json=wanted, headers=key)
        release = taken.json()["items"][0]["release"]
        assert (await self.police.get(f"/v1/releases/{release}/content")).status_code == 200
        assert (await self.daughter.get("/v1/me/records")).json()["records"]
        assert (await self.commune.get("/v1/records")).json()["records"]


# Of the two that speak the same words over HTTP, one; both go through the suite of the index.
ASKED = [pytest.param(one, marks=pytest.mark.long if one == "opensearch" else ()) for one in BACK_ENDS]


@pytest.fixture(scope="module", params=ASKED)
async def doors(
    request: pytest.FixtureRequest,
    template: Template,
    workers: WorkerPool,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Doors]:
    folder = template.copied(tmp_path_factory.mktemp("doors") / "kho")
    rows = RowsAddress(postgres.fresh_database(str(template.rows.url().database)))
    address = address_of(request.param, folder)
    index = open_index(address)
    async with opened_house(folder, template.authority, template.keys, workers, rows=rows) as house:
        house.daughters, house.mothers = template.daughters, template.mothers
        house.serials = itertools.count(500)
        vault = replace(house.vault, index=index)
        await index_due(vault, unexpected)
        police = await house.system(people.POLICE)
        code = await house.opens(police, people.POLICE, house.residence())
        app = httpx.ASGITransport(create_app(vault, Settings(issuer=ISSUER)), raise_app_exceptions=False)
        yield Doors(
            house,
            vault,
            address,
            await _wallet(house, app, people.DAUGHTER),
            await _wallet(house, app, people.STRANGER),
            await _system(house, app, people.COMMUNE),
            await _system(house, app, people.POLICE),
            code,
        )
    await index.close()
    postgres.drop_database(rows.text)


async def _wallet(house: House, app: httpx.ASGITransport, citizen: Citizen) -> httpx.AsyncClient:
    secret = await house.session(citizen)
    headers = {"Cookie": f"{cookie_at(ISSUER, SESSION_COOKIE)}={secret}", "Accept-Language": "en"}
    return httpx.AsyncClient(transport=app, base_url=ISSUER, headers=headers)


async def _system(house: House, app: httpx.ASGITransport, office: Office) -> httpx.AsyncClient:
    told = await authenticating.exchange(
        house.vault,
        client_assertion=house.assertion(office, CLIENT_TYPE, office.system),
        officer_assertion=house.assertion(office, OFFICER_TYPE, office.officer),
    )
    headers = {"Authorization": f"Bearer {told.token}", "Accept-Language": "en"}
    return httpx.AsyncClient(transport=app, base_url=ISSUER, headers=headers)


async def test_each_door_finds_what_its_caller_may_see(doors: Doors) -> None:
    house = doors.house
    mine, dossier, issued = await doors.found()
    assert mine == {house.daughters}
    assert dossier == {house.daughters, house.mothers}
    assert {house.daughters, house.mothers} <= issued
    nothing = await doors.stranger.get("/v1/me/records", params={"q": "giay khai sinh"})
    assert nothing.json()["records"] == []
    told = (await doors.daughter.get("/v1/me/records", params={"q": "khai sinh"})).json()
    assert told["facets"]["type"] == {"GKS": 1}
    assert told["issuers"] == {people.COMMUNE.code: people.COMMUNE.name_en}
    told = (await doors.police.get(doors.all()[1][1], params={"q": "khai sinh"})).json()
    uses = {one["record"]: one["uses"] for one in told["records"]}
    assert "satisfied" in {one["state"] for one in uses[house.daughters]}
    assert all(one["reasons"][0]["words"] for each in uses.values() for one in each)
    for name in (people.DAUGHTER.name, people.DAUGHTER.number):  # no search over owners
        assert (await doors.commune.get("/v1/records", params={"q": name})).json()["records"] == []


async def test_a_cursor_goes_on_and_counts_narrow(doors: Doors) -> None:
    seen: list[str] = []
    query = {"q": "khai sinh", "limit": "1"}
    while True:
        told = (await doors.commune.get("/v1/records", params=query)).json()
        seen += [one["record"] for one in told["records"]]
        if "next" not in told:
            break
        query["cursor"] = told["next"]
    assert len(seen) == len(set(seen)) == told["facets"]["type"]["GKS"]
    for narrowed in ({"trust": "E"}, {"year": "1999"}, {"issuer": people.POLICE.code}, {"type": "HC"}):
        told = (await doors.commune.get("/v1/records", params={"q": "khai sinh"} | narrowed)).json()
        assert told["records"] == [], narrowed
    kept = {"trust": "A", "issuer": people.COMMUNE.code, "type": "GKS", "state": "in_force"}
    told = (await doors.commune.get("/v1/records", params={"q": "khai sinh"} | kept)).json()
    assert len(told["records"]) == len(seen)


async def test_every_door_counts_and_narrows_alike(doors: Doors) -> None:
    for client, door in doors.all():
        told = (await client.get(door, params={"q": "khai sinh"})).json()
        ids = {one.get("record") or one["id"] for one in told["records"]}
        assert told["facets"]["type"] == {"GKS": len(ids)} and told["facets"]["trust"] == {"A": len(ids)}, (
            door
        )
        assert list(told["issuers"]) == [people.COMMUNE.code]
        kept = {"trust": "A", "issuer": people.COMMUNE.code, "type": "GKS", "state": "in_force"}
        for words in ({"q": "khai sinh"}, {}):
            narrowed = (await client.get(door, params=words | kept)).json()["records"]
            assert {one.get("record") or one["id"] for one in narrowed} == ids, (door, words)
            for other in ({"trust": "E"}, {"year": "1999"}, {"issuer": people.POLICE.code}, {"type": "HC"}):
                reply = await client.get(door, params=words | other)
                assert reply.json()["records"] == [], (door, words, other)
        reply = await client.get(door, params={"state": "lost"})
        assert reply.status_code == 422, door


async def test_a_poisoned_index_shows_nothing_foreign(doors: Doors) -> None:
    vault, house = doors.vault, doors.house
    before = await doors.found()
    assert vault.index is not None
    async with vault.db.read() as db:
        (record,) = await documents(db, vault, [house.mothers])
    owner = (await house.owner(people.DAUGHTER)).owner
    readers = (*record.readers, f"owner:{owner}", f"issuer:{people.POLICE.code}")
    day = house.clock.now().date()
    unknown = Document("rec-x", readers, ("khai sinh",), (), "GKS", "H99", "in_force", "A", None, None, day)
    await vault.index.put([replace(record, readers=readers), unknown])
    assert await doors.found() == before
    told = (await doors.police.get("/v1/records", params={"q": "khai sinh"})).json()
    assert told["records"] == []
    assert "H99" not in told["issuers"]
    await vault.index.put([record], ["rec-x"])


LONG = "giấy " * 2000
BAD = {
    "query_too_long": [LONG, "a" * 10_000],
    "query_only_stop_words": ["của và các", "Các những"],
    "query_without_words": ["*:*", "(?:.*)+$", "\u200b", "!&|~^"],
    "query_control_characters": ["giấy\x00", "a\x1b[2J", "\x7fa"],
    "query_mixed_scripts": ["Nguуễn", "hàn Αn"],
    "query_too_many_words": ["a " * 60],
}
ODD = [
    "title:giay AND NOT id:*",
    "/gi[a-z]+y/ OR _exists_:names",
    "(((((((((((((",
    '"""" giay "',
    "giay~2 khai^1e9 [* TO *] {a TO b}",
    '{"match_all":{}}',
    "\\u0000 \\",
    "'; DROP TABLE record; --",
    "\U0001f4dc giấy",
    "जन्म 出生 giấy",
    "e\u0302\u0301\u0323" * 40,
    "a" * 199,
    "1/1/1 99/99/9999 2024-02-30 0000-00-00",
    "9" * 200,
    "..... a",
    "ﬁ Ⅳ ½ ①",
    "\ud800 giấy".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
]


async def test_words_that_cannot_be_searched_for_are_told_and_others_harm_nothing(doors: Doors) -> None:
    for client, door in doors.all():
        for reason, texts in BAD.items():
            for text in texts:
                reply = await client.get(door, params={"q": text})
                assert reply.status_code == 422, (door, text[:40], reply.text)
                assert reply.json()["code"] == reason, (door, text[:40], reply.text)
        for text in ODD:
            reply = await client.get(door, params={"q": text})
            assert reply.status_code in (200, 422), (door, text, reply.text)
        reply = await client.get(f"{door}?q=%ED%A0%80%FF%C3%28+giay")  # no text at all, as UTF-8
        assert reply.status_code in (200, 422), (door, reply.text)


async def test_a_cursor_or_filter_that_cannot_be_is_told(doors: Doors) -> None:
    query = {"q": "khai sinh", "limit": "1"}
    told = (await doors.commune.get("/v1/records", params=query)).json()
    cursors = ["x", "é", "\x00", "W" * 199, told["next"][:-1], told["next"] + "A", "WzAsMCwtMV0", "rec-x"]
    for client, door in doors.all():
        for cursor in cursors:
            reply = await client.get(door, params=query | {"cursor": cursor})
            assert reply.status_code == 422, (door, cursor, reply.text)
            assert "cursor" in reply.text
        foreign = await client.get(door, params=query | {"cursor": told["next"]})
        assert foreign.status_code == 200, "a place in an order tells nothing, and shows only one's own"
    for name in ("type", "number", "issuer", "cursor", "year", "q"):
        for value in ("\x00", "a\x00b", "\ufffd", "' OR 1=1 --", "*"):
            reply = await doors.commune.get("/v1/records", params={name: value})
            assert reply.status_code in (200, 422), (name, value, reply.text)


async def test_an_index_that_is_behind_says_so(doors: Doors) -> None:
    vault = doors.vault
    async with vault.db.write() as db:
        await outbox.add(db, outbox.INDEX, [doors.house.daughters], vault.clock.now())
    told = (await doors.readiness())["search"]
    assert (told["state"], told["waiting"]) == ("ok", 1)
    assert told["seconds_behind"] >= 0
    await index_due(vault, unexpected)
    told = (await doors.readiness())["search"]
    assert (told["waiting"], told["seconds_behind"], told["dead"]) == (0, 0, 0)


async def _reindex(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, capfd: Any, **changes: str
) -> tuple[int, str]:
    """Run the command as an operator would, beside the open vault."""
    folder = doors.house.places.keys.parent
    settings = {
        "DATABASE": doors.house.places.database.text,
        "STORE": doors.house.places.store,
        "KEYS": str(folder / "keys"),
        "LOG_FOLDER": str(folder / "log"),
        "SCRATCH": str(folder / "scratch"),
        "SEARCH": doors.address,
        "ISSUER": ISSUER,
    }
    for name, value in (settings | changes).items():
        monkeypatch.setenv(f"KHO_{name}", value)
    capfd.readouterr()
    status = await asyncio.to_thread(run, ["reindex"])
    said = capfd.readouterr()
    return int(status), said.out + said.err


async def test_reindex_builds_beside_and_switches_with_the_same_answers(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = ("giay khai sinh", "khai si", people.COMMUNE.name_vi, "ubnd", '"khai sinh"', "sihn khai")
    before, old = [await doors.found(one) for one in texts], built(doors.address)
    status, said = await _reindex(doors, monkeypatch, capfd)
    assert status == 0, said
    assert f"{len(before[0][2])} documents indexed" in said
    (new,) = built(doors.address)
    assert [new] != old, "another one, under the same name"
    assert [await doors.found(one) for one in texts] == before


async def test_a_deleted_index_degrades_searching_alone_and_comes_back(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = await doors.found()
    destroy(doors.address)
    assert (await doors.readiness())["search"]["state"] == "index_missing"
    await doors.works_without()
    status, said = await _reindex(doors, monkeypatch, capfd)
    assert status == 0, said
    assert await doors.found() == before
    destroy(doors.address)
    await index_due(doors.vault, unexpected)  # as a served vault does by itself
    assert await doors.found() == before
    assert (await doors.readiness())["degraded"] == []


async def test_an_index_of_a_newer_kho_is_refused_and_left_alone(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr("search.elastic.LAYOUT", 99)
        newer.setattr("search.embedded.LAYOUT", 99)
        index = open_index(doors.address)
        async with index.building():
            pass
        await index.close()
    held = built(doors.address)
    assert (await doors.readiness())["search"]["state"] == "index_newer"
    await doors.works_without()
    await index_due(doors.vault, unexpected)
    status, said = await _reindex(doors, monkeypatch, capfd)
    assert status != 0
    assert "made by a newer Kho" in said
    assert built(doors.address) == held
    destroy(doors.address)
    status, said = await _reindex(doors, monkeypatch, capfd)
    assert status == 0, said
    assert (await doors.found())[0] == {doors.house.daughters}


async def test_wrong_credentials_are_told_at_once_and_without_them(
    doors: Doors,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        address = f"http://kho:hush-hush@127.0.0.1:{server.sockets[0].getsockname()[1]}/papers"
        refused: Index = open_index(address)
        there = replace(doors.vault, index=refused)
        app = create_app(there, Settings(issuer=ISSUER))
        over = httpx.ASGITransport(app, raise_app_exceptions=False)
        knocking = [
            httpx.AsyncClient(transport=over, base_url=ISSUER, headers=client.headers)
            for client in (doors.daughter, doors.stranger, doors.commune, doors.police)
        ]
        names = ("daughter", "stranger", "commune", "police")
        elsewhere = replace(doors, vault=there, **dict(zip(names, knocking, strict=True)))
        told = (await elsewhere.readiness())["search"]
        assert told["state"] == "index_credentials_refused"
        with caplog.at_level("INFO"):
            await tell_search(elsewhere.vault)  # as `kho serve` does when it starts
        (line,) = [one for one in caplog.records if one.message == "searching"]
        assert line.facts["state"] == "index_credentials_refused"  # type: ignore[attr-defined]
        await elsewhere.works_without()
        status, said = await _reindex(doors, monkeypatch, capfd, SEARCH=address)
        assert status != 0
        assert "does not accept our credentials" in said
        assert "hush" not in said
        await refused.close()
