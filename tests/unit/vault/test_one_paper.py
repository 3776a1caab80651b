"""Rows that ask for the same paper: any of them may be taken, and it counts once for the dossier."""

import os
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from reuse_api.demo.actors import register
from vault import plan, release
from vault.callers import SystemCaller
from vault.confirming import confirm, planned
from vault.gathering import scene
from vault.release import Wanted
from vault.tables import record
from vault.tables import release as release_table

pytestmark = pytest.mark.anyio
BUILDING = replace(
    people.COMMUNE,
    code="H26.14.09",
    system="xay-dung-cau-giay",
    officer="cb-xay-dung-01",
    procedures=("1.013225",),
    issues=(),
)
ROWS = ("KQ003215", "KQ005477", "KQ005478", "KQ005479")


@pytest.fixture
async def office(house: Any) -> SystemCaller:
    """An office that grants building permits; the daughter's paper is a land certificate."""
    house.keys[BUILDING.system] = house.keys[people.COMMUNE.system]
    await register(house.vault, BUILDING, house.keys[BUILDING.system])
    await house.change(update(record).where(record.c.id == house.daughters).values(type="GCNQSDD"))
    return await house.system(BUILDING)  # type: ignore[no-any-return]


@pytest.fixture
async def dossier(house: Any, office: SystemCaller) -> str:
    body = house.reregistration(procedure="1.013225", case="nha-o-rieng-le")
    return await house.opens(office, BUILDING, body)  # type: ignore[no-any-return]


async def takes(house: Any, office: SystemCaller, dossier: str, *components: str) -> list[dict[str, Any]]:
    wanted = [Wanted(one, None) for one in components]
    told = await release.request(house.vault, office, dossier, wanted, key=os.urandom(8).hex())
    assert isinstance(told, dict), told
    return told["items"]  # type: ignore[no-any-return]


async def test_the_plan_names_the_row_that_speaks_for_the_others(
    house: Any, office: SystemCaller, dossier: str
) -> None:
    told = await plan.ask(house.vault, office, dossier)
    assert isinstance(told, dict)
    assert told["papers"] == {"asked": 2, "met": 1}, "the land paper once, and the design"
    rows = {one["component"]: one for one in told["components"] if one["component"] in ROWS}
    assert {one["state"] for one in rows.values()} == {"satisfied"}
    assert {one["alternative"] for one in rows.values()} == {"giay-to-dat"}
    assert [len(rows[code]["records"]) for code in ROWS] == [1, 0, 0, 0]
    assert [rows[code].get("met_by") for code in ROWS] == [None, *["KQ003215"] * 3]
    assert rows["KQ005477"]["reasons"] == ["met_by_alternative"]


async def test_any_row_of_the_group_is_released_and_the_paper_counts_once(
    house: Any, office: SystemCaller, dossier: str
) -> None:
    (first,) = await takes(house, office, dossier, "KQ005478")
    assert (first["state"], first["record"], first["counts"]) == ("released", house.daughters, True)
    others = await takes(house, office, dossier, "KQ003215", "KQ005477")
    assert [(one["state"], one["counts"]) for one in others] == [("released", False)] * 2
    counted = select(release_table.c.component).where(release_table.c.counts)
    assert [row.component for row in await house.rows(counted)] == ["KQ005478"]


async def test_a_row_taken_again_counts_once(house: Any, office: SystemCaller, dossier: str) -> None:
    for counts in (True, False, False):
        (item,) = await takes(house, office, dossier, "KQ003215")
        assert (item["state"], item["counts"]) == ("released", counts)
    other = house.reregistration(procedure="1.013225", case="nha-o-rieng-le")
    (item,) = await takes(house, office, await house.opens(office, BUILDING, other), "KQ003215")
    assert item["counts"], "another dossier is another paper saved"


async def test_all_rows_taken_in_one_action_count_once(
    house: Any, office: SystemCaller, dossier: str
) -> None:
    items = await takes(house, office, dossier, *ROWS)
    assert [one["counts"] for one in items] == [True, False, False, False]


async def test_a_row_has_the_state_of_its_paper_whichever_row_is_named(
    house: Any, office: SystemCaller, dossier: str
) -> None:
    """Else a scan would pass as the answer to a row that says "asked for in another row"."""

    async def states() -> set[str]:
        async with house.vault.db.read() as db:
            found = await scene(house.vault, db, office, dossier, house.vault.clock.now())
        answers = [planned(house.vault, found, code) for code in ROWS]
        return {one.state for one in answers if one is not None}

    assert await states() == {"satisfied"}
    await house.change(update(record).where(record.c.id == house.daughters).values(trust="E"))
    assert await states() == {"candidate"}
    await house.change(update(record).where(record.c.id == house.daughters).values(type="GKS"))
    assert await states() == {"data_source"}


async def test_a_candidate_is_confirmed_under_any_row_and_meets_them_all(
    house: Any, office: SystemCaller, dossier: str
) -> None:
    await house.change(update(record).where(record.c.id == house.daughters).values(trust="E"))
    told = await confirm(
        house.vault, office, dossier, "KQ005478", house.daughters, reason="đã đối chiếu bản chính", key="k1"
    )
    assert isinstance(told, dict), told
    items = await takes(house, office, dossier, "KQ003215", "KQ005478")
    assert [(one["state"], one["counts"]) for one in items] == [("released", True), ("released", False)]


async def test_without_the_paper_no_row_gives_anything(
    house: Any, office: SystemCaller, dossier: str
) -> None:
    await house.change(update(record).where(record.c.id == house.daughters).values(type="GKS"))
    items = await takes(house, office, dossier, "KQ003215", "KQ005477")
    assert [one["state"] for one in items] == ["refused", "refused"]
    assert items[1]["reasons"] == ["asked_as_alternative"]
