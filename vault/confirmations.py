"""Rows of confirmations: what officers looked at and made up for, each for one component of one dossier."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import releases
from vault.records import Stored
from vault.tables import confirmation, release, validity_event


async def add(
    db: AsyncConnection, row: Mapping[str, Any], weaknesses: Sequence[str], paper: Collection[str]
) -> None:
    """Insert a confirmation; what was released before it, for viewing, counts from now on, but once.

    Args:
        paper: the components that ask for the same paper, the confirmed one among them.
    """
    await db.execute(insert(confirmation).values(**row, weaknesses=json.dumps(weaknesses)))
    if await releases.counted(db, row["dossier"], paper):
        return
    viewed = select(func.min(release.c.idx)).where(
        release.c.dossier == row["dossier"],
        release.c.component == row["component"],
        release.c.record == row["record"],
    )
    first = update(release).where(release.c.idx == viewed.scalar_subquery())
    await db.execute(first.values(counts=True))


async def standing(db: AsyncConnection, dossier: str, held: Sequence[Stored]) -> list[Stored]:
    """Give records with what was confirmed of each for a dossier, as far as it still stands.

    A later change of the record's validity voids it: the officer looked at another state.
    """
    last = select(func.max(validity_event.c.idx)).where(validity_event.c.record == confirmation.c.record)
    query = select(confirmation.c.record, confirmation.c.component, confirmation.c.weaknesses).where(
        confirmation.c.dossier == dossier,
        confirmation.c.idx > func.coalesce(last.scalar_subquery(), -1),
    )
    confirmed: dict[str, set[tuple[str, str]]] = {}
    for row in await db.execute(query):
        pairs = confirmed.setdefault(row.record, set())
        pairs |= {(row.component, code) for code in json.loads(row.weaknesses)}
    return [
        replace(one, facts=replace(one.facts, confirmed=frozenset(confirmed[one.facts.id])))
        if one.facts.id in confirmed
        else one
        for one in held
    ]
