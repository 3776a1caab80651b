"""Rows of records: metadata, owners, validity, reports; what is known of them without opening any."""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Subquery, Table, func, insert, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import RecordFacts, TrustClass, Validity
from policies.trust_classes import counting
from signing.grounds import Judgement
from signing.report import SignatureReport
from vault import outbox, validation_evidence
from vault.entries import stamp
from vault.evidence_tables import earlier_content, handed_in_file
from vault.tables import (
    damage,
    document_serial,
    record,
    record_owner,
    record_relation,
    signature_report,
    validity_event,
)
from vault.upserting import upsert
from vault.validation_evidence import Standing

TRUST_WITHDRAWN = "trust_withdrawn"  # the reason of a verdict whose anchor counts no more
UNANCHORED = "NO_CERTIFICATE_CHAIN_FOUND"
_VERSION = re.compile("v([0-9]+)x")
UPLOAD = "upload"  # the source of a record that its owner put in
Related = Mapping[bytes, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class Stored:
    """One record with everything rows say of it; `facts` is what decisions use."""

    row: Mapping[str, Any]
    facts: RecordFacts
    report: SignatureReport
    document_codes: Mapping[str, str]  # owner -> mã giấy tờ số hóa
    trust_reasons: tuple[str, ...] = ()  # why it is of its class, where that was asked for
    earlier: frozenset[bytes] = (
        frozenset()
    )  # SHA-256 of its file before renewals, and before it was sealed here

    def holds(self, sha256: bytes) -> bool:
        """Say whether these are the bytes of its file, or were before a renewal or its seal."""
        return sha256 == self.row["content_sha256"] or sha256 in self.earlier


def part_of(row: Mapping[str, Any]) -> str:
    """Give the part that a record's newest file is sealed as: it stands in the name of the blob."""
    return str(row["blob"]).rpartition("/")[2]


def version_of(row: Mapping[str, Any]) -> int:
    """Give the number of a record's newest file: "file" is the first, "v2x..." the second."""
    found = _VERSION.match(part_of(row))
    return int(found[1]) if found is not None else 1


async def of_owners(
    db: AsyncConnection, owners: Collection[str], day: date, related: Related
) -> list[Stored]:
    """Read every record of some owners, oldest first.

    Args:
        day: the day validity is judged on.
        related: tag -> (field, role in the dossier) pairs, for every person whom a relation could name.
    """
    mine = select(record_owner.c.record).where(record_owner.c.owner.in_(owners))
    return await _read(db, record.c.id.in_(mine), day, related)


async def one(
    db: AsyncConnection, record_id: str, day: date, related: Related | None = None
) -> Stored | None:
    """Read one record, or None."""
    found = await _read(db, record.c.id == record_id, day, related or {})
    return found[0] if found else None


async def several(db: AsyncConnection, ids: Any, day: date) -> list[Stored]:
    """Read records by their ids, a collection or a query for them, oldest first."""
    return await _read(db, record.c.id.in_(ids), day, {})


async def with_content(db: AsyncConnection, content_sha256: bytes, day: date) -> list[Stored]:
    """Read the records that hold exactly these bytes, or held them before a renewal or their seal."""
    held = _ever_held(lambda of: of.c.content_sha256 == content_sha256)
    theirs = select(held.c.record)
    return await _read(db, record.c.id.in_(theirs), day, {})


async def issued_by(db: AsyncConnection, agency_id: str, day: date) -> list[Stored]:
    """Read the records that an agency issued, oldest first."""
    return await _read(db, record.c.issuer == agency_id, day, {})


async def _read(db: AsyncConnection, which: Any, day: date, related: Related) -> list[Stored]:
    rows = (
        (await db.execute(select(record).where(which).order_by(record.c.created_at, record.c.id)))
        .mappings()
        .all()
    )
    ids = [row["id"] for row in rows]
    owners = await _by_record(db, record_owner, ids)
    relations = await _by_record(db, record_relation, ids)
    events = await _by_record(db, validity_event, ids, order=validity_event.c.n)
    reports = await _by_record(db, signature_report, ids, order=signature_report.c.n)
    standing = await validation_evidence.standing(db, ids)
    ended = await _ended_elsewhere(db, rows)
    damaged = await _by_record(db, damage, ids)
    earlier = await _by_record(db, earlier_content, ids)
    unsealed = await _by_record(db, handed_in_file, ids)
    return [
        _stored(
            row,
            day,
            owners=owners[row["id"]],
            relations=relations.get(row["id"], []),
            events=events.get(row["id"], []),
            report=_counting(reports[row["id"]][-1], standing),
            damaged=row["id"] in damaged,
            related=related,
            elsewhere=ended.get(row["content_sha256"]) if row["source"] == UPLOAD else None,
            earlier=[*earlier.get(row["id"], []), *unsealed.get(row["id"], [])],
        )
        for row in rows
    ]


async def _by_record(
    db: AsyncConnection, table: Any, ids: Sequence[str], order: Any = None
) -> dict[str, list[RowMapping]]:
    query = select(table).where(table.c.record.in_(ids))
    found: dict[str, list[RowMapping]] = {}
    for row in (await db.execute(query.order_by(order) if order is not None else query)).mappings():
        found.setdefault(row["record"], []).append(row)
    return found


async def _ended_elsewhere(db: AsyncConnection, rows: Sequence[RowMapping]) -> dict[bytes, Validity]:
    """Give the state of bytes that some of the rows are uploads of, where their issuer ended it in any store.

    The state alone: why, by whom and in whose store is for the owners of the record that ended.
    """
    uploads = {row["content_sha256"] for row in rows if row["source"] == UPLOAD}
    if not uploads:
        return {}
    held, later = _ever_held(lambda of: of.c.content_sha256.in_(uploads)), validity_event.alias("later")
    last = select(func.max(later.c.n)).where(later.c.record == held.c.record)
    query = (
        select(held.c.content_sha256, validity_event.c.state)
        .join(validity_event, validity_event.c.record == held.c.record)
        .where(validity_event.c.state != Validity.IN_FORCE.value)
        .where(validity_event.c.n == last.scalar_subquery())
        .order_by(validity_event.c.idx)
    )
    return {row.content_sha256: Validity(row.state) for row in await db.execute(query)}


def _ever_held(of: Callable[[Table], ColumnElement[bool]]) -> Subquery:
    """Give the bytes of some records, their files' before a renewal or a seal too: the paper is the same.

    Args:
        of: which rows of a table; asked in each of the three, so that none is read from end to end.
    """
    now = select(record.c.id.label("record"), record.c.content_sha256).where(of(record))
    before = select(earlier_content.c.record, earlier_content.c.content_sha256).where(of(earlier_content))
    unsealed = select(handed_in_file.c.record, handed_in_file.c.content_sha256).where(of(handed_in_file))
    return union_all(now, before, unsealed).subquery("held")


async def uploads_of(db: AsyncConnection, record_id: str) -> list[tuple[str, frozenset[str]]]:
    """Give id and owners of the uploads, in any store, that hold the same bytes as a record."""
    held = _ever_held(lambda of: (of.c.id if of is record else of.c.record) == record_id)
    bytes_of = select(held.c.content_sha256)
    query = (
        select(record.c.id, record_owner.c.owner)
        .join(record_owner, record_owner.c.record == record.c.id)
        .where(record.c.content_sha256.in_(bytes_of), record.c.source == UPLOAD, record.c.id != record_id)
        .order_by(record.c.id)
    )
    found: dict[str, set[str]] = {}
    for row in await db.execute(query):
        found.setdefault(row.id, set()).add(row.owner)
    return [(one, frozenset(held)) for one, held in found.items()]


def _counting(row: RowMapping, standing: Standing) -> SignatureReport:
    """Read a report as it counts now: one whose anchor counts no more proves nothing until judged again."""
    report = SignatureReport.from_json(json.loads(row["report"]))
    if report.verdict != "valid" or standing.holds(row["record"], row["n"]):
        return report
    signatures = (
        replace(one, verdict="undetermined", sub_indication=UNANCHORED, reason=TRUST_WITHDRAWN)
        if one.verdict == "valid"
        else one
        for one in report.signatures
    )
    return replace(
        report,
        verdict="undetermined",
        sub_indication=UNANCHORED,
        reasons=(TRUST_WITHDRAWN,),
        signatures=tuple(signatures),
    )


def _stored(
    row: RowMapping,
    day: date,
    *,
    owners: Sequence[RowMapping],
    relations: Sequence[RowMapping],
    events: Sequence[RowMapping],
    report: SignatureReport,
    damaged: bool,
    related: Related,
    elsewhere: Validity | None,
    earlier: Sequence[RowMapping],
) -> Stored:
    state = Validity(events[-1]["state"]) if events else Validity.IN_FORCE
    if state is Validity.IN_FORCE and elsewhere is not None:
        state = elsewhere
    until = date.fromisoformat(row["valid_until"]) if row["valid_until"] else None
    if state is Validity.IN_FORCE and until is not None and until < day:
        state = Validity.EXPIRED
    agreeing = {
        (field, role)
        for line in relations
        for field, role in related.get(line["tag"], ())
        if field == line["field"]
    }
    facts = RecordFacts(
        id=row["id"],
        type=row["type"],
        owners=frozenset(one["owner"] for one in owners),
        trust=counting(TrustClass(row["trust"]), report.verdict, by_owner=row["source"] == UPLOAD),
        verdict=report.verdict,
        verdict_reasons=report.reasons,
        validity=state,
        validity_ground=events[-1]["ground"] if events else None,
        issuer=row["issuer"],
        issued_on=date.fromisoformat(row["issued_on"]) if row["issued_on"] else None,
        valid_until=until,
        relations=frozenset(agreeing),
        known_fields=frozenset(line["field"] for line in relations),
        damaged=damaged,
    )
    codes = {one["owner"]: one["document_code"] for one in owners}
    return Stored(
        dict(row), facts, report, codes, earlier=frozenset(one["content_sha256"] for one in earlier)
    )


async def next_document_code(db: AsyncConnection, owner_id: str, identifier: str, record_type: str) -> str:
    """Allocate owner identifier + type + serial; the counter only grows, so a code is never given twice."""
    statement = upsert(document_serial).values(owner=owner_id, type=record_type, last=1)
    grown = statement.on_conflict_do_update(
        index_elements=["owner", "type"], set_={"last": document_serial.c.last + 1}
    ).returning(document_serial.c.last)
    serial: int = (await db.execute(grown)).scalar_one()
    return f"{identifier}-{record_type}-{serial:04d}"


async def add_report(
    db: AsyncConnection,
    record_id: str,
    report: SignatureReport,
    judgement: Judgement | None,
    at: datetime,
    *,
    etsi_report: bytes = b"",
) -> None:
    """Append a signature report and what it stands on: a new verdict never overwrites an old one."""
    n = await _next(db, signature_report, record_id)
    await db.execute(
        insert(signature_report).values(
            record=record_id,
            n=n,
            verdict=report.verdict,
            sub_indication=report.sub_indication,
            report=json.dumps(report.to_json(), ensure_ascii=False, sort_keys=True),
            at=stamp(at),
        )
    )
    await outbox.add(db, outbox.INDEX, [record_id], at)
    if judgement is not None:
        await validation_evidence.keep(db, record_id, n, judgement, etsi_report, at)


async def add_validity_event(db: AsyncConnection, record_id: str, **event: Any) -> None:
    """Append a change of validity; earlier ones stay."""
    await db.execute(
        insert(validity_event).values(record=record_id, n=await _next(db, validity_event, record_id), **event)
    )


async def _next(db: AsyncConnection, table: Any, record_id: str) -> int:
    query = select(func.coalesce(func.max(table.c.n), 0) + 1).where(table.c.record == record_id)
    return int((await db.execute(query)).scalar_one())
