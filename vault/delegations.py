"""Rows of delegations, and the facts of one: who acts for whom, on a record that stands (DESIGN 2.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies import delegations
from policies.acceptance import state_refusals
from policies.book import Book
from policies.consent_entries import Capacity
from policies.consent_facts import DelegationFacts
from policies.facts import TrustClass
from vault import births, owners, records
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import stamp
from vault.records import Stored
from vault.tables import delegation, delegation_event, entry_fact, entry_holder, receipt
from vault.tags import Tags

_ROLE = "representative"  # the part the other person plays in the evidence, as relations are told


@dataclass(frozen=True)
class Grounds:
    """What a delegation is judged by: the policy book, and what compares persons."""

    book: Book
    tags: Tags


async def one(db: AsyncConnection, delegation_id: str) -> RowMapping | None:
    """Read a delegation, or None."""
    query = select(delegation).where(delegation.c.id == delegation_id)
    return (await db.execute(query)).mappings().first()


async def between(db: AsyncConnection, kind: str, represented: str, representative: str) -> list[RowMapping]:
    """Read the delegations of a kind between two owners that have not been ended."""
    query = select(delegation).where(
        delegation.c.kind == kind,
        delegation.c.represented == represented,
        delegation.c.representative == representative,
        delegation.c.state == "in_force",
    )
    return list((await db.execute(query)).mappings())


async def of_party(db: AsyncConnection, owner_id: str) -> list[RowMapping]:
    """Read the delegations in which an owner is either party, newest first."""
    query = (
        select(delegation)
        .where(or_(delegation.c.representative == owner_id, delegation.c.represented == owner_id))
        .order_by(delegation.c.at.desc(), delegation.c.id)
    )
    return list((await db.execute(query)).mappings())


async def facts(db: AsyncConnection, row: RowMapping, grounds: Grounds, day: date) -> DelegationFacts:
    """Read the facts of a delegation as they stand on a day."""
    capacity = grounds.book.capacity(row["kind"], day)
    found = None
    if capacity is not None:
        found = await evidence(db, row["represented"], row["representative"], capacity, grounds, day)
    return DelegationFacts(
        id=row["id"],
        kind=row["kind"],
        represented=row["represented"],
        representative=row["representative"],
        state=row["state"],
        evidence=found.facts.id if found is not None else None,
        born_on=await births.evidenced(db, row["represented"], found) if found is not None else None,
    )


async def evidence(
    db: AsyncConnection,
    represented: str,
    representative: str,
    capacity: Capacity,
    grounds: Grounds,
    day: date,
) -> Stored | None:
    """Find the record that proves it today: of class A, in force, its signature valid, naming the other.

    It need not be the record of the day of the claim: a certificate that replaced it and still names the
    representative is as good; one that does not ends the delegation.
    """
    related: dict[bytes, frozenset[tuple[str, str]]] = {}
    named = [value for _scheme, value in await owners.identifiers(db, representative)]
    pairs = [(field, value) for value in named for field in capacity.relations]
    for tag, (field, _value) in zip(await grounds.tags(pairs), pairs, strict=True):
        related[tag] = frozenset({(field, _ROLE)})
    for held in await records.of_owners(db, [represented], day, related):
        if _proves(held, capacity, day):
            return held
    return None


def _proves(held: Stored, capacity: Capacity, day: date) -> bool:
    record = held.facts
    return (
        record.type == capacity.type
        and record.trust is TrustClass.A
        and record.verdict == "valid"
        and not state_refusals(record, day)
        and any((field, _ROLE) in record.relations for field in capacity.relations)
    )


def relation_of(held: Stored, capacity: Capacity) -> str:
    """Name the relation by which a record proves a delegation."""
    return next(field for field in capacity.relations if (field, _ROLE) in held.facts.relations)


async def refused_claims(db: AsyncConnection, person: str, day: date) -> int:
    """Count the claims that were refused to a person on a day; what others tried on them is not theirs."""
    query = (
        select(func.count())
        .select_from(entry_holder)
        .join(entry_fact, entry_fact.c.idx == entry_holder.c.idx)
        .join(receipt, receipt.c.idx == entry_holder.c.idx)
        .where(
            entry_holder.c.holder_kind == "owner",
            entry_holder.c.holder == person,
            entry_fact.c.event == "claim_delegation_refused",
            entry_fact.c.day == day.isoformat(),
            receipt.c.caller == person,
        )
    )
    return int((await db.execute(query)).scalar_one())


def parties(known: DelegationFacts) -> list[tuple[str, str]]:
    """Name the epochs of both parties."""
    both = (known.represented, known.representative)
    return [("owner", one) for one in both if one is not None]


async def acting(
    db: AsyncConnection, caller: OwnerCaller, grounds: Grounds, at: datetime
) -> DelegationFacts | None:
    """Read the delegation that a caller acts by; None for an owner who acts for themself."""
    row = await one(db, caller.delegation) if caller.delegation is not None else None
    return await facts(db, row, grounds, legal_day(at)) if row is not None else None


async def acted_for(
    db: AsyncConnection, delegation_id: str, person: str, grounds: Grounds, day: date
) -> str | None:
    """Give the owner whom a person acts for by a delegation that stands on a day, else None."""
    row = await one(db, delegation_id)
    if row is None or row["representative"] != person:
        return None
    known = await facts(db, row, grounds, day)
    return known.represented if delegations.standing(known, grounds.book, day) == "in_force" else None


async def add(db: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a delegation with its first event."""
    await db.execute(insert(delegation).values(**row))
    await _event(db, row["id"], "in_force", row["representative"], "claimed", row["idx"], row["at"])


async def end(db: AsyncConnection, delegation_id: str, *, by: str, idx: int, at: datetime) -> None:
    """End a delegation; its events stay."""
    await db.execute(update(delegation).where(delegation.c.id == delegation_id).values(state="ended"))
    await _event(db, delegation_id, "ended", by, "ended", idx, stamp(at))


async def last_event(db: AsyncConnection, delegation_id: str) -> RowMapping:
    """Read the newest event of a delegation."""
    query = select(delegation_event).where(delegation_event.c.delegation == delegation_id)
    return (await db.execute(query.order_by(delegation_event.c.n.desc()).limit(1))).mappings().one()


async def _event(
    db: AsyncConnection, delegation_id: str, state: str, by: str, reason: str, idx: int, at: str
) -> None:
    newest = select(func.coalesce(func.max(delegation_event.c.n), 0) + 1).where(
        delegation_event.c.delegation == delegation_id
    )
    n = (await db.execute(newest)).scalar_one()
    row = {"delegation": delegation_id, "n": n, "state": state, "by": by, "reason": reason}
    await db.execute(insert(delegation_event).values(**row, idx=idx, at=at))
