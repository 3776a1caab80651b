"""How Alembic reaches the database: one connection, one transaction for each version.

SQLite keeps a whole version back when it breaks off or is killed, but only if it is told BEGIN: the driver
would begin nothing before a CREATE TABLE. A server's connection comes from `vault.migrating`, which holds the
turn to migrate.
"""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, event

from vault import evidence_tables, hook_tables, tables
from vault.columns import metadata

# Importing them is what declares the tables.
_DECLARED = (tables, evidence_tables, hook_tables)


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_on_file(url: str) -> None:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _leave_transactions_to_us(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.connect() as connection:
            _run(connection)
    finally:
        engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    _run_on_file(context.config.get_main_option("sqlalchemy.url") or "")
else:
    _run(given)
