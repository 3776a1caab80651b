"""A served vault judges again by itself what a change of trust could lift, some documents a round."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from signing.trust_folder import TrustFolder
from tests.servers.signed_files import signature_beside, signed_xml
from vault import deposit, finding, revalidating
from vault.rejudging import Rejudging
from vault.tables import signature_report

pytestmark = pytest.mark.anyio


def unforeseen(code: str, problem: Exception) -> None:
    raise problem


@pytest.fixture
def trust(house: Any, tmp_path: Path) -> Path:
    """Trust by a folder, as an operator does; gives the file of the only anchor."""
    root = tmp_path / "trust" / "test" / "root.der"
    root.parent.mkdir(parents=True)
    root.write_bytes(house.vault.trust.current().anchors[0].certificate)
    house.vault = replace(house.vault, trust=TrustFolder(tmp_path / "trust", look_every=0))
    return root


async def classes(house: Any, daughter: Any) -> list[str]:
    return sorted(one.trust for one in await finding.my_records(house.vault, daughter))


async def test_a_new_anchor_lifts_what_nobody_vouched_for_a_few_each_round(
    house: Any, daughter: Any, trust: Path
) -> None:
    certificate = trust.read_bytes()
    trust.unlink()
    for record in (house.daughters, house.mothers):
        await revalidating.revalidate(house.vault, record)
    rounds = Rejudging(house.vault, unforeseen)
    assert await rounds.round() == 0, "they were judged by the anchors of now"
    assert set(await classes(house, daughter)) == {"E"}
    trust.write_bytes(certificate)
    assert [await rounds.round(1) for _ in range(3)] == [1, 1, 0]
    assert set(await classes(house, daughter)) == {"A"}
    told = [(one.kind, one.parts.event["type"]) for one in await house.last(daughter, 2)]
    assert told == [(15, "revalidated"), (8, "class_moved")], "opened in an entry of its own"


async def test_what_loses_its_anchor_is_left_for_the_day_it_is_back(
    house: Any, daughter: Any, trust: Path
) -> None:
    rounds = Rejudging(house.vault, unforeseen)
    await rounds.round()
    size, certificate = await house.size(), trust.read_bytes()
    trust.unlink()
    assert await rounds.round() == 0
    assert set(await classes(house, daughter)) == {"E"}, "seen by itself, before anybody asked"
    trust.write_bytes(certificate)
    assert await rounds.round() == 0
    assert set(await classes(house, daughter)) == {"A"}
    assert await house.size() == size + 2, "the two changes of trust, and nothing else"
    assert len(await house.rows(select(signature_report))) == 3


async def test_an_anchor_that_becomes_one_for_something_else_moves_the_classes(
    house: Any, daughter: Any, trust: Path
) -> None:
    rounds = Rejudging(house.vault, unforeseen)
    await rounds.round()
    other = trust.parent.parent / "public" / trust.name
    other.parent.mkdir()
    trust.rename(other)
    assert await rounds.round() == 0
    assert set(await classes(house, daughter)) == {"E"}, (
        "judged by an anchor for tests, which is there no more"
    )
    other.rename(trust)
    await rounds.round()
    assert set(await classes(house, daughter)) == {"A"}


async def test_signed_xml_and_a_signature_beside_a_file_are_judged_again_too(
    house: Any, daughter: Any, trust: Path, pdf: Any, tmp_path: Path
) -> None:
    key, at = house.authority.issue_seal_key("Sở Tư pháp Hà Nội", "H26.99"), house.vault.clock.now()
    xml, file = tmp_path / "signed.xml", pdf("giấy tờ")
    xml.write_bytes(await signed_xml(house.authority, key, "<KetQua><So>1</So></KetQua>", at))
    beside = await signature_beside(house.authority, key, file.read_bytes(), at)
    certificate = trust.read_bytes()
    trust.unlink()
    said = {"title": "Giấy xác nhận", "type": None}
    kinds = {"declared_type": "application/xml"}, {"declared_type": "application/pdf", "signature": beside}
    stored = [
        await deposit.upload(house.vault, daughter, one, key=f"up-{one.name}", **said, **kind)
        for one, kind in zip((xml, file), kinds, strict=True)
    ]
    rounds = Rejudging(house.vault, unforeseen)
    while await rounds.round():
        pass
    assert await verdicts(house, daughter, stored) == ["undetermined"] * 2
    trust.write_bytes(certificate)
    while await rounds.round():
        pass
    assert await verdicts(house, daughter, stored) == ["valid"] * 2


async def verdicts(house: Any, daughter: Any, stored: list[Any]) -> list[str]:
    found = {one.id: one.verdict for one in await finding.my_records(house.vault, daughter)}
    return [found[one["record"]] for one in stored]
