"""Whom the vault trusts decides what documents are worth, at once, and no report is ever rewritten."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.trust_folder import TrustFolder
from vault import deliver, finding, looking, plan, release, trusting
from vault.callers import OwnerCaller
from vault.evidence_tables import evidence_piece, report_anchor, report_ground, report_piece, trust_set
from vault.release import Wanted
from vault.tables import log_entry, signature_report

pytestmark = pytest.mark.anyio


@pytest.fixture
def trust(house: Any, tmp_path: Path) -> Path:
    """Trust by a folder, as an operator does; gives the file of the only anchor."""
    root = tmp_path / "trust" / "test" / "root.der"
    root.parent.mkdir(parents=True)
    root.write_bytes(house.vault.trust.current().anchors[0].certificate)
    house.vault = replace(house.vault, trust=TrustFolder(tmp_path / "trust", look_every=0))
    return root


async def kinship(house: Any, caller: Any, code: str) -> dict[str, Any]:
    told = await plan.ask(house.vault, caller, code)
    assert isinstance(told, dict)
    return next(one for one in told["components"] if one["component"] == people.KINSHIP)


async def test_a_removed_anchor_stops_reuse_and_counts_again_once_it_is_back(
    house: Any, police: Any, trust: Path
) -> None:
    code = await house.opens(police, people.POLICE, house.residence())
    assert (await kinship(house, police, code))["state"] == "satisfied"
    reports = await house.rows(select(signature_report))
    certificate = trust.read_bytes()
    trust.unlink()
    without = await kinship(house, police, code)
    assert without["state"] == "candidate"
    assert "trust_withdrawn" in without["candidates"][0]["reasons"]
    trust.write_bytes(certificate)
    assert (await kinship(house, police, code))["state"] == "satisfied"
    assert await house.rows(select(signature_report)) == reports, "no report was rewritten"


async def test_the_class_that_is_shown_and_used_follows_trust_both_ways(
    house: Any, police: Any, daughter: OwnerCaller, trust: Path
) -> None:
    code = await house.opens(police, people.POLICE, house.residence())
    wanted = [Wanted(people.KINSHIP, house.daughters)]

    async def released(key: str) -> tuple[str, str, bool]:
        given = await release.request(house.vault, police, code, wanted, key=key)
        assert isinstance(given, dict)
        (one,) = given["items"]
        assert (
            one["trust_reasons"][0] == {"A": "class_by_issuing_agency", "E": "class_unverified"}[one["trust"]]
        )
        return one["trust"], one["verdict"], one["counts"]

    async def worth() -> tuple[str, str, tuple[str, ...]]:
        told = await kinship(house, police, code)
        (planned,) = (
            one for one in (*told["records"], *told["candidates"]) if one["record"] == house.daughters
        )
        mine = {one.id: one for one in await finding.my_records(house.vault, daughter)}[house.daughters]
        whole = await looking.look(house.vault, daughter, house.daughters)
        assert whole.record.trust == mine.trust
        assert planned["trust_reasons"] == list(mine.trust_reasons)
        return planned["trust"], mine.trust, mine.trust_reasons

    assert await worth() == ("A", "A", ("class_by_issuing_agency", "class_test_anchor"))
    certificate = trust.read_bytes()
    trust.unlink()
    assert await worth() == ("E", "E", ("class_unverified", "class_signature_not_valid"))
    assert await released("without") == ("E", "undetermined", False), "an officer's own choice counts not"
    trust.write_bytes(certificate)
    assert (await worth())[:2] == ("A", "A")
    assert await released("with") == ("A", "valid", True)


async def test_an_anchor_that_counts_for_other_times_or_other_things_does_not_count(
    house: Any, police: Any, trust: Path
) -> None:
    code = await house.opens(police, people.POLICE, house.residence())
    said = trust.with_suffix(".json")
    said.write_text('{"valid_until": "2020-01-01"}')
    assert (await kinship(house, police, code))["state"] == "candidate"
    said.unlink()
    assert (await kinship(house, police, code))["state"] == "satisfied"
    stamps = trust.parent.parent / "timestamp" / trust.name
    stamps.parent.mkdir()
    trust.rename(stamps)
    assert (await kinship(house, police, code))["state"] == "candidate"


async def test_a_change_of_trust_is_an_entry_and_only_a_change_is(house: Any, trust: Path) -> None:
    size = await house.size()
    assert await trusting.look(house.vault), "dates of its own: another set"
    assert not await trusting.look(house.vault)
    trust.unlink()
    assert await trusting.look(house.vault)
    kinds = await house.rows(select(log_entry.c.kind).where(log_entry.c.idx >= size))
    assert [row.kind for row in kinds] == [15, 15]


async def test_what_is_sent_is_told_with_the_verdict_that_counts_now(
    house: Any, police: Any, trust: Path
) -> None:
    code = await house.opens(police, people.POLICE, house.residence())
    release = await house.releases(police, code)
    trust.unlink()
    delivery = await deliver.deliver(house.vault, police, release)
    assert isinstance(delivery, deliver.Delivery)
    assert delivery.verdict == "undetermined"
    await delivery.chunks.aclose()


async def test_what_a_verdict_stood_on_is_kept_beside_it(house: Any) -> None:
    of = {"record": house.daughters, "n": 1}
    (ground,) = await house.rows(select(report_ground).filter_by(**of))
    assert ground.policy == "kho-1"
    (kept,) = await house.rows(select(trust_set.c.digest).where(trust_set.c.digest == ground.trust_set))
    assert kept.digest == house.vault.trust.current().digest
    anchors = await house.rows(select(report_anchor).filter_by(**of))
    assert {(one.anchor, one.role) for one in anchors} == {
        (house.vault.trust.current().anchors[0].sha256, role) for role in ("signature", "timestamp")
    }
    linked = select(evidence_piece.c.kind).join(
        report_piece, report_piece.c.sha256 == evidence_piece.c.sha256
    )
    kinds = [row.kind for row in await house.rows(linked.filter_by(**of))]
    assert set(kinds) == {"certificate", "etsi_report", "ocsp", "timestamp"}
    assert kinds.count("timestamp") == 2, "that of the signature, and the archive stamp"
