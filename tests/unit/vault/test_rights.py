"""The database's users: what the code does with each table is allowed, and nothing else is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

import vault
from tests.servers.postgres import as_user, drop_database, fresh_database, make_users
from tests.unit.vault.test_migrations_on_postgres import run
from vault import evidence_tables, hook_tables, tables
from vault.columns import metadata
from vault.errors import VaultIncomplete
from vault.migrating import migrate
from vault.rights import API, GATE, RIGHTS, SIGN, WORK, grant
from vault.rows_address import RowsAddress

pytestmark = pytest.mark.anyio
_DECLARED = (tables, evidence_tables, hook_tables)
_ASKS = {"insert": {"INSERT"}, "upsert": {"INSERT"}, "update": {"UPDATE"}, "delete": {"DELETE"}}
# What the owner of the tables alone does: registering, moving and restoring.
_REGISTERED = {"agency", "agency_code", "agency_right", "system", "system_key"}
_REGISTERED |= {"officer", "officer_role", "officer_sign_in"}
_OWNERS = {(one, what) for one in (*_REGISTERED, "vault_standing") for what in ("INSERT", "UPDATE", "DELETE")}
_OWNERS |= {("key_pair", "DELETE")}  # the marks of parts, when keys come back into one folder
_HELD = {  # a name in a module that stands for tables
    ("sessions", "table"): ("session", "staff_session"),
    ("officer_sign_ins", "table"): ("officer_role", "officer_sign_in"),
    ("striking_off", "table"): ("staff_session", "officer_role", "officer_sign_in"),
}


def asked() -> Iterator[tuple[str, str]]:
    """Which table the vault's code adds to, changes or takes from."""
    for path in sorted(Path(vault.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        names = {
            one.asname or one.name: one.name
            for each in ast.walk(tree)
            if isinstance(each, ast.ImportFrom)
            for one in each.names
        }
        renewed = "on_conflict_do_update" in path.read_text("utf-8")
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or not call.args:
                continue
            what, of = _ASKS.get(call.func.id), call.args[0]
            if what is None or not isinstance(of, ast.Name):
                continue
            if call.func.id == "upsert" and renewed:
                what = what | {"UPDATE"}
            for table in _HELD.get((path.stem, of.id), (names.get(of.id, of.id),)):
                yield from ((table, one) for one in what)


def given(user: str) -> set[tuple[str, str]]:
    """What a user may do to each table, whatever the columns."""
    return {
        (table, one.partition(" ")[0])
        for table, several in RIGHTS[user].items()
        for one in several
        if one != "SELECT"
    }


def test_those_who_serve_may_do_what_the_code_does_and_no_more() -> None:
    needs = set(asked())
    assert len(needs) > 80
    assert {table for table, _ in needs} <= set(metadata.tables), "the name of a table is not one"
    wanted = needs - _OWNERS
    assert given(API) - wanted == set()
    # An `upsert` in a module where another one renews: these only add.
    added = ("trust_set", "evidence_piece", "report_piece")
    assert wanted - given(API) == {(one, "UPDATE") for one in added}
    assert given(WORK) < given(API)
    assert given(GATE) == {
        ("log_head", "UPDATE"),
        ("used_assertion", "INSERT"),
        ("used_assertion", "DELETE"),
        ("key_pair", "INSERT"),
    }
    assert given(SIGN) == {("key_pair", "INSERT")}


def test_every_table_is_decided_on() -> None:
    assert set(RIGHTS[API]) == {*metadata.tables, "alembic_version"}


@pytest.fixture
def rows() -> Iterator[RowsAddress]:
    made = fresh_database()
    yield RowsAddress(made)
    drop_database(made)


LOGGED = ("log_entry", "entry_holder", "entry_fact", "receipt", "record_owner", "consent_event", "key_pair")


async def test_nothing_that_was_logged_is_taken_back_by_a_part(rows: RowsAddress) -> None:
    make_users(*RIGHTS)
    await migrate(rows)
    await run(rows, "CREATE TABLE later (id int)")
    for _ in range(2):
        await grant(rows)
    for user in RIGHTS:
        mine = RowsAddress(as_user(rows.text, user))
        for table in LOGGED:
            (column, *_) = metadata.tables[table].c
            for change in (f"DELETE FROM {table}", f"UPDATE {table} SET {column.name} = NULL"):
                await refused(mine, change)
        for change in ("DROP TABLE receipt", "CREATE TABLE other (id int)", "SELECT * FROM later"):
            await refused(mine, change)
        await refused(mine, "INSERT INTO officer_role VALUES ('a', 'b', 'c')")
    await refused(RowsAddress(as_user(rows.text, GATE)), "UPDATE log_head SET size = 0")
    await refused(RowsAddress(as_user(rows.text, SIGN)), "SELECT * FROM record")


@pytest.mark.parametrize(
    ("user", "kind"), [(SIGN, "signer"), (GATE, "gate"), (API, "owner"), (WORK, "agency")]
)
async def test_each_part_adds_its_own_keys_alone(rows: RowsAddress, user: str, kind: str) -> None:
    make_users(*RIGHTS)
    await migrate(rows)
    await grant(rows)
    mine = RowsAddress(as_user(rows.text, user))
    adding = "INSERT INTO key_pair (kind, id, purpose, public) VALUES ('{}', 'a', 'log', '')"
    await run(mine, adding.format(kind))
    for other in {"signer", "gate", "owner"} - {kind}:
        if (kind, other) != ("agency", "owner"):
            await refused(mine, adding.format(other))
    assert (await run(mine, "SELECT kind FROM key_pair"))[0] == [(kind,)]


async def test_rows_that_number_themselves_are_added_by_those_who_serve(rows: RowsAddress) -> None:
    make_users(*RIGHTS)
    await migrate(rows)
    await grant(rows)
    adding = "INSERT INTO outbox (topic, subject, attempts, next_at, created_at) VALUES ('a', 'b', 0, '', '')"
    for number, user in enumerate((API, WORK), 1):
        mine = RowsAddress(as_user(rows.text, user))
        assert (await run(mine, f"{adding} RETURNING n"))[0] == [(number,)]
        await refused(mine, "SELECT setval('outbox_n_seq', 1)")
    numbered = (
        "SELECT count(*) FROM pg_sequences WHERE NOT has_sequence_privilege('{}', sequencename, 'USAGE')"
    )
    for user, closed in ((API, 0), (WORK, 0), (GATE, 1)):
        assert ((await run(rows, numbered.format(user)))[0][0][0] > 0) == bool(closed)


async def refused(rows: RowsAddress, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner|row-level security"):
        await run(rows, statement)


async def test_who_is_not_there_is_named(rows: RowsAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(rows)
    monkeypatch.setattr("vault.rights.RIGHTS", {"kho_nobody": {}})
    with pytest.raises(VaultIncomplete, match="kho_nobody"):
        await grant(rows)
