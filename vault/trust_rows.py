"""Rows of trust classes: appended, never changed; the newest is what the record is worth (`record.trust`)."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import TrustClass
from policies.trust_classes import BEFORE, Classed, ClassReason, Evidence, withheld
from vault import outbox
from vault.entries import instant, stamp
from vault.evidence_tables import trust_class
from vault.records import UPLOAD, Stored
from vault.tables import record


@dataclass(frozen=True)
class Standing:
    """The newest class of a record: by which rules, why, on which evidence, by which report, since when.

    `n` is 0 for a record of before classes were judged: there is no evidence, no report and no instant.
    """

    trust: TrustClass
    rules: str
    reasons: tuple[ClassReason, ...]
    evidence: Evidence | None
    n: int
    report: int
    at: datetime | None


async def newest(db: AsyncConnection, ids: Collection[str]) -> dict[str, Standing]:
    """Read the newest class of each of some records."""
    later = trust_class.alias("later")
    last = select(func.max(later.c.n)).where(later.c.record == trust_class.c.record).scalar_subquery()
    rows = await db.execute(select(trust_class).where(trust_class.c.record.in_(ids), trust_class.c.n == last))
    found = {row["record"]: _standing(row) for row in rows.mappings()}
    missing = [one for one in ids if one not in found]
    before = await db.execute(select(record.c.id, record.c.trust).where(record.c.id.in_(missing)))
    reasons = (ClassReason("class_before_rules", f"rules={BEFORE}"),)
    return found | {
        row.id: Standing(TrustClass(row.trust), BEFORE, reasons, None, 0, 0, None) for row in before
    }


async def explained(db: AsyncConnection, stored: Sequence[Stored]) -> list[Stored]:
    """Give records with the reasons of the classes that count now."""
    known = await newest(db, [one.facts.id for one in stored])
    return [replace(one, trust_reasons=_reasons(one, known[one.facts.id])) for one in stored]


def _reasons(stored: Stored, standing: Standing) -> tuple[str, ...]:
    if stored.facts.trust is standing.trust:
        return tuple(reason.code for reason in standing.reasons)
    return withheld(by_owner=stored.row["source"] == UPLOAD)


def _standing(row: Mapping[Any, Any]) -> Standing:
    return Standing(
        TrustClass(row["trust"]),
        row["rules"],
        tuple(ClassReason(one["code"], one["fact"]) for one in json.loads(row["reasons"])),
        Evidence.from_json(json.loads(row["evidence"])),
        row["n"],
        row["report"],
        instant(row["at"]),
    )


async def add(
    db: AsyncConnection,
    record_id: str,
    classed: Classed,
    evidence: Evidence,
    *,
    n: int,
    report: int,
    index: int | None,
    at: datetime,
) -> None:
    """Append a class and make it the record's; `report` and `index` as in the table."""
    await db.execute(
        insert(trust_class).values(
            record=record_id,
            n=n,
            trust=classed.trust.value,
            rules=classed.rules,
            reasons=json.dumps([asdict(one) for one in classed.reasons]),
            evidence=json.dumps(evidence.to_json(), sort_keys=True),
            report=report,
            idx=index,
            at=stamp(at),
        )
    )
    await db.execute(update(record).where(record.c.id == record_id).values(trust=classed.trust.value))
    if n > 1:  # the first one comes with the record, which is told of already
        await outbox.add(db, outbox.INDEX, [record_id], at)
