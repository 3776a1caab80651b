"""Versions on PostgreSQL: one schema with the tables, compared by bytes, one migration at a time."""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.pool import NullPool

from tests.servers.postgres import drop_database, fresh_database
from vault import evidence_tables, hook_tables, migrating, postgres, tables
from vault.columns import metadata
from vault.connecting import connect
from vault.errors import SchemaMismatch, VaultBusy, VaultLocked
from vault.migrating import check_schema, configuration, migrate, versions
from vault.rows_address import RowsAddress

pytestmark = pytest.mark.anyio
_DECLARED = (tables, evidence_tables, hook_tables)


@pytest.fixture
def rows() -> Iterator[RowsAddress]:
    made = fresh_database()
    yield RowsAddress(made)
    drop_database(made)


async def run(rows: RowsAddress, *statements: str) -> list[Any]:
    engine = postgres.engine(rows, poolclass=NullPool)
    try:
        async with engine.begin() as db:
            done = [await db.execute(text(one)) for one in statements]
            return [one.all() if one.returns_rows else None for one in done]
    finally:
        await engine.dispose()


async def differences(rows: RowsAddress) -> list[Any]:
    engine = postgres.engine(rows, poolclass=NullPool)

    def compared(connection: Any) -> list[Any]:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
        )

    try:
        async with engine.connect() as db:
            return await db.run_sync(compared)
    finally:
        await engine.dispose()


async def upgraded(rows: RowsAddress, version: str) -> None:
    engine = postgres.migrating_engine(rows)
    try:
        async with engine.connect() as db:
            await db.run_sync(lambda sync: command.upgrade(configuration(rows, sync), version))
    finally:
        await engine.dispose()


async def test_migrations_and_tables_are_one_schema_from_two_at_once(rows: RowsAddress) -> None:
    await asyncio.gather(migrate(rows), migrate(rows), migrate(rows, phase="pre"))
    await migrate(rows)
    await check_schema(rows)
    assert await differences(rows) == []
    columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    loose, narrow = await run(
        rows,
        f"{columns} AND table_name <> 'alembic_version' AND data_type = 'text' AND collation_name <> 'C'",
        f"{columns} AND data_type IN ('integer', 'smallint')",
    )
    assert (loose, narrow) == ([], [])


async def test_rows_of_the_first_version_are_kept(rows: RowsAddress) -> None:
    await upgraded(rows, "0001")
    with pytest.raises(SchemaMismatch, match="0001"):
        await check_schema(rows)
    await run(
        rows,
        "INSERT INTO owner VALUES ('own-1', 'person', 'Lê Văn Đạt', NULL, '2026')",
        r"INSERT INTO session VALUES ('\x01', 'code', 'own-1', '2027')",
        r"INSERT INTO log_entry VALUES (0, 17, '\x01', '\x02', '\x616263', 1, '2026')",
        r"INSERT INTO entry_holder VALUES (0, 'vault', 'vault', '\x616263')",
    )
    await migrate(rows)
    digest = sha256(b"abc").digest()
    session, entry, seed = await run(
        rows,
        "SELECT owner, delegation FROM session",
        "SELECT body, body_sha256 FROM log_entry",
        "SELECT seed_sha256 FROM entry_holder",
    )
    assert (session, entry, seed) == ([("own-1", None)], [(b"abc", digest)], [(digest,)])
    assert await differences(rows) == []


async def test_rows_newer_than_the_program_are_refused(rows: RowsAddress) -> None:
    await migrate(rows)
    await run(rows, "UPDATE alembic_version SET version_num = '9999'")
    for refused in (check_schema, migrate):
        with pytest.raises(SchemaMismatch, match=r"9999.*newer"):
            await refused(rows)


async def test_whoever_reads_for_long_is_not_waited_for_and_keeps_no_door_shut(
    rows: RowsAddress, later: Any
) -> None:
    await upgraded(rows, str(migrating._scripts().get_revision("9001").down_revision))
    before = await versions(rows)
    report, door = [await connect(rows, hold="none") for _ in range(2)]
    async with report.read() as reading:
        await reading.execute(text("SELECT count(*) FROM owner"))
        migrates = asyncio.create_task(migrate(rows))
        await asyncio.sleep(0.5)
        async with (
            asyncio.timeout(60),
            door.read() as db,
        ):  # behind the one that waits, no longer than it does
            await db.execute(text("SELECT count(*) FROM owner"))
        with pytest.raises(VaultBusy, match="used a table for too long"):
            await migrates
        assert await versions(rows) == before
    await migrate(rows)
    await check_schema(rows)
    await report.close()
    await door.close()


async def test_whoever_needs_the_rows_alone_is_refused_while_others_have_them(rows: RowsAddress) -> None:
    await migrate(rows)
    one, other = [await connect(rows, hold="writing") for _ in range(2)]
    with pytest.raises(VaultLocked, match="kho serve"):
        await connect(rows, hold="alone")
    await one.close()
    await other.close()
    alone = await connect(rows, hold="alone")
    with pytest.raises(VaultLocked, match="migrated, moved or swept"):
        await connect(rows, hold="writing")
    await alone.close()


def test_no_password_is_shown() -> None:
    address = RowsAddress("postgresql+asyncpg://kho:s3cret@db.example/kho")
    assert "s3cret" not in f"{address} {address!r}"
    assert address.url().password == "s3cret"
