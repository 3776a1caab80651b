"""Insert, or else: the one statement that SQL writes down otherwise in every database.

Both of ours spell it `ON CONFLICT ... DO`, and SQLAlchemy compiles what it calls PostgreSQL's for SQLite too.
"""

from sqlalchemy.dialects.postgresql import insert as upsert

__all__ = ["upsert"]
