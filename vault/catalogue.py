"""Rows of the catalogue: procedures in every version that was imported."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.procedures import Procedure, read_package
from vault.entries import stamp
from vault.tables import procedure


async def latest(db: AsyncConnection, code: str) -> tuple[int, Procedure] | None:
    """Give the newest version of a procedure, or None."""
    query = (
        select(procedure.c.version, procedure.c.package)
        .where(procedure.c.code == code)
        .order_by(procedure.c.version.desc())
        .limit(1)
    )
    row = (await db.execute(query)).first()
    return (row.version, _read(row.package)) if row is not None else None


async def procedure_at(db: AsyncConnection, code: str, version: int) -> Procedure:
    """Give one version of a procedure: a dossier keeps the one it was opened on."""
    query = select(procedure.c.package).where(procedure.c.code == code, procedure.c.version == version)
    return _read((await db.execute(query)).scalar_one())


async def add(
    db: AsyncConnection, code: str, package: dict[str, Any], package_hash: str, at: datetime
) -> int | None:
    """Insert a new version; the same package again changes nothing and gives None."""
    query = select(procedure.c.version, procedure.c.hash).where(procedure.c.code == code)
    known = (await db.execute(query.order_by(procedure.c.version.desc()))).first()
    if known is not None and known.hash == package_hash:
        return None
    version = known.version + 1 if known is not None else 1
    text = json.dumps(package, ensure_ascii=False, sort_keys=True)
    await db.execute(
        insert(procedure).values(
            code=code, version=version, hash=package_hash, package=text, imported_at=stamp(at)
        )
    )
    return version


@lru_cache(maxsize=4096)
def _read(package: str) -> Procedure:
    return read_package(json.loads(package))
