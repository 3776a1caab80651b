"""Which files a record has had, as an auditor may know: when, why, which digest; never content.

Looking is an entry of the record's owners before anything is shown (kind 14). Whom it belongs to stays
masked, and its title and number are not told: they may name a person.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import masking, records, versions
from vault.audit_acts import enter
from vault.callers import StaffCaller
from vault.days import legal_day
from vault.entries import Logged, instant
from vault.errors import NotFound
from vault.evidence_tables import earlier_content, handed_in_file
from vault.records import Stored
from vault.services import Vault
from vault.tables import key_pair, record_owner

EVENT = "versions_listed"
_RECORD = re.compile(r"rec-[0-9a-f]{32}")


@dataclass(frozen=True)
class AuditedVersion:
    """One file of a record, kept or not.

    `name` is "handed_in", "original" or its number from 1. `why` is that of `versions.Version`, or handed_in:
    what was handed in before it was sealed here, of which the digest alone is kept. `entry` is the index of
    the entry that tells of the renewal.
    """

    name: str
    why: versions.Why | Literal["handed_in"]
    sha256: str  # hexadecimal
    size: int  # bytes
    media_type: str
    since: datetime
    current: bool
    kept: bool
    entry: int | None


@dataclass(frozen=True)
class AuditedRecord:
    """A record's files, oldest first; `signature` is the digest of the signature beside it, if one is."""

    record: str
    type: str
    owners: tuple[str, ...]  # masked
    versions: tuple[AuditedVersion, ...]
    signature: str | None
    entered: Logged


async def list_versions(vault: Vault, caller: StaffCaller, record_id: str) -> AuditedRecord:
    """List the files of a record; its owners see that it was done, and so is a try at one that is not there.

    Raises:
        NotFound: there is no such record.
        NotAuthenticated: the caller is no auditor.
        VaultBusy: the look could not be entered; nothing is shown.
    """
    if _RECORD.fullmatch(record_id) is None:
        raise NotFound
    async with vault.db.read() as db:
        stored = await records.one(db, record_id, legal_day(vault.clock.now()))
        owners = await _living_owners(db, record_id)
    entered = await enter(vault, caller, EVENT, {}, owners=owners, record=record_id)
    if stored is None:
        raise NotFound
    async with vault.db.read() as db:
        masks = await masking.masks(db, stored.facts.owners)
        found = await _versions(db, stored)
    signature = stored.row["signature_sha256"]
    return AuditedRecord(
        record=record_id,
        type=stored.row["type"],
        owners=tuple(sorted(masks.values())),
        versions=found,
        signature=None if signature is None else signature.hex(),
        entered=entered,
    )


async def _versions(db: AsyncConnection, stored: Stored) -> tuple[AuditedVersion, ...]:
    row, id = stored.row, stored.facts.id
    came = select(handed_in_file).where(handed_in_file.c.record == id)
    handed_in = (await db.execute(came)).first()
    query = select(earlier_content.c.version, earlier_content.c.idx).where(earlier_content.c.record == id)
    renewals = {str(one.version + 1): one.idx for one in await db.execute(query)}
    found = [
        AuditedVersion(
            name=one.name,
            why=one.why,
            sha256=one.sha256,
            size=one.size,
            media_type=one.media_type,
            since=one.since,
            current=one.newest,
            kept=True,
            entry=renewals.get(one.name),
        )
        for one in await versions.of(db, stored)
    ]
    if handed_in is None:
        return tuple(found)
    before = AuditedVersion(
        name="handed_in",
        why="handed_in",
        sha256=handed_in.content_sha256.hex(),
        size=handed_in.content_size,
        media_type=row["media_type"],
        since=instant(row["created_at"]),
        current=False,
        kept=False,
        entry=None,
    )
    return (before, *found)


async def _living_owners(db: AsyncConnection, record_id: str) -> list[str]:
    """Give the owners of a record who can still read of it."""
    hers = (
        (key_pair.c.kind == "owner") & (key_pair.c.id == record_owner.c.owner) & (key_pair.c.purpose == "log")
    )
    query = select(record_owner.c.owner).join(key_pair, hers).where(record_owner.c.record == record_id)
    living = query.where(key_pair.c.wrapped_private.is_not(None)).order_by(record_owner.c.owner)
    return list((await db.execute(living)).scalars().all())
