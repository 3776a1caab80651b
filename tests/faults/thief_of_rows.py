"""Tricks of a thief who may change any row of the tables, and puts it back; for `thief.py`.

The database's own rights keep most of it from an API process; here the gate is alone.
"""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from storage.keyring import seal_to
from storage.sealed import new_record_key, seal_bytes
from tests.faults.stolen import Stolen
from vault.entries import stamp
from vault.evidence_tables import waiting_seal
from vault.key_gate import WAITING_KEY_INFO, WAITING_PART
from vault.tables import key_pair

_OTHER = "H26.14.02"
_SECRET = {"secret": "fields of somebody's birth certificate"}


async def reads_what_waits_as_a_reading(stolen: Stolen) -> Any:
    """Turn what another agency handed in, and waits for its seal, into what was read of one's own scan."""
    wid = "wait-" + os.urandom(16).hex()
    row = await _waiting(stolen, wid)
    async with stolen.db.beside() as db:
        await db.execute(insert(waiting_seal).values(**row))
    mine = {"agency": stolen.said["actor"]["agency"], "state": "sealed"}
    mine |= {"reading_key": row["wrapped_key"], "reading": row["body"]}
    try:
        async with stolen.db.beside() as db:
            await db.execute(update(waiting_seal).where(waiting_seal.c.id == wid).values(**mine))
        return (await stolen.gate.open_reading(wid, stolen.police)).decode()
    finally:
        async with stolen.db.beside() as db:
            await db.execute(delete(waiting_seal).where(waiting_seal.c.id == wid))


async def _waiting(stolen: Stolen, wid: str) -> Mapping[str, Any]:
    """What `kho serve` writes when a result waits, for another agency."""
    vaults = select(key_pair.c.public).where(key_pair.c.kind == "vault", key_pair.c.purpose == WAITING_PART)
    async with stolen.db.read() as db:
        public = (await db.execute(vaults)).scalar_one()
    key, at = new_record_key(), stamp(datetime.now(UTC))
    return {
        "id": wid,
        "caller": "other",
        "agency": _OTHER,
        "key_thumbprint": "x",
        "door": "token",
        "key": "k",
        "asked": b"x",
        "operation": "issue",
        "type": "GKS",
        "wrapped_key": seal_to(public, key, info=WAITING_KEY_INFO, aad=wid.encode()),
        "body": seal_bytes(json.dumps(_SECRET).encode(), key=key, record=wid, part=WAITING_PART),
        "state": "waiting_for_seal",
        "attempts": 1,
        "reasons": "[]",
        "next_at": at,
        "created_at": at,
        "updated_at": at,
    }


async def has_another_log_key_made_for_an_owner(stolen: Stolen) -> Any:
    """Ask the gate for one more log key of an owner who has one."""
    return await stolen.gate.new_pair("owner", await stolen.owner(), "log")


async def seals_to_a_log_key_that_nobody_keeps(stolen: Stolen) -> Any:
    """Put another log key of the owner into the rows for the moment of a read: nobody will open its entry."""
    owner = await stolen.owner()
    log, _ = await stolen.gate.new_owner_pairs(owner)
    async with _swapped(stolen, owner, log):
        return await stolen.enters_and_opens()


async def seals_to_a_pair_that_nobody_keeps(stolen: Stolen) -> Any:
    """The same, with the content key that belongs to it."""
    owner = await stolen.owner()
    async with _swapped(stolen, owner, *await stolen.gate.new_owner_pairs(owner)):
        return await stolen.enters_and_opens()


async def seals_to_a_key_whose_other_half_is_the_owners(stolen: Stolen) -> Any:
    """The public half in the rows is the owner's own again when the gate looks, the private one another's."""
    owner = await stolen.owner()
    log, _ = await stolen.gate.new_owner_pairs(owner)
    async with _swapped(stolen, owner, log) as before:
        entry = await stolen.forged()
        own = update(key_pair).where(*_named(owner, "log")).values(public=before["log"]["public"])
        async with stolen.db.beside() as db:
            await db.execute(own)
        return await stolen.enters_and_opens(entry)


@asynccontextmanager
async def _swapped(
    stolen: Stolen, owner: str, *rows: Mapping[str, Any]
) -> AsyncIterator[dict[str, Mapping[str, Any]]]:
    """Put other keys in the place of the owner's, and theirs back."""
    async with stolen.db.read() as db:
        found = await db.execute(select(key_pair).where(key_pair.c.kind == "owner", key_pair.c.id == owner))
        before = {one["purpose"]: dict(one) for one in found.mappings()}
    try:
        await _put(stolen, owner, *rows)
        yield before
    finally:
        await _put(stolen, owner, *before.values())


async def _put(stolen: Stolen, owner: str, *rows: Mapping[str, Any]) -> None:
    async with stolen.db.beside() as db:
        for row in rows:
            await db.execute(update(key_pair).where(*_named(owner, row["purpose"])).values(**row))


def _named(owner: str, purpose: str) -> Any:
    return key_pair.c.kind == "owner", key_pair.c.id == owner, key_pair.c.purpose == purpose


TRICKS = (
    reads_what_waits_as_a_reading,
    has_another_log_key_made_for_an_owner,
    seals_to_a_log_key_that_nobody_keeps,
    seals_to_a_pair_that_nobody_keeps,
    seals_to_a_key_whose_other_half_is_the_owners,
)
