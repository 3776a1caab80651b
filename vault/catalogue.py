"""Rows of the catalogue: procedures in every version that was imported, and what their rows were taken for.

A version is read with the book that it was imported under, and with the edits that were published before the
instant asked for and are in force on its day: a dossier keeps what it was opened on.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.book import Book, book_from_json, shipped_book
from policies.edits import edited
from policies.packages import read_package, reading_digest
from policies.procedures import Procedure
from vault import catalogue_edits
from vault.days import legal_day
from vault.entries import stamp
from vault.tables import policy_version, procedure, row_reading


async def latest(db: AsyncConnection, code: str, at: datetime) -> tuple[int, Procedure] | None:
    """Give the newest version of a procedure as a dossier opened at that instant would have it, or None."""
    row = await newest(db, code)
    return (row["version"], await _edited(db, row, at)) if row is not None else None


async def procedure_at(db: AsyncConnection, code: str, version: int, at: datetime) -> Procedure:
    """Give one version of a procedure, as of an instant: a dossier keeps the one it was opened on."""
    query = select(procedure).where(procedure.c.code == code, procedure.c.version == version)
    return await _edited(db, (await db.execute(query)).mappings().one(), at)


async def name_of(db: AsyncConnection, code: str, version: int) -> str:
    """Give the name of a version of a procedure."""
    query = select(procedure).where(procedure.c.code == code, procedure.c.version == version)
    row = (await db.execute(query)).mappings().one()
    return row["name"] or (await unedited(db, row)).name


async def newest(db: AsyncConnection, code: str) -> RowMapping | None:
    """Read the row of the newest version of a procedure, or None."""
    query = select(procedure).where(procedure.c.code == code).order_by(procedure.c.version.desc()).limit(1)
    return (await db.execute(query)).mappings().first()


async def unedited(db: AsyncConnection, row: RowMapping) -> Procedure:
    """Read a version as its package and its book say, without edits."""
    return _read(row["package"], await _book(db, row["policy"]))


async def add(
    db: AsyncConnection, read: Procedure, package: dict[str, Any], policy: str, at: datetime
) -> int | None:
    """Insert a new version; the same package, read the same way, changes nothing and gives None."""
    known = await newest(db, read.code)
    digest = reading_digest(read)
    if known is not None and await same(db, known, read.version, digest):
        return None
    version: int = known["version"] + 1 if known is not None else 1
    await db.execute(
        insert(procedure).values(
            code=read.code,
            version=version,
            hash=read.version,
            package=json.dumps(package, ensure_ascii=False, sort_keys=True),
            imported_at=stamp(at),
            name=read.name,
            policy=policy,
            reading=digest,
        )
    )
    return version


async def same(db: AsyncConnection, row: RowMapping, package_hash: str, digest: str) -> bool:
    """Say whether a version has this package and this reading."""
    if row["hash"] != package_hash:
        return False
    known = row["reading"] or reading_digest(await unedited(db, row))
    return bool(known == digest)


async def write_readings(db: AsyncConnection, code: str, version: int, read: Procedure) -> None:
    """Keep what every row of a version is taken for, in place of what was kept before."""
    await db.execute(
        delete(row_reading).where(row_reading.c.procedure == code, row_reading.c.version == version)
    )
    rows = [{"procedure": code, "version": version, **row} for row in reading_rows(read)]
    if rows:
        await db.execute(insert(row_reading), rows)


def reading_rows(read: Procedure) -> list[dict[str, Any]]:
    """Give what every row of a procedure is taken for, in order."""
    return [
        {
            "place": place,
            "case_key": case.key if case is not None else None,
            "heading": row.heading or (case.package_name if case is not None else ""),
            "heading_rule": case.rule if case is not None else "group_heading",
            "component": row.code,
            "national_code": row.national_code,
            "name": row.name,
            "originals": row.originals,
            "copies": row.copies,
            "kind": row.kind,
            "rule": row.rule,
            "alternative": row.alternative,
            "condition": row.condition,
            "edit": row.edit,
        }
        for place, (case, row) in enumerate(read.rows(), 1)
    ]


async def readings(db: AsyncConnection, code: str, version: int) -> Sequence[RowMapping]:
    """Read what every row of a version was taken for, in order."""
    query = select(row_reading).where(row_reading.c.procedure == code, row_reading.c.version == version)
    return (await db.execute(query.order_by(row_reading.c.place))).mappings().all()


async def _edited(db: AsyncConnection, row: RowMapping, at: datetime) -> Procedure:
    edits = await catalogue_edits.published(db, row["code"], at)
    return edited(await unedited(db, row), edits, legal_day(at))


async def _book(db: AsyncConnection, policy: str | None) -> Book:
    """Give the book of a hash; a version of before books were named is read with the present one."""
    if policy is None or policy == shipped_book().hash:
        return shipped_book()
    query = select(policy_version.c.book).where(policy_version.c.hash == policy)
    text: str | None = (await db.execute(query)).scalar_one_or_none()
    return _earlier(text) if text is not None else shipped_book()


@lru_cache(maxsize=8)
def _earlier(text: str) -> Book:
    return book_from_json(text)


@lru_cache(maxsize=4096)
def _read(package: str, book: Book) -> Procedure:
    return read_package(json.loads(package), book)
