"""Rows of people and organisations: identifiers with dates, key pairs, no content."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.entries import new_id, stamp
from vault.tables import key_pair, owner, owner_identifier


@dataclass(frozen=True)
class NewOwner:
    """A person or organisation that no store exists for yet, with its key pairs already made."""

    id: str
    kind: str
    name: str
    born_on: date | None
    scheme: str
    value: str
    checked_by: str
    key_rows: tuple[dict[str, Any], ...]


def new_owner_id() -> str:
    """Give a random owner id; it is the pseudonym used in entries."""
    return new_id("own")


async def by_identifier(db: AsyncConnection, scheme: str, value: str) -> str | None:
    """Find the owner that holds an identifier."""
    query = select(owner_identifier.c.owner).where(
        owner_identifier.c.scheme == scheme, owner_identifier.c.value == value
    )
    return (await db.execute(query)).scalar_one_or_none()


async def create(db: AsyncConnection, new: NewOwner, at: datetime) -> None:
    """Insert an owner with its first identifier and its key pairs."""
    await db.execute(
        insert(owner).values(
            id=new.id,
            kind=new.kind,
            name=new.name,
            born_on=new.born_on.isoformat() if new.born_on else None,
            created_at=stamp(at),
        )
    )
    await db.execute(
        insert(owner_identifier).values(
            scheme=new.scheme, value=new.value, owner=new.id, checked_by=new.checked_by
        )
    )
    await db.execute(insert(key_pair), list(new.key_rows))


async def identifiers(db: AsyncConnection, owner_id: str) -> list[tuple[str, str]]:
    """Give (scheme, value) of an owner, the personal number or tax code first."""
    query = (
        select(owner_identifier.c.scheme, owner_identifier.c.value)
        .where(owner_identifier.c.owner == owner_id)
        .order_by(owner_identifier.c.scheme.desc(), owner_identifier.c.value)
    )
    return [(row.scheme, row.value) for row in await db.execute(query)]


async def name(db: AsyncConnection, owner_id: str) -> str:
    """Give the owner's name as recorded."""
    return str((await db.execute(select(owner.c.name).where(owner.c.id == owner_id))).scalar_one())


def hidden(identifier: str) -> str:
    """Give an identifier with all but its last four characters hidden."""
    return "•" * (len(identifier) - 4) + identifier[-4:]


async def born_on(db: AsyncConnection, owner_id: str) -> date | None:
    """Give the birth date of a person, where it is recorded."""
    text = (await db.execute(select(owner.c.born_on).where(owner.c.id == owner_id))).scalar_one()
    return date.fromisoformat(text) if text else None


async def content_keys(db: AsyncConnection, owner_ids: Sequence[str]) -> dict[str, bytes]:
    """Give the public content key of each owner: anybody may seal to it."""
    query = select(key_pair.c.id, key_pair.c.public).where(
        key_pair.c.kind == "owner", key_pair.c.purpose == "content", key_pair.c.id.in_(owner_ids)
    )
    return {row.id: row.public for row in await db.execute(query)}
