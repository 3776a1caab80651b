"""The migrations and the tables are one schema, and a vault of the first version comes along whole."""

from hashlib import sha256
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from vault import evidence_tables, hook_tables, tables
from vault.columns import metadata
from vault.errors import SchemaMismatch
from vault.migrating import check_schema, configuration, migrate
from vault.rows_address import RowsAddress

pytestmark = pytest.mark.anyio
_DECLARED = (tables, evidence_tables, hook_tables)  # importing them declares the tables


def rows_in(folder: Path) -> RowsAddress:
    return RowsAddress(str(folder / "rows.db"))


def differences(database: Path) -> list[object]:
    engine = create_engine(f"sqlite:///{database}")
    try:
        with engine.connect() as connection:
            return list(
                compare_metadata(
                    MigrationContext.configure(connection, opts={"compare_type": True}), metadata
                )
            )
    finally:
        engine.dispose()


async def test_migrations_and_tables_are_one_schema(tmp_path: Path) -> None:
    await migrate(rows_in(tmp_path))
    assert differences(tmp_path / "rows.db") == []


async def test_an_older_schema_differs_and_is_refused(tmp_path: Path) -> None:
    command.upgrade(configuration(rows_in(tmp_path)), "0001")
    assert differences(tmp_path / "rows.db") != []
    with pytest.raises(SchemaMismatch, match="0001"):
        await check_schema(rows_in(tmp_path))


def test_there_is_one_head(tmp_path: Path) -> None:
    assert len(ScriptDirectory.from_config(configuration(rows_in(tmp_path))).get_heads()) == 1


async def test_rows_of_the_first_version_are_kept(tmp_path: Path) -> None:
    database = tmp_path / "rows.db"
    command.upgrade(configuration(RowsAddress(str(database))), "0001")
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as db:
        db.execute(text("INSERT INTO owner VALUES ('own-1', 'person', 'Lê Văn Đạt', NULL, '2026')"))
        db.execute(text("INSERT INTO session VALUES (x'01', 'code', 'own-1', '2027')"))
        db.execute(text("INSERT INTO log_entry VALUES (0, 17, x'01', x'02', x'616263', 1, '2026')"))
        db.execute(text("INSERT INTO entry_holder VALUES (0, 'vault', 'vault', x'616263')"))
    await migrate(RowsAddress(str(database)))
    with engine.begin() as db:
        assert db.execute(text("SELECT owner, delegation FROM session")).one() == ("own-1", None)
        digest = sha256(b"abc").digest()
        assert db.execute(text("SELECT body, body_sha256 FROM log_entry")).one() == (b"abc", digest)
        assert db.execute(text("SELECT seed_sha256 FROM entry_holder")).scalar_one() == digest
    engine.dispose()
    assert differences(database) == []


async def test_a_version_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    with engine.begin() as db:
        db.execute(text("CREATE TABLE validity_event (in_the_way INTEGER)"))
    with pytest.raises(OperationalError, match="validity_event"):
        await migrate(rows_in(tmp_path))
    with engine.begin() as db:
        tables = set(db.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
        assert tables <= {"validity_event", "alembic_version"}
        db.execute(text("DROP TABLE validity_event"))
    engine.dispose()
    await migrate(rows_in(tmp_path))
    assert differences(tmp_path / "rows.db") == []


async def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    await migrate(rows_in(tmp_path))
    before = (tmp_path / "rows.db").read_bytes()
    await migrate(rows_in(tmp_path))
    assert (tmp_path / "rows.db").read_bytes() == before


async def test_rows_newer_than_the_program_are_refused(tmp_path: Path) -> None:
    await migrate(rows_in(tmp_path))
    engine = create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for refused in (check_schema, migrate):
        with pytest.raises(SchemaMismatch, match=r"9999.*newer"):
            await refused(rows_in(tmp_path))
