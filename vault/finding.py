"""What an owner sees: own documents, and who opened, asked and read (DESIGN 5, the owner).

Lists of one's own are no entries; content is (see vault/deliver.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.errors import AskingInvalid
from policies.facts import Validity
from signing.leaf import Kind, leaf_kind
from vault import beside, catalogue, owners, records, trust_rows
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import instant
from vault.entry_facts import told_reasons
from vault.errors import NotFound
from vault.evidence import OpenedEntry
from vault.months import Month
from vault.records import Stored
from vault.services import Vault
from vault.tables import agency, entry_holder, log_entry, receipt, record, validity_event

MAX_PAGE = 100  # entries in one page of a list
UNREADABLE = "entry_unreadable"  # instead of an event


@dataclass(frozen=True)
class Me:
    """Whose store it is, its identifier all but hidden, and who acts for its owner if somebody does."""

    name: str
    identifier: str
    acted_for_by: str | None = None


@dataclass(frozen=True)
class MyRecord:
    """One document of mine, as the wallet shows it."""

    id: str
    document_code: str
    type: str
    title: str
    issuer_name: str | None
    number: str | None
    issued_on: str | None
    valid_until: str | None
    trust: str
    trust_reasons: tuple[str, ...]
    verdict: str
    verdict_reasons: tuple[str, ...]
    validity: str
    validity_reason: str | None
    replaced_by: str | None
    media_type: str
    size: int
    pages: int | None
    source: str
    created_at: datetime
    damaged: bool
    signature: str | None = None  # SHA-256 (hexadecimal) of what stands beside the file
    signature_type: str | None = None  # its media type


@dataclass(frozen=True)
class MyAccess:
    """One entry about me: who did what, for which dossier, on which basis, with which outcome.

    One that was changed and does not open has the event UNREADABLE, only the kind of its leaf, and the time
    that its row says.
    """

    index: int
    at: datetime
    kind: int
    event: str
    result: str
    receipt: str
    agency_vi: str | None = None
    agency_en: str | None = None
    system: str | None = None
    officer: str | None = None
    by_owner: bool = False
    by_another: bool = False  # a person with whom the owner has nothing to do, so that they are not named
    ground: str | None = None  # why an auditor opened an entry about me, in the auditor's words
    opened: int | None = None  # that entry
    acted_by: str | None = None  # the name of another owner who acted: for me, or on a record of us both
    dossier: str | None = None
    procedure: str | None = None
    procedure_name: str | None = None
    component: str | None = None
    component_name: str | None = None
    consent: str | None = None
    purpose: str | None = None  # of the consent: a key of the policy book's purposes
    record: str | None = None
    record_title: str | None = None
    page: int | None = None  # the one that was shown, of a picture
    basis: str | None = None
    reference: str | None = None
    reasons: tuple[str, ...] = ()


async def me(vault: Vault, caller: OwnerCaller) -> Me:
    """Say whose store the caller looks at."""
    async with vault.db.read() as db:
        (_, value), *_ = await owners.identifiers(db, caller.owner)
        actor = await owners.name(db, caller.person) if caller.delegation is not None else None
        return Me(await owners.name(db, caller.owner), owners.hidden(value), actor)


async def my_records(
    vault: Vault, caller: OwnerCaller, filters: Mapping[str, frozenset[str]] | None = None
) -> list[MyRecord]:
    """List the owner's documents, newest first.

    Args:
        filters: of each facet (type, issuer, state, trust, year) the values of which one is wanted.
    """
    day = legal_day(vault.clock.now())
    async with vault.db.read() as db:
        stored = await trust_rows.explained(db, await records.of_owners(db, [caller.owner], day, {}))
        reasons = await validity_reasons(db, [one.facts.id for one in stored])
    kept = [one for one in reversed(stored) if _holds(one, filters or {})]
    return [my_record(one, caller.owner, reasons.get(one.facts.id)) for one in kept]


def _holds(one: Stored, filters: Mapping[str, frozenset[str]]) -> bool:
    facts = one.facts
    told = {
        "type": facts.type,
        "issuer": facts.issuer,
        "state": facts.validity.value,
        "trust": facts.trust.value,
        "year": f"{facts.issued_on.year:04d}" if facts.issued_on is not None else None,
    }
    return all(told[name] in wanted for name, wanted in filters.items())


async def my_accesses(
    vault: Vault,
    caller: OwnerCaller,
    *,
    before: int | None = None,
    limit: int = 50,
    month: Month | None = None,
) -> list[MyAccess]:
    """List entries about the owner, newest first, below index `before`; those of one month, if asked."""
    query = select(entry_holder.c.idx).where(
        entry_holder.c.holder_kind == "owner", entry_holder.c.holder == caller.owner
    )
    if before is not None:
        query = query.where(entry_holder.c.idx < before)
    if month is not None:
        query = query.join(log_entry, log_entry.c.idx == entry_holder.c.idx).where(
            log_entry.c.at >= month.begins(), log_entry.c.at < month.next.begins()
        )
    query = query.order_by(entry_holder.c.idx.desc()).limit(min(limit, MAX_PAGE))
    async with vault.db.read() as db:
        indexes = [row.idx for row in await db.execute(query)]
    return await _accesses(vault, caller, indexes)


async def my_access(vault: Vault, caller: OwnerCaller, index: int) -> MyAccess:
    """Give one entry about the owner.

    Raises:
        NotFound: there is none with that index about this owner.
    """
    found = await _accesses(vault, caller, [index])
    if not found:
        raise NotFound
    return found[0]


async def _accesses(vault: Vault, caller: OwnerCaller, indexes: Sequence[int]) -> list[MyAccess]:
    opened = {one.index: one for one in await vault.gate.open_entries(indexes, caller)}
    closed = [index for index in indexes if index not in opened and index in vault.gate.unreadable]
    mine = (entry_holder.c.holder_kind == "owner") & (entry_holder.c.holder == caller.owner)
    async with vault.db.read() as db:
        names = await _names(db, list(opened.values()), caller.owner)
        told = {index: _my_access(one, names) for index, one in opened.items()}
        query = (
            select(log_entry.c.idx, log_entry.c.leaf, log_entry.c.at, receipt.c.id)
            .join(receipt, receipt.c.idx == log_entry.c.idx)
            .join(entry_holder, entry_holder.c.idx == log_entry.c.idx)
            .where(mine, log_entry.c.idx.in_(closed))
        )
        told |= {row.idx: _unreadable(row) for row in await db.execute(query)}
    return [told[index] for index in indexes if index in told]


def _unreadable(row: Row[int, bytes, str, str]) -> MyAccess:
    """Tell of an entry about the owner that was changed, so that nobody can open it: it is not left out."""
    kind = int(leaf_kind(row.leaf))
    return MyAccess(row.idx, instant(row.at), kind, UNREADABLE, result="unknown", receipt=row.id)


@dataclass(frozen=True)
class _Names:
    """Names that entries keep as codes: looked up once for a page."""

    agencies: dict[str, RowMapping]
    titles: dict[str, str]
    procedures: dict[str, Any]
    receipts: dict[int, str]
    others: dict[str, str]  # owners other than the one who looks


async def _names(db: AsyncConnection, opened: Sequence[OpenedEntry], me: str) -> _Names:
    codes = {str(one.parts.actor.get("agency", "")) for one in opened}
    wanted = {str(one.parts.subject.get("record", "")) for one in opened}
    rows = (await db.execute(select(agency).where(agency.c.id.in_(codes)))).mappings()
    titles = await db.execute(select(record.c.id, record.c.title).where(record.c.id.in_(wanted)))
    procedures = {}
    for code in {str(one.parts.purpose.get("procedure", "")) for one in opened} - {""}:
        found = await catalogue.latest(db, code, instant(max(one.at for one in opened)))
        if found is not None:
            procedures[code] = found[1]
    ids = await db.execute(
        select(receipt.c.idx, receipt.c.id).where(receipt.c.idx.in_([one.index for one in opened]))
    )
    acting = {_acting(one) for one in opened} - {"", me}
    return _Names(
        agencies={row["id"]: row for row in rows},
        titles={row.id: row.title for row in titles},
        procedures=procedures,
        receipts={row.idx: row.id for row in ids},
        others={one: await owners.name(db, one) for one in sorted(acting)},
    )


def _acting(one: OpenedEntry) -> str:
    """Give the owner who acted, if the others may know who: a co-owner, or somebody with a delegation."""
    owner = str(one.parts.actor.get("owner", ""))
    known = owner in one.parts.subject.get("owners", ()) or "delegation" in one.parts.actor
    return owner if known else ""


def _my_access(one: OpenedEntry, names: _Names) -> MyAccess:
    actor, purpose, basis, event = one.parts.actor, one.parts.purpose, one.parts.basis, one.parts.event
    known = names.agencies.get(str(actor.get("agency", "")))
    procedure = names.procedures.get(str(purpose.get("procedure", "")))
    record_id = one.parts.subject.get("record")
    return MyAccess(
        index=one.index,
        at=instant(one.at),
        kind=int(one.kind),
        event=str(event["type"]),
        result=str(event["result"]),
        agency_vi=known["name_vi"] if known else actor.get("agency"),
        agency_en=known["name_en"] if known else actor.get("agency"),
        system=actor.get("system"),
        officer=actor.get("officer"),
        by_owner=bool(_acting(one)),
        by_another="owner" in actor and not _acting(one),
        acted_by=names.others.get(_acting(one)),
        dossier=purpose.get("dossier"),
        procedure=purpose.get("procedure"),
        procedure_name=procedure.name if procedure else None,
        component=purpose.get("component"),
        component_name=_component_name(procedure, purpose.get("component")),
        consent=purpose.get("consent"),
        purpose=purpose.get("purpose"),
        record=record_id,
        record_title=names.titles.get(str(record_id)),
        page=basis.get("page"),
        ground=basis["facts"].get("ground") if one.kind is Kind.AUDITOR_ACT else None,
        opened=event.get("of") if one.kind is Kind.AUDITOR_ACT else None,
        basis=basis.get("kind"),
        reference=basis.get("reference"),
        reasons=told_reasons(one.parts),
        receipt=names.receipts[one.index],
    )


def _component_name(procedure: Any, code: str | None) -> str | None:
    if procedure is None or code is None:
        return code
    try:
        return str(procedure.component(code).label.vi)
    except AskingInvalid:
        return code


def my_record(one: Stored, owner: str, reason: str | None) -> MyRecord:
    """Tell of a stored record as one of its owners sees it."""
    row, facts = one.row, one.facts
    signature = beside.digest_of(row)
    return MyRecord(
        id=facts.id,
        document_code=one.document_codes[owner],
        type=facts.type,
        title=row["title"],
        issuer_name=row["issuer_name"],
        number=row["number"],
        issued_on=row["issued_on"],
        valid_until=row["valid_until"],
        trust=facts.trust.value,
        trust_reasons=one.trust_reasons,
        verdict=facts.verdict,
        verdict_reasons=facts.verdict_reasons,
        validity=facts.validity.value,
        validity_reason=reason if facts.validity is not Validity.IN_FORCE else None,
        replaced_by=row["replaced_by"],
        media_type=row["media_type"],
        size=row["content_size"],
        pages=row["pages"],
        source=row["source"],
        created_at=instant(row["created_at"]),
        damaged=facts.damaged,
        signature=signature.hex() if signature is not None else None,
        signature_type=row["signature_type"],
    )


async def validity_reasons(db: AsyncConnection, ids: Sequence[str]) -> dict[str, str]:
    """Give record -> the ground and the reason of its newest change of validity, where there is one."""
    rows = await db.execute(
        select(validity_event).where(validity_event.c.record.in_(ids)).order_by(validity_event.c.n)
    )
    return {row.record: f"{row.ground}: {row.reason}" for row in rows if row.ground}
