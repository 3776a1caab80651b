"""Rows of edits of the catalogue. None is ever deleted: an end is a day, and an entry of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.edits import Edit, change_of, shipped_edits
from policies.entries import InForce, Text
from policies.recording import plain
from vault.entries import instant, stamp
from vault.tables import catalogue_edit


@dataclass(frozen=True)
class Published:
    """An edit with what was written down about it."""

    edit: Edit
    agency: str | None  # absent: it came with Kho
    officer: str | None
    index: int
    at: datetime
    end_reason: str | None


async def published(db: AsyncConnection, procedure: str, at: datetime) -> tuple[Edit, ...]:
    """Read the edits of a procedure that were published by then, in the order they were."""
    query = select(catalogue_edit).where(
        catalogue_edit.c.procedure == procedure, catalogue_edit.c.at <= stamp(at)
    )
    rows = (await db.execute(query.order_by(catalogue_edit.c.idx))).mappings().all()
    return tuple(_edit(row) for row in rows)


async def one(db: AsyncConnection, edit_id: str) -> Published | None:
    """Read one edit, or None."""
    row = (await db.execute(select(catalogue_edit).where(catalogue_edit.c.id == edit_id))).mappings().first()
    return _published(row) if row is not None else None


async def several(
    db: AsyncConnection, *, procedure: str | None, before: int | None, limit: int | None
) -> list[Published]:
    """Read edits, newest first; `before` is the entry of the last one that was shown."""
    query = select(catalogue_edit).order_by(catalogue_edit.c.idx.desc())
    if limit is not None:
        query = query.limit(limit)
    if procedure is not None:
        query = query.where(catalogue_edit.c.procedure == procedure)
    if before is not None:
        query = query.where(catalogue_edit.c.idx < before)
    return [_published(row) for row in (await db.execute(query)).mappings()]


async def known(db: AsyncConnection, procedure: str) -> frozenset[str]:
    """Give the ids of every edit of a procedure."""
    query = select(catalogue_edit.c.id).where(catalogue_edit.c.procedure == procedure)
    return frozenset((await db.execute(query)).scalars())


async def add(
    db: AsyncConnection, edit: Edit, *, agency: str | None, officer: str | None, index: int, at: datetime
) -> None:
    """Insert an edit; its entry stands at `index`."""
    await db.execute(
        insert(catalogue_edit).values(
            id=edit.id,
            procedure=edit.procedure,
            case_key=edit.case,
            component=edit.component,
            change=json.dumps(plain(edit.change), ensure_ascii=False, sort_keys=True),
            reason=edit.reason.vi,
            legal_reference=edit.legal_reference,
            valid_from=edit.in_force.start.isoformat(),
            valid_until=_day(edit.in_force.end),
            agency=agency,
            officer=officer,
            idx=index,
            at=stamp(at),
        )
    )


async def end(db: AsyncConnection, edit_id: str, *, until: date, reason: str, index: int) -> None:
    """Give an edit its last day."""
    values = {"valid_until": until.isoformat(), "end_reason": reason, "end_idx": index}
    await db.execute(update(catalogue_edit).where(catalogue_edit.c.id == edit_id).values(**values))


def _published(row: RowMapping) -> Published:
    return Published(
        edit=_edit(row),
        agency=row["agency"],
        officer=row["officer"],
        index=row["idx"],
        at=instant(row["at"]),
        end_reason=row["end_reason"],
    )


def _edit(row: RowMapping) -> Edit:
    return Edit(
        id=row["id"],
        procedure=row["procedure"],
        case=row["case_key"],
        component=row["component"],
        change=change_of(json.loads(row["change"])),
        in_force=InForce(
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
        ),
        legal_reference=row["legal_reference"],
        reason=_reason(row),
        shipped=row["agency"] is None,
    )


def _reason(row: RowMapping) -> Text:
    """A shipped edit has its reason in both languages; an administrator wrote theirs in one."""
    shipped: Sequence[Edit] = shipped_edits() if row["agency"] is None else ()
    known = next((edit.reason for edit in shipped if edit.id == row["id"]), None)
    return known or Text(row["reason"], row["reason"])


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
