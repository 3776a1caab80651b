"""After a change of whom the vault trusts: documents are judged again by itself, some at a time.

Judged again is what could not be vouched for by the anchors of then; each opening is an entry of its owners.
So is what words were read of by earlier rules: until then they count for nothing.
What loses its anchor gets no new report: neither its verdict nor its class counts while the anchor does not
(vault/records.py), and both count again with it. So nothing is lost when a folder is away for a moment.
"""

import json
from collections.abc import Callable

from sqlalchemy import Subquery, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.trust_classes import READING, Evidence
from signing.errors import WorkerFailed
from storage.errors import StorageError
from vault import reclassing, rereading, revalidating, trusting, validation_evidence
from vault.errors import Moved, VaultError
from vault.evidence_tables import report_ground, trust_class
from vault.services import Vault
from vault.tables import record, signature_report

MOST = 10  # documents opened in one round
_AT_ONCE = 200  # records of one query
_EXPECTED = (VaultError, StorageError, WorkerFailed, Moved)

Failed = Callable[[str, Exception], None]


class Rejudging:
    """The rounds of one served vault: which anchors the last one knew, and what is still to be judged."""

    def __init__(self, vault: Vault, failed: Failed) -> None:
        self._vault = vault
        self._failed = failed
        self._by: str | None = None
        self._left: list[str] = []

    async def round(self, most: int = MOST) -> int:
        """Look whom the vault trusts, and judge up to `most` documents again; gives how many were.

        One that cannot be judged is told of, and tried again after the next change or start.
        """
        await trusting.look(self._vault)
        async with self._vault.db.read() as db:
            trusted = await validation_evidence.trusted_now(db)
            if trusted != self._by:
                left = await _unvouched(db, trusted)
                if self._by is None:
                    left += [one for one in await _read_before(db) if one not in left]
                self._left = left
        if self._by not in (None, trusted):
            await self._settle()
        self._by = trusted
        now, self._left = self._left[:most], self._left[most:]
        done = 0
        for record_id in now:
            try:
                await revalidating.revalidate(self._vault, record_id)
            except _EXPECTED as problem:
                self._failed("rejudging_failed", problem)
            else:
                done += 1
        return done

    async def _settle(self) -> None:
        """Find the classes of what still stands: its anchor may be one for something else now."""
        async with self._vault.db.read() as db:
            standing = await _standing(db)
        await reclassing.judge_anew(self._vault, standing)


async def _unvouched(db: AsyncConnection, trusted: str) -> list[str]:
    """Name the signed records that were found undetermined by other anchors than those of now."""
    newest = _newest()
    query = (
        select(signature_report.c.record, signature_report.c.report)
        .join(newest, (newest.c.record == signature_report.c.record) & (newest.c.n == signature_report.c.n))
        .join(
            report_ground,
            (report_ground.c.record == signature_report.c.record)
            & (report_ground.c.n == signature_report.c.n),
            isouter=True,
        )
        .where(signature_report.c.verdict == "undetermined")
        .where(func.coalesce(report_ground.c.trust_set, "") != trusted)
        .order_by(signature_report.c.record)
    )
    return [row.record for row in await db.execute(query) if json.loads(row.report)["signatures"]]


async def _read_before(db: AsyncConnection) -> list[str]:
    """Name the validly signed records whose words were read by earlier rules than those of now."""
    last = trust_class.alias("last")
    newest = select(func.max(last.c.n)).where(last.c.record == trust_class.c.record).scalar_subquery()
    query = (
        select(trust_class.c.record, trust_class.c.evidence)
        .join(record, record.c.id == trust_class.c.record)
        .where(trust_class.c.n == newest, record.c.source.in_(rereading.READ))
        .order_by(trust_class.c.record)
    )
    known = ((row.record, Evidence.from_json(json.loads(row.evidence))) for row in await db.execute(query))
    return [id for id, one in known if one.reading != READING and one.verdict == "valid"]


async def _standing(db: AsyncConnection) -> list[str]:
    """Name the records whose newest report was a valid one and still stands on anchors that count."""
    newest = _newest()
    query = (
        select(newest.c.record, newest.c.n)
        .join(
            signature_report,
            (newest.c.record == signature_report.c.record) & (newest.c.n == signature_report.c.n),
        )
        .where(signature_report.c.verdict == "valid")
        .order_by(newest.c.record)
    )
    found = (await db.execute(query)).all()
    held: list[str] = []
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        standing = await validation_evidence.standing(db, [row.record for row in some])
        held += [row.record for row in some if standing.holds(row.record, row.n)]
    return held


def _newest() -> Subquery:
    """Give each record with the number of its newest report."""
    return (
        select(signature_report.c.record, func.max(signature_report.c.n).label("n"))
        .group_by(signature_report.c.record)
        .subquery()
    )
