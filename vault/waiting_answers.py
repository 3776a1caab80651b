"""What the request of something that waited for its seal is told once it has ended.

What was read of a scan holds names and numbers, so it lies in no stored answer: it is sealed in the row of
what waited, under a key wrapped to the vault, and told for some days with the answer.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, select, update

from storage.keyring import seal_to
from storage.sealed import new_record_key, seal_bytes
from vault import requests
from vault.callers import SystemCaller
from vault.entries import stamp
from vault.evidence_tables import waiting_seal
from vault.key_gate import READING_KEY_INFO, READING_PART, reading_aad
from vault.services import Answer, Vault
from vault.waiting_seals import SEALED, WAITING, public_key

READ = timedelta(days=7)  # how long what was read can be told


async def kept_reading(vault: Vault, agency: str, waiting: str, reading: Answer) -> Mapping[str, bytes]:
    """Give the columns that keep what was read, sealed for the agency; none where nothing was."""
    if not reading:
        return {}
    key, text = new_record_key(), json.dumps(reading, ensure_ascii=False).encode()
    async with vault.db.read() as db:
        public = await public_key(db)
    return {
        "reading_key": seal_to(public, key, info=READING_KEY_INFO, aad=reading_aad(agency, waiting)),
        "reading": seal_bytes(text, key=key, record=waiting, part=READING_PART),
    }


async def now(vault: Vault, caller: SystemCaller, key: str, told: Answer) -> Answer:
    """Give the answer of a scan as it is now, for a request that was answered before under its key.

    Whoever handed in the same scan as one that waited is told what became of that one.

    Args:
        told: the answer that is stored under the key.

    Raises:
        GateRefused: what was read and kept was changed.
    """
    joined = told.get("state") == WAITING
    of_key = and_(waiting_seal.c.caller == caller.id, waiting_seal.c.key == key)
    async with vault.db.read() as db:
        query = select(waiting_seal).where(waiting_seal.c.id == told["waiting"] if joined else of_key)
        row = (await db.execute(query)).mappings().first()
        if row is None or row["state"] == WAITING:
            return told
        ended: dict[str, Any] = dict(await requests.told(db, row["caller"], row["key"]) or told)
    if row["caller"] != caller.id:
        ended.pop("receipt", None)  # another's, and nobody else may fetch it
    if row["state"] != SEALED or row["reading"] is None:
        return ended
    told_beside: Answer = json.loads(await vault.gate.open_reading(row["id"], caller))
    return ended | told_beside


async def forget_readings(vault: Vault) -> int:
    """Take away what was read of scans that were sealed long enough ago; gives of how many."""
    old = (
        waiting_seal.c.state == SEALED,
        waiting_seal.c.reading.is_not(None),
        waiting_seal.c.updated_at <= stamp(vault.clock.now() - READ),
    )
    async with vault.db.read() as db:
        if (await db.execute(select(waiting_seal.c.id).where(*old).limit(1))).first() is None:
            return 0
    gone = update(waiting_seal).where(*old).values(reading_key=None, reading=None)
    async with vault.db.write() as db:
        return int((await db.execute(gone)).rowcount)
