"""An owner reads every file of a document: the original too, each in an entry that names these very bytes."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from tests.unit.vault.test_digitise import SCAN, moves, scan
from vault import entries, records, versions
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.deliver import Delivery
from vault.errors import ContentDamaged, GateRefused, NotFound
from vault.evidence import Evidence
from vault.evidence_tables import scan as scan_table
from vault.telling import Telling, nothing_to_check, prepare

pytestmark = pytest.mark.anyio


async def evidence(house: Any, index: int) -> Evidence:
    async with house.vault.db.read() as db:
        logged = await entries.logged(db, index)
    proof, checkpoint, _ = await house.vault.appender.proof(index)
    return Evidence(index, logged.leaf, proof, checkpoint)


@pytest.fixture
async def digitised(house: Any, police: SystemCaller, scanned: Any) -> tuple[str, bytes]:
    """The id of a digitised record of the stranger's, and the scan that it was made from."""
    file: Path = scanned("giấy khai sinh")
    code, content = await moves(house, police), file.read_bytes()
    body = replace(SCAN, reason="applicant_insists")
    told = await scan(house, police, code, file, body)
    return str(told["record"]), content


async def test_the_original_is_read_like_any_content_and_by_nobody_else(
    house: Any,
    police: SystemCaller,
    stranger: OwnerCaller,
    daughter: OwnerCaller,
    digitised: tuple[str, bytes],
) -> None:
    record, content = digitised
    original, copy = await versions.mine(house.vault, stranger, record)
    assert (original.name, original.why, original.newest) == ("original", "original", False)
    assert (copy.name, copy.why, copy.newest) == ("1", "sealed", True)
    assert (original.sha256, original.size) == (sha256(content).hexdigest(), len(content))
    size = await house.size()
    delivery = await versions.read(house.vault, stranger, record, original.sha256, start=3)
    assert isinstance(delivery, Delivery)
    assert await house.drained(delivery) == content[3:]
    assert (delivery.verdict, delivery.media_type) == ("undetermined", original.media_type)
    assert await house.size() == size + 1
    (entry,) = await house.last(stranger)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.DELIVERED, versions.READ)
    assert (entry.parts.subject["digest"], entry.parts.basis["file"]) == (original.sha256, "original")
    for digest in ("", "0" * 64):
        with pytest.raises(NotFound):
            await versions.read(house.vault, stranger, record, digest)
    with pytest.raises(NotFound):
        await versions.mine(house.vault, daughter, record)
    with pytest.raises(NotFound):
        await versions.read(house.vault, daughter, record, original.sha256)


async def test_a_changed_original_is_not_delivered_and_the_copy_stays_good(
    house: Any, stranger: OwnerCaller, digitised: tuple[str, bytes]
) -> None:
    record, _ = digitised
    original, copy = await versions.mine(house.vault, stranger, record)
    await house.change(
        update(scan_table).values(blob=f"records/{record.removeprefix('rec-')}/file")  # other bytes there
    )
    with pytest.raises(ContentDamaged):
        await versions.read(house.vault, stranger, record, original.sha256)
    assert (await house.last(stranger))[0].parts.event["type"] == "not_delivered"
    whole = await versions.read(house.vault, stranger, record, copy.sha256)
    assert isinstance(whole, Delivery)
    assert sha256(await house.drained(whole)).hexdigest() == copy.sha256


async def test_the_gate_opens_an_original_to_no_system(
    house: Any, police: SystemCaller, stranger: OwnerCaller, digitised: tuple[str, bytes]
) -> None:
    record, _ = digitised
    original, _ = await versions.mine(house.vault, stranger, record)
    await house.drained(await versions.read(house.vault, stranger, record, original.sha256))
    (mine,) = await house.last(stranger)
    with pytest.raises(GateRefused, match="another one"):
        await house.vault.gate.open_key(await evidence(house, mine.index), police, record)
    async with house.vault.db.read() as db:
        stored = await records.one(db, record, legal_day(house.vault.clock.now()))
    assert stored is not None
    at = house.vault.clock.now()
    facts = AccessFacts(Action.READ_OWN, None, owner=stranger.person, record=stored.facts)
    row = {**stored.row, "content_sha256": bytes.fromhex(original.sha256)}
    forged = Telling(
        Kind.DELIVERED,
        "delivered",
        facts,
        decide(facts, house.vault.book, at),
        tuple(stored.facts.owners),
        replace(stored, row=row),
    )
    prepared = await prepare(house.vault, police, [forged])
    (logged,) = await house.vault.appender.append(prepared, nothing_to_check)
    with pytest.raises(GateRefused, match="record"):
        await house.vault.gate.open_key(await evidence(house, logged.index), police, record)
