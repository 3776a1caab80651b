"""What reports stand on, kept beside each: its verdict can be found again, and counts while its anchors do.

Nothing here is ever rewritten: a new report has new rows. Whom the vault trusts now is one row that names a
stored set of anchors; a report counts for as long as each anchor that it stands on is in that set and covers
the time that was proven.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.anchors import Anchor, TrustSet
from signing.grounds import Footing, Judgement, Piece
from vault.entries import instant, stamp
from vault.evidence_tables import (
    evidence_piece,
    report_anchor,
    report_ground,
    report_piece,
    trust_now,
    trust_set,
)
from vault.upserting import upsert

ETSI_REPORT = "etsi_report"
_NOW = 1  # the one row of trust_now
_MOST_READ = 16  # sets kept in memory
_read: dict[str, tuple[Anchor, ...]] = {}


async def keep(
    db: AsyncConnection, record_id: str, n: int, judgement: Judgement, etsi_report: bytes, at: datetime
) -> None:
    """Store what report `n` of a record stands on; `at` is the time of storing."""
    await _keep_set(db, judgement.trust, at)
    of = {"record": record_id, "n": n}
    await db.execute(
        insert(report_ground).values(
            **of,
            content_sha256=judgement.file,
            trust_set=judgement.trust.digest,
            policy=judgement.policy,
            judged_at=judgement.at.isoformat(),
        )
    )
    for one in judgement.footings:
        values = {"anchor": one.anchor, "role": one.role, "moment": one.moment.isoformat()}
        await db.execute(insert(report_anchor).values(**of, **values))
    for piece in judgement.found:
        await _keep_piece(db, of, piece.sha256, piece.kind, piece.content, "file", at)
    for piece in judgement.fetched:
        await _keep_piece(db, of, piece.sha256, piece.kind, piece.content, "fetched", at)
    if etsi_report:
        digest = Piece("certificate", etsi_report).sha256
        await _keep_piece(db, of, digest, ETSI_REPORT, etsi_report, "made", at)


async def _keep_set(db: AsyncConnection, trusted: TrustSet, at: datetime) -> None:
    content = json.dumps([one.to_json() for one in trusted.anchors], ensure_ascii=False, sort_keys=True)
    values = {"digest": trusted.digest, "anchors": content, "at": stamp(at)}
    await db.execute(upsert(trust_set).values(**values).on_conflict_do_nothing())


async def _keep_piece(
    db: AsyncConnection,
    of: Mapping[str, Any],
    digest: bytes,
    kind: str,
    content: bytes,
    source: str,
    at: datetime,
) -> None:
    values = {"sha256": digest, "kind": kind, "content": content, "at": stamp(at)}
    await db.execute(upsert(evidence_piece).values(**values).on_conflict_do_nothing())
    link = {**of, "sha256": digest, "source": source}
    await db.execute(upsert(report_piece).values(**link).on_conflict_do_nothing())


async def judgement_of(db: AsyncConnection, record_id: str, n: int) -> Judgement | None:
    """Read back all that report `n` of a record stands on; None where nothing was kept, or not as it was."""
    query = (
        select(report_ground, trust_set.c.anchors)
        .join(trust_set, trust_set.c.digest == report_ground.c.trust_set)
        .where(report_ground.c.record == record_id, report_ground.c.n == n)
    )
    row = (await db.execute(query)).first()
    if row is None:
        return None
    pieces = await db.execute(
        select(evidence_piece, report_piece.c.source)
        .join(report_piece, report_piece.c.sha256 == evidence_piece.c.sha256)
        .where(report_piece.c.record == record_id, report_piece.c.n == n)
        .where(evidence_piece.c.kind != ETSI_REPORT)
        .order_by(evidence_piece.c.sha256)
    )
    rows = pieces.all()
    if any(sha256(one.content).digest() != one.sha256 for one in rows):
        return None
    kept = [(Piece(one.kind, one.content), one.source) for one in rows]
    return Judgement(
        file=row.content_sha256,
        anchors=_anchors(row.trust_set, row.anchors),
        at=instant(row.judged_at),
        policy=row.policy,
        footings=tuple(await _footings_of(db, record_id, n)),
        found=tuple(piece for piece, source in kept if source == "file"),
        fetched=tuple(piece for piece, source in kept if source == "fetched"),
    )


async def file_of(db: AsyncConnection, record_id: str, n: int) -> bytes | None:
    """Give the SHA-256 of the file that report `n` of a record is about; None where nothing was kept."""
    query = select(report_ground.c.content_sha256)
    query = query.where(report_ground.c.record == record_id, report_ground.c.n == n)
    found: bytes | None = (await db.execute(query)).scalar_one_or_none()
    return found


async def certificates_of(db: AsyncConnection, record_id: str) -> list[bytes]:
    """Give the certificates (DER) that were found in a record's file, whichever report found them."""
    rows = await db.execute(
        select(evidence_piece.c.content)
        .join(report_piece, report_piece.c.sha256 == evidence_piece.c.sha256)
        .where(report_piece.c.record == record_id, evidence_piece.c.kind == "certificate")
        .distinct()
    )
    return [row.content for row in rows]


async def _footings_of(db: AsyncConnection, record_id: str, n: int) -> list[Footing]:
    mine = select(report_anchor).where(report_anchor.c.record == record_id, report_anchor.c.n == n)
    return [Footing(one.anchor, one.role, instant(one.moment)) for one in await db.execute(mine)]


def _anchors(digest: str, content: str) -> tuple[Anchor, ...]:
    """Read a set, once in the life of a process; one that is not what its digest says is nobody to trust."""
    if digest not in _read:
        if len(_read) == _MOST_READ:
            _read.clear()
        _read[digest] = _set_of(digest, content) or ()
    return _read[digest]


def _set_of(digest: str, content: str) -> tuple[Anchor, ...] | None:
    """Read a stored set; None when it is damaged in whatever way."""
    try:
        found = tuple(Anchor.from_json(one) for one in json.loads(content))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found if TrustSet(found).digest == digest else None


async def changed(db: AsyncConnection) -> list[str]:
    """Name what is not what it was stored as: proofs and sets of anchors are named by their digest."""
    pieces = await db.stream(select(evidence_piece.c.sha256, evidence_piece.c.content))
    found = [one.sha256.hex() async for one in pieces if sha256(one.content).digest() != one.sha256]
    for row in await db.execute(select(trust_set)):
        if _set_of(row.digest, row.anchors) is None:
            found.append(row.digest)
    return found


# Whom the vault trusts now -----------------------------------------------------------------------------


async def trusted_now(db: AsyncConnection) -> str:
    """Give the digest of the set that counts now, "" before there was one."""
    return (await db.execute(select(trust_now.c.digest))).scalar_one_or_none() or ""


async def judged_by(db: AsyncConnection, record_id: str) -> str:
    """Give the digest of the anchors that a record's newest report was judged by, "" where none is kept."""
    mine = select(report_ground.c.trust_set).where(report_ground.c.record == record_id)
    return (await db.execute(mine.order_by(report_ground.c.n.desc()).limit(1))).scalar_one_or_none() or ""


async def trust(db: AsyncConnection, trusted: TrustSet, at: datetime) -> None:
    """Let a set of anchors count from now on, for every process of the vault."""
    await _keep_set(db, trusted, at)
    values = {"digest": trusted.digest, "since": stamp(at)}
    statement = upsert(trust_now).values(id=_NOW, **values)
    await db.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


@dataclass(frozen=True)
class Standing:
    """Which reports stand: `footings` by record and number of the report, judged by `trusted`."""

    trusted: tuple[Anchor, ...]
    footings: Mapping[tuple[str, int], Collection[Footing]]

    def holds(self, record_id: str, n: int) -> bool:
        """Say whether every anchor of a report counts now; one that stands on none proves nothing."""
        footings = self.footings.get((record_id, n), ())
        signed = any(one.role == "signature" for one in footings)
        return signed and all(one.holds(self.trusted) for one in footings)


async def standing(db: AsyncConnection, ids: Collection[str]) -> Standing:
    """Read whom the vault trusts now, and what the reports of some records stand on."""
    digest = await trusted_now(db)
    trusted = _read.get(digest)
    if trusted is None:
        query = select(trust_set.c.anchors).where(trust_set.c.digest == digest)
        content = (await db.execute(query)).scalar_one_or_none()
        trusted = _anchors(digest, content) if content is not None else ()
    footings: dict[tuple[str, int], list[Footing]] = {}
    for one in await db.execute(select(report_anchor).where(report_anchor.c.record.in_(ids))):
        footing = Footing(one.anchor, one.role, instant(one.moment))
        footings.setdefault((one.record, one.n), []).append(footing)
    return Standing(trusted, footings)
