"""Bytes leave: steps 6 to 8 of an access (see vault/release.py), for a release and for the owner's own."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import RowMapping, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from storage.errors import BlobDamaged, BlobMissing, StorageError
from storage.sealed import read_sealed
from vault import delegations, entries, epochs, records, releases, telling, tries
from vault.appending import Write
from vault.assertions import TokenRefused
from vault.callers import Caller, OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.entries import Logged, stamp
from vault.errors import ContentDamaged, FieldInvalid, Moved, NotFound, VaultBusy, VaultError
from vault.evidence import Evidence
from vault.fetched import fetched
from vault.gathering import scene
from vault.records import Stored
from vault.services import MAX_AFRESH, Refusal, Vault
from vault.tables import damage
from vault.telling import Telling

SHARED = timedelta(seconds=60)  # ranges of one file share a `delivered` entry this long


class Chunks:
    """The content on its way; `aclose` ends the reading at once, begun or not, and closes the file."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes]) -> None:
        self._first = first
        self._rest = rest

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return await anext(self._rest)

    async def aclose(self) -> None:
        """End the reading."""
        self._first = b""
        await self._rest.aclose()


@dataclass(frozen=True)
class Delivery:
    """A file on its way: `chunks` are authenticated one by one, the first already before this exists.

    `broken` tells the log, by a code, that what was entered as delivered did not reach its reader.
    """

    chunks: Chunks
    start: int
    stop: int  # exclusive
    size: int  # of the whole file
    digest: bytes  # SHA-256 of the whole file
    media_type: str
    name: str
    verdict: str
    validity: str
    receipt: str
    index: int
    broken: Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class _Access:
    """A permitted access, ready to be entered."""

    told: Telling
    record: Stored
    epochs: Mapping[str, int]
    release: str | None


async def deliver(
    vault: Vault, caller: SystemCaller, release_id: str, *, start: int = 0, stop: int | None = None
) -> Delivery | Refusal:
    """Deliver the content of a release, or a range of it, to the system that it was released to.

    Raises:
        NotFound: there is no such release, or it is another system's; the try is an entry.
        FieldInvalid: the range lies outside the file.
        ContentDamaged: the stored bytes do not authenticate; nothing was sent, and that is an entry.
        VaultBusy: the entry could not be written, or the facts keep moving; nothing was sent.
    """
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        access, refused = await _released(vault, caller, release_id, at)
        if refused is not None:
            return await telling.refuse(vault, caller, [refused], ended=_ended(refused))
        async with vault.db.read() as db:
            shared = await releases.shared_delivery(db, release_id, caller.credential_hash, access.epochs, at)
        try:
            return await _send(vault, caller, access, start, stop, shared)
        except Moved:
            continue
    raise VaultBusy("the facts of this release keep changing; try again")


async def read_own(
    vault: Vault,
    caller: OwnerCaller,
    record_id: str,
    *,
    start: int = 0,
    stop: int | None = None,
    page: int | None = None,
) -> Delivery | Refusal:
    """Deliver an owner's own document; content is an entry for the owner too, and for the other owners.

    `page` is the page (from 1) that will be shown of it; the entry says so.

    Raises:
        NotFound: there is no such record in this store; the try is an entry.
        FieldInvalid, ContentDamaged, VaultBusy: as in `deliver`.
    """
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        async with vault.db.read() as db:
            record = await records.one(db, record_id, legal_day(at))
            held = sorted(record.facts.owners) if record is not None else []
            marks = await epochs.read(db, [epochs.BOOK, *(("owner", one) for one in held)])
            delegation = await delegations.acting(db, caller, vault.grounds, at)
        if record is None or caller.owner not in held:
            await tries.at_record(vault, caller, record_id, at)
        facts = AccessFacts(
            Action.READ_OWN, None, owner=caller.person, record=record.facts, delegation=delegation
        )
        decision = decide(facts, vault.book, at)
        owners = tuple(sorted(record.facts.owners))
        if not decision.permitted:
            refused = Telling(Kind.REFUSED, "read_own_refused", facts, decision, owners, record)
            return await telling.refuse(vault, caller, [refused])
        told = Telling(Kind.DELIVERED, "delivered", facts, decision, owners, record)
        if page is not None:
            told = replace(told, event="page_delivered", details={"page": page})
        try:
            return await _send(vault, caller, _Access(told, record, marks, None), start, stop, None)
        except Moved:
            continue
    raise VaultBusy("the facts of this record keep changing; try again")


async def _released(
    vault: Vault, caller: SystemCaller, release_id: str, at: datetime
) -> tuple[_Access, Telling | None]:
    """6 Each fetch: what the release was decided on is read again, and decided again on what is true now."""
    async with vault.db.read() as db:
        row = await releases.one(db, release_id)
        theirs = row is not None and row["system"] == caller.system
        if row is not None and theirs and row["consent"] is not None:
            facts, record, marks = await fetched(vault, db, caller, row, at)
        elif row is not None and theirs:
            facts, record, marks = await _of_dossier(vault, db, caller, row, at)
    if not theirs:
        await tries.at_release(vault, caller, release_id, at)
    decision = decide(facts, vault.book, at)
    kind = Kind.DELIVERED if decision.permitted else Kind.REFUSED
    event = "delivered" if decision.permitted else "delivery_refused"
    owners = tuple(sorted(record.facts.owners))
    told = Telling(kind, event, facts, decision, owners, record, release=release_id)
    access = _Access(told, record, marks, release_id)
    return access, None if decision.permitted else told


async def _of_dossier(
    vault: Vault, db: AsyncConnection, caller: SystemCaller, row: RowMapping, at: datetime
) -> tuple[AccessFacts, Stored, dict[str, int]]:
    found = await scene(vault, db, caller, row["dossier"], at)
    record = found.record(row["record"])
    if found.dossier is None or record is None:
        raise NotFound
    facts = AccessFacts(
        action=Action.DELIVER,
        caller=found.caller,
        dossier=found.dossier.about(*sorted(record.facts.owners)),
        component=row["component"],
        record=record.facts,
    )
    return facts, record, found.epochs


def _ended(refused: Telling) -> bool:
    """Say whether there will be no more of this release, whatever else may change: 410, and not 403."""
    dossier = refused.facts.dossier
    return refused.decision.told == ("fetch_ended",) or (dossier is not None and dossier.state == "closed")


async def _send(
    vault: Vault, caller: Caller, access: _Access, start: int, stop: int | None, shared: int | None
) -> Delivery:
    row = access.record.row
    end = row["content_size"] if stop is None else min(stop, row["content_size"])
    if not 0 <= start < end:
        raise FieldInvalid("range", "range_outside_file")
    # 7 A `delivered` entry is committed, epochs compared under the lock.
    entry = await _entered(vault, caller, access) if shared is None else await _entry_of(vault, shared)
    # 8 The gate opens the key against that entry; chunks leave authenticated.
    key = await _key(vault, caller, access, entry)
    chunks = _chunks(vault, caller, access, entry, key, start, end)
    try:
        first = await anext(chunks)
    except StopAsyncIteration:
        first = b""
    return Delivery(
        chunks=Chunks(first, chunks),
        start=start,
        stop=end,
        size=row["content_size"],
        digest=row["content_sha256"],
        media_type=row["media_type"],
        name=f"{_code(access.record, access.told.facts)}.pdf",
        verdict=access.record.facts.verdict,
        validity=access.record.facts.validity.value,
        receipt=entry.receipt,
        index=entry.index,
        broken=lambda why: _not_delivered(vault, caller, access, entry, why),
    )


def _code(record: Stored, facts: AccessFacts) -> str:
    """Name the file by a document code of whom it is read for: each code holds its owner's number."""
    persons = facts.dossier.persons if facts.dossier is not None else ()
    named = [facts.owner, *(person.owner for person in persons)]
    codes = [code for one in named for owner, code in record.document_codes.items() if owner == one]
    return codes[0] if codes else record.facts.id


async def _entered(vault: Vault, caller: Caller, access: _Access) -> Logged:
    prepared = await telling.prepare(vault, caller, [access.told])

    async def check(db: AsyncConnection) -> None:
        await epochs.hold(db, access.epochs)

    async def write(db: AsyncConnection, logged: list[Logged]) -> None:
        if access.release is not None:
            until = access.told.decision.at + SHARED
            await releases.share(
                db,
                {
                    "release": access.release,
                    "token_hash": caller.credential_hash,
                    "epochs": releases.epochs_text(access.epochs),
                    "idx": logged[0].index,
                    "until": stamp(until),
                },
            )

    return (await vault.appender.append(prepared, check, write))[0]


async def _key(vault: Vault, caller: Caller, access: _Access, entry: Logged) -> bytes:
    try:
        proof, checkpoint, _size = await vault.appender.proof(entry.index)
        evidence = Evidence(entry.index, entry.leaf, proof, checkpoint)
        return await vault.gate.open_key(evidence, caller, access.record.facts.id)
    except (VaultError, TokenRefused) as problem:
        await _not_delivered(vault, caller, access, entry, problem.code)
        raise


async def _entry_of(vault: Vault, index: int) -> Logged:
    async with vault.db.read() as db:
        return await entries.logged(db, index)


async def _chunks(
    vault: Vault, caller: Caller, access: _Access, entry: Logged, key: bytes, start: int, stop: int
) -> AsyncGenerator[bytes]:
    row = access.record.row
    try:
        async with await vault.store.open(row["blob"]) as reader:
            sealed = read_sealed(
                reader,
                key=key,
                record=row["id"],
                part="file",
                content_size=row["content_size"],
                start=start,
                stop=stop,
            )
            async with aclosing(sealed):
                async for chunk in sealed:
                    yield chunk
    except (BlobDamaged, BlobMissing) as problem:
        await _report_damage(vault, caller, access, entry, problem)
        raise ContentDamaged from problem
    except StorageError as problem:
        # A stream that breaks by our fault adds a `not delivered` entry.
        await _not_delivered(vault, caller, access, entry, problem.code)
        raise VaultBusy(f"storage: {problem.code}") from problem


async def _report_damage(
    vault: Vault, caller: Caller, access: _Access, entry: Logged, problem: StorageError
) -> None:
    """Damage aborts the read, is an entry, and from now on shows in /readyz and `kho inspect`."""

    async def write(db: AsyncConnection, logged: list[Logged]) -> None:
        row = {"record": access.record.facts.id, "part": "file", "idx": logged[0].index}
        await db.execute(insert(damage).values(**row, at=stamp(vault.clock.now())))
        await epochs.advance(db, [("owner", one) for one in access.record.facts.owners])

    await _not_delivered(vault, caller, access, entry, problem.code, write)


async def _not_delivered(
    vault: Vault, caller: Caller, access: _Access, entry: Logged, why: str, write: Write | None = None
) -> None:
    told = replace(
        access.told, kind=Kind.NOT_DELIVERED, event="not_delivered", details={"failure": why}, of=entry.index
    )
    prepared = await telling.prepare(vault, caller, [told])
    await vault.appender.append(prepared, telling.nothing_to_check, write)
