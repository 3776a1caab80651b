"""What one dossier has come to: its persons, the documents taken for it, the results handed in.

For officers of the agency that opened it, through whichever system: the dossier is the agency's, while a
release belongs to the system that it was released to, and only that system reads its content.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import Validity
from vault import dossiers, owners, records, requests, trust_rows
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.dossiers import Opened
from vault.entries import instant
from vault.errors import NotFound
from vault.gathering import scene
from vault.records import Stored
from vault.services import Answer, Vault
from vault.tables import dossier_person, officer, receipt, record, release, system

_SHOWN = 4  # last characters of an identifier


@dataclass(frozen=True)
class Party:
    """A person of the dossier; of the number only the end is shown (`identifier`).

    The whole `number` is for a result that is issued to this person.
    """

    role: str
    name: str
    scheme: str
    identifier: str
    number: str
    born_on: date | None
    represented: bool
    evidence: str | None


@dataclass(frozen=True)
class Taken:
    """One release for the dossier; `receipt` is there for the system that it was released to alone."""

    release: str
    component: str
    record: Stored
    system: str
    system_name: str
    ours: bool
    counts: bool
    index: int
    receipt: str | None
    at: datetime


@dataclass(frozen=True)
class Progress:
    """One dossier of the agency."""

    opened: Opened
    officer_name: str
    system_name: str
    opened_at: datetime
    closed_at: datetime | None
    parties: tuple[Party, ...]
    taken: tuple[Taken, ...]
    results: tuple[Stored, ...]

    @property
    def code(self) -> str:
        """The dossier's code."""
        return self.opened.facts.code

    @property
    def is_open(self) -> bool:
        """Whether it may still be worked on."""
        return self.opened.facts.state == "open"

    def release(self, release_id: str) -> Taken:
        """Give one release of the dossier. Raises NotFound."""
        found = next((one for one in self.taken if one.release == release_id), None)
        if found is None:
            raise NotFound
        return found


async def progress(vault: Vault, caller: SystemCaller, code: str) -> Progress:
    """Read what a dossier of the caller's agency has come to.

    Raises:
        NotFound: there is no such dossier, or it is another agency's.
    """
    async with vault.db.read() as db:
        code = dossiers.canonical_code(code)
        opened = await dossiers.one(db, code)
        if opened is None or opened.facts.agency != caller.agency:
            raise NotFound
        day = legal_day(vault.clock.now())
        row = opened.row
        results = select(record.c.id).where(
            record.c.dossier == code, record.c.source.in_(("result", "result_file"))
        )
        systems = await _systems(db, caller.agency)
        return Progress(
            opened=opened,
            officer_name=await _officer(db, row["agency"], row["officer"]),
            system_name=systems.get(row["system"], row["system"]),
            opened_at=instant(row["opened_at"]),
            closed_at=instant(row["closed_at"]) if row["closed_at"] else None,
            parties=await _parties(db, code),
            taken=await _taken(db, caller, code, systems, day),
            results=tuple(await records.several(db, results, day)),
        )


async def outcome(vault: Vault, caller: SystemCaller, code: str, key: str) -> Answer | None:
    """Give again what an action on a dossier was answered, by the key it was sent with."""
    async with vault.db.read() as db:
        told = await requests.told(db, caller.id, key)
    return told if told is not None and told.get("dossier") == code else None


async def done_before(vault: Vault, caller: SystemCaller, key: str) -> Answer | None:
    """Give what an action was answered already under the key that it is sent with, or None."""
    async with vault.db.read() as db:
        return await requests.told(db, caller.id, key)


async def replaceable(vault: Vault, caller: SystemCaller, code: str) -> list[Stored]:
    """Give the records of the dossier's persons that a result of this agency may take the place of."""
    async with vault.db.read() as db:
        found = await scene(vault, db, caller, code, vault.clock.now())
    theirs = {caller.agency, *found.caller.agency_codes, *found.caller.predecessors}
    ended = (Validity.REVOKED, Validity.REPLACED)
    return [one for one in found.records if one.facts.issuer in theirs and one.facts.validity not in ended]


async def _systems(db: AsyncConnection, agency: str) -> dict[str, str]:
    rows = await db.execute(select(system.c.id, system.c.name).where(system.c.agency == agency))
    return {row.id: row.name for row in rows}


async def _officer(db: AsyncConnection, agency: str, officer_id: str) -> str:
    query = select(officer.c.name).where(officer.c.agency == agency, officer.c.id == officer_id)
    return (await db.execute(query)).scalar_one_or_none() or officer_id


async def _parties(db: AsyncConnection, code: str) -> tuple[Party, ...]:
    query = select(dossier_person).where(dossier_person.c.dossier == code).order_by(dossier_person.c.role)
    found = []
    for row in (await db.execute(query)).mappings().all():
        (scheme, value), *_ = await owners.identifiers(db, row["owner"])
        found.append(
            Party(
                role=row["role"],
                name=await owners.name(db, row["owner"]),
                number=value,
                born_on=await owners.born_on(db, row["owner"]),
                scheme=scheme,
                identifier="•" * (len(value) - _SHOWN) + value[-_SHOWN:],
                represented=row["represented"],
                evidence=row["representation_evidence"],
            )
        )
    return tuple(sorted(found, key=lambda one: one.role != "applicant"))


async def _taken(
    db: AsyncConnection, caller: SystemCaller, code: str, systems: Mapping[str, str], day: date
) -> tuple[Taken, ...]:
    """Read the releases of a dossier, the newest first."""
    query = (
        select(release, receipt.c.id.label("receipt"))
        .join(receipt, receipt.c.idx == release.c.idx)
        .where(release.c.dossier == code)
        .order_by(release.c.idx.desc())
    )
    rows: Sequence[RowMapping] = (await db.execute(query)).mappings().all()
    held = await records.several(db, [row["record"] for row in rows], day)
    stored = {one.facts.id: one for one in await trust_rows.explained(db, held)}
    return tuple(_release(dict(row), stored[row["record"]], caller, systems) for row in rows)


def _release(
    row: Mapping[str, Any], stored: Stored, caller: SystemCaller, systems: Mapping[str, str]
) -> Taken:
    ours = row["system"] == caller.system
    return Taken(
        release=row["id"],
        component=row["component"],
        record=stored,
        system=row["system"],
        system_name=systems.get(row["system"], row["system"]),
        ours=ours,
        counts=row["counts"],
        index=row["idx"],
        receipt=row["receipt"] if ours else None,
        at=instant(row["at"]),
    )
