"""Whether a vault is served here: not while it arrives, and never again once it was moved away.

It stands in the rows, so that every process on every machine meets it; beside the bytes that were moved lies
a note. Marks in files (vault/opening.py) tell the same while there are no rows yet. Whoever serves the rows
holds them to what they said at its start (`Database.pin`): a move that was missed is found by the next write.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.blobs import BlobStore
from storage.errors import BlobMissing, StorageError
from vault.database import Database, Known
from vault.entries import stamp
from vault.errors import VaultBusy
from vault.tables import vault_standing
from vault.upserting import upsert

__all__ = ["Known", "Standing", "VaultElsewhere", "elsewhere"]

State = Literal["restoring", "arriving", "moving", "moved"]
_SERVED = "served"  # it is served here, since its bytes alone moved to `peer`
NOTE = "kho/moved"  # the key of the note in a store whose bytes were moved
_LONGEST_NOTE = 4096
_WORDS: dict[State, str] = {
    "restoring": "{rows} was never restored to the end: run `kho restore` again, from {peer}",
    "arriving": "the move to {rows} has not ended: run `kho move` again where it was begun",
    "moving": "{rows} is being moved to {peer}: run `kho move` again, or give it up by `kho move --give-up`",
    "moved": "{rows} was moved to {peer}: the vault is served there, and never again from here",
}


class VaultElsewhere(VaultBusy):
    """The vault is not served from here: it was moved away, or what brought it here has not ended.

    To callers it is as if the rows were away: they are asked to come again, and find the other place then.
    """

    code = "vault_elsewhere"


@dataclass(frozen=True)
class Standing:
    """Why a vault is not served here, and the other place."""

    state: State
    peer: str

    def words(self, rows: str) -> str:
        """Say it, and what to do."""
        return _WORDS[self.state].format(rows=rows, peer=self.peer)


async def standing(db: AsyncConnection) -> Standing | None:
    """Give why the vault is not served here; None: it is."""
    return _read(await known(db))


async def known(db: AsyncConnection) -> Known:
    """Give the row itself: another one later means that the vault moved, or its bytes did."""
    said = select(vault_standing.c.state, vault_standing.c.peer, vault_standing.c.at)
    row = (await db.execute(said)).first()
    return None if row is None else (row.state, row.peer, row.at)


def _read(said: Known) -> Standing | None:
    return None if said is None or said[0] == _SERVED else Standing(cast(State, said[0]), said[1])


def elsewhere(now: Known, rows: str) -> str:
    """Say why a process goes no further with rows that tell something else than at its start."""
    found = _read(now)
    if found is not None:
        return found.words(rows)
    where = f" to {now[1]}" if now is not None else ""
    return f"where the vault of {rows} is served or has its bytes was changed{where} meanwhile: start again"


async def put(db: AsyncConnection, state: State, peer: str, at: datetime) -> None:
    """Say from now on that it is not served here."""
    said = {"state": state, "peer": peer, "at": stamp(at)}
    insertion = upsert(vault_standing).values(id=1, **said)
    await db.execute(insertion.on_conflict_do_update(index_elements=["id"], set_=said))


async def clear(db: AsyncConnection) -> None:
    """Say from now on that it is served here."""
    await db.execute(delete(vault_standing))


async def served_again(db: AsyncConnection, store: str, at: datetime) -> None:
    """Say from now on that it is served here with its bytes at `store`.

    The row stays: a process that still knows the store of before sees by it that this is over.
    """
    said = {"state": _SERVED, "peer": store, "at": stamp(at)}
    insertion = upsert(vault_standing).values(id=1, **said)
    await db.execute(insertion.on_conflict_do_update(index_elements=["id"], set_=said))


async def require_here(db: Database, rows: str) -> None:
    """Refuse to serve what is not served here, now or later. Raises VaultElsewhere, VaultBusy."""
    async with db.read() as connection:
        said = await known(connection)
    found = _read(said)
    if found is not None:
        raise VaultElsewhere(found.words(rows))
    db.pin(said)


async def require_bytes_here(store: BlobStore, address: str) -> None:
    """Refuse a store whose bytes were moved away; one that does not answer now is let pass.

    Raises:
        VaultElsewhere: naming where they are.
    """
    peer = await note_in(store)
    if peer is not None:
        raise VaultElsewhere(bytes_moved(address, peer))


def bytes_moved(address: str, peer: str) -> str:
    """Say that the bytes of a store are elsewhere, and what to do."""
    return f"the bytes at {address} were moved to {peer}: set KHO_STORE to that"


async def note_in(store: BlobStore) -> str | None:
    """Give where the bytes of a store were moved to; None: they are here, or it does not answer."""
    try:
        async with await store.open(NOTE) as note:
            return (await note.read_at(0, _LONGEST_NOTE)).decode()
    except BlobMissing:
        return None
    except StorageError:
        return None


async def leave_note(store: BlobStore, peer: str, scratch: Path) -> None:
    """Leave the note beside bytes that were moved. Raises StoreUnavailable."""
    path = scratch / "moved.tmp"
    path.write_bytes(peer.encode()[:_LONGEST_NOTE])
    try:
        await store.put(NOTE, path)
    finally:
        path.unlink(missing_ok=True)
