"""Rows of agencies' certificates: whose signature each makes, from which day to which."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.evidence_tables import agency_certificate, record_certificate
from vault.upserting import upsert


@dataclass(frozen=True)
class Registration:
    """A certificate (SHA-256, hexadecimal) that is an agency's on some days, both ends included.

    `index` is the entry that registered it; None for the certificate of a seal key that the vault itself
    holds for the agency.
    """

    agency: str
    sha256: str
    subject: str
    valid_from: date
    valid_until: date | None
    index: int | None

    def holds(self, day: date) -> bool:
        """Say whether it is the agency's on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


async def of_certificates(db: AsyncConnection, certificates: Collection[str]) -> tuple[Registration, ...]:
    """Read who some certificates are registered to, those of the past too."""
    if not certificates:
        return ()
    return await _read(db, agency_certificate.c.sha256.in_(certificates))


async def of_agency(db: AsyncConnection, agency: str) -> tuple[Registration, ...]:
    """Read the certificates of an agency, oldest first."""
    return await _read(db, agency_certificate.c.agency == agency)


async def every(db: AsyncConnection, limit: int) -> tuple[Registration, ...]:
    """Read the certificates of every agency, by agency, oldest first, `limit` at most."""
    order = (agency_certificate.c.agency, agency_certificate.c.valid_from, agency_certificate.c.sha256)
    return await _told(db, select(agency_certificate).order_by(*order).limit(limit))


async def _read(db: AsyncConnection, which: object) -> tuple[Registration, ...]:
    query = select(agency_certificate).where(which)  # type: ignore[arg-type]
    order = (agency_certificate.c.valid_from, agency_certificate.c.agency, agency_certificate.c.sha256)
    return await _told(db, query.order_by(*order))


async def _told(db: AsyncConnection, query: Select[Any]) -> tuple[Registration, ...]:
    return tuple(
        Registration(
            row.agency,
            row.sha256,
            row.subject,
            date.fromisoformat(row.valid_from),
            date.fromisoformat(row.valid_until) if row.valid_until else None,
            row.idx,
        )
        for row in await db.execute(query)
    )


async def add(db: AsyncConnection, new: Registration) -> None:
    """Insert a registration; one of the same agency and certificate must not be there."""
    await db.execute(insert(agency_certificate).values(**_row(new)))


async def note_seal(db: AsyncConnection, seal: Registration) -> None:
    """Insert the certificate of an agency's own seal key, the first time that it seals with it here."""
    await db.execute(upsert(agency_certificate).values(**_row(seal)).on_conflict_do_nothing())


async def end(db: AsyncConnection, agency: str, sha256: str, *, until: date, index: int) -> None:
    """Give a registration its last day."""
    await db.execute(
        update(agency_certificate)
        .where(agency_certificate.c.agency == agency, agency_certificate.c.sha256 == sha256)
        .values(valid_until=until.isoformat(), end_idx=index)
    )


async def note_signed(db: AsyncConnection, record_id: str, certificates: Collection[str]) -> None:
    """Insert by whose certificates a record is signed."""
    for one in sorted(set(certificates)):
        values = {"record": record_id, "sha256": one}
        await db.execute(upsert(record_certificate).values(**values).on_conflict_do_nothing())


async def signed_by(db: AsyncConnection, sha256: str) -> list[str]:
    """Give the records that are signed by a certificate."""
    query = select(record_certificate.c.record).where(record_certificate.c.sha256 == sha256)
    return sorted((await db.execute(query)).scalars())


def _row(one: Registration) -> dict[str, object]:
    return {
        "agency": one.agency,
        "sha256": one.sha256,
        "subject": one.subject,
        "valid_from": one.valid_from.isoformat(),
        "valid_until": one.valid_until.isoformat() if one.valid_until else None,
        "idx": one.index,
    }
