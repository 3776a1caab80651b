"""Who can open an entry: those it was sealed to, less those whose log key was erased."""

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.tables import entry_holder, key_pair


async def living_owners(db: AsyncConnection, index: int) -> list[tuple[str, str]]:
    """Give the owners whom an entry is about and whose log key was not erased."""
    return [one for one in await living(db, index) if one[0] == "owner"]


async def living(db: AsyncConnection, index: int) -> list[tuple[str, str]]:
    """Give who can open an entry."""
    return [(row.holder_kind, row.holder) for row in await db.execute(living_holders(index))]


def living_holders(index: int) -> Select[tuple[str, str]]:
    """Select who can open an entry: its holders whose log key was not erased."""
    keys = (
        (key_pair.c.kind == entry_holder.c.holder_kind)
        & (key_pair.c.id == entry_holder.c.holder)
        & (key_pair.c.purpose == "log")
    )
    return (
        select(entry_holder.c.holder_kind, entry_holder.c.holder)
        .join(key_pair, keys)
        .where(entry_holder.c.idx == index, key_pair.c.wrapped_private.is_not(None))
        .order_by(entry_holder.c.holder_kind, entry_holder.c.holder)
    )
