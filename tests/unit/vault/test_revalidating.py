"""Judged again: afresh beside the old report, or once more from what was kept alone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from signing.leaf import Kind
from signing.trust_folder import TrustFolder
from vault import records, revalidating, validation_evidence
from vault.days import legal_day
from vault.errors import GateRefused, NotFound
from vault.evidence import Evidence
from vault.evidence_tables import evidence_piece, report_ground, trust_set
from vault.inspecting import inspect
from vault.tables import log_entry, signature_report

pytestmark = pytest.mark.anyio


async def reports(house: Any, record: str) -> list[Any]:
    query = select(signature_report).where(signature_report.c.record == record)
    return await house.rows(query.order_by(signature_report.c.n))


async def test_an_old_verdict_is_found_again_without_network_or_folder(house: Any) -> None:
    house.vault = replace(house.vault, trust=TrustFolder())
    again = await revalidating.repeat(house.vault, house.daughters, 1)
    (stored,) = await reports(house, house.daughters)
    assert again.to_json() == json.loads(stored.report)
    assert again.verdict == "valid"


async def test_what_cannot_be_repeated_says_so(house: Any) -> None:
    with pytest.raises(NotFound):
        await revalidating.repeat(house.vault, "rec-none", 1)
    with pytest.raises(revalidating.ReportNotRepeatable, match="nothing was kept"):
        await revalidating.repeat(house.vault, house.daughters, 7)
    await house.change(report_ground.update().values(policy="kho-0"))
    with pytest.raises(revalidating.ReportNotRepeatable, match="kho-0"):
        await revalidating.repeat(house.vault, house.daughters, 1)


async def test_judging_afresh_appends_and_is_an_entry_of_each_owner(
    house: Any, daughter: Any, tmp_path: Path
) -> None:
    root = house.vault.trust.current().anchors[0].certificate
    (tmp_path / "trust" / "test").mkdir(parents=True)
    house.vault = replace(house.vault, trust=TrustFolder(tmp_path / "trust", look_every=0))
    before = await reports(house, house.daughters)
    found = await revalidating.revalidate(house.vault, house.daughters)
    assert (found.before, found.now) == ("undetermined", "undetermined")
    assert found.reasons == ("signer_not_trusted",)
    opened, moved = await house.last(daughter, 2)
    assert (opened.kind, opened.parts.event["type"]) == (Kind.MAINTENANCE, "revalidated")
    assert opened.parts.subject["record"] == house.daughters
    assert moved.parts.event["type"] == "class_moved"
    after = await reports(house, house.daughters)
    assert after[:-1] == before, "no old report was rewritten"
    assert after[-1].verdict == "undetermined"
    (tmp_path / "trust" / "test" / "root.der").write_bytes(root)
    assert house.daughters in await revalidating.due(house.vault)
    assert (await revalidating.revalidate(house.vault, house.daughters)).now == "valid"
    assert house.daughters not in await revalidating.due(house.vault)
    assert list(house.vault.scratch.iterdir()) == []


async def test_the_gate_opens_for_the_job_that_was_entered_and_no_other(house: Any, police: Any) -> None:
    await revalidating.repeat(house.vault, house.daughters, 1)
    entry = (await house.rows(select(log_entry).where(log_entry.c.kind == int(Kind.MAINTENANCE))))[-1]
    proof, checkpoint, _ = await house.vault.appender.proof(entry.idx)
    evidence = Evidence(entry.idx, entry.leaf, proof, checkpoint)
    gate = house.vault.gate
    assert len(await gate.open_key_for_job(evidence, "verdict_repeated", house.daughters)) == 32
    with pytest.raises(GateRefused, match="event"):
        await gate.open_key_for_job(evidence, "revalidated", house.daughters)
    with pytest.raises(GateRefused):
        await gate.open_key_for_job(evidence, "verdict_repeated", house.mothers)
    with pytest.raises(GateRefused, match="kind"):
        await gate.open_key(evidence, police, house.daughters)


async def test_a_class_falls_with_its_anchor_and_comes_back_with_it(house: Any, tmp_path: Path) -> None:
    async def of() -> str:
        async with house.vault.db.read() as db:
            stored = await records.one(db, house.daughters, legal_day(house.vault.clock.now()))
        assert stored is not None
        return str(stored.facts.trust.value)

    trusted = house.vault.trust
    assert await of() == "A"
    house.vault = replace(house.vault, trust=TrustFolder(tmp_path))
    await revalidating.settle_classes(house.vault)
    assert await of() != "A"
    house.vault = replace(house.vault, trust=trusted)
    await revalidating.settle_classes(house.vault)
    assert await of() == "A"


@pytest.mark.parametrize("damage", ["not json", "[7]", '[{"certificate":"AA=="}]', '"x"', "[" * 5000])
async def test_a_damaged_set_of_anchors_is_nobody_to_trust_and_found(house: Any, damage: str) -> None:
    digest = house.vault.trust.current().digest
    await house.change(trust_set.update().where(trust_set.c.digest == digest).values(anchors=damage))
    validation_evidence._read.clear()
    async with house.vault.db.read() as db:
        stored = await records.one(db, house.daughters, legal_day(house.vault.clock.now()))
    assert stored is not None
    assert stored.facts.verdict == "undetermined"
    found = (await inspect(house.places)).findings
    assert ("evidence_changed", digest) in {(one.code, one.what) for one in found if one.harm}
    validation_evidence._read.clear()


async def test_evidence_that_was_changed_repeats_nothing_and_is_found(house: Any) -> None:
    assert (await inspect(house.places)).sound
    await house.change(evidence_piece.update().values(content=b"something else"))
    with pytest.raises(revalidating.ReportNotRepeatable):
        await revalidating.repeat(house.vault, house.daughters, 1)
    found = (await inspect(house.places)).findings
    assert {one.code for one in found if one.harm} == {"evidence_changed"}
