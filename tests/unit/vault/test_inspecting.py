"""Everything that `inspect` can find, each found in a vault that was sound but for that one thing."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from reuse_api.demo import people
from tests.hostile.making import RECIPES
from vault import deposit, digitise, inspecting, inspecting_log, origins, standing, waiting_files
from vault.callers import OwnerCaller, SystemCaller
from vault.digitise import ScanBody
from vault.errors import FileRejected
from vault.evidence_tables import evidence_piece
from vault.inspecting import inspect
from vault.keeping import blob_name
from vault.publishing import publish
from vault.tables import damage, entry_fact, entry_holder, log_entry, log_head

pytestmark = pytest.mark.anyio
Harm = Callable[[Any], Awaitable[None]]


def changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def tile(house: Any, name: str) -> Path:
    return max(path for path in (house.places.log / "tile" / name).rglob("*") if path.is_file())


def blob(house: Any, record: str, part: str) -> Path:
    name = blob_name(record, part).replace("/", ".")
    (found,) = house.places.log.parent.joinpath("blobs").rglob(name)
    return Path(found)


def rows(*statements: Any) -> Harm:
    async def harm(house: Any) -> None:
        await house.change(*statements)

    return harm


def files(act: Callable[[Any], object]) -> Harm:
    async def harm(house: Any) -> None:
        act(house)

    return harm


async def lost_rows(house: Any) -> None:
    last = (await house.size()) - 1
    for table in (entry_fact, entry_holder):
        await house.change(delete(table).where(table.c.idx == last))
    await house.change(update(log_head).values(size=last))
    async with house.vault.db.write() as db:
        await db.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        await db.exec_driver_sql(f"DELETE FROM receipt WHERE idx = {last}")
        await db.execute(delete(log_entry).where(log_entry.c.idx == last))


async def forked(house: Any) -> None:
    path = house.places.log / "checkpoint"
    lines = path.read_text().split("\n")
    lines[2] = "A" * 43 + "="
    path.write_text("\n".join(lines))


ENTRY = 5
HARMS = {
    "entry_changed": rows(
        update(log_entry).where(log_entry.c.idx == ENTRY).values(kind=17),
        update(entry_fact).where(entry_fact.c.idx == ENTRY).values(kind=17),
    ),
    "entry_body_changed": rows(update(log_entry).where(log_entry.c.idx == ENTRY).values(body=b"other")),
    "entry_seed_changed": rows(
        update(entry_holder).where(entry_holder.c.idx == ENTRY).values(sealed_seed=b"other")
    ),
    "entry_unheld": rows(delete(entry_holder).where(entry_holder.c.idx == ENTRY)),
    "head_differs": rows(update(log_head).values(size=3)),
    "fact_missing": rows(delete(entry_fact).where(entry_fact.c.idx == ENTRY)),
    "fact_differs": rows(update(entry_fact).where(entry_fact.c.idx == ENTRY).values(day="2001-01-01")),
    "facts_begin": rows(delete(entry_fact).where(entry_fact.c.idx < ENTRY)),
    "log_behind": lost_rows,
    "log_forked": forked,
    "checkpoint_unreadable": files(lambda house: (house.places.log / "checkpoint").write_bytes(b"\xff junk")),
    "tile_changed": files(lambda house: changed(tile(house, "0"))),
    "tile_missing": files(lambda house: tile(house, "entries").unlink()),
    "blob_changed": files(lambda house: changed(blob(house, house.daughters, "file"))),
    "evidence_changed": rows(
        update(evidence_piece)
        .where(evidence_piece.c.sha256 == select(func.min(evidence_piece.c.sha256)).scalar_subquery())
        .values(content=b"other")
    ),
    "blob_missing": files(lambda house: blob(house, house.daughters, "data").unlink()),
}
HARMLESS = {"facts_begin"}


async def found(house: Any) -> list[tuple[str, bool]]:
    told = await inspect(house.places)
    assert told.sound is not any(one.harm for one in told.findings)
    return [(one.code, one.harm) for one in told.findings]


@pytest.mark.parametrize("code", HARMS)
async def test_what_is_wrong_is_found_and_nothing_else(house: Any, code: str) -> None:
    await publish(house.vault)
    assert await found(house) == []
    await HARMS[code](house)
    assert await found(house) == [(code, code not in HARMLESS)]


async def test_a_gap_in_the_rows_is_found(house: Any) -> None:
    async with house.vault.db.write() as db:
        await db.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        await db.exec_driver_sql(f"UPDATE log_entry SET idx = 900 WHERE idx = {ENTRY}")
        for table in ("entry_holder", "entry_fact", "receipt"):
            await db.exec_driver_sql(f"UPDATE {table} SET idx = 900 WHERE idx = {ENTRY}")
    assert ("entry_gap", True) in await found(house)


async def test_every_tile_and_bundle_is_compared_also_those_of_earlier_heads(
    house: Any, commune: SystemCaller
) -> None:
    await publish(house.vault)
    await house.opens(commune, people.COMMUNE, house.reregistration())
    await publish(house.vault)
    published = [path for path in (house.places.log / "tile").rglob("*") if path.is_file()]
    assert len(published) >= 4
    for path in published:
        kept = path.read_bytes()
        changed(path)
        assert await found(house) == [("tile_changed", True)], path
        path.write_bytes(kept)
    assert await found(house) == []


async def test_a_publication_lags_behind_the_rows_without_harm(house: Any, commune: SystemCaller) -> None:
    await publish(house.vault)
    await house.opens(commune, people.COMMUNE, house.reregistration())
    assert await found(house) == []


async def test_damage_that_a_reader_met_is_told(house: Any) -> None:
    row = {"record": house.daughters, "at": "2026", "part": "file", "idx": ENTRY}
    await house.change(insert(damage).values(**row))
    assert await found(house) == [("damage_reported", True)]


async def test_an_orphan_is_told_and_swept(open_house: Any) -> None:
    async with open_house() as house:
        places = house.places
        spare = places.scratch / "spare"
        spare.write_bytes(b"sealed, and its row was never written")
        await house.vault.store.put(blob_name("rec-" + "0" * 32, "file"), spare)
        assert await found(house) == [("orphan_blob", False)]
    assert [one.code for one in (await inspect(places, sweep=True)).findings] == ["orphan_swept"]
    assert (await inspect(places)).findings == ()


async def test_what_lies_in_quarantine_is_told_and_no_orphan(
    house: Any, daughter: OwnerCaller, tmp_path: Path
) -> None:
    file = tmp_path / "script.pdf"
    file.write_bytes(RECIPES["script_that_runs_on_opening"]())
    said = {"title": "Giấy tờ", "type": None, "declared_type": "application/pdf"}
    with pytest.raises(FileRejected):
        await deposit.upload(house.vault, daughter, file, key="script", **said)
    assert await found(house) == [("quarantine", False)]


async def test_a_file_that_waits_for_its_seal_is_checked_and_no_orphan(
    house: Any, police: SystemCaller, line: Any, scanned: Any
) -> None:
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    code = await house.opens(police, people.POLICE, house.residence(*persons))
    body, file = ScanBody("GKS", ("applicant",), reason="outdated"), scanned("chờ")
    told = await digitise.digitise(house.vault, police, code, people.KINSHIP, body, file, key="k")
    assert isinstance(told, dict)
    assert await found(house) == [("waiting_files", False)]
    name = waiting_files.blob_name(told["waiting"]).replace("/", ".")
    (lying,) = house.places.log.parent.joinpath("blobs").rglob(name)
    changed(lying)
    assert sorted(await found(house)) == [("blob_changed", True), ("waiting_files", False)]
    lying.unlink()
    assert sorted(await found(house)) == [("blob_missing", True), ("waiting_files", False)]


async def test_where_the_vault_stands_and_the_names_of_its_log_are_told(house: Any) -> None:
    async with house.vault.db.write() as db:
        await standing.put(db, "moving", "elsewhere", house.vault.clock.now())
        said = {"key_line": "kho/2+00+00", "first": 7, "root": b"r", "old_size": 9, "old_root": b"o"}
        await origins.add_pending(db, **said, backup="b", at=house.vault.clock.now())
    assert await found(house) == [("elsewhere", False), ("origin", False)]


def test_every_code_in_the_sources_is_in_a_test() -> None:
    written = Path(__file__).read_text("utf-8")
    sources = [Path(str(module.__file__)).read_text("utf-8") for module in (inspecting, inspecting_log)]
    told = re.compile(r'(?:Finding\(|yield |return |else )"([a-z_]+)"')
    codes = {code for text in sources for code in told.findall(text)}
    assert len(codes) >= 15
    assert {code for code in codes if f'"{code}"' not in written} <= {"tile_unreadable"}
