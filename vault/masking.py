"""Hiding who somebody is: an auditor sees that entries concern the same person, not which person it is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.tables import entry_holder, owner, owner_identifier

HIDDEN = "••••"
_STORE = re.compile(r"own-[0-9a-f]{32}")
_SEEN = 3  # characters of an identifier, its last ones: none of them tells a birth year or a province
# Digits like those of an identity number wherever they stand, in words and codes too; a digest or an id of
# ours is met first and stays, whatever digits follow each other in it.
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-f]{32,}(?![0-9A-Za-z])|(?<![0-9])(?P<number>[0-9]{9,13})(?![0-9])"
)


def masked(value: str) -> str:
    """Hide an identifier all but its end: the last three characters, and never more than a third of it."""
    seen = min(_SEEN, len(value) // 3)
    return f"{HIDDEN}{value[-seen:]}" if seen else HIDDEN


async def owners_of(db: AsyncConnection, indexes: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Give, for each entry, the masked identifiers of the owners it is about."""
    query = (
        select(entry_holder.c.idx, entry_holder.c.holder)
        .where(entry_holder.c.holder_kind == "owner", entry_holder.c.idx.in_(list(indexes)))
        .order_by(entry_holder.c.idx, entry_holder.c.holder)
    )
    rows = (await db.execute(query)).all()
    names = await masks(db, {row.holder for row in rows})
    found: dict[int, tuple[str, ...]] = {}
    for row in rows:
        found[row.idx] = (*found.get(row.idx, ()), names[row.holder])
    return found


async def masks(db: AsyncConnection, owners: Iterable[str]) -> dict[str, str]:
    """Give the masked identifier of each owner; one whose identifiers are gone is hidden whole."""
    wanted = sorted(set(owners))
    query = (
        select(owner_identifier.c.owner, owner_identifier.c.value)
        .where(owner_identifier.c.owner.in_(wanted))
        .order_by(owner_identifier.c.scheme, owner_identifier.c.value.desc())
    )
    # Of several identifiers the last one read counts: a tax code or a personal number before older ones.
    return dict.fromkeys(wanted, HIDDEN) | {row.owner: masked(row.value) for row in await db.execute(query)}


@dataclass(frozen=True)
class Hiding:
    """What is to be hidden in an opened entry: stores by their masks, and the names of their owners."""

    stores: Mapping[str, str]
    names: Sequence[str]

    def hide(self, value: Any) -> Any:
        """Give a JSON value with stores, names and identity numbers masked."""
        if isinstance(value, dict):
            return {key: self.hide(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def tells(self, value: Any) -> bool:
        """Say whether a JSON value names a person, other than by the random id of a store."""
        return bool(Hiding({}, self.names).hide(value) != value)

    def _text(self, text: str) -> str:
        text = _STORE.sub(lambda found: self.stores.get(found[0], found[0]), text)
        for name in self.names:
            text = text.replace(name, HIDDEN)
        return _NUMBER.sub(lambda found: masked(found[0]) if found["number"] else found[0], text)


async def hiding(db: AsyncConnection, parts: Mapping[str, Any]) -> Hiding:
    """Read what must be hidden in the parts of an entry: everything about the stores that they name."""
    stores = sorted(set(_STORE.findall(repr(parts))))
    rows = await db.execute(select(owner.c.name).where(owner.c.id.in_(stores)))
    names = sorted({str(row.name) for row in rows if row.name}, key=len, reverse=True)
    return Hiding(await masks(db, stores), names)
