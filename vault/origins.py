"""The names under which the log was signed: one, and one more for each restore that lost the log's end.

A log that goes on from an older copy of its rows would be another one under the same name: whoever kept a
receipt of a lost entry could prove a fork. So it goes on under a new name, and says so in the first entry
that it signs, which names the newest head known of the one before. That entry is about nobody, and is shown
to everybody. Receipts from before stay good under the line of the key that signed them.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.canonical import to_base64
from signing.leaf import PARTS, Kind, Parts, new_seed, opening
from signing.merkle import EMPTY_ROOT
from signing.receipt import make_receipt
from vault import entries
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR
from vault.entries import stamp
from vault.errors import NotFound, VaultIncomplete
from vault.services import Vault
from vault.tables import log_entry, log_origin
from vault.telling import VAULT_HOLDER
from vault.upserting import upsert

OPENED = "origin_opened"


@dataclass(frozen=True)
class Origin:
    """One name of the log: since when, from how many entries on, and what is known of the one before."""

    n: int
    name: str
    key_line: str
    since: str
    first: int
    root: bytes
    old_size: int | None
    old_root: bytes | None
    backup: str | None
    idx: int | None


async def listed(db: AsyncConnection) -> list[Origin]:
    """Give every name of the log, the first first."""
    columns = [log_origin.c[name] for name in Origin.__dataclass_fields__]
    return [Origin(*row) for row in await db.execute(select(*columns).order_by(log_origin.c.n))]


async def names(vault: Vault) -> list[Origin]:
    """Give every name of the vault's log, the first first. Raises VaultBusy."""
    async with vault.db.read() as db:
        return await listed(db)


async def add_pending(
    db: AsyncConnection,
    *,
    key_line: str,
    first: int,
    root: bytes,
    old_size: int,
    old_root: bytes,
    backup: str,
    at: Any,
) -> None:
    """Note a new name; whoever opens the vault first writes the entry that tells of it."""
    known = await listed(db)
    values = {
        "n": known[-1].n + 1 if known else 1,
        "name": key_line.partition("+")[0],
        "key_line": key_line,
        "since": stamp(at),
        "first": first,
        "root": root,
        "old_size": old_size,
        "old_root": old_root,
        "backup": backup,
    }
    await db.execute(insert(log_origin).values(**values))


async def look(vault: Vault) -> None:
    """Note the log's first name, or write the entry that a new one begins with; before anything else.

    Raises:
        VaultIncomplete: the log key is another than the rows know of.
        VaultBusy: it could not be written.
    """
    async with vault.db.read() as db:
        known = await listed(db)
    if not known:
        await _note_first(vault)
    elif known[-1].key_line != vault.signer.verifier_line:
        raise VaultIncomplete(
            f"the log key is {vault.signer.origin}, but these rows were signed as {known[-1].name}"
        )
    elif known[-1].n and known[-1].idx is None:
        await _tell(vault, known[-1], known[-2] if len(known) > 1 else None)


async def _note_first(vault: Vault) -> None:
    values = {
        "n": 0,
        "name": vault.signer.origin,
        "key_line": vault.signer.verifier_line,
        "since": stamp(vault.clock.now()),
        "first": 0,
        "root": EMPTY_ROOT,
    }
    async with vault.db.write() as db:
        await db.execute(upsert(log_origin).values(**values).on_conflict_do_nothing())


async def _tell(vault: Vault, new: Origin, before: Origin | None) -> None:
    at, seed = vault.clock.now(), new_seed()
    facts: dict[str, Any] = {
        "origin": new.name,
        "restored": {"size": new.first, "root": to_base64(new.root)},
        "before": {"size": new.old_size, "root": to_base64(new.old_root or b"")}
        | ({"origin": before.name, "key": before.key_line} if before is not None else {}),
        "backup": new.backup or "",
    }
    event = {"type": OPENED, "result": "permitted", "at": at.isoformat()}
    parts = Parts(subject={}, actor=dict(VAULT_ACTOR), purpose={}, basis={"facts": facts}, event=event)
    async with vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    told = entries.prepare(
        Kind.MAINTENANCE, parts, held, at=at, caller_kind="vault", caller="vault", seed=seed
    )
    shown = json.dumps(opening(parts, seed, told.leaf, PARTS), ensure_ascii=False)

    async def change(tx: Transaction) -> None:
        query = select(log_origin.c.idx).where(log_origin.c.n == new.n)
        if (await tx.db.execute(query)).scalar_one() is not None:
            return  # another process was first
        (logged,) = await tx.append([told])
        of = update(log_origin).where(log_origin.c.n == new.n)
        await tx.db.execute(of.values(idx=logged.index, opening=shown))

    await vault.appender.commit(change)


async def receipt_of(vault: Vault, n: int) -> str:
    """Give the proof of the entry that a name began with, all of it opened: for everybody.

    Raises:
        NotFound: there is no such name, or it began with no entry.
        VaultBusy, LogBehind, LogForked: the head cannot be signed.
    """
    query = (
        select(log_origin.c.idx, log_origin.c.opening, log_entry.c.leaf)
        .join(log_entry, log_entry.c.idx == log_origin.c.idx)
        .where(log_origin.c.n == n)
    )
    async with vault.db.read() as db:
        row = (await db.execute(query)).first()
    if row is None:
        raise NotFound
    proof, checkpoint, _ = await vault.appender.proof(row.idx)
    return make_receipt(
        leaf=row.leaf, index=row.idx, proof=proof, checkpoint=checkpoint, opening=json.loads(row.opening)
    )
