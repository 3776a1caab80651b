"""Epochs: a counter per owner, dossier, agency and the policy book.

Whatever could change a decision about one of them raises its epoch under the head lock; a decision is good
for as long as the epochs it was made on stand (DESIGN 5, 11).
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.errors import Moved
from vault.tables import epoch
from vault.upserting import upsert

BOOK = ("book", "book")


async def read(db: AsyncConnection, keys: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Give `{"kind:id": n}` for each key; what was never raised stands at 0."""
    wanted = sorted(set(keys))
    rows = await db.execute(
        select(epoch.c.kind, epoch.c.id, epoch.c.n).where(tuple_(epoch.c.kind, epoch.c.id).in_(wanted))
    )
    found = {(kind, name): n for kind, name, n in rows}
    return {f"{kind}:{name}": found.get((kind, name), 0) for kind, name in wanted}


async def now(db: AsyncConnection, decided_on: Mapping[str, int]) -> dict[str, int]:
    """Read again the epochs that a decision stands on."""
    return await read(db, [(kind, name) for kind, _, name in (key.partition(":") for key in decided_on)])


async def hold(db: AsyncConnection, decided_on: Mapping[str, int]) -> None:
    """Check, inside the lock, that nothing moved since the decision.

    Raises:
        Moved: at least one epoch is another now.
    """
    if await now(db, decided_on) != dict(decided_on):
        raise Moved


async def advance(db: AsyncConnection, keys: Iterable[tuple[str, str]]) -> None:
    """Raise each epoch by one."""
    for kind, name in sorted(set(keys)):
        statement = upsert(epoch).values(kind=kind, id=name, n=1)
        await db.execute(
            statement.on_conflict_do_update(index_elements=["kind", "id"], set_={"n": epoch.c.n + 1})
        )
