"""The day somebody was born, for judging ages: a birth certificate says it, not whoever named them first."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.acceptance import state_refusals
from policies.facts import TrustClass
from policies.identifiers import birth_year
from vault import owners, records
from vault.records import Stored


async def evidenced(db: AsyncConnection, owner_id: str, proof: Stored) -> date | None:
    """Give the day of birth that a record proves of its owner.

    None where the record does not say it, and where the personal number or the store says otherwise: what is
    not certain makes nobody a child.
    """
    said = proof.row["subject_born_on"]
    if not said:
        return None
    born, recorded = date.fromisoformat(said), await owners.born_on(db, owner_id)
    if recorded not in (None, born) or await _year(db, owner_id) not in (None, born.year):
        return None
    return born


async def known(db: AsyncConnection, owner_id: str, day: date) -> date | None:
    """Give the day of birth by which a consent of somebody's is judged, as certain as there is one.

    By the certificate that stands on the day, else as recorded with the store, else the last day of the year
    in the personal number: whoever may still be a child is treated as one.
    """
    for held in reversed(await records.of_owners(db, [owner_id], day, {})):
        born = await evidenced(db, owner_id, held) if _stands(held, day) else None
        if born is not None:
            return born
    recorded, year = await owners.born_on(db, owner_id), await _year(db, owner_id)
    if recorded is not None and year in (None, recorded.year):
        return recorded
    return date(year, 12, 31) if year is not None else None


def _stands(held: Stored, day: date) -> bool:
    record = held.facts
    return record.trust is TrustClass.A and record.verdict == "valid" and not state_refusals(record, day)


async def _year(db: AsyncConnection, owner_id: str) -> int | None:
    """Read the year of birth in somebody's personal number; None for whoever has none."""
    numbers = [
        value for scheme, value in await owners.identifiers(db, owner_id) if scheme == "personal_number"
    ]
    return birth_year(numbers[0]) if numbers else None
