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
from search.errors import DocumentsRefused, IndexMissing, SearchError
from search.index import Document
from vault import outbox, records, tracing
from vault.days import legal_day
from vault.entries import instant, stamp
from vault.errors import VaultBusy, VaultError
from vault.evidence_tables import trust_class
from vault.full_text import ContentUnread, readable_types, with_words
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
_READ_AT_ONCE = 5  # where pages are read: 30 seconds each at the most, which is less than a lease
_OVERLAP = timedelta(minutes=10)  # the clocks of processes that share the rows may differ by less

Failed = Callable[[str, Exception], None]


class BuildingStopped(VaultError):
    """Building the search index was stopped; the one in use stays as it was."""

    code = "index_building_stopped"


def owner_reader(owner_id: str) -> str:
    """Name an owner as a reader of index entries."""
    return f"owner:{owner_id}"


def issuer_reader(agency_id: str) -> str:
    """Name an agency as a reader of what it issued."""
    return f"issuer:{agency_id}"


async def index_due(vault: Vault, failed: Failed, *, ending: asyncio.Event | None = None) -> int:
    """Put what changed into the index, until nothing is due; gives how many records.

    Without an index in the settings everything waits for one, and so it does for one that is away; where the
    index is lost, all of it is built. What fails as a whole is begun again ever later.

    Args:
        failed: hears of a failure, by a code; what it befell is tried again.
        ending: once set, the work ends behind the records in hand.
    """
    count = 0
    while vault.index is not None and not _ends(ending):
        state = await _state(vault)
        if state is not None and not (
            isinstance(state, IndexMissing) and await _built(vault, failed, ending)
        ):
            return count
        at = vault.clock.now()
        async with vault.db.read() as db:  # a look that takes no lock, where nothing is due
            waiting = (await outbox.lag(db, INDEX)).waiting
        if not waiting:
            vault.search.writing.worked()  # or another did it
        if not waiting or vault.search.writing.waits(at):
            return count
        async with vault.db.beside() as db:
            due = await outbox.take(db, INDEX, at, at_once(vault), apart=True)
        if not due or not await _put(vault, due, failed, ending):
            return count
        count += len(due)
    return count


def at_once(vault: Vault) -> int:
    """Say how many records are put in one go: few where their pages are read, which takes its time."""
    return _READ_AT_ONCE if readable_types(vault.book, vault.full_text) else _AT_ONCE


def _ends(ending: asyncio.Event | None) -> bool:
    return ending is not None and ending.is_set()


async def _state(vault: Vault) -> SearchError | None:
    """Say why nothing can be put into the index now; None where something can."""
    if vault.index is None:
        return None
    try:
        await vault.index.ready()
    except SearchError as problem:
        vault.search.away = True
        return problem
    vault.search.away = False
    return None


async def _built(vault: Vault, failed: Failed, ending: asyncio.Event | None) -> bool:
    """Build the index that is missing, unless that failed just now; gives whether there is one."""
    building, at = vault.search.building, vault.clock.now()
    if building.waits(at):
        return False
    try:
        await rebuild(vault, ending=ending)
    except BuildingStopped:
        return False
    except Exception as problem:
        building.failed(getattr(problem, "code", "index_build_failed"), vault.clock.now())
        failed("index_build_failed", problem)
        return False
    building.worked()
    return await _state(vault) is None  # another may be building it


async def _put(vault: Vault, due: Sequence[Due], failed: Failed, ending: asyncio.Event | None = None) -> bool:
    """Put records; one that cannot be put takes no other down. Gives whether to go on."""
    if len(due) == 1:
        with tracing.under(tracing.resumed(due[0].trace)):
            return await _put_together(vault, due, failed, ending)
    return await _put_together(vault, due, failed, ending)


async def _put_together(
    vault: Vault, due: Sequence[Due], failed: Failed, ending: asyncio.Event | None
) -> bool:
    hand = _Hand(vault, due)
    try:
        await hand.put()
    except DocumentsRefused as problem:
        failed("index_entry_failed", problem)
        await hand.refused(problem)
        return True
    except SearchError as problem:  # it is away, read-only, busy, newer: no document's fault
        vault.search.writing.failed(problem.code, vault.clock.now())
        await hand.later(problem.code, counts=False)
        return False
    except VaultBusy as problem:
        with suppress(VaultBusy):  # else the lease runs out
            await hand.later(problem.code, counts=False)
        raise
    except Exception as problem:
        if len(due) > 1:
            return await _each(vault, hand.due, failed, ending)
        if isinstance(problem, ContentUnread):
            await hand.later(problem.code, counts=False)
            return True
        failed("index_entry_failed", problem)
        await hand.later(getattr(problem, "code", "index_entry_failed"), counts=True)
        return True
    vault.search.writing.worked()
    await hand.done(hand.due)
    return True


async def _each(vault: Vault, due: Sequence[Due], failed: Failed, ending: asyncio.Event | None) -> bool:
    """Put records one by one, where they failed together: nobody knows because of which."""
    for place, one in enumerate(due):
        if _ends(ending) or not await _put(vault, [one], failed):
            await _Hand(vault, due[place + (not _ends(ending)) :]).later("stopped", counts=False)
            return False
    return True


class _Hand:
    """Records in hand: what is ours of them, and what becomes of it."""

    def __init__(self, vault: Vault, due: Sequence[Due]) -> None:
        self._vault = vault
        self.due = due

    async def put(self) -> None:
        """Read them and put them, but for those that another took while they were read."""
        vault, index = self._vault, self._vault.index
        if index is None:
            return
        async with vault.db.read() as db:
            found = await documents(db, vault, [one.subject for one in self.due])
        found = await with_words(vault, found)
        async with vault.db.beside() as db:
            self.due = await outbox.renew(db, self.due, vault.clock.now())
        if not self.due:
            return
        ours = {one.subject for one in self.due}
        known = {one.id for one in found}
        await index.put([one for one in found if one.id in ours], sorted(ours - known))

    async def refused(self, problem: DocumentsRefused) -> None:
        """Count an attempt of those that were refused; the others were put."""
        bad = [one for one in self.due if one.subject in problem.ids]
        await self.done([one for one in self.due if one.subject not in problem.ids])
        self.due = bad
        await self.later(problem.code, counts=True)

    async def done(self, due: Sequence[Due]) -> None:
        """Remove what was put.

        What was lost in the moment of putting is added again: what we put may be older than what another did.
        """
        async with self._vault.db.beside() as db:
            lost = await outbox.done(db, due)
            await outbox.add(db, INDEX, lost, self._vault.clock.now())

    async def later(self, reason: str, *, counts: bool) -> None:
        async with self._vault.db.beside() as db:
            await outbox.put_off(db, self.due, reason, self._vault.clock.now(), counts=counts)


async def rebuild(vault: Vault, *, ending: asyncio.Event | None = None) -> int:
    """Build the index beside the one in use and switch; gives how many records, 0 where another builds now.

    Dying meanwhile leaves the old one. What changes meanwhile is put again after the switch, and so is what
    could not be put now, or not with its pages.

    Args:
        ending: once set, it is given up behind the records in hand.

    Raises:
        IndexNewer: the one in use was made by a newer Kho, which goes on using it.
        BuildingStopped, ContentUnread, IndexUnavailable, VaultBusy: the old one stays in use.
    """
    if vault.index is None:
        return 0
    with suppress(IndexMissing):
        await vault.index.ready()
    began, count, again = vault.clock.now(), 0, set[str]()
    async with vault.db.alone("indexing") as ours:
        if not ours:
            return 0
        async with vault.index.building() as fresh:
            async for ids in _all_ids(vault):
                if _ends(ending):
                    raise BuildingStopped
                async with vault.db.read() as db:
                    found = await documents(db, vault, ids)
                try:
                    await fresh.put(await with_words(vault, found))
                except DocumentsRefused as problem:
                    again |= problem.ids
                count += len({one.id for one in found})
            if _ends(ending):
                raise BuildingStopped
        async with vault.db.write() as db:
            changed = await _moved_since(db, began - _OVERLAP)
            await outbox.add(db, INDEX, sorted(again.union(changed)), vault.clock.now())
    vault.search.building.worked()
    return count


async def _all_ids(vault: Vault) -> AsyncIterator[list[str]]:
    last = ""
    while True:
        query = select(record.c.id).where(record.c.id > last).order_by(record.c.id).limit(at_once(vault))
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
