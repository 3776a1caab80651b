"""Rows of consents: what was asked, what happened to it, how often it was used."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.consent_facts import ConsentFacts
from policies.consents import text_hash
from policies.facts import Validity
from vault import records
from vault.entries import stamp
from vault.records import Stored
from vault.tables import consent, consent_event, consent_record, consent_use
from vault.upserting import upsert


@dataclass(frozen=True)
class Known:
    """One consent as rows tell of it: `offered` are the owner's records that fit what was asked."""

    row: RowMapping
    facts: ConsentFacts
    offered: tuple[Stored, ...]


async def add(db: AsyncConnection, row: Mapping[str, Any], asked: Collection[str]) -> None:
    """Insert a consent that was asked for, with the owner's records that it names."""
    await db.execute(insert(consent).values(**row))
    rows = [{"consent": row["id"], "record": one, "chosen": False} for one in sorted(asked)]
    if rows:
        await db.execute(insert(consent_record), rows)


async def row(db: AsyncConnection, consent_id: str) -> RowMapping | None:
    """Read the row of a consent, or None."""
    return (await db.execute(select(consent).where(consent.c.id == consent_id))).mappings().first()


async def of_bundle(db: AsyncConnection, bundle: str, agency: str) -> list[RowMapping]:
    """Read the consents that an agency asked for together."""
    query = select(consent).where(consent.c.bundle == bundle, consent.c.agency == agency)
    return list((await db.execute(query.order_by(consent.c.purpose))).mappings())


async def of_owner(db: AsyncConnection, owner_id: str) -> list[RowMapping]:
    """Read the consents that an owner was asked for, newest first."""
    query = select(consent).where(consent.c.owner == owner_id)
    return list((await db.execute(query.order_by(consent.c.asked_at.desc(), consent.c.id))).mappings())


async def waiting(db: AsyncConnection, agency: str, asked: bytes, today: date) -> int:
    """Count an agency's requests that wait for the answer of the person an identifier stands for."""
    query = select(func.count(consent.c.bundle.distinct())).where(
        consent.c.agency == agency,
        consent.c.asked == asked,
        consent.c.state == "requested",
        consent.c.answer_until >= today.isoformat(),
    )
    return int((await db.execute(query)).scalar_one())


async def named(db: AsyncConnection, consent_id: str, *, chosen: bool) -> frozenset[str]:
    """Give the records that a consent names: those agreed to, or those asked for."""
    query = select(consent_record.c.record).where(consent_record.c.consent == consent_id)
    if chosen:
        query = query.where(consent_record.c.chosen)
    return frozenset((await db.execute(query)).scalars())


async def known(db: AsyncConnection, found: RowMapping, today: date) -> Known:
    """Read the facts of a consent, and the owner's records in force that fit what was asked."""
    asked = await named(db, found["id"], chosen=False)
    types = set(json.loads(found["types"]))
    held = [] if found["owner"] is None else await records.of_owners(db, [found["owner"]], today, {})
    fitting = [one for one in held if one.facts.id in asked or one.facts.type in types]
    offered = tuple(one for one in fitting if one.facts.validity is Validity.IN_FORCE)
    agreed = await named(db, found["id"], chosen=True)
    return Known(found, facts(found, agreed, frozenset(one.facts.id for one in offered)), offered)


def facts(
    found: RowMapping | Mapping[str, Any], agreed: frozenset[str], offered: frozenset[str] = frozenset()
) -> ConsentFacts:
    """Give the facts of a consent as its row has them."""
    return ConsentFacts(
        id=found["id"],
        owner=found["owner"],
        agency=found["agency"],
        purpose=found["purpose"],
        state=found["state"],
        valid_from=date.fromisoformat(found["valid_from"]),
        valid_until=date.fromisoformat(found["valid_until"]),
        answer_until=date.fromisoformat(found["answer_until"]),
        max_reads=found["max_reads"],
        used=found["used"],
        records=agreed,
        offered=offered,
        text_vi=text_hash(found["text_vi"]),
        text_en=text_hash(found["text_en"]),
    )


async def choose(db: AsyncConnection, consent_id: str, chosen: Collection[str]) -> None:
    """Keep the records that the owner agreed to."""
    for one in sorted(chosen):
        agreed = upsert(consent_record).values(consent=consent_id, record=one, chosen=True)
        await db.execute(
            agreed.on_conflict_do_update(index_elements=["consent", "record"], set_={"chosen": True})
        )


async def happened(
    db: AsyncConnection,
    consent_id: str,
    *,
    type: str,
    state: str,
    by: str,
    idx: int,
    at: datetime,
    **more: Any,
) -> None:
    """Append an event and keep the state that it leaves the consent in.

    Args:
        more: displayed (SHA-256 of the text that was shown), language, delegation, reason.
    """
    newest = select(func.coalesce(func.max(consent_event.c.n), 0) + 1)
    n = (await db.execute(newest.where(consent_event.c.consent == consent_id))).scalar_one()
    event = {"consent": consent_id, "n": n, "type": type, "state": state, "by": by, "idx": idx}
    await db.execute(insert(consent_event).values(**event, at=stamp(at), **more))
    await db.execute(update(consent).where(consent.c.id == consent_id).values(state=state))


async def events(db: AsyncConnection, consent_id: str) -> list[RowMapping]:
    """Read what happened to a consent, oldest first."""
    query = select(consent_event).where(consent_event.c.consent == consent_id).order_by(consent_event.c.n)
    return list((await db.execute(query)).mappings())


async def uses(db: AsyncConnection, consent_id: str) -> list[RowMapping]:
    """Read what was read under a consent, oldest first."""
    query = select(consent_use).where(consent_use.c.consent == consent_id).order_by(consent_use.c.n)
    return list((await db.execute(query)).mappings())


async def used(db: AsyncConnection, consent_id: str) -> int:
    """Read, under the head lock, how many reads are used up."""
    return int((await db.execute(select(consent.c.used).where(consent.c.id == consent_id))).scalar_one())


async def use(
    db: AsyncConnection, consent_id: str, n: int, *, record: str, release: str, idx: int, at: datetime
) -> None:
    """Count the nth read under a consent, beside the entry that permits it."""
    values = {"consent": consent_id, "n": n, "record": record, "release": release, "idx": idx}
    await db.execute(insert(consent_use).values(**values, at=stamp(at)))
    await db.execute(update(consent).where(consent.c.id == consent_id).values(used=n))
