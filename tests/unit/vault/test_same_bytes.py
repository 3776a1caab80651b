"""What ended for a document ended for its bytes: a copy in another store serves nobody any more."""

from pathlib import Path
from typing import Any

import pytest

from policies.facts import Validity
from reuse_api.demo import people
from tests.conftest import House
from tests.unit.vault.conftest import fresh
from vault import deliver, deposit, finding, notifying, plan, release, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.release import Wanted
from vault.services import Answer

pytestmark = pytest.mark.anyio
WHY = {"ground": "Luật Hộ tịch 2014, Điều 12", "reason": "Ghi sai nơi sinh"}


@pytest.fixture
async def copied(house: House, daughter: OwnerCaller, stranger: OwnerCaller, tmp_path: Path) -> str:
    """The daughter's certificate, uploaded into the stranger's store: its id there."""
    delivery = await deliver.read_own(house.vault, daughter, house.daughters)
    assert isinstance(delivery, deliver.Delivery)
    file = tmp_path / "copy.pdf"
    file.write_bytes(await house.drained(delivery))
    said = {"title": "Giấy khai sinh", "type": "GKS", "declared_type": "application/pdf", "key": fresh()}
    told = await deposit.upload(house.vault, stranger, file, **said)
    return str(told["record"])


async def strangers_dossier(house: House, police: SystemCaller) -> str:
    body = house.residence(
        house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder")
    )
    return await house.opens(police, people.POLICE, body)


async def kinship(house: House, police: SystemCaller, code: str) -> Answer:
    told = await plan.ask(house.vault, police, code)
    assert isinstance(told, dict)
    return next(one for one in told["components"] if one["component"] == people.KINSHIP)  # type: ignore[no-any-return]


async def takes(house: House, police: SystemCaller, code: str, record: str) -> dict[str, Any]:
    told = await release.request(house.vault, police, code, [Wanted(people.KINSHIP, record)], key=fresh())
    assert isinstance(told, dict)
    (item,) = told["items"]
    return item  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "state", "code"),
    [
        (revoke.revoke, Validity.REVOKED, "record_revoked"),
        (revoke.suspend, Validity.SUSPENDED, "record_suspended"),
    ],
)
async def test_a_copy_of_what_ended_is_no_candidate(
    house: House,
    commune: SystemCaller,
    police: SystemCaller,
    stranger: OwnerCaller,
    copied: str,
    change: Any,
    state: Validity,
    code: str,
) -> None:
    dossier = await strangers_dossier(house, police)
    before = await kinship(house, police, dossier)
    assert [one["record"] for one in before["candidates"]] == [copied]
    seen = await takes(house, police, dossier, copied)
    assert seen["state"] == "released", seen
    assert isinstance(await change(house.vault, commune, house.daughters, **WHY, key="r"), dict)
    after = await kinship(house, police, dossier)
    assert after["candidates"] == []
    line = next(one for one in after["refused"] if one["record"] == copied)
    assert line["validity"] == state.value
    assert code in line["reasons"]
    item = await takes(house, police, dossier, copied)
    assert item["state"] == "refused", item
    assert code in item["reasons"]
    read = await deliver.deliver(house.vault, police, seen["release"])
    assert not isinstance(read, deliver.Delivery), "what was released before is not read any more"
    heard = await notifying.for_agency(house.vault, police)
    assert isinstance(heard, list)
    assert [one.record for one in heard] == [copied], "the dossier that looked at the copy hears of it"
    (held,) = await finding.my_records(house.vault, stranger)
    assert (held.validity, held.validity_reason) == (state.value, None), "why is told to its owner alone"


async def test_what_holds_again_holds_for_its_copies(
    house: House, commune: SystemCaller, police: SystemCaller, copied: str
) -> None:
    dossier = await strangers_dossier(house, police)
    assert isinstance(await revoke.suspend(house.vault, commune, house.daughters, **WHY, key="s"), dict)
    assert (await kinship(house, police, dossier))["candidates"] == []
    assert isinstance(await revoke.reinstate(house.vault, commune, house.daughters, **WHY, key="b"), dict)
    (again,) = (await kinship(house, police, dossier))["candidates"]
    assert (again["record"], again["validity"]) == (copied, "in_force")


async def test_a_copy_that_comes_after_the_end_is_refused_too(
    house: House,
    commune: SystemCaller,
    police: SystemCaller,
    daughter: OwnerCaller,
    stranger: OwnerCaller,
    tmp_path: Path,
) -> None:
    delivery = await deliver.read_own(house.vault, daughter, house.daughters)
    assert isinstance(delivery, deliver.Delivery)
    file = tmp_path / "late.pdf"
    file.write_bytes(await house.drained(delivery))
    assert isinstance(await revoke.revoke(house.vault, commune, house.daughters, **WHY, key="r"), dict)
    said = {"title": "Giấy khai sinh", "type": "GKS", "declared_type": "application/pdf", "key": fresh()}
    late = await deposit.upload(house.vault, stranger, file, **said)
    found = await kinship(house, police, await strangers_dossier(house, police))
    assert found["candidates"] == []
    line = next(one for one in found["refused"] if one["record"] == late["record"])
    assert line["validity"] == "revoked"
    assert "record_revoked" in line["reasons"]
