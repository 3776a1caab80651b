"""Keeping the search index after the rows: what changed is put again, what is lost is built again.

An index entry is made from the rows as they are when it is put, so that putting it twice, or late, is right.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import Validity
from search.errors import IndexMissing, IndexNewer, IndexUnavailable, SearchError
from search.index import Document
from vault import outbox, records, tracing
from vault.days import legal_day
from vault.entries import instant, stamp
from vault.evidence_tables import trust_class
from vault.full_text import with_words
from vault.outbox import INDEX, Due
from vault.records import Stored
from vault.services import Vault
from vault.tables import (
    agency,
    owner,
    owner_identifier,
    record,
    signature_report,
    validity_event,
)

_AT_ONCE = 200  # records put in one go
_OVERLAP = timedelta(minutes=10)  # the clocks of processes that share the rows may differ by less

Failed = Callable[[str, Exception], None]


def owner_reader(owner_id: str) -> str:
    """Name an owner as a reader of index entries."""
    return f"owner:{owner_id}"


def issuer_reader(agency_id: str) -> str:
    """Name an agency as a reader of what it issued."""
    return f"issuer:{agency_id}"


async def index_due(vault: Vault, failed: Failed, *, ending: asyncio.Event | None = None) -> int:
    """Put what changed into the index, until nothing is due; gives how many records.

    Without an index in the settings everything waits for one; where the index is lost, all of it is built.

    Args:
        failed: hears of a failure that nobody foresaw, by a code; what it befell is tried again.
        ending: once set, the work ends behind the records in hand.
    """
    count = 0
    while vault.index is not None and not (ending is not None and ending.is_set()):
        async with vault.db.read() as db:  # a look that takes no lock, where nothing is due
            if not (await outbox.lag(db, INDEX)).waiting and await _there(vault):
                return count
        if not await _there(vault):
            await rebuild(vault)
            await _there(vault)
        at = vault.clock.now()
        async with vault.db.beside() as db:
            due = await outbox.take(db, INDEX, at, _AT_ONCE)
        if not due or not await _put(vault, due, failed):
            return count
        count += len(due)
    return count


async def _there(vault: Vault) -> bool:
    """Say whether there is an index to put into, or one that cannot be reached now."""
    if vault.index is None:
        return True
    try:
        await vault.index.ready()
    except IndexMissing:
        vault.search.away = True
        return False
    except (IndexUnavailable, IndexNewer):
        vault.search.away = True
        return True
    vault.search.away = False
    return True


async def _put(vault: Vault, due: Sequence[Due], failed: Failed) -> bool:
    """Put records; one that cannot be put takes no other down. Gives whether to go on."""
    if len(due) == 1:
        with tracing.under(tracing.resumed(due[0].trace)):
            return await _put_together(vault, due, failed)
    return await _put_together(vault, due, failed)


async def _put_together(vault: Vault, due: Sequence[Due], failed: Failed) -> bool:
    try:
        await _write(vault, [one.subject for one in due])
    except (SearchError, ValueError, TypeError, KeyError) as problem:
        code = getattr(problem, "code", "index_entry_failed")
        alone = len(due) == 1
        if isinstance(problem, IndexMissing | IndexNewer) or not await _answers(vault):
            await _later(vault, due, code, counts=False)
            return False
        failed("index_entry_failed", problem)
        if alone:
            await _later(vault, due, code, counts=True)
            return True
        for one in due:
            await _put(vault, [one], failed)
        return True
    async with vault.db.beside() as db:
        await outbox.done(db, due)
    return True


async def _answers(vault: Vault) -> bool:
    try:
        if vault.index is not None:
            await vault.index.ready()
    except SearchError:
        return False
    return True


async def _later(vault: Vault, due: Sequence[Due], reason: str, *, counts: bool) -> None:
    async with vault.db.beside() as db:
        await outbox.put_off(db, due, reason, vault.clock.now(), counts=counts)


async def _write(vault: Vault, ids: Sequence[str]) -> None:
    if vault.index is None:
        return
    async with vault.db.read() as db:
        found = await documents(db, vault, ids)
    found = await with_words(vault, found)
    known = {one.id for one in found}
    await vault.index.put(found, [one for one in ids if one not in known])


async def rebuild(vault: Vault) -> int:
    """Build the index beside the one in use and switch; gives how many records, 0 where another builds now.

    Dying meanwhile leaves the old one. What changes meanwhile is put again after the switch.

    Raises:
        IndexNewer: the one in use was made by a newer Kho, which goes on using it.
        IndexUnavailable, VaultBusy: the old one stays in use.
    """
    if vault.index is None:
        return 0
    with suppress(IndexMissing):
        await vault.index.ready()
    began, count = vault.clock.now(), 0
    async with vault.db.alone("indexing") as ours:
        if not ours:
            return 0
        async with vault.index.building() as fresh:
            async for ids in _all_ids(vault):
                async with vault.db.read() as db:
                    found = await documents(db, vault, ids)
                await fresh.put(await with_words(vault, found))
                count += len(found)
        async with vault.db.write() as db:
            await outbox.add(db, INDEX, await _moved_since(db, began - _OVERLAP), vault.clock.now())
    return count


async def _all_ids(vault: Vault) -> AsyncIterator[list[str]]:
    last = ""
    while True:
        query = select(record.c.id).where(record.c.id > last).order_by(record.c.id).limit(_AT_ONCE)
        async with vault.db.read() as db:
            ids = [row.id for row in await db.execute(query)]
        if not ids:
            return
        yield ids
        last = ids[-1]


async def _moved_since(db: AsyncConnection, at: datetime) -> list[str]:
    """Give the records stored or changed since an instant: the change may have met the old index."""
    changed = [
        record.c.id.in_(select(table.c.record).where(table.c.at >= stamp(at)))
        for table in (validity_event, trust_class, signature_report)
    ]
    query = select(record.c.id).where(or_(record.c.created_at >= stamp(at), *changed))
    return [row.id for row in await db.execute(query)]


async def documents(db: AsyncConnection, vault: Vault, ids: Sequence[str]) -> list[Document]:
    """Give records as they are found by what rows say, without content (vault/full_text.py).

    A record of several owners is given once for each, found by that owner's name and numbers alone: found by
    another's, by a hit or by a count, it would tell who else owns it, digit by digit.
    """
    stored = await records.several(
        db, ids, date.min
    )  # validity without a day: what has expired is asked later
    owners = sorted({one for each in stored for one in each.facts.owners})
    names = {row.id: row.name for row in await db.execute(select(owner).where(owner.c.id.in_(owners)))}
    numbers: dict[str, list[str]] = {}
    for row in await db.execute(select(owner_identifier).where(owner_identifier.c.owner.in_(owners))):
        numbers.setdefault(row.owner, []).append(row.value)
    issuers = {each.facts.issuer for each in stored if each.facts.issuer}
    agencies = {row.id: row for row in await db.execute(select(agency).where(agency.c.id.in_(issuers)))}
    types = {one.code: one.name.vi for one in vault.book.record_types}
    found = []
    for one in stored:
        whole = _document(one, agencies.get(one.facts.issuer or ""), types)
        by_issuer = [] if one.facts.issuer is None else [issuer_reader(one.facts.issuer)]
        for each in sorted(one.facts.owners):
            own = (names[each], *numbers.get(each, ()), one.document_codes[each])
            found.append(replace(whole, readers=(owner_reader(each), *by_issuer), names=own))
            by_issuer = []  # the issuer finds it once, by no names
    return found


def _document(one: Stored, issuer: Any, types: dict[str, str]) -> Document:
    facts, row = one.facts, one.row
    said = (row["title"], facts.type, types.get(facts.type), row["number"], row["issuer_name"])
    officially = (issuer.name_vi, issuer.name_en) if issuer is not None else ()
    return Document(
        id=facts.id,
        readers=(),
        texts=tuple(dict.fromkeys(each for each in (*said, *officially) if each)),
        names=(),
        type=facts.type,
        issuer=facts.issuer,
        state=(Validity.IN_FORCE if facts.validity is Validity.EXPIRED else facts.validity).value,
        trust=facts.trust.value,
        issued_on=facts.issued_on,
        valid_until=facts.valid_until,
        stored_on=legal_day(instant(row["created_at"])),
    )
