"""Which signer and which gate belong to these rows: a public key of each, noted when it was made.

Only to notice a mix-up early: what is proven rests on pinned lines and on keys, never on these rows.
"""

from hashlib import sha256
from typing import Literal

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.database import Database
from vault.errors import VaultIncomplete
from vault.tables import key_pair, log_head

Marked = Literal["signer", "gate"]
_PURPOSE: dict[Marked, str] = {"signer": "log", "gate": "token"}
_INDEX = {"kind": "gate", "id": "gate", "purpose": "index"}
_INDEX_MARK = b"kho/1/index-mark"


async def known(db: Database, part: Marked) -> bytes | None:
    """Give the public key of the part that these rows belong to; None where none is noted."""
    query = select(key_pair.c.public).where(
        key_pair.c.kind == part, key_pair.c.id == part, key_pair.c.purpose == _PURPOSE[part]
    )
    async with db.read() as reading:
        return (await reading.execute(query)).scalar_one_or_none()


async def require(db: Database, part: Marked, public: bytes) -> None:
    """Refuse rows that belong to another part, or to none.

    Raises:
        VaultIncomplete: naming the part.
    """
    noted = await known(db, part)
    if noted is None:
        raise VaultIncomplete(f"these rows know of no {part} yet: `kho {_COMMAND[part]} --create` makes it")
    if noted != public:
        raise VaultIncomplete(f"these rows belong to another {part}: put its own keys back")


async def require_none(db: Database, part: Marked) -> None:
    """Refuse to make a part for rows that have one, or that hold entries already.

    Raises:
        VaultIncomplete: naming the part.
    """
    if await known(db, part) is not None:
        raise VaultIncomplete(f"these rows belong to another {part}: put its own keys back")
    async with db.read() as reading:
        entries = (await reading.execute(select(log_head.c.size))).scalar_one_or_none() or 0
    if entries:
        raise VaultIncomplete(
            f"these rows hold {entries} entries of a vault that was made in one process: `kho keys split`"
        )


async def note(db: Database, part: Marked, public: bytes) -> None:
    """Note a part that was made for these rows; again, it changes nothing.

    Raises:
        VaultIncomplete: another one is noted, or there are entries already.
    """
    if await known(db, part) is not None:
        await require(db, part, public)
        return
    await require_none(db, part)
    await note_split(db, part, public)


async def note_split(db: Database, part: Marked, public: bytes) -> None:
    """Note a part of a vault that was in one process until now."""
    row = {"kind": part, "id": part, "purpose": _PURPOSE[part], "public": public, "wrapped_private": None}
    if await known(db, part) is None:
        async with db.beside() as writing:
            await writing.execute(insert(key_pair).values(**row))


async def index_known(db: Database) -> bool:
    """Say whether these rows know of an index key, by which persons in them are tagged."""
    return await _index(db) is not None


async def hold_index(db: Database, index_key: bytes) -> None:
    """Note the index key of these rows where none is noted yet: under another, tags of persons match no more.

    Raises:
        VaultIncomplete: these rows were tagged under another one.
    """
    mark = sha256(_INDEX_MARK + index_key).digest()
    noted = await _index(db)
    if noted is None:
        async with db.beside() as writing:
            await writing.execute(insert(key_pair).values(**_INDEX, public=mark, wrapped_private=None))
    elif noted != mark:
        raise VaultIncomplete("these rows belong to another index key: put their own one back")


async def _index(db: Database) -> bytes | None:
    query = select(key_pair.c.public).where(*(key_pair.c[name] == value for name, value in _INDEX.items()))
    async with db.read() as reading:
        return (await reading.execute(query)).scalar_one_or_none()


async def forget(db: AsyncConnection) -> None:
    """Note no part any more: the keys are in one folder again, until they are split anew."""
    await db.execute(delete(key_pair).where(key_pair.c.kind.in_(list(_PURPOSE))))


_COMMAND: dict[Marked, str] = {"signer": "sign", "gate": "gate"}
