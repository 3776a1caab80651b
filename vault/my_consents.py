"""The consents of an owner as the wallet shows them: the exact text, the state, every use, who acted."""

import json
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.consents import AGE_ASKED, Standing, age, standing
from policies.entries import Text
from vault import agencies, births, consents, owners
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import instant
from vault.errors import NotFound
from vault.records import Stored
from vault.services import Vault
from vault.tables import receipt, record


@dataclass(frozen=True)
class ConsentDocument:
    """A document of mine that a consent names, or that fits what was asked."""

    record: str
    type: str
    title: str
    number: str | None


@dataclass(frozen=True)
class ConsentStep:
    """One event of a consent: asked, given, refused, paused, resumed, withdrawn, lapsed, exhausted."""

    event: str
    state: str
    at: datetime
    by: str | None  # the name of the owner who acted; None: the asking system, or the last read
    for_me: bool  # somebody acted for the owner of the store
    language: str | None  # of the text that was shown
    index: int  # the entry; its proof is fetched by it
    receipt: str


@dataclass(frozen=True)
class ConsentUse:
    """One read under a consent."""

    n: int
    at: datetime
    document: ConsentDocument
    index: int
    receipt: str


@dataclass(frozen=True)
class MyConsent:
    """One consent that I was asked for: one recipient, one purpose."""

    id: str
    bundle: str  # asked for together
    state: Standing
    agency: str
    agency_name: Text
    system: str
    purpose: str
    purpose_name: Text
    reason: str  # in the recipient's own words
    text: Text  # the exact text, line by line, to be shown as it is
    text_hash: Text  # hex SHA-256 of it, per language: what `answer` takes
    types: tuple[str, ...]  # asked for by type
    offered: tuple[ConsentDocument, ...]  # what may be chosen from when it is given
    documents: tuple[ConsentDocument, ...]  # what was agreed to
    valid_from: date
    valid_until: date
    answer_until: date
    max_reads: int
    used: int
    asked_at: datetime
    child_is_asked: bool  # whoever acts for this child must ask the child too
    steps: tuple[ConsentStep, ...]  # oldest first
    uses: tuple[ConsentUse, ...]  # oldest first


async def my_consents(vault: Vault, caller: OwnerCaller) -> list[MyConsent]:
    """List the consents that the owner was asked for, newest first; those waiting for an answer too."""
    today = legal_day(vault.clock.now())
    async with vault.db.read() as db:
        rows = await consents.of_owner(db, caller.owner)
        return [await _mine(vault, db, caller, row, today) for row in rows]


async def pending(vault: Vault, caller: OwnerCaller) -> list[MyConsent]:
    """List the consents that wait for the owner's answer, newest first."""
    return [one for one in await my_consents(vault, caller) if one.state == "requested"]


async def my_consent(vault: Vault, caller: OwnerCaller, consent_id: str) -> MyConsent:
    """Give one consent of the owner's.

    Raises:
        NotFound: this owner was asked for no such consent.
    """
    async with vault.db.read() as db:
        row = await consents.row(db, consent_id)
        if row is None or row["owner"] != caller.owner:
            raise NotFound
        return await _mine(vault, db, caller, row, legal_day(vault.clock.now()))


async def _mine(
    vault: Vault, db: AsyncConnection, caller: OwnerCaller, row: RowMapping, today: date
) -> MyConsent:
    known = await consents.known(db, row, today)
    agreed = await _documents(db, known.facts.records)
    purpose = vault.book.purpose(row["purpose"], legal_day(instant(row["asked_at"])))
    born = await births.known(db, caller.owner, today)
    return MyConsent(
        id=row["id"],
        bundle=row["bundle"],
        state=standing(known.facts, today),
        agency=row["agency"],
        agency_name=Text(*await agencies.name(db, row["agency"])),
        system=row["system"],
        purpose=row["purpose"],
        purpose_name=purpose.name if purpose is not None else Text(row["purpose"], row["purpose"]),
        reason=row["reason"],
        text=Text(row["text_vi"], row["text_en"]),
        text_hash=Text(known.facts.text_vi, known.facts.text_en),
        types=tuple(json.loads(row["types"])),
        offered=tuple(_document(one) for one in known.offered),
        documents=tuple(agreed[one] for one in sorted(agreed)),
        valid_from=known.facts.valid_from,
        valid_until=known.facts.valid_until,
        answer_until=known.facts.answer_until,
        max_reads=row["max_reads"],
        used=row["used"],
        asked_at=instant(row["asked_at"]),
        child_is_asked=caller.delegation is not None and born is not None and age(born, today) >= AGE_ASKED,
        steps=await _steps(db, row, caller.owner),
        uses=await _uses(db, row["id"]),
    )


async def _steps(db: AsyncConnection, row: RowMapping, owner: str) -> tuple[ConsentStep, ...]:
    steps = []
    for one in await consents.events(db, row["id"]):
        person = one["by"].startswith("own-")
        steps.append(
            ConsentStep(
                event=one["type"],
                state=one["state"],
                at=instant(one["at"]),
                by=await owners.name(db, one["by"]) if person else None,
                for_me=person and one["by"] != owner,
                language=one["language"],
                index=one["idx"],
                receipt=await _receipt(db, one["idx"]),
            )
        )
    return tuple(steps)


async def _uses(db: AsyncConnection, consent_id: str) -> tuple[ConsentUse, ...]:
    rows = await consents.uses(db, consent_id)
    read = await _documents(db, frozenset(one["record"] for one in rows))
    return tuple(
        [
            ConsentUse(
                n=one["n"],
                at=instant(one["at"]),
                document=read[one["record"]],
                index=one["idx"],
                receipt=await _receipt(db, one["idx"]),
            )
            for one in rows
        ]
    )


async def _documents(db: AsyncConnection, ids: frozenset[str]) -> dict[str, ConsentDocument]:
    query = select(record.c.id, record.c.type, record.c.title, record.c.number).where(record.c.id.in_(ids))
    return {
        row.id: ConsentDocument(row.id, row.type, row.title, row.number) for row in await db.execute(query)
    }


def _document(one: Stored) -> ConsentDocument:
    return ConsentDocument(one.facts.id, one.facts.type, one.row["title"], one.row["number"])


async def _receipt(db: AsyncConnection, index: int) -> str:
    return str((await db.execute(select(receipt.c.id).where(receipt.c.idx == index))).scalar_one())
