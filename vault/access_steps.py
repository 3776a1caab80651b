"""One access as it went, in the steps of vault/release.py: read from its entries by the caller they name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from vault import agencies
from vault.callers import SystemCaller
from vault.entries import instant
from vault.errors import NotFound
from vault.evidence import OpenedEntry
from vault.progress import Taken
from vault.receipts import ReceiptGone
from vault.services import Vault
from vault.tables import entry_fact, receipt

MAX_DELIVERIES = 20
READS = ("delivered", "delivery_refused", "not_delivered")


@dataclass(frozen=True)
class Read:
    """One reading of the content: delivered, refused on what was true then, or broken off by us."""

    event: str
    officer: str
    index: int
    receipt: str
    at: datetime


@dataclass(frozen=True)
class Steps:
    """What the entry of a release says of it, and the readings since, the newest first.

    `names` are those of the agency's officers, by their ids.
    """

    officer: str
    agency_vi: str
    agency_en: str
    system: str
    names: Mapping[str, str]
    basis: str
    reference: str
    policy: str
    digest: str
    reads: tuple[Read, ...]


async def steps(vault: Vault, caller: SystemCaller, dossier: str, taken: Taken) -> Steps:
    """Tell how an access of this system went.

    Raises:
        NotFound: it was released to another system.
        ReceiptGone: the entry stands, but the key that opens it was erased.
    """
    if not taken.ours:
        raise NotFound
    query = (
        select(entry_fact.c.idx, receipt.c.id)
        .join(receipt, receipt.c.idx == entry_fact.c.idx)
        .where(
            entry_fact.c.dossier == dossier,
            entry_fact.c.system == caller.system,
            entry_fact.c.record == taken.record.facts.id,
            entry_fact.c.event.in_(READS),
            entry_fact.c.idx > taken.index,
        )
        .order_by(entry_fact.c.idx.desc())
        .limit(MAX_DELIVERIES)
    )
    async with vault.db.read() as db:
        receipts = {row.idx: row.id for row in await db.execute(query)}
        agency = await agencies.name(db, caller.agency)
        names = await agencies.officers(db, caller.agency)
    opened = await vault.gate.open_entries([taken.index, *receipts], caller)
    first = next((one for one in opened if one.index == taken.index), None)
    if first is None:
        raise ReceiptGone
    reads = [
        _read(one, receipts[one.index])
        for one in opened
        if one.index in receipts and one.parts.event.get("release") == taken.release
    ]
    actor, basis, subject = first.parts.actor, first.parts.basis, first.parts.subject
    return Steps(
        officer=_text(actor, "officer"),
        agency_vi=agency[0],
        agency_en=agency[1],
        system=_text(actor, "system"),
        names=names,
        basis=_text(basis, "kind"),
        reference=_text(basis, "reference"),
        policy=_text(basis, "policy"),
        digest=_text(subject, "digest"),
        reads=tuple(reads),
    )


def _read(one: OpenedEntry, receipt_id: str) -> Read:
    return Read(
        event=_text(one.parts.event, "type"),
        officer=_text(one.parts.actor, "officer"),
        index=one.index,
        receipt=receipt_id,
        at=instant(one.at),
    )


def _text(part: Any, name: str) -> str:
    return str(part.get(name, ""))
