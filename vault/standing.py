"""Whether a vault is served here: not while it arrives, and never again once it was moved away.

It stands in the rows, so that every process on every machine meets it; beside the bytes that were moved lies
a note. Marks in files (vault/opening.py) tell the same while there are no rows yet.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.blobs import BlobStore
from storage.errors import BlobMissing, StorageError
from vault.database import Database
from vault.entries import stamp
from vault.errors import VaultError
from vault.tables import vault_standing
from vault.upserting import upsert

State = Literal["restoring", "arriving", "moving", "moved"]
NOTE = "kho/moved"  # the key of the note in a store whose bytes were moved
_LONGEST_NOTE = 4096
_WORDS: dict[State, str] = {
    "restoring": "{rows} was never restored to the end: run `kho restore` again, from {peer}",
    "arriving": "the move to {rows} has not ended: run `kho move` again where it was begun",
    "moving": "{rows} is being moved to {peer}: run `kho move` again, or give it up by `kho move --give-up`",
    "moved": "{rows} was moved to {peer}: the vault is served there, and never again from here",
}


class VaultElsewhere(VaultError):
    """The vault is not served from here: it was moved away, or what brought it here has not ended."""

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
    row = (await db.execute(select(vault_standing.c.state, vault_standing.c.peer))).first()
    return None if row is None else Standing(cast(State, row.state), row.peer)


async def put(db: AsyncConnection, state: State, peer: str, at: datetime) -> None:
    """Say from now on that it is not served here."""
    said = {"state": state, "peer": peer, "at": stamp(at)}
    insertion = upsert(vault_standing).values(id=1, **said)
    await db.execute(insertion.on_conflict_do_update(index_elements=["id"], set_=said))


async def clear(db: AsyncConnection) -> None:
    """Say from now on that it is served here."""
    await db.execute(delete(vault_standing))


async def require_here(db: Database, rows: str) -> None:
    """Refuse to serve what is not served here. Raises VaultElsewhere, VaultBusy."""
    async with db.read() as connection:
        found = await standing(connection)
    if found is not None:
        raise VaultElsewhere(found.words(rows))


async def require_bytes_here(store: BlobStore, address: str) -> None:
    """Refuse a store whose bytes were moved away; one that does not answer now is let pass.

    Raises:
        VaultElsewhere: naming where they are.
    """
    peer = await note_in(store)
    if peer is not None:
        raise VaultElsewhere(f"the bytes at {address} were moved to {peer}: set KHO_STORE to that")


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
