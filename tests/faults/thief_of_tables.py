"""What the rights of an API process's own database user keep from it; for `thief.py`."""

from typing import Any

from sqlalchemy import Executable, delete, insert, update

from tests.faults.stolen import Stolen
from vault.tables import (
    consent_event,
    entry_holder,
    key_pair,
    log_entry,
    officer_role,
    receipt,
    record_owner,
    system_key,
)


async def _done(stolen: Stolen, statement: Executable) -> Any:
    async with stolen.db.beside() as db:
        return (await db.execute(statement)).rowcount  # type: ignore[attr-defined]


async def removes_who_is_told(stolen: Stolen) -> Any:
    """Read by an entry as good as any, then take its owner away from it: they would not see it."""
    index, _ = await stolen.enters_and_opens()
    return await _done(stolen, delete(entry_holder).where(entry_holder.c.idx == index))


async def removes_a_receipt(stolen: Stolen) -> Any:
    return await _done(stolen, delete(receipt).where(receipt.c.idx == stolen.said["delivered"]))


async def rewrites_the_log(stolen: Stolen) -> Any:
    return await _done(stolen, update(log_entry).where(log_entry.c.idx == 3).values(at="x"))


async def puts_another_key_in_place(stolen: Stolen) -> Any:
    return await _done(stolen, update(key_pair).where(key_pair.c.kind == "owner").values(public=b"x"))


async def takes_an_owner_away_from_a_record(stolen: Stolen) -> Any:
    return await _done(stolen, update(record_owner).values(wrapped_key=None))


async def forgets_what_a_consent_went_through(stolen: Stolen) -> Any:
    return await _done(stolen, delete(consent_event))


async def makes_an_auditor(stolen: Stolen) -> Any:
    actor = stolen.said["actor"]
    named = {"agency": actor["agency"], "officer": actor["officer"], "role": "auditor"}
    return await _done(stolen, insert(officer_role).values(**named))


async def registers_a_key_for_a_system(stolen: Stolen) -> Any:
    key = {
        "system": stolen.said["actor"]["system"],
        "thumbprint": "x",
        "jwk": "{}",
        "valid_from": "2026-01-01",
    }
    return await _done(stolen, insert(system_key).values(**key))


TRICKS = {
    removes_who_is_told: entry_holder,
    removes_a_receipt: receipt,
    rewrites_the_log: log_entry,
    puts_another_key_in_place: key_pair,
    takes_an_owner_away_from_a_record: record_owner,
    forgets_what_a_consent_went_through: consent_event,
    makes_an_auditor: officer_role,
    registers_a_key_for_a_system: system_key,
}
