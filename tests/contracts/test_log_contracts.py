"""The three contracts of the log: append, open_key, open_entries (DESIGN 6).

Whoever holds them passes the same suite: the one process, or processes behind sockets.
"""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import func, insert, select

from reuse_api.demo import people
from signing.checkpoint import LogVerifier
from signing.leaf import Kind, Parts
from signing.merkle import verify_inclusion
from storage.sealed import read_sealed
from vault import entries, epochs
from vault.entries import Prepared
from vault.errors import GateRefused, Moved, VaultBusy
from vault.evidence import Evidence
from vault.tables import log_entry, log_head, record, session
from vault.telling import VAULT_HOLDER, nothing_to_check

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
PARTS = ("here", "apart")


async def entry(house, number=0, kind=Kind.HEARTBEAT) -> Prepared:
    """An entry about nobody."""
    async with house.vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    at = house.vault.clock.now()
    event = {"type": "tried", "result": "permitted", "number": number, "at": at.isoformat()}
    parts = Parts({}, {"system": "vault"}, {}, {}, event)
    return entries.prepare(kind, parts, held, at=at, caller_kind="vault", caller="vault")


async def evidence_of(house, index) -> Evidence:
    async with house.vault.db.read() as db:
        logged = await entries.logged(db, index)
    proof, checkpoint, _ = await house.vault.appender.proof(index)
    return Evidence(index, logged.leaf, proof, checkpoint)


async def delivered(house, police) -> Evidence:
    """A committed `delivered` entry of the daughter's certificate, with its proof."""
    code = await house.opens(police, people.POLICE, house.residence())
    await house.reads(police, await house.releases(police, code))
    return await evidence_of(house, (await house.size()) - 1)


# append ---------------------------------------------------------------------------------


async def test_what_is_appended_is_committed_numbered_and_provable(house):
    first = await house.size()
    prepared = [await entry(house, number) for number in range(3)]
    logged = await house.vault.appender.append(prepared, nothing_to_check)

    assert [one.index for one in logged] == [first, first + 1, first + 2]
    assert [one.receipt for one in logged] == [one.receipt for one in prepared]
    kept = await house.rows(select(log_entry.c.leaf).where(log_entry.c.idx >= first))
    assert [row.leaf for row in kept] == [one.leaf for one in prepared]
    verifier = LogVerifier.from_line(house.vault.signer.verifier_line)
    for index, one in zip(range(first, first + 3), prepared, strict=True):
        proof, note, size = await house.vault.appender.proof(index)
        verify_inclusion(one.leaf_hash, index, size, proof, verifier.open_checkpoint(note).root)


async def test_appends_at_one_time_get_every_index_once(house):
    first = await house.size()
    prepared = [[await entry(house, number)] for number in range(60)]
    logged = await asyncio.gather(*(house.vault.appender.append(one, nothing_to_check) for one in prepared))

    assert sorted(one.index for (one,) in logged) == list(range(first, first + 60))
    assert (await house.rows(select(log_head.c.size)))[0].size == first + 60 == house.vault.signer.tree.size


async def test_a_check_that_moved_appends_nothing_of_its_own_and_all_of_the_others(house):
    async def moved(_db):
        raise Moved

    first = await house.size()
    prepared = [await entry(house, number) for number in range(9)]
    outcomes = await asyncio.gather(
        *(
            house.vault.appender.append([one], moved if number % 3 else nothing_to_check)
            for number, one in enumerate(prepared)
        ),
        return_exceptions=True,
    )
    assert [isinstance(one, Moved) for one in outcomes] == [bool(number % 3) for number in range(9)]
    assert await house.size() == first + 3


async def test_an_append_whose_rows_break_takes_no_other_down(house):
    """A row that the database refuses is the matter of the one append that brought it."""

    async def broken(db, _logged):
        await db.execute(insert(log_head).values(id=1, size=0))  # there is one already

    first = await house.size()
    prepared = [await entry(house, number) for number in range(5)]
    outcomes = await asyncio.gather(
        *(
            house.vault.appender.append([one], nothing_to_check, broken if number == 2 else None)
            for number, one in enumerate(prepared)
        ),
        return_exceptions=True,
    )
    assert [isinstance(one, Exception) for one in outcomes] == [False, False, True, False, False]
    assert await house.size() == first + 4 == house.vault.signer.tree.size


async def test_one_receipt_id_is_written_once(house):
    again = await entry(house)
    await house.vault.appender.append([again], nothing_to_check)
    size = await house.size()
    with pytest.raises(Exception, match=r"(?i)unique"):
        await house.vault.appender.append([again], nothing_to_check)
    assert await house.size() == size


async def test_a_caller_who_leaves_takes_nobody_along(house):
    gate = asyncio.Event()

    async def slow(tx):
        await gate.wait()
        await tx.append([await_entry])

    await_entry = await entry(house, 100)
    first = await house.size()
    holding = asyncio.create_task(house.vault.appender.commit(slow))
    await asyncio.sleep(0)
    waiting = [
        asyncio.create_task(house.vault.appender.append([await entry(house, number)], nothing_to_check))
        for number in range(4)
    ]
    await asyncio.sleep(0.01)
    holding.cancel()
    waiting[1].cancel()
    gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    with suppress(asyncio.CancelledError):
        await holding

    assert isinstance(outcomes[1], asyncio.CancelledError)
    # Both that left are committed all the same: an entry too many is the safe side.
    assert await house.size() == first + 5 == house.vault.signer.tree.size


async def test_a_full_queue_is_busy(house, monkeypatch):
    monkeypatch.setattr("vault.appending.MAX_WAITING", 3)
    prepared = [await entry(house, number) for number in range(8)]
    outcomes = await asyncio.gather(
        *(house.vault.appender.append([one], nothing_to_check) for one in prepared), return_exceptions=True
    )
    assert [type(one) for one in outcomes[3:]] == [VaultBusy] * 5
    assert all(isinstance(one, list) for one in outcomes[:3])


async def test_epochs_are_compared_under_the_lock(house, daughter):
    async with house.vault.db.read() as db:
        marks = await epochs.read(db, [("owner", daughter.owner)])

    async def hold(db):
        await epochs.hold(db, marks)

    async def rises(tx):
        await epochs.advance(tx.db, [("owner", daughter.owner)])

    await house.vault.appender.append([await entry(house)], hold)
    await house.vault.appender.commit(rises)
    with pytest.raises(Moved):
        await house.vault.appender.append([await entry(house)], hold)


# open_key -------------------------------------------------------------------------------


async def test_the_key_of_a_delivered_entry_opens_its_record(house, police):
    evidence = await delivered(house, police)
    key = await house.vault.gate.open_key(evidence, police, house.daughters)

    (row,) = await house.rows(select(record).where(record.c.id == house.daughters))
    async with await house.vault.store.open(row.blob) as reader:
        chunks = read_sealed(reader, key=key, record=row.id, part="file", content_size=row.content_size)
        assert (b"".join([chunk async for chunk in chunks])).startswith(b"%PDF")


async def test_no_key_without_an_entry(house, police):
    evidence = await delivered(house, police)
    never = Evidence(evidence.index, b"\x01\x03" + bytes(32), evidence.proof, evidence.checkpoint)
    with pytest.raises(GateRefused):
        await house.vault.gate.open_key(never, police, house.daughters)


# open_entries ---------------------------------------------------------------------------


async def test_entries_open_for_their_owner_and_for_the_caller_named_in_them(
    house, police, daughter, stranger
):
    evidence = await delivered(house, police)
    for caller in (daughter, police):
        (opened,) = await house.vault.gate.open_entries([evidence.index], caller)
        assert opened.kind is Kind.DELIVERED
        assert opened.leaf == evidence.leaf
        assert opened.parts.actor["officer"] == people.POLICE.officer
        assert opened.parts.subject["record"] == house.daughters
    assert await house.vault.gate.open_entries([evidence.index], stranger) == []


async def test_others_are_left_out_in_silence(house, police, commune, daughter, mother):
    await delivered(house, police)
    size = await house.size()
    for caller in (commune, mother, daughter):
        opened = await house.vault.gate.open_entries(range(size + 5), caller)
        assert 0 < len(opened) < size
    hers = {one.index for one in await house.vault.gate.open_entries(range(size), daughter)}
    assert hers.isdisjoint({one.index for one in await house.vault.gate.open_entries(range(size), mother)})


async def test_no_entry_opens_for_a_session_that_ended(house, police, daughter):
    evidence = await delivered(house, police)
    await house.change(session.delete())
    with pytest.raises(Exception, match="session_ended"):
        await house.vault.gate.open_entries([evidence.index], daughter)


async def test_entries_about_nobody_are_nobodys(house, daughter, police):
    (logged,) = await house.vault.appender.append([await entry(house)], nothing_to_check)
    assert await house.vault.gate.open_entries([logged.index], daughter) == []
    assert await house.vault.gate.open_entries([logged.index], police) == []
    (count,) = await house.rows(select(func.count(log_entry.c.idx)))
    assert count[0] == logged.index + 1
