"""Writing the rows of one snapshot into files, whatever database they are in; memory is bounded.

The tables are those that the database has, not those that this program knows: what only a later version
takes away comes along, and is there when the files are loaded at the version they were made at.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Boolean, Integer, LargeBinary, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.merkle import Tree, leaf_hash
from vault.errors import VaultError
from vault.log_folder import LogForked
from vault.manifest import BLOBS
from vault.named_blobs import named_blobs
from vault.row_files import Columns, RowsWriter, Written

ROWS = "rows"  # the folder of the files
_VERSION_TABLE = "alembic_version"
_LOG = "log_entry"
_AT_ONCE = 200
_KINDS = ((Boolean, "boolean"), (LargeBinary, "bytes"), (Integer, "number"), (String, "text"))


class RowsUndumpable(VaultError):
    """A column is of a kind that no file of rows can hold."""

    code = "rows_undumpable"


@dataclass(frozen=True)
class Dumped:
    """What was written: the schema's version, a file for each table, the list of blobs, the log's tree."""

    schema: str
    rows: tuple[tuple[str, Written], ...]
    blobs: Written
    tree: Tree


async def dump(db: AsyncConnection, folder: Path, *, without: Collection[str] = ()) -> Dumped:
    """Write all rows of the connection's snapshot under `folder`, and the list of the blobs they name.

    Args:
        without: tables that are left out.

    Raises:
        OSError: the files cannot be written.
        VaultBusy: the rows cannot be read.
    """
    (folder / ROWS).mkdir()
    tree = Tree()
    found = MetaData()
    await db.run_sync(found.reflect)
    schema = await db.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    files = []
    for table in found.sorted_tables:
        if table.name not in {_VERSION_TABLE, *without}:
            files.append((table.name, await _dump_table(db, table, folder, tree)))
    return Dumped(str(schema), tuple(files), await _dump_names(db, folder), tree)


async def _dump_table(db: AsyncConnection, table: Table, folder: Path, tree: Tree) -> Written:
    columns = [(one.name, _kind(table, one.type)) for one in table.columns]
    name = f"{ROWS}/{table.name}.jsonl.gz"
    query = select(table).order_by(*table.primary_key.columns)
    found = await db.stream(query, execution_options={"yield_per": _AT_ONCE})
    with RowsWriter(folder / name, name, table.name, columns) as writer:
        async for part in found.partitions(_AT_ONCE):
            await asyncio.to_thread(writer.add, part)
            if table.name == _LOG:
                grow(tree, [one._mapping for one in part])
    return writer.written


async def _dump_names(db: AsyncConnection, folder: Path) -> Written:
    columns: Columns = (("key", "text"), ("sha256", "bytes"))
    with RowsWriter(folder / BLOBS, BLOBS, "blobs", columns) as writer:
        async for part in named_blobs(db):
            await asyncio.to_thread(writer.add, part)
    return writer.written


def _kind(table: Table, type_: Any) -> str:
    for known, kind in _KINDS:
        if isinstance(type_, known):
            return kind
    raise RowsUndumpable(f"{table.name}: {type_!r}")


def grow(tree: Tree, entries: Any) -> None:
    """Add entries of the log to a tree, hashed again from their leaves. Raises LogForked."""
    for one in entries:
        if one["idx"] != tree.size:
            raise LogForked(f"entry {tree.size} of the log is missing")
        tree.append(leaf_hash(one["leaf"]))
