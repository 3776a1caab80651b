"""Every file of a record: the newest, those before renewals, and the original that a copy was made from.

Which there are is known from rows alone; reading one is an entry of its owners like any other reading, which
names the digest of these very bytes, and the gate opens no key against another (vault/key_gate.py).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from vault import beside, delegations, epochs, records, telling, tries
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import instant
from vault.errors import Moved, NotFound, VaultBusy
from vault.evidence_tables import earlier_content, handed_in_file, scan
from vault.records import Stored, version_of
from vault.sending import Access, Delivery, send
from vault.services import MAX_AFRESH, Refusal, Vault
from vault.telling import Telling

READ = "version_delivered"
ORIGINAL = "original"
Why = Literal["original", "stored", "sealed", "renewed"]
_SEALED = ("result", "digitised")  # sources of what Kho makes and seals itself
_FILE = ("blob", "content_sha256", "content_size", "sealed_sha256", "sealed_size")


@dataclass(frozen=True)
class Version:
    """One file of a record: `name` is "original" or its number from 1, `since` when it came to be kept.

    `why`: what a copy was made from; stored as it came, or sealed here, at first; renewed, because an archive
    time stamp would run out.
    """

    name: str
    why: Why
    sha256: str
    size: int  # bytes
    media_type: str
    since: datetime
    newest: bool


@dataclass(frozen=True)
class _Kept:
    version: Version
    file: Mapping[str, Any]  # the columns that say where its bytes lie


@dataclass(frozen=True)
class _Chosen:
    """A record with the chosen one in the place of its file, and what its entry says."""

    file: Stored
    event: str
    details: Mapping[str, Any] | None


_Choose = Callable[[AsyncConnection, Stored], Awaitable[_Chosen | None]]


async def mine(vault: Vault, caller: OwnerCaller, record_id: str) -> tuple[Version, ...]:
    """List the files of a document of the caller's store, oldest first; no content, so no entry.

    Raises:
        NotFound: there is no such document in this store.
    """
    async with vault.db.read() as db:
        stored = await records.one(db, record_id, legal_day(vault.clock.now()))
        if stored is None or caller.owner not in stored.facts.owners:
            raise NotFound
        return await of(db, stored)


async def of(db: AsyncConnection, stored: Stored) -> tuple[Version, ...]:
    """List the files of a record, oldest first."""
    return tuple(one.version for one in await _kept(db, stored))


async def read(
    vault: Vault, caller: OwnerCaller, record_id: str, digest: str, *, start: int = 0, stop: int | None = None
) -> Delivery | Refusal:
    """Deliver one file of an owner's own document, named by its SHA-256 (hexadecimal).

    Of an earlier file and of an original nobody says what its signatures are worth now: `undetermined`.

    Raises:
        NotFound: there is no such record in this store (the try is an entry), or no such file of it.
        FieldInvalid, ContentDamaged, VaultBusy: as in `deliver.deliver`.
    """

    async def chosen(db: AsyncConnection, stored: Stored) -> _Chosen | None:
        files = await _kept(db, stored)
        kept = next((one for one in files if one.version.sha256 == digest), None)
        return None if kept is None else _Chosen(_as(stored, kept), READ, {"file": kept.version.name})

    return await _delivered(vault, caller, record_id, chosen, start, stop)


async def read_signature(vault: Vault, caller: OwnerCaller, record_id: str) -> Delivery | Refusal:
    """Deliver the signature that stands beside the file of an owner's own document.

    Raises:
        NotFound: there is no such record in this store (the try is an entry), or no signature beside it.
        ContentDamaged, VaultBusy: as in `deliver.deliver`.
    """

    async def chosen(db: AsyncConnection, stored: Stored) -> _Chosen | None:
        signature = beside.as_file(stored)
        return None if signature is None else _Chosen(signature, beside.DELIVERED, None)

    return await _delivered(vault, caller, record_id, chosen, 0, None)


async def _delivered(
    vault: Vault, caller: OwnerCaller, record_id: str, choose: _Choose, start: int, stop: int | None
) -> Delivery | Refusal:
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        async with vault.db.read() as db:
            stored = await records.one(db, record_id, legal_day(at))
            held = sorted(stored.facts.owners) if stored is not None else []
            marks = await epochs.read(db, [epochs.BOOK, *(("owner", one) for one in held)])
            delegation = await delegations.acting(db, caller, vault.grounds, at)
            chosen = await choose(db, stored) if stored is not None else None
        if stored is None or caller.owner not in held:
            await tries.at_record(vault, caller, record_id, at)
        if chosen is None:
            raise NotFound
        facts = AccessFacts(
            Action.READ_OWN, None, owner=caller.person, record=stored.facts, delegation=delegation
        )
        decision = decide(facts, vault.book, at)
        wanted = chosen.file
        if not decision.permitted:
            refused = Telling(Kind.REFUSED, "read_own_refused", facts, decision, tuple(held), wanted)
            return await telling.refuse(vault, caller, [refused])
        event, details = chosen.event, chosen.details
        told = Telling(Kind.DELIVERED, event, facts, decision, tuple(held), wanted, details=details)
        access = Access(told, wanted, marks, None, beside=wanted is not stored)
        try:
            return await send(vault, caller, access, start, stop, None)
        except Moved:
            continue
    raise VaultBusy("the facts of this record keep changing; try again")


def _as(stored: Stored, kept: _Kept) -> Stored:
    """Give a record with another of its files in the place of the newest."""
    if kept.version.newest:
        return stored
    row = {**stored.row, **kept.file, "media_type": kept.version.media_type}
    return replace(stored, row=row, facts=replace(stored.facts, verdict="undetermined"))


async def _kept(db: AsyncConnection, stored: Stored) -> list[_Kept]:
    row, id = stored.row, stored.facts.id
    original = (await db.execute(select(scan).where(scan.c.record == id))).mappings().first()
    earlier = select(earlier_content).where(earlier_content.c.record == id)
    before = (await db.execute(earlier.order_by(earlier_content.c.version))).mappings().all()
    came = select(handed_in_file.c.record).where(handed_in_file.c.record == id)
    sealed = row["source"] in _SEALED or (await db.execute(came)).first() is not None
    first: Why = "sealed" if sealed else "stored"
    since = instant(row["created_at"])
    found = []
    if original is not None:
        found.append(_one(original, ORIGINAL, "original", original["media_type"], since))
    for one in before:
        name = str(one["version"])
        found.append(_one(one, name, first if name == "1" else "renewed", row["media_type"], since))
        since = instant(one["replaced_at"])
    why: Why = "renewed" if before else first
    found.append(_one(row, str(version_of(row)), why, row["media_type"], since, newest=True))
    return found


def _one(
    file: Mapping[Any, Any], name: str, why: Why, media_type: str, since: datetime, *, newest: bool = False
) -> _Kept:
    digest, size = file["content_sha256"].hex(), file["content_size"]
    version = Version(name, why, digest, size, media_type, since, newest)
    return _Kept(version, {column: file[column] for column in _FILE})
