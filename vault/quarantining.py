"""Quarantine: a file that was refused for what it does, carries or hides; kept shut for a while, then gone.

Its bytes lie sealed in the store, under a key sealed to the vault's quarantine key, which nothing in Kho
opens anything with: it is no record, has no page, and is released to nobody. What is kept is bounded for each
holder and altogether; beyond that a file is refused all the same, but nothing of it is kept: it is counted,
and told in the log of security.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.leaf import Kind, Parts
from storage.errors import StorageError
from storage.keyring import seal_to
from storage.sealed import Sealed, new_record_key, seal_file
from vault import entries
from vault.appending import Transaction
from vault.callers import OwnerCaller, SystemCaller
from vault.entries import Holder, HolderKind, new_id, stamp
from vault.errors import FileRejected
from vault.evidence_tables import quarantine
from vault.keeping import scratch_file
from vault.services import Vault
from vault.tables import key_pair

QUARANTINED = frozenset({"active_content", "polyglot", "malware"})  # codes; other files are only refused
KEPT = timedelta(days=30)
MOST_OF_ONE = 20  # files of one holder at once
MOST_BYTES_OF_ONE = 200 * 2**20
MOST_BYTES = 2 * 2**30  # of everybody together
PURPOSE = "quarantine"  # of the vault's key pair
_security = logging.getLogger("kho.security")  # without personal data: an owner is nobody there
not_kept: Counter[str] = (
    Counter()
)  # files refused since this process started for which there was no room, by code
_KEY_INFO = b"kho/1/quarantine-key"
_PART = "file"


@dataclass(frozen=True)
class Suspect:
    """A file that was refused, by whom it was handed in, and why."""

    caller: OwnerCaller | SystemCaller
    file: Path
    sha256: bytes
    size: int
    code: str
    found: tuple[str, ...]
    malware: str | None
    at: datetime

    @property
    def holder(self) -> tuple[HolderKind, str]:
        """Whom it was handed in for: an owner, or the agency that wanted it stored."""
        if isinstance(self.caller, OwnerCaller):
            return ("owner", self.caller.owner)
        return ("agency", self.caller.agency)


async def turn_away(vault: Vault, suspect: Suspect) -> FileRejected:
    """Put a file into quarantine where there is room, tell its holder, and give the error that says so.

    The same bytes of the same holder are kept and told of once.

    Raises:
        StorageError, VaultBusy: nothing is kept and nothing is recorded.
    """
    async with vault.db.read() as db:
        known = await _known(db, suspect)
        room = known is not None or await _room(db, suspect)
        public = await _public(db)
        holders = await entries.holders(db, [suspect.holder])
    if known is not None or not room:
        return _rejected(suspect, known) if known is not None else _without_room(suspect)
    item, key = new_id("qua"), new_record_key()
    sealed = await _put(vault, suspect.file, key, item)
    wrapped = seal_to(public, key, info=_KEY_INFO, aad=item.encode())
    row = _row(suspect, item, sealed, wrapped)

    async def change(tx: Transaction) -> Mapping[str, Any] | None:
        twin = await _known(tx.db, suspect)  # the same bytes came at the same time
        if twin is not None or not await _room(tx.db, suspect):  # or others, which filled what was left
            return twin
        (logged,) = await tx.append([_told(suspect, row, holders)])
        await tx.db.execute(insert(quarantine).values(**row, idx=logged.index))
        return row | {"receipt": logged.receipt}

    try:
        kept = await vault.appender.commit(change)
    except Exception:
        await discard(vault, row["blob"])  # if it left no row: a commit whose answer is lost has taken effect
        raise  # whoever is cancelled leaves the commit running: what it does not name, `inspect` sweeps
    if kept is None or kept["id"] != item:
        await discard(vault, row["blob"])
    return _rejected(suspect, kept) if kept is not None else _without_room(suspect)


async def discard(vault: Vault, blob: str) -> None:
    """Take bytes away unless a row still names them; else `inspect` sweeps them."""
    async with vault.db.read() as db:
        if (await db.execute(select(quarantine.c.id).where(quarantine.c.blob == blob))).first() is not None:
            return
    with suppress(StorageError):
        await vault.store.delete(blob)


async def _put(vault: Vault, file: Path, key: bytes, item: str) -> Sealed:
    target = scratch_file(vault)
    try:
        sealed = await asyncio.to_thread(seal_file, file, target, key=key, record=item, part=_PART)
        await vault.store.put(blob_name(item), target)
    finally:
        target.unlink(missing_ok=True)
    return sealed


def blob_name(item: str) -> str:
    """Give the key under which the bytes lie in the store."""
    return f"quarantine/{item.removeprefix('qua-')}/{_PART}"


async def _known(db: AsyncConnection, suspect: Suspect) -> Mapping[str, Any] | None:
    kind, holder = suspect.holder
    query = select(quarantine).where(
        quarantine.c.holder_kind == kind,
        quarantine.c.holder == holder,
        quarantine.c.ended_at.is_(None),
        quarantine.c.sha256 == suspect.sha256,
    )
    row = (await db.execute(query)).mappings().first()
    return dict(row) if row is not None else None


async def _room(db: AsyncConnection, suspect: Suspect) -> bool:
    kind, holder = suspect.holder
    counted = select(func.count(), func.coalesce(func.sum(quarantine.c.size), 0)).where(
        quarantine.c.ended_at.is_(None)
    )
    theirs = counted.where(quarantine.c.holder_kind == kind, quarantine.c.holder == holder)
    files, held = (await db.execute(theirs)).one()
    _, everything = (await db.execute(counted)).one()
    return bool(
        files < MOST_OF_ONE
        and held + suspect.size <= MOST_BYTES_OF_ONE
        and everything + suspect.size <= MOST_BYTES
    )


async def _public(db: AsyncConnection) -> bytes:
    query = select(key_pair.c.public).where(key_pair.c.kind == "vault", key_pair.c.purpose == PURPOSE)
    return bytes((await db.execute(query)).scalar_one())


def _row(suspect: Suspect, item: str, sealed: Sealed, wrapped: bytes) -> dict[str, Any]:
    kind, holder = suspect.holder
    by = suspect.caller if isinstance(suspect.caller, SystemCaller) else None
    return {
        "id": item,
        "holder_kind": kind,
        "holder": holder,
        "caller": suspect.caller.id,
        "agency": by.agency if by is not None else None,
        "officer": by.officer if by is not None else None,
        "sha256": suspect.sha256,
        "size": suspect.size,
        "code": suspect.code,
        "found": json.dumps(suspect.found),
        "malware": suspect.malware,
        "blob": blob_name(item),
        "wrapped_key": wrapped,
        "sealed_sha256": sealed.sealed_sha256,
        "at": stamp(suspect.at),
        "until": stamp(suspect.at + KEPT),
    }


def _told(suspect: Suspect, row: Mapping[str, Any], holders: list[Holder]) -> entries.Prepared:
    kind, holder = suspect.holder
    facts = {"quarantine": row["id"], "until": row["until"], "code": suspect.code, "size": suspect.size}
    if suspect.malware is not None:
        facts["malware"] = suspect.malware
    parts = Parts(
        subject={"digest": suspect.sha256.hex()} | ({"owners": [holder]} if kind == "owner" else {}),
        actor=suspect.caller.actor(),
        purpose={},
        basis={
            "facts": facts,
            "reasons": [{"code": f"found_{one}", "fact": "file"} for one in suspect.found],
        },
        event={"type": "quarantined", "result": "refused", "at": suspect.at.isoformat()},
    )
    caller = suspect.caller
    return entries.prepare(
        Kind.RECORD_EVENT, parts, holders, at=suspect.at, caller_kind=caller.kind, caller=caller.id
    )


def _without_room(suspect: Suspect) -> FileRejected:
    """Count a file that is refused without being kept, and tell of it."""
    not_kept[suspect.code] += 1
    facts = {
        "code": suspect.code,
        "found": ",".join(suspect.found),
        "size": suspect.size,
        "by": suspect.caller.kind,
        "count": not_kept[suspect.code],
    }
    _security.warning("quarantine_full", extra={"facts": facts})
    return _rejected(suspect, None)


def _rejected(suspect: Suspect, kept: Mapping[str, Any] | None) -> FileRejected:
    return FileRejected(
        suspect.code,
        suspect.found,
        detail=suspect.malware or "",
        quarantine=kept["id"] if kept is not None else None,
        until=kept["until"] if kept is not None else None,
        receipt=kept.get("receipt") if kept is not None else None,
    )
