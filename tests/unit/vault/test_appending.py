"""The tree follows the committed rows, whatever was lost on the way back from a commit."""

import asyncio
import os
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from signing.leaf import Kind, Parts
from signing.merkle import Tree
from vault import entries, finding, handling, publishing, receipts, release
from vault.errors import VaultBusy
from vault.release import Wanted
from vault.tables import delivery_share, log_entry, log_head
from vault.telling import VAULT_HOLDER, nothing_to_check

pytestmark = pytest.mark.anyio


def lose_the_answer_of_commits(house, monkeypatch):
    """A commit takes effect, and then its answer is lost: what a full disk or a broken server may do."""
    real = house.vault.db.write

    @asynccontextmanager
    async def lost():
        async with real() as db:
            yield db
        raise VaultBusy("the answer was lost")

    monkeypatch.setattr(house.vault.db, "write", lost)


async def heartbeat(house):
    async with house.vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    at = house.vault.clock.now()
    parts = Parts(
        {}, {"system": "vault"}, {}, {}, {"type": "tried", "result": "permitted", "at": at.isoformat()}
    )
    return entries.prepare(Kind.HEARTBEAT, parts, held, at=at, caller_kind="vault", caller="vault")


async def rows_root(house):
    hashes = await house.rows(select(log_entry.c.leaf_hash).order_by(log_entry.c.idx))
    return Tree([row.leaf_hash for row in hashes]).root()


async def test_a_request_tried_again_after_a_lost_answer_has_its_proof(house, police, monkeypatch):
    code = await house.opens(police, people.POLICE, house.residence())
    wanted, key = [Wanted(people.KINSHIP, None)], os.urandom(8).hex()
    with monkeypatch.context() as patch:
        lose_the_answer_of_commits(house, patch)
        with pytest.raises(VaultBusy):
            await release.request(house.vault, police, code, wanted, key=key)
    size = await house.size()

    told = await release.request(house.vault, police, code, wanted, key=key)
    assert await house.size() == size
    assert (await receipts.fetch(house.vault, police, told["items"][0]["receipt"])).startswith("c2sp.org/")
    assert house.vault.signer.tree.root() == await rows_root(house)


async def test_an_owner_gets_the_proof_of_an_entry_whose_answer_was_lost(
    house, police, daughter, monkeypatch
):
    with monkeypatch.context() as patch:
        lose_the_answer_of_commits(house, patch)
        with pytest.raises(VaultBusy):
            await handling.open_dossier(house.vault, police, house.code(people.POLICE), house.residence())
    (newest, *_) = await finding.my_accesses(house.vault, daughter)
    assert (await receipts.proof_of(house.vault, daughter, newest.index)).startswith("c2sp.org/")


async def test_what_was_committed_is_published_even_if_its_answer_was_lost(house, monkeypatch):
    with monkeypatch.context() as patch:
        lose_the_answer_of_commits(house, patch)
        with pytest.raises(VaultBusy):
            await house.vault.appender.append([await heartbeat(house)], nothing_to_check)
    assert await publishing.publish(house.vault)
    head = (house.places.log / "checkpoint").read_text().splitlines()[1]
    assert int(head) == await house.size()


async def test_the_tree_is_that_of_the_rows_though_some_were_written_unseen(house):
    """Ten changes at one time, after three commits that the tree never heard of."""
    size = await house.size()
    async with house.vault.db.write() as db:
        await entries.write(db, size, [await heartbeat(house) for _ in range(3)])
        await db.execute(update(log_head).values(size=size + 3))
    prepared = [await heartbeat(house) for _ in range(10)]

    await asyncio.gather(*(house.vault.appender.commit(_appending(one)) for one in prepared))
    assert house.vault.signer.tree.size == size + 13
    assert house.vault.signer.tree.root() == await rows_root(house)


def _appending(prepared):
    async def change(tx):
        await tx.append([prepared])

    return change


async def test_ranges_asked_at_one_time_are_all_served(house, police):
    """The share of a `delivered` entry may be seen before the tree holds the entry."""
    code = await house.opens(police, people.POLICE, house.residence())
    rel = await house.releases(police, code)
    whole = await house.reads(police, rel)
    await house.change(delivery_share.delete())

    async def part(start):
        await asyncio.sleep(start / 200_000)
        return await house.reads(police, rel, start=start, stop=start + 1000)

    starts = range(0, 40_000, 1000)
    assert await asyncio.gather(*(part(start) for start in starts)) == [
        whole[start : start + 1000] for start in starts
    ]


async def test_closing_waits_for_changes_whose_caller_has_left(open_house):
    async with open_house() as house:
        size, prepared = await house.size(), await heartbeat(house)
        leaving = asyncio.create_task(house.vault.appender.commit(_appending(prepared)))
        await asyncio.sleep(0)
        leaving.cancel()
    async with open_house() as house:
        assert await house.size() == size + 1
        assert house.vault.signer.tree.size == size + 1
