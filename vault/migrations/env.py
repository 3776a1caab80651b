"""How Alembic reaches the database: one file, one connection, one transaction for each version."""

from alembic import context
from sqlalchemy import create_engine

from vault.tables import metadata

engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")
try:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
finally:
    engine.dispose()
