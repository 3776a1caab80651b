"""The gate believes nobody: what it refuses, whoever asks and whatever the rows say."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from reuse_api.demo import people
from signing.checkpoint import LogKey
from signing.leaf import Kind
from signing.merkle import Tree, leaf_hash
from storage.keyring import load_or_create_master, public_of
from vault import deliver, entries, finding, receipts, revoke
from vault.assertions import TokenRefused
from vault.clock import FixedClock
from vault.errors import GateRefused
from vault.evidence import Evidence
from vault.key_pairs import _content_aad, _log_aad, pair_aad
from vault.readiness import ready
from vault.tables import entry_holder, key_pair, log_entry, receipt, record, record_owner

pytestmark = pytest.mark.anyio
PARTS = ("here", "apart")


async def evidence_of(house, index):
    async with house.vault.db.read() as db:
        logged = await entries.logged(db, index)
    proof, checkpoint, _ = await house.vault.appender.proof(index)
    return Evidence(index, logged.leaf, proof, checkpoint)


async def newest(house, kind):
    query = select(log_entry.c.idx).where(log_entry.c.kind == int(kind)).order_by(log_entry.c.idx.desc())
    return await evidence_of(house, (await house.rows(query.limit(1)))[0].idx)


async def delivered(house, police):
    code = await house.opens(police, people.POLICE, house.residence())
    await house.reads(police, await house.releases(police, code))
    return await newest(house, Kind.DELIVERED)


@pytest.fixture
async def evidence(house, police):
    """A `delivered` entry for the police's system about the daughter's certificate, and its proof."""
    return await delivered(house, police)


async def refused(house, evidence, caller, record_id, why):
    with pytest.raises(GateRefused, match=why):
        await house.vault.gate.open_key(evidence, caller, record_id)


async def test_it_opens_when_everything_fits(house, police, evidence):
    assert len(await house.vault.gate.open_key(evidence, police, house.daughters)) == 32


# The entry ----------------------------------------------------------------------------------------------


async def test_the_entry_of_one_record_opens_no_other(house, police, evidence):
    await refused(house, evidence, police, house.mothers, "owners")


async def test_the_entry_of_one_record_opens_no_other_of_the_same_owner(house, police, daughter, evidence):
    """Two records of one owner: her log key opens the entry, and the entry names the other one."""
    fake = {"record": "rec-other", "owner": daughter.owner, "wrapped_key": b"key", "document_code": "x"}
    (row,) = (
        dict(one._mapping) for one in await house.rows(select(record).where(record.c.id == house.daughters))
    )
    await house.change(
        insert(record).values(**row | {"id": "rec-other"}), insert(record_owner).values(**fake)
    )
    await refused(house, evidence, police, "rec-other", "record")


async def test_a_caller_opens_nothing_with_the_entry_of_another(house, commune, daughter, evidence):
    await refused(house, evidence, commune, house.daughters, "caller")
    await refused(house, evidence, daughter, house.daughters, "caller")


async def test_what_an_operation_says_about_the_caller_does_not_count(house, police, commune, evidence):
    disguised = replace(police, token=commune.token)
    await refused(house, evidence, disguised, house.daughters, "caller")


async def test_a_token_that_is_none_opens_nothing(house, police, evidence):
    with pytest.raises(TokenRefused):
        await house.vault.gate.open_key(evidence, replace(police, token=police.token[:-4]), house.daughters)


@pytest.mark.parametrize("kind", [Kind.RELEASE_PERMITTED, Kind.PLAN_ASKED, Kind.DOSSIER_EVENT])
async def test_only_a_delivered_entry_opens_a_key(house, police, evidence, kind):
    await refused(house, await newest(house, kind), police, house.daughters, "kind")


async def test_an_entry_that_refuses_opens_nothing(house, police, daughter):
    code = await house.opens(police, people.POLICE, house.residence())
    rel = await house.releases(police, code)
    commune = await house.system(people.COMMUNE)
    await revoke.revoke(house.vault, commune, house.daughters, ground="Điều 70", reason="Sai", key="r")
    outcome = await deliver.deliver(house.vault, police, rel)
    assert not isinstance(outcome, deliver.Delivery)
    await refused(house, await newest(house, Kind.REFUSED), police, house.daughters, "kind")


async def test_an_entry_grows_too_old(open_house):
    clock = FixedClock((await _now(open_house)) + timedelta(seconds=1))
    async with open_house(clock) as house:
        police = await house.system(people.POLICE)
        evidence = await delivered(house, police)
        clock.advance(timedelta(seconds=89))
        assert await house.vault.gate.open_key(evidence, police, house.daughters)
        clock.advance(timedelta(seconds=2))
        await refused(house, evidence, police, house.daughters, "age")


async def _now(open_house):
    async with open_house() as house:
        return house.vault.clock.now()


# The proof ----------------------------------------------------------------------------------------------


async def test_a_checkpoint_of_another_log_opens_nothing(house, police, evidence):
    foreign = LogKey.new(house.vault.signer.origin)
    tree = house.vault.signer.tree
    note = foreign.sign_checkpoint(tree.size, tree.root())
    await refused(house, replace(evidence, checkpoint=note), police, house.daughters, "proof")


async def test_an_unsigned_checkpoint_opens_nothing(house, police, evidence):
    text = evidence.checkpoint.split("\n\n")[0] + "\n\n"
    await refused(house, replace(evidence, checkpoint=text), police, house.daughters, "proof")


async def test_a_proof_of_another_index_or_of_nothing_opens_nothing(house, police, evidence):
    await refused(house, replace(evidence, index=evidence.index - 1), police, house.daughters, "proof")
    await refused(house, replace(evidence, proof=[]), police, house.daughters, "proof")
    turned = [bytes([evidence.proof[0][0] ^ 1]) + evidence.proof[0][1:], *evidence.proof[1:]]
    await refused(house, replace(evidence, proof=turned), police, house.daughters, "proof")


async def test_a_tree_signed_by_us_over_other_leaves_opens_nothing_that_is_not_committed(house, police):
    """Even with the log key: a leaf that no row holds is no entry."""
    tree = Tree([bytes([number]) * 32 for number in range(2)])
    leaf = b"\x01\x03" + bytes(32)
    tree.append(leaf_hash(leaf))
    key = LogKey.from_line((house.places.keys / "log.key").read_text().strip())
    note = key.sign_checkpoint(tree.size, tree.root())
    await refused(house, Evidence(2, leaf, tree.inclusion(2), note), police, house.daughters, "row")


# The rows -----------------------------------------------------------------------------------------------


def _entry(evidence):
    return update(log_entry).where(log_entry.c.idx == evidence.index)


async def test_a_changed_leaf_is_refused(house, police, evidence):
    other = evidence.leaf[:-1] + bytes([evidence.leaf[-1] ^ 1])
    await house.change(_entry(evidence).values(leaf=other))
    await refused(house, evidence, police, house.daughters, "row")


async def test_a_changed_body_is_refused(house, police, evidence):
    (row,) = await house.rows(select(log_entry.c.body).where(log_entry.c.idx == evidence.index))
    await house.change(_entry(evidence).values(body=row.body[:-1] + bytes([row.body[-1] ^ 1])))
    await refused(house, evidence, police, house.daughters, "entry")


async def test_the_kind_is_read_from_the_leaf_and_not_from_its_row(house, police):
    """A release is not made into a delivery by whoever can write to the database."""
    code = await house.opens(police, people.POLICE, house.residence())
    await house.releases(police, code)
    evidence = await newest(house, Kind.RELEASE_PERMITTED)
    await house.change(_entry(evidence).values(kind=int(Kind.DELIVERED)))
    await refused(house, evidence, police, house.daughters, "kind")


async def test_the_age_is_read_from_the_entry_and_not_from_its_row(open_house):
    """An old delivery is not made young by whoever can write to the database."""
    clock = FixedClock((await _now(open_house)) + timedelta(seconds=1))
    async with open_house(clock) as house:
        police = await house.system(people.POLICE)
        evidence = await delivered(house, police)
        clock.advance(timedelta(minutes=5))
        await house.change(_entry(evidence).values(at=entries.stamp(clock.now())))
        await refused(house, evidence, police, house.daughters, "age")


async def test_an_owner_without_the_seed_is_refused(house, police, evidence):
    await house.change(delete(entry_holder).where(entry_holder.c.idx == evidence.index))
    await refused(house, evidence, police, house.daughters, "owners")


async def test_the_seed_of_another_entry_is_refused(house, police, daughter, evidence):
    later = await delivered(house, police)
    seeds = await house.rows(select(entry_holder.c.sealed_seed).where(entry_holder.c.idx == later.index))
    await house.change(
        update(entry_holder)
        .where(entry_holder.c.idx == evidence.index)
        .values(sealed_seed=seeds[0].sealed_seed)
    )
    await refused(house, evidence, police, house.daughters, "entry")


async def test_every_owner_of_the_record_must_have_the_seed(house, police, mother, evidence):
    """An owner added to the record behind our back was not told of the access."""
    (row,) = await house.rows(select(record_owner).where(record_owner.c.record == house.daughters))
    joint = dict(row._mapping) | {"owner": mother.owner, "document_code": "another"}
    await house.change(insert(record_owner).values(**joint))
    await refused(house, evidence, police, house.daughters, "owners")


async def test_another_content_in_the_records_row_is_refused(house, police, evidence):
    await house.change(update(record).where(record.c.id == house.daughters).values(content_sha256=bytes(32)))
    await refused(house, evidence, police, house.daughters, "record")


async def test_an_erased_key_opens_nothing(house, police, daughter, evidence):
    erase = update(key_pair).where(key_pair.c.id == daughter.owner).values(wrapped_private=None)
    await house.change(erase)
    await refused(house, evidence, police, house.daughters, "key")


async def test_a_changed_wrapping_is_refused_in_words_of_ours(house, police, daughter, evidence):
    theirs = key_pair.c.id == daughter.owner
    pairs = await house.rows(select(key_pair).where(theirs, key_pair.c.purpose == "content"))
    broken = pairs[0].wrapped_private[:-1] + bytes([pairs[0].wrapped_private[-1] ^ 1])
    await house.change(
        update(key_pair).where(theirs, key_pair.c.purpose == "content").values(wrapped_private=broken)
    )
    await refused(house, evidence, police, house.daughters, "key")


async def test_a_changed_record_key_is_refused_in_words_of_ours(house, police, evidence):
    (row,) = await house.rows(select(record_owner).where(record_owner.c.record == house.daughters))
    broken = row.wrapped_key[:-1] + bytes([row.wrapped_key[-1] ^ 1])
    await house.change(
        update(record_owner).where(record_owner.c.record == house.daughters).values(wrapped_key=broken)
    )
    await refused(house, evidence, police, house.daughters, "key")


# Pairs --------------------------------------------------------------------------------------------------


async def pairs_of(house, owner):
    rows = await house.rows(select(key_pair).where(key_pair.c.kind == "owner", key_pair.c.id == owner))
    return {row.purpose: dict(row._mapping) for row in rows}


async def put(house, *rows):
    for row in rows:
        own = (key_pair.c.kind == "owner", key_pair.c.id == row["id"], key_pair.c.purpose == row["purpose"])
        await house.change(update(key_pair).where(*own).values(**row))


async def test_no_pair_of_an_owner_is_made_alone(house, daughter):
    for kind, name in (("owner", daughter.owner), ("", ""), ("owner:" + daughter.owner, "log")):
        with pytest.raises(GateRefused, match="both are made at once"):
            await house.vault.gate.new_pair(kind, name, "log")


@pytest.mark.parametrize("swapped", [("log",), ("log", "content")])
async def test_an_entry_that_was_sealed_to_another_log_key_opens_nothing(house, police, daughter, swapped):
    """One that nobody keeps: put back, the owner's own would not open that entry."""
    before = await pairs_of(house, daughter.owner)
    made = await house.vault.gate.new_owner_pairs(daughter.owner)
    code = await house.opens(police, people.POLICE, house.residence())
    release = await house.releases(police, code)
    await put(house, *(one for one in made if one["purpose"] in swapped))
    with pytest.raises(GateRefused, match="key"):
        await house.reads(police, release)
    evidence = await newest(house, Kind.DELIVERED)
    await refused(house, evidence, police, house.daughters, "key")
    await put(house, *before.values())
    await refused(house, evidence, police, house.daughters, "entry")


async def test_pairs_from_before_open_and_take_no_new_log_key(house, police, daughter):
    """As they were wrapped until the two were bound to each other."""
    master = load_or_create_master(house.places.keys, create=False)
    pairs = await pairs_of(house, daughter.owner)
    log = master.unwrap(pairs["log"]["wrapped_private"], _log_aad(daughter.owner))
    bound = _content_aad(daughter.owner, public_of(log))
    content = master.unwrap(pairs["content"]["wrapped_private"], bound)
    for purpose, private in (("log", log), ("content", content)):
        pairs[purpose]["wrapped_private"] = master.wrap(private, pair_aad("owner", daughter.owner, purpose))
    await put(house, *pairs.values())
    evidence = await delivered(house, police)
    assert await house.vault.gate.open_key(evidence, police, house.daughters)
    (new, _) = await house.vault.gate.new_owner_pairs(daughter.owner)
    await put(house, new)
    with pytest.raises(GateRefused, match="key"):
        await delivered(house, police)


# Opening entries ----------------------------------------------------------------------------------------


async def test_a_receipts_row_turned_to_another_caller_opens_nothing_for_it(house, commune, evidence):
    await house.change(update(receipt).where(receipt.c.idx == evidence.index).values(caller=commune.system))
    assert await house.vault.gate.open_entries([evidence.index], commune) == []


async def test_an_opened_entry_tells_kind_and_time_as_they_were_committed(house, daughter, evidence):
    await house.change(_entry(evidence).values(kind=int(Kind.REFUSED), at="2001-01-01T00:00:00.000000Z"))
    (opened,) = await house.vault.gate.open_entries([evidence.index], daughter)
    assert opened.kind is Kind.DELIVERED
    assert not opened.at.startswith("2001")


async def test_one_entry_that_cannot_be_opened_hides_no_other(house, police, daughter, evidence):
    before = await house.vault.gate.open_entries(range(await house.size()), daughter)
    assert (await ready(house.vault))["ready"]
    (row,) = await house.rows(select(log_entry).where(log_entry.c.idx == evidence.index))
    await house.change(_entry(evidence).values(body=row.body[:-1] + bytes([row.body[-1] ^ 1])))
    after = await house.vault.gate.open_entries(range(await house.size()), daughter)
    assert [one.index for one in before if one.index != evidence.index] == [one.index for one in after]
    listed = await finding.my_accesses(house.vault, daughter)
    assert [one.index for one in listed] == [one.index for one in reversed(before)], "none is left out"
    (marked,) = [one for one in listed if one.index == evidence.index]
    assert (marked.event, marked.result, marked.kind) == ("entry_unreadable", "unknown", int(Kind.DELIVERED))
    assert (await finding.my_access(house.vault, daughter, evidence.index)).event == "entry_unreadable"
    state = await ready(house.vault)
    assert (state["ready"], state["checks"]["log"]) == (True, "entries_unreadable:1")
    assert [one["code"] for one in state["alarms"]] == ["entries_unreadable"]
    with pytest.raises(GateRefused, match="entry"):
        await receipts.proof_of(house.vault, daughter, evidence.index)


async def test_a_delivery_that_the_gate_stops_is_told_as_not_delivered(house, police, daughter):
    code = await house.opens(police, people.POLICE, house.residence())
    rel = await house.releases(police, code)
    (row,) = await house.rows(select(record_owner).where(record_owner.c.record == house.daughters))
    await house.change(
        update(record_owner)
        .where(record_owner.c.record == house.daughters)
        .values(wrapped_key=row.wrapped_key[:-1] + bytes([row.wrapped_key[-1] ^ 1]))
    )
    with pytest.raises(GateRefused):
        await house.reads(police, rel)
    told = await house.last(daughter, 2)
    assert [one.kind for one in told] == [Kind.DELIVERED, Kind.NOT_DELIVERED]
    assert told[1].parts.event["of"] == told[0].index
