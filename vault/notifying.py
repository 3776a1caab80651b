"""Notices: what a processing system and the desk of its agency hear of without asking (DESIGN 2.9).

A notice is written in the transaction of what it tells of, so that neither is there without the other. It
names a dossier and a record, never content; seeing it is an acknowledgement in the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from vault import agencies, epochs, hook_queue, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller, desk_system
from vault.days import legal_day
from vault.dossiers import canonical_code
from vault.entries import Logged, instant, new_id, stamp
from vault.errors import FieldInvalid, NotFound
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.tables import notice, record
from vault.telling import Telling

MAX_PAGE = 100  # notices in one page of a list


@dataclass(frozen=True)
class Notice:
    """One notice: what happened (`revoked`, `replaced` ...), in which dossier, to which record, and when."""

    id: str
    event: str
    at: datetime
    index: int  # the entry that it tells of
    dossier: str | None
    record: str | None
    record_title: str | None
    consent: str | None
    webhook: str | None
    seen_at: datetime | None


async def notify(
    db: AsyncConnection,
    *,
    agency: str,
    system: str | None,
    event: str,
    idx: int,
    at: datetime,
    dossier: str | None = None,
    record: str | None = None,
    consent: str | None = None,
    webhook: str | None = None,
) -> None:
    """Insert a notice under the head lock, and have its system told of it where it registered an address.

    Args:
        system: whom it is for; None for the agency's desk.
        idx: the entry of what happened.
    """
    told = {"dossier": dossier, "record": record, "consent": consent, "webhook": webhook}
    row = {"id": new_id("ntc"), "agency": agency, "system": system, "event": event, "idx": idx}
    await db.execute(insert(notice).values(**row, **told, at=stamp(at)))
    if system is not None:
        about = {name: value for name, value in told.items() if value is not None}
        await hook_queue.tell_of_notice(db, system, event, about | {"notice": row["id"], "index": idx}, at)


async def notify_of_dossier(
    db: AsyncConnection, dossier: Row[str, str, str], *, event: str, idx: int, at: datetime, record: str
) -> None:
    """Tell the system that opened a dossier, and the desk of its agency; a dossier of the desk is told once.

    Args:
        dossier: its row: code, agency, system.
    """
    told: list[str | None] = [None]
    if dossier.system != desk_system(dossier.agency):
        told.append(dossier.system)
    for system in told:
        await notify(
            db,
            agency=dossier.agency,
            system=system,
            event=event,
            idx=idx,
            at=at,
            dossier=dossier.code,
            record=record,
        )


async def for_agency(
    vault: Vault,
    caller: SystemCaller,
    *,
    after: str | None = None,
    limit: int = 50,
    unseen: bool = False,
    dossier: str | None = None,
) -> list[Notice] | Refusal:
    """List the caller's notices, oldest first: a system its own, an officer at the desk those of the desk.

    Args:
        after: the id of the last notice of the page before.
        unseen: leave out what was seen already.
        dossier: only those about this dossier; of one that is unknown or another's there are none.

    Raises:
        FieldInvalid: `after` names no notice of the caller's.
    """
    at = vault.clock.now()
    refusal = await _barred(vault, caller, await _facts(vault, caller, at), at)
    if refusal is not None:
        return refusal
    async with vault.db.read() as db:
        query = select(notice, record.c.title).join(record, record.c.id == notice.c.record, isouter=True)
        query = query.where(_theirs(caller))
        if after is not None:
            last = (await db.execute(select(notice).where(_theirs(caller), notice.c.id == after))).first()
            if last is None:
                raise FieldInvalid("cursor", "cursor_malformed")
            later = and_(notice.c.idx == last.idx, notice.c.id > last.id)
            query = query.where(or_(notice.c.idx > last.idx, later))
        if unseen:
            query = query.where(notice.c.seen_at.is_(None))
        if dossier is not None:
            query = query.where(notice.c.dossier == canonical_code(dossier))
        query = query.order_by(notice.c.idx, notice.c.id).limit(min(limit, MAX_PAGE))
        return [_notice(row) for row in await db.execute(query)]


async def mark_seen(vault: Vault, caller: SystemCaller, notice_id: str, *, key: str) -> Answer | Refusal:
    """Note that a notice was seen: an acknowledgement in the log; the first one gives the time.

    Raises:
        NotFound: there is no such notice, or it is for somebody else.
        VaultBusy: the entry could not be written.
    """

    async def draft(at: datetime) -> Draft | Refusal:
        async with vault.db.read() as db:
            query = select(notice).where(_theirs(caller), notice.c.id == notice_id)
            row = (await db.execute(query)).first()
            marks = await epochs.read(db, [epochs.BOOK, ("agency", caller.agency)])
        if row is None:
            raise NotFound
        facts = await _facts(vault, caller, at)
        refusal = await _barred(vault, caller, facts, at)
        if refusal is not None:
            return refusal
        decision = decide(facts, vault.book, at)
        told = Telling(
            Kind.ACKNOWLEDGEMENT, "notice_seen", facts, decision, request=key, of=row.idx, details=_about(row)
        )

        async def write(tx: Transaction, logged: list[Logged]) -> Answer:
            seen = update(notice).where(notice.c.id == notice_id, notice.c.seen_at.is_(None))
            await tx.db.execute(seen.values(seen_at=stamp(at)))
            return {"notice": notice_id, "receipt": logged[0].receipt, "index": logged[0].index}

        return Draft(await telling.prepare(vault, caller, [told]), marks, at, write)

    asked = requests.body_hash("mark_seen", {"notice": notice_id})
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


async def _barred(vault: Vault, caller: SystemCaller, facts: AccessFacts, at: datetime) -> Refusal | None:
    decision = decide(facts, vault.book, at)
    if decision.permitted:
        return None
    return await telling.refuse(vault, caller, [Telling(Kind.REFUSED, "notices_refused", facts, decision)])


async def _facts(vault: Vault, caller: SystemCaller, at: datetime) -> AccessFacts:
    async with vault.db.read() as db:
        return AccessFacts(Action.HEAR_NOTICES, await agencies.caller_facts(db, caller, legal_day(at)))


def _theirs(caller: SystemCaller) -> ColumnElement[bool]:
    mine = notice.c.system.is_(None) if caller.door == "desk" else notice.c.system == caller.system
    return and_(notice.c.agency == caller.agency, mine)


def _about(row: Row[Any]) -> dict[str, str]:
    known: Sequence[tuple[str, str | None]] = (
        ("notice", row.id),
        ("of_event", row.event),
        ("dossier", row.dossier),
        ("record", row.record),
        ("consent", row.consent),
        ("webhook", row.webhook),
    )
    return {name: value for name, value in known if value is not None}


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        event=row.event,
        at=instant(row.at),
        index=row.idx,
        dossier=row.dossier,
        record=row.record,
        record_title=row.title,
        consent=row.consent,
        webhook=row.webhook,
        seen_at=instant(row.seen_at) if row.seen_at is not None else None,
    )
