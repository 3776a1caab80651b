"""The end of a quarantine: its days are over, or an administrator or the operator destroys it.

Whoever it was handed in for is told. First the row says that the bytes are gone, then they go: what dies in
between leaves an orphan blob, which `inspect --sweep` removes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.leaf import Kind, Parts
from vault import entries
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR, OwnerCaller, StaffCaller
from vault.entries import HolderKind, Prepared, instant, stamp
from vault.errors import FieldInvalid, NotAuthenticated, NotFound
from vault.evidence_tables import quarantine
from vault.quarantining import MOST_OF_ONE, discard
from vault.services import Vault

EXPIRED = "quarantine_expired"
DESTROYED = "quarantine_destroyed"
MAX_REASON = 500  # characters
OPERATOR = "operator"
_MOST_AT_ONCE = 100  # ended in one transaction


@dataclass(frozen=True)
class Quarantined:
    """One file in quarantine, or that was there: what is known of it without its bytes."""

    id: str
    holder_kind: str
    holder: str
    agency: str | None
    officer: str | None
    sha256: str
    size: int
    code: str
    found: tuple[str, ...]
    malware: str | None
    at: datetime
    until: datetime
    ended_at: datetime | None
    ended_by: str | None


async def listed(db: AsyncConnection, *, limit: int, owner: str | None = None) -> list[Quarantined]:
    """Give what is in quarantine now, newest first; of one owner or of everybody."""
    query = select(quarantine).where(quarantine.c.ended_at.is_(None))
    if owner is not None:
        query = query.where(quarantine.c.holder_kind == "owner", quarantine.c.holder == owner)
    rows = await db.execute(query.order_by(quarantine.c.at.desc(), quarantine.c.id).limit(limit))
    return [_read(dict(row)) for row in rows.mappings()]


async def my_quarantine(vault: Vault, caller: OwnerCaller) -> list[Quarantined]:
    """List what lies in quarantine of the owner whose wallet is open."""
    async with vault.db.read() as db:
        return await listed(db, limit=MOST_OF_ONE, owner=caller.owner)


async def in_quarantine(vault: Vault, caller: StaffCaller, *, limit: int) -> list[Quarantined]:
    """List everything in quarantine for an administrator. Raises NotAuthenticated."""
    if caller.role != "administrator":
        raise NotAuthenticated("role_missing")
    async with vault.db.read() as db:
        return await listed(db, limit=limit)


async def destroy(vault: Vault, caller: StaffCaller | None, item: str, *, reason: str) -> None:
    """Destroy one file in quarantine; `caller` None is the operator of this machine.

    Raises:
        NotAuthenticated: the caller is no administrator.
        NotFound: there is no such file, or it is gone already.
        FieldInvalid: no reason, or too long a one.
    """
    if caller is not None and caller.role != "administrator":
        raise NotAuthenticated("role_missing")
    why = " ".join(reason.split())
    if not 0 < len(why) <= MAX_REASON:
        raise FieldInvalid("reason", "text_length", f"1 to {MAX_REASON} characters")
    async with vault.db.read() as db:
        query = select(quarantine).where(quarantine.c.id == item, quarantine.c.ended_at.is_(None))
        row = (await db.execute(query)).mappings().first()
    if row is None or not await _end(vault, [dict(row)], DESTROYED, caller, why):
        raise NotFound


async def sweep(vault: Vault) -> int:
    """End every quarantine whose days are over; gives how many.

    Called at every start, and every hour while the vault is served.
    """
    ended = 0
    while True:
        async with vault.db.read() as db:
            query = (
                select(quarantine)
                .where(quarantine.c.ended_at.is_(None), quarantine.c.until <= stamp(vault.clock.now()))
                .order_by(quarantine.c.until)
                .limit(_MOST_AT_ONCE)
            )
            rows = [dict(row) for row in (await db.execute(query)).mappings()]
        done = await _end(vault, rows, EXPIRED, None, None) if rows else 0
        ended += done
        if len(rows) < _MOST_AT_ONCE or not done:
            return ended


async def _end(
    vault: Vault, rows: Sequence[Mapping[str, Any]], event: str, caller: StaffCaller | None, why: str | None
) -> int:
    at = vault.clock.now()
    async with vault.db.read() as db:
        prepared = [await _told(db, row, event, caller, why, at) for row in rows]
    by = caller.id if caller is not None else OPERATOR if why is not None else "vault"

    async def change(tx: Transaction) -> list[str]:
        ended, told = [], []
        for row, entry in zip(rows, prepared, strict=True):
            done = await tx.db.execute(
                update(quarantine)
                .where(quarantine.c.id == row["id"], quarantine.c.ended_at.is_(None))
                .values(ended_at=stamp(at), ended_by=by, blob=None, wrapped_key=b"")
            )
            if done.rowcount:  # nobody else ended it meanwhile
                ended.append(row["blob"])
                told.append(entry)
        if told:
            await tx.append(told)
        return ended

    blobs = await vault.appender.commit(change)
    for blob in blobs:
        await discard(vault, blob)
    return len(blobs)


async def _told(
    db: AsyncConnection,
    row: Mapping[str, Any],
    event: str,
    caller: StaffCaller | None,
    why: str | None,
    at: datetime,
) -> Prepared:
    holder = (cast(HolderKind, row["holder_kind"]), row["holder"])
    facts = {"quarantine": row["id"], "code": row["code"]} | ({"reason": why} if why else {})
    parts = Parts(
        subject={"digest": row["sha256"].hex()}
        | ({"owners": [row["holder"]]} if row["holder_kind"] == "owner" else {}),
        actor=caller.actor() if caller is not None else dict(VAULT_ACTOR),
        purpose={},
        basis={"facts": facts},
        event={"type": event, "result": "permitted", "at": at.isoformat()},
    )
    return entries.prepare(
        Kind.MAINTENANCE if caller is None else Kind.ADMINISTRATOR_ACT,
        parts,
        await entries.holders(db, [holder]),
        at=at,
        caller_kind="vault" if caller is None else caller.kind,
        caller="vault" if caller is None else caller.id,
    )


def _read(row: Mapping[str, Any]) -> Quarantined:
    return Quarantined(
        id=row["id"],
        holder_kind=row["holder_kind"],
        holder=row["holder"],
        agency=row["agency"],
        officer=row["officer"],
        sha256=row["sha256"].hex(),
        size=row["size"],
        code=row["code"],
        found=tuple(json.loads(row["found"])),
        malware=row["malware"],
        at=instant(row["at"]),
        until=instant(row["until"]),
        ended_at=instant(row["ended_at"]) if row["ended_at"] else None,
        ended_by=row["ended_by"],
    )
