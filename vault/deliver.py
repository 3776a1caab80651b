"""Bytes leave: steps 6 to 8 of an access (see vault/release.py), for a release and for the owner's own.

Here each fetch is decided on what is true now; steps 7 and 8 are in vault/sending.py.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from vault import beside, delegations, epochs, records, releases, telling, tries, trusting
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.errors import Moved, NotFound, VaultBusy
from vault.facts_kept import Known
from vault.fetched import fetched
from vault.gathering import scene
from vault.sending import Access, Delivery, send
from vault.services import MAX_AFRESH, Refusal, Vault
from vault.telling import Telling


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
    return await _delivered(vault, caller, release_id, start, stop, signature=False)


async def signature(vault: Vault, caller: SystemCaller, release_id: str) -> Delivery | Refusal:
    """Deliver the signature that stands beside the file of a release: decided and entered as the file is.

    Raises:
        NotFound: also where no signature stands beside the file; else as in `deliver`.
        ContentDamaged, VaultBusy: as in `deliver`.
    """
    return await _delivered(vault, caller, release_id, 0, None, signature=True)


async def _delivered(
    vault: Vault, caller: SystemCaller, release_id: str, start: int, stop: int | None, *, signature: bool
) -> Delivery | Refusal:
    await trusting.look(vault)
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        access, refused, shared = await _released(vault, caller, release_id, at)
        if refused is not None:
            return await telling.refuse(vault, caller, [refused], ended=_ended(refused))
        if signature:
            access, shared = _of_signature(access), None
        try:
            return await send(vault, caller, access, start, stop, shared)
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
            return await send(vault, caller, Access(told, record, marks, None), start, stop, None)
        except Moved:
            continue
    raise VaultBusy("the facts of this record keep changing; try again")


async def _released(
    vault: Vault, caller: SystemCaller, release_id: str, at: datetime
) -> tuple[Access, Telling | None, int | None]:
    """6 Each fetch is decided again on what is true now.

    What it was decided on before is read again where an epoch moved. Gives the access, the refusal if it is
    one, and the index of the `delivered` entry that it may share.
    """
    async with vault.db.read() as db:
        row = await releases.one(db, release_id)
        theirs = row is not None and row["system"] == caller.system
        if row is not None and theirs and row["consent"] is not None:
            facts, record, marks = await fetched(vault, db, caller, row, at)
        elif row is not None and theirs:
            known = await _of_dossier(vault, db, caller, row, at)
            facts, record, marks = known.facts, known.record, known.epochs
        if theirs:
            shared = await releases.shared_delivery(db, release_id, caller.credential_hash, marks, at)
    if not theirs:
        await tries.at_release(vault, caller, release_id, at)
    decision = decide(facts, vault.book, at)
    kind = Kind.DELIVERED if decision.permitted else Kind.REFUSED
    event = "delivered" if decision.permitted else "delivery_refused"
    owners = tuple(sorted(record.facts.owners))
    told = Telling(kind, event, facts, decision, owners, record, release=release_id)
    access = Access(told, record, marks, release_id)
    return access, None if decision.permitted else told, shared


async def _of_dossier(
    vault: Vault, db: AsyncConnection, caller: SystemCaller, row: RowMapping, at: datetime
) -> Known:
    known = await vault.facts_kept.still(db, row["id"], caller, legal_day(at))
    if known is not None:
        return known
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
    known = Known(facts, record, found.epochs)
    vault.facts_kept.keep(row["id"], caller, legal_day(at), known)
    return known


def _of_signature(access: Access) -> Access:
    """Turn an access to a file into one to the signature beside it, which shares its entry with nothing."""
    file = beside.as_file(access.record)
    if file is None:
        raise NotFound
    told = replace(access.told, event=beside.DELIVERED, record=file)
    return replace(access, told=told, record=file, release=None, beside=True)


def _ended(refused: Telling) -> bool:
    """Say whether there will be no more of this release, whatever else may change: 410, and not 403."""
    dossier = refused.facts.dossier
    return refused.decision.told == ("fetch_ended",) or (dossier is not None and dossier.state == "closed")
