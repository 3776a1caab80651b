"""A filled vault of the first release comes along whole, to both databases, and works on."""

import asyncio
import json
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Boolean, MetaData, Table, create_engine, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from reuse_api.__main__ import run
from reuse_api.demo import people
from reuse_api.demo.pki import DemoAuthority
from signing.checkpoint import Checkpoint, parse_checkpoint, split_note
from signing.merkle import verify_consistency
from signing.workers import WorkerPool
from tests.conftest import House, opened_house, places_in
from tests.servers.postgres import drop_database, fresh_database
from vault import deliver, finding, looking, plan, postgres, versions
from vault.errors import SchemaMismatch
from vault.evidence_tables import earlier_content, scan, waiting_seal
from vault.inspecting import inspect
from vault.migrating import check_schema, configuration
from vault.rows_address import RowsAddress
from vault.sealing_again import retry_due
from vault.tables import record_owner

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
FIRST = "0003"
_PACKED = Path(__file__).parents[2] / "first_release" / "vault.tar.xz"
_EMPTY = {"damage"}  # a row there would make the vault unsound

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """What the first release wrote, as it left it."""
    with tarfile.open(_PACKED) as packed:
        packed.extractall(tmp_path / "kho", filter="tar")
    return tmp_path / "kho"


@pytest.fixture
def rows(first: Path, rows_kind: str) -> Iterator[RowsAddress]:
    """Its rows, in the database under test, at the version of the first release."""
    if rows_kind == "sqlite":
        yield RowsAddress(str(first / "rows.db"))
        return
    made = fresh_database()
    yield RowsAddress(made)
    drop_database(made)


@pytest.fixture
async def kept(first: Path, rows: RowsAddress) -> Rows:
    """All of its rows by table; they lie in the database under test then."""
    engine = create_engine(f"sqlite:///{first / 'rows.db'}")
    with engine.connect() as db:
        kept = contents(db)
    engine.dispose()
    if rows.server:
        async with connected(postgres.migrating_engine(rows)) as db:
            await db.run_sync(lambda sync: command.upgrade(configuration(rows, sync), FIRST))
        async with connected(postgres.engine(rows, poolclass=NullPool)) as db, db.begin():
            await db.run_sync(lambda sync: filled(sync, kept))
    return kept


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.connect() as db:
            yield db
    finally:
        await engine.dispose()


def reflected(db: Connection) -> MetaData:
    found = MetaData()
    found.reflect(db)
    return found


def contents(db: Connection, only: dict[str, list[str]] | None = None) -> Rows:
    """Give the rows of each table, in an order of their own; of `only` those columns."""
    found = {}
    for name, table in reflected(db).tables.items():
        columns = [table.c[one] for one in only.get(name, [])] if only is not None else list(table.c)
        if columns:
            found[name] = sorted((tuple(row) for row in db.execute(select(*columns))), key=repr)
    return found


def columns(db: Connection) -> dict[str, list[str]]:
    return {name: [one.name for one in table.c] for name, table in reflected(db).tables.items()}


def filled(db: Connection, kept: Rows) -> None:
    """Write rows as they are; the tables' columns stand in the order in which the versions made them."""
    for table in reflected(db).sorted_tables:
        if table.name == "alembic_version":
            continue
        db.execute(table.delete())
        if kept[table.name]:
            db.execute(table.insert(), [row_of(table, one) for one in kept[table.name]])


def row_of(table: Table, values: tuple[Any, ...]) -> dict[str, Any]:
    named = zip(table.c, values, strict=True)
    return {
        column.name: bool(value) if isinstance(column.type, Boolean) else value for column, value in named
    }


@asynccontextmanager
async def opened_first(first: Path, rows: RowsAddress, workers: WorkerPool) -> AsyncIterator[House]:
    systems = (first / "keys" / "systems").glob("*.json")
    keys = {one.stem: json.loads(one.read_text())["key"] for one in systems}
    authority = DemoAuthority.load(first / "keys" / "authority")
    async with opened_house(first, authority, keys, workers, rows=rows) as house:
        house.serials = count(7000)
        yield house


def published(first: Path) -> Checkpoint:
    return parse_checkpoint(split_note((first / "log" / "checkpoint").read_text())[0])


def commanded(first: Path, rows: RowsAddress, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a command of today on the vault."""
    places = {"DATABASE": rows.text, "STORE": f"folder:{first / 'blobs'}", "KEYS": first / "keys"}
    places |= {"LOG_FOLDER": first / "log", "SCRATCH": first / "scratch"}
    for name, value in places.items():
        monkeypatch.setenv(f"KHO_{name}", str(value))
    return run(arguments)


def test_every_table_was_filled(first: Path) -> None:
    engine = create_engine(f"sqlite:///{first / 'rows.db'}")
    with engine.connect() as db:
        tables = reflected(db).tables.values()
        empty = {
            one.name for one in tables if not db.execute(select(func.count()).select_from(one)).scalar_one()
        }
        assert db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == FIRST
    engine.dispose()
    assert empty == _EMPTY


async def test_it_is_refused_until_it_is_migrated_loses_nothing_and_works_on_in_every_hand(
    first: Path, rows: RowsAddress, kept: Rows, workers: WorkerPool
) -> None:
    with pytest.raises(SchemaMismatch, match=rf"{FIRST}.*kho migrate"):
        await check_schema(rows)
    with pytest.raises(SchemaMismatch):
        async with opened_first(first, rows, workers):
            pass
    then = await on(rows, columns)
    before = await on(rows, contents)
    await migrated(first, rows)
    after = await on(rows, lambda db: contents(db, then))
    before.pop("alembic_version")
    assert {name: after[name] for name in before} == before
    assert {name: len(each) for name, each in before.items()} == {name: len(kept[name]) for name in before}
    found = await inspect(places_in(first, rows))
    assert found.sound, found.findings
    assert [one.code for one in found.findings] == ["quarantine"]
    head = published(first)
    assert (found.entries, found.root) == (head.size, head.root)
    await it_works_on(first, rows, workers, head)


async def on(rows: RowsAddress, look: Any) -> Any:
    if rows.server:
        async with connected(postgres.engine(rows, poolclass=NullPool)) as db:
            return await db.run_sync(look)
    engine = create_engine(f"sqlite:///{rows.file}", poolclass=NullPool)
    try:
        with engine.connect() as db:
            return look(db)
    finally:
        engine.dispose()


async def migrated(first: Path, rows: RowsAddress) -> None:
    with pytest.MonkeyPatch.context() as environment:
        assert await asyncio.to_thread(commanded, first, rows, environment, "migrate") == 0


async def it_works_on(first: Path, rows: RowsAddress, workers: WorkerPool, head: Checkpoint) -> None:
    async with opened_first(first, rows, workers) as house:
        daughter, police = await house.owner(people.DAUGHTER), await house.system(people.POLICE)
        code = await house.opens(police, people.POLICE, house.residence())
        answer = await plan.ask(house.vault, police, code)
        assert isinstance(answer, dict)
        states = {one["component"]: one["state"] for one in answer["components"]}
        assert states[people.KINSHIP] == "satisfied"
        assert (await house.reads(police, await house.releases(police, code)))[:5] == b"%PDF-"
        await what_she_had_can_be_read(house, daughter)
        await what_waited_is_carried_out(house)
        await what_was_kept_beside_is_there(house)
        tree = house.vault.signer.tree
        verify_consistency(head.size, tree.size, tree.consistency(head.size), head.root, tree.root())
    found = await inspect(places_in(first, rows))
    assert found.sound, found.findings
    assert found.entries > head.size


async def what_she_had_can_be_read(house: House, daughter: Any) -> None:
    mine = await finding.my_records(house.vault, daughter)
    assert len(mine) > 1
    for one in mine:
        delivery = await deliver.read_own(house.vault, daughter, one.id)
        assert isinstance(delivery, deliver.Delivery)
        assert (await house.drained(delivery))[:5] == b"%PDF-"
    whole = await looking.look(house.vault, daughter, mine[0].id)
    assert whole.report.verdict
    seen = await finding.my_accesses(house.vault, daughter)
    assert len(seen) > len(mine), "what was entered by the first release opens for her still"


async def what_waited_is_carried_out(house: House) -> None:
    assert await retry_due(house.vault, unforeseen, all_of_them=True) == 1
    (waited,) = await house.rows(select(waiting_seal.c.state, waiting_seal.c.record))
    assert (waited.state, bool(waited.record)) == ("sealed", True)


async def what_was_kept_beside_is_there(house: House) -> None:
    holders = {row.record: row.owner for row in await house.rows(select(record_owner))}
    renewed = await house.rows(select(earlier_content.c.record))
    scanned = await house.rows(select(scan.c.record))
    owners = [await house.owner(one) for one in (people.DAUGHTER, people.MOTHER, people.STRANGER)]
    for record in (renewed[0].record, scanned[0].record):
        (owner,) = [one for one in owners if one.owner == holders[record]]
        files = await versions.mine(house.vault, owner, record)
        assert len(files) == 2
        for one in files:
            delivery = await versions.read(house.vault, owner, record, one.sha256)
            assert isinstance(delivery, deliver.Delivery)
            assert sha256(await house.drained(delivery)).hexdigest() == one.sha256


def unforeseen(code: str, problem: Exception) -> None:
    raise problem
