"""Rows of releases: one decided access each, with the epochs it was decided on."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.entries import stamp
from vault.tables import delivery_share, release
from vault.upserting import upsert


async def add(db: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a release."""
    await db.execute(insert(release).values(**row))


async def one(db: AsyncConnection, release_id: str) -> RowMapping | None:
    """Read a release, or None."""
    return (await db.execute(select(release).where(release.c.id == release_id))).mappings().first()


async def counted(db: AsyncConnection, dossier: str, components: Collection[str]) -> bool:
    """Say whether a release that counts was made for one of these components of a dossier."""
    query = select(release.c.id).where(
        release.c.dossier == dossier, release.c.component.in_(components), release.c.counts
    )
    return bool(components) and (await db.execute(query.limit(1))).first() is not None


async def shared_delivery(
    db: AsyncConnection, release_id: str, credential: bytes, epochs: Mapping[str, int], now: datetime
) -> int | None:
    """Give the index of a `delivered` entry that this credential may go on using, or None."""
    query = select(delivery_share.c.idx).where(
        delivery_share.c.release == release_id,
        delivery_share.c.token_hash == credential,
        delivery_share.c.epochs == epochs_text(epochs),
        delivery_share.c.until > stamp(now),
    )
    return (await db.execute(query)).scalar_one_or_none()


async def share(db: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert or renew the share of one `delivered` entry among range requests."""
    renewed = {name: row[name] for name in ("idx", "until")}
    shared = upsert(delivery_share).values(**row)
    await db.execute(
        shared.on_conflict_do_update(index_elements=["release", "token_hash", "epochs"], set_=renewed)
    )


def epochs_text(epochs: Mapping[str, int]) -> str:
    """Write epochs as canonical text, so that equal ones compare equal."""
    return json.dumps(dict(epochs), sort_keys=True, separators=(",", ":"))
