"""One record that an agency issued, as its officers see it: its facts and its life, never its content.

It is found by searching (vault/issued_search.py), which is an entry, as every change of it is. As there,
owners are counted, not named: who they are is read from the document itself, and that is an entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import agencies, records, requests, trust_rows
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import instant
from vault.errors import NotFound
from vault.records import Stored
from vault.services import Vault
from vault.tables import validity_event


@dataclass(frozen=True)
class Turned:
    """A change of a record's validity: the state that followed, on which ground, by whom and when."""

    state: str
    ground: str
    reason: str
    officer: str
    at: datetime


@dataclass(frozen=True)
class Issued:
    """One record of the agency: of how many owners, and how its validity went."""

    stored: Stored
    owners: int
    dossier: str | None
    replaced_by: str | None
    turns: tuple[Turned, ...]


async def one_issued(vault: Vault, caller: SystemCaller, record_id: str) -> Issued:
    """Give one record of the agency.

    Raises:
        NotFound: there is no such record, or another agency issued it.
    """
    async with vault.db.read() as db:
        stored = await records.one(db, record_id, legal_day(vault.clock.now()))
        if stored is None or stored.facts.issuer not in await _issuers(vault, db, caller):
            raise NotFound
        (stored,) = await trust_rows.explained(db, [stored])
        query = (
            select(validity_event).where(validity_event.c.record == record_id).order_by(validity_event.c.n)
        )
        events = (await db.execute(query)).mappings().all()
        names = await agencies.officers(db, caller.agency)
        return Issued(
            stored=stored,
            owners=len(stored.facts.owners),
            dossier=stored.row["dossier"],
            replaced_by=stored.row["replaced_by"],
            turns=tuple(_turned(row, names) for row in events),
        )


async def heard(vault: Vault, caller: SystemCaller, record_id: str, key: str) -> int | None:
    """Give how many open dossiers a change heard of, by the key it was sent with; None: nothing such."""
    async with vault.db.read() as db:
        told = await requests.told(db, caller.id, key)
    return int(told["dossiers"]) if told is not None and told.get("record") == record_id else None


async def _issuers(vault: Vault, db: AsyncConnection, caller: SystemCaller) -> set[str]:
    facts = await agencies.caller_facts(db, caller, legal_day(vault.clock.now()))
    return {caller.agency, *facts.agency_codes, *facts.predecessors}


def _turned(row: RowMapping, names: Mapping[str, Any]) -> Turned:
    return Turned(
        state=row["state"],
        ground=row["ground"],
        reason=row["reason"],
        officer=names.get(row["officer"], row["officer"]),
        at=instant(row["at"]),
    )
