"""Plan and release agree over a real vault: what the plan says of a record is what asking for it brings."""

import os
from typing import Any

import pytest

from reuse_api.demo import people
from vault import deliver, deposit, plan, release, revoke
from vault.callers import OwnerCaller, SystemCaller
from vault.release import Wanted

pytestmark = pytest.mark.anyio
WHY = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": "Ghi sai nơi sinh"}


class Family:
    """Daughter and mother, and their papers as they come and go."""

    def __init__(self, house: Any, commune: SystemCaller, police: SystemCaller, code: str) -> None:
        self.house, self.commune, self.police, self.code = house, commune, police, code
        self.records = [house.daughters, house.mothers]
        self.counted: set[str] = set()  # components whose paper was counted: it counts once for the dossier

    async def compared(self) -> dict[str, Any]:
        """Ask the plan, then ask for every record under every component, and compare; gives the plan."""
        told = await plan.ask(self.house.vault, self.police, self.code)
        assert isinstance(told, dict), told
        for line in told["components"]:
            wanted = [Wanted(line["component"], one) for one in self.records]
            answered = await release.request(
                self.house.vault, self.police, self.code, wanted, key=os.urandom(8).hex()
            )
            assert isinstance(answered, dict), answered
            for item in answered["items"]:
                await self._agrees(line, item)
        return told

    async def _agrees(self, line: dict[str, Any], item: dict[str, Any]) -> None:
        record = item["record"]
        listed = {
            name: {one["record"]: one for one in line[name]} for name in ("records", "candidates", "refused")
        }
        released = item["state"] == "released"
        if record in listed["records"]:
            assert released, "what satisfies is released"
            self._counts(item, True)
        elif record in listed["candidates"]:
            assert released and not item["counts"], "a candidate is looked at, and counts once confirmed"
        elif record in listed["refused"]:
            assert not released
            assert set(item["reasons"]) == set(listed["refused"][record]["reasons"])
        elif released:
            # Not listed because another one satisfies: as good as that one, or to be confirmed.
            assert line["state"] == "satisfied"
            as_good = (item["trust"], item["verdict"], item["validity"]) == ("A", "valid", "in_force")
            self._counts(item, as_good)
        if released:
            delivery = await deliver.deliver(self.house.vault, self.police, item["release"])
            assert isinstance(delivery, deliver.Delivery), "what was released a moment ago is delivered"
            assert await self.house.drained(delivery)

    def _counts(self, item: dict[str, Any], good: bool) -> None:
        assert item["counts"] is (good and item["component"] not in self.counted)
        if good:
            self.counted.add(item["component"])

    async def issues(self) -> str:
        code = await self.house.opens(self.commune, people.COMMUNE, self.house.reregistration())
        told = await self.house.issues(self.commune, code, people.DAUGHTER)
        self.records.append(told["record"])
        return str(told["record"])

    async def uploads(self, owner: OwnerCaller, file: Any, kind: str | None) -> None:
        told = await deposit.upload(
            self.house.vault,
            owner,
            file,
            title="Giấy tờ",
            type=kind,
            declared_type="application/pdf",
            key=os.urandom(8).hex(),
        )
        assert isinstance(told, dict)
        self.records.append(told["record"])


def kinship(told: dict[str, Any]) -> str:
    return str(next(one["state"] for one in told["components"] if one["component"] == people.KINSHIP))


async def test_plan_and_release_agree_whatever_becomes_of_the_papers(
    house: Any,
    commune: SystemCaller,
    police: SystemCaller,
    daughter: OwnerCaller,
    mother: OwnerCaller,
    pdf: Any,
) -> None:
    vault = house.vault
    family = Family(house, commune, police, await house.opens(police, people.POLICE, house.residence()))
    assert kinship(await family.compared()) == "satisfied"

    second = await family.issues()  # as good as the first: one is listed, either serves
    await family.uploads(daughter, pdf("a scan"), "GKS")
    await family.uploads(daughter, pdf("something else"), None)
    await family.uploads(mother, pdf("hers"), "GKS")
    assert kinship(await family.compared()) == "satisfied"

    await revoke.suspend(vault, commune, house.daughters, **WHY, key="suspend")
    assert kinship(await family.compared()) == "satisfied"

    await revoke.revoke(vault, commune, second, **WHY, key="revoke")
    assert kinship(await family.compared()) == "candidate"  # her own scan is left

    await revoke.reinstate(vault, commune, house.daughters, **WHY, key="reinstate")
    assert kinship(await family.compared()) == "satisfied"

    third = await family.issues()
    await revoke.replace(vault, commune, house.daughters, by=third, **WHY, key="replace")
    assert kinship(await family.compared()) == "satisfied"
