"""Which blobs the rows name, with the SHA-256 of their sealed bytes: read off the tables' own columns.

A column called `blob` or ending in `_blob` holds a key of the store, and the column that has `sealed_sha256`
in its place holds the hash; a test sees that every table keeps to that.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from sqlalchemy import Column, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import evidence_tables, tables
from vault.columns import metadata

_DECLARED = (tables, evidence_tables)  # importing them is what declares the tables
_AT_ONCE = 500
_HASH = "sealed_sha256"


def blob_columns() -> Iterator[tuple[Table, Column[Any], Column[Any]]]:
    """Give every table that names blobs, with the column of the key and that of the hash."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.name == "blob" or column.name.endswith("_blob"):
                yield table, column, table.c[column.name.removesuffix("blob") + _HASH]


async def named_blobs(db: AsyncConnection) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Give keys and hashes, some at a time, as the connection's snapshot has them."""
    for _table, key, digest in blob_columns():
        query = select(key, digest).where(key.is_not(None)).order_by(key)
        found = await db.stream(query, execution_options={"yield_per": _AT_ONCE})
        async for part in found.partitions(_AT_ONCE):
            yield [(one[0], one[1]) for one in part]


async def still_named(db: AsyncConnection, keys: list[str]) -> set[str]:
    """Say which of these blobs the rows name now."""
    found: set[str] = set()
    for _table, key, _digest in blob_columns():
        for start in range(0, len(keys), _AT_ONCE):
            query = select(key).where(key.in_(keys[start : start + _AT_ONCE]))
            found |= set((await db.execute(query)).scalars())
    return found
