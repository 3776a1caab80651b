"""Replacing: a new result takes the place of older ones; only their issuer may say so (DESIGN 2.9, 7)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.facts import AccessFacts, Action, Validity
from signing.leaf import Kind
from vault import epochs, records, releases
from vault.callers import SystemCaller
from vault.entries import stamp
from vault.errors import FieldInvalid
from vault.gathering import Scene
from vault.records import Stored
from vault.services import Vault
from vault.tables import record
from vault.telling import Telling


def older(found: Scene, replaced: Sequence[str]) -> list[Stored]:
    """Find the records to be replaced among those of the dossier's persons.

    Raises:
        FieldInvalid: one is not theirs, or does not exist; the answer is the same.
    """
    known = [found.record(one) for one in replaced]
    if None in known:
        raise FieldInvalid("replaces", "record_not_found")
    return [one for one in known if one is not None]


def tellings(vault: Vault, found: Scene, replaced: Sequence[Stored], key: str) -> list[Telling]:
    """Decide each replacement for the older record that it ends, and tell its owners."""
    told = []
    for one in replaced:
        facts = AccessFacts(Action.REPLACE_RECORD, found.caller, record=one.facts)
        decision = decide(facts, vault.book, found.at)
        owners = tuple(sorted(one.facts.owners))
        told.append(Telling(Kind.RECORD_EVENT, "replaced", facts, decision, owners, one, request=key))
    return told


async def write(
    db: AsyncConnection,
    caller: SystemCaller,
    replaced: Sequence[Stored],
    by: str,
    indexes: Sequence[int],
    at: datetime,
) -> None:
    """Write the end of the older records under the head lock; open dossiers that used them decide afresh."""
    for one, index in zip(replaced, indexes, strict=True):
        await records.add_validity_event(
            db,
            one.facts.id,
            state=Validity.REPLACED.value,
            ground=by,
            reason="",
            agency=caller.agency,
            officer=caller.officer or "",
            idx=index,
            at=stamp(at),
        )
        await db.execute(update(record).where(record.c.id == one.facts.id).values(replaced_by=by))
        using = await releases.dossiers_using(db, one.facts.id)
        touched = [("owner", owner) for owner in one.facts.owners]
        await epochs.advance(db, [*touched, *(("dossier", code) for code in using)])
