"""What whoever handed in a scan that waited is told in the end: what was read of it, and of its twins."""

import asyncio
import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.leaf import Kind
from signing.ocr import Ocr
from tests.conftest import House
from tests.unit.vault.conftest import Interrupted
from tests.unit.vault.test_waiting_files import LEASE, SCAN, again, keys_in_store, scans
from vault import digitise, handling, notifying, waiting_answers, waiting_seals
from vault.callers import SystemCaller
from vault.clock import Clock
from vault.evidence_tables import waiting_file, waiting_seal
from vault.inspecting import inspect
from vault.sealing_again import retry_due
from vault.tables import digitisation, request

pytestmark = pytest.mark.anyio


@pytest.fixture
async def renting(house: House, police: SystemCaller) -> str:
    """A dossier that asks for a contract."""
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    body = replace(house.residence(*persons), case="thue-muon-o-nho")
    return await house.opens(police, people.POLICE, body)


@pytest.fixture
async def desk(house: House) -> SystemCaller:
    """The same officer at the desk of the same agency."""
    return await house.desk(people.POLICE)


class _Ahead(Clock):
    def now(self) -> datetime:
        return super().now() + timedelta(days=8)


async def test_what_was_read_of_a_scan_that_waited_is_told_with_its_record_for_some_days(
    house: House, police: SystemCaller, renting: str, line: Interrupted, scanned: Any
) -> None:
    ocr = Ocr.found()
    if ocr.state != "ready":
        pytest.skip(f"tesseract with its Vietnamese data: {ocr.state} (tesseract-ocr, tesseract-ocr-vie)")
    vault, file = replace(house.vault, ocr=ocr), scanned("chờ ký")

    async def told(vault: Any = vault, key: str = "k1") -> dict[str, Any]:
        answer = await digitise.digitise(vault, police, renting, LEASE, SCAN, file, key=key)
        assert isinstance(answer, dict), answer
        return answer

    assert ((await told())["state"], (await told(key="k2"))["state"]) == ("waiting_for_seal",) * 2
    line.down = False
    assert await retry_due(vault, fails, all_of_them=True) == 1
    sealed = await told()
    reading = sealed.pop("reading")
    assert (sealed["verdict"], sealed["read"]) == ("valid", "ready")
    assert [one["page"] for one in reading["pages"]] == [1]
    assert {one["field"]: one["value"] for one in reading["suggestions"]}["number"] == "118/2026"
    assert await told() == await told(key="k2") == sealed | {"reading": reading}
    kept = str(await house.rows(select(request.c.answer))) + str(await house.rows(select(waiting_seal)))
    assert "118/2026" not in kept, "it lies sealed"
    assert await waiting_answers.forget_readings(vault) == 0
    later = replace(vault, clock=_Ahead())
    assert await waiting_answers.forget_readings(later) == 1
    assert await told() == await told(key="k2") == sealed


async def test_the_same_scan_waits_once_under_whatever_key(
    house: House, police: SystemCaller, renting: str, line: Interrupted, scanned: Any
) -> None:
    before, file = await keys_in_store(house), scanned("chờ ký")
    both = await asyncio.gather(*(scans(house, police, renting, file, key=key) for key in ("k1", "k2")))
    assert both[0]["waiting"] == both[1]["waiting"]
    retitled = replace(SCAN, title="Hợp đồng")
    third = await scans(house, police, renting, file, key="k3", body=retitled)
    assert third["waiting"] == both[0]["waiting"]
    assert len(await house.rows(select(waiting_seal))) == len(await house.rows(select(waiting_file))) == 1
    assert len(await keys_in_store(house) - before) == 1
    other = await scans(house, police, renting, scanned("khác"), key="k4")
    assert other["waiting"] != third["waiting"], "other bytes are another scan"
    line.down = False
    asked = line.asked
    assert await scans(house, police, renting, file, key="k5") == third
    assert line.asked == asked, "it is not sealed beside the one that waits"
    assert await again(house) == []
    stored = [await scans(house, police, renting, file, key=key) for key in ("k1", "k2", "k5")]
    assert stored[0]["record"] and stored == [stored[0]] * 3
    assert (await scans(house, police, renting, file, key="k3", body=retitled)) == stored[0]
    assert len(await house.rows(select(digitisation))) == 1, "the other scan came too late"
    assert (await inspect(house.places)).findings == ()


async def test_the_desk_is_told_of_the_scan_that_its_system_handed_in(
    house: House,
    police: SystemCaller,
    commune: SystemCaller,
    desk: SystemCaller,
    renting: str,
    line: Interrupted,
    scanned: Any,
) -> None:
    file = scanned("chờ ký")
    first = await scans(house, police, renting, file)
    assert await scans(house, desk, renting, file) == first
    assert (await waiting_seals.one(house.vault, desk, first["waiting"])).state == "waiting_for_seal"
    with pytest.raises(waiting_seals.NotFound):
        await waiting_seals.one(house.vault, commune, first["waiting"])
    line.down = False
    assert await again(house) == []
    whole, shared = await scans(house, police, renting, file), await scans(house, desk, renting, file)
    assert whole.pop("receipt") and shared == whole


async def test_what_was_given_up_leaves_the_desk_once_that_was_seen(
    house: House,
    police: SystemCaller,
    commune: SystemCaller,
    desk: SystemCaller,
    renting: str,
    line: Interrupted,
    scanned: Any,
) -> None:
    file = scanned("chờ ký")
    first = await scans(house, police, renting, file)
    assert (await scans(house, police, renting, file, key="k2")) == first
    (waits,) = await waiting_seals.of_agency(house.vault, desk)
    assert (waits.id, waits.notice) == (first["waiting"], None)
    await handling.close_dossier(house.vault, police, renting, key="close")
    line.down = False
    assert await again(house) == []
    ended = [await scans(house, police, renting, file, key=key) for key in ("k1", "k2")]
    assert {one["state"] for one in ended} == {"seal_given_up"}
    (given_up,) = await waiting_seals.of_agency(house.vault, desk)
    assert (given_up.state, await waiting_seals.of_agency(house.vault, desk, renting)) == (
        "seal_given_up",
        [given_up],
    )
    assert given_up.notice is not None
    for heard in await notified(house, police):
        await notifying.mark_seen(house.vault, police, heard, key=os.urandom(8).hex())
    assert await waiting_seals.of_agency(house.vault, desk) == [given_up], "its system saw it, not the desk"
    size = await house.size()
    assert isinstance(await notifying.mark_seen(house.vault, desk, given_up.notice, key="seen"), dict)
    (entry,) = await house.last(desk)
    assert (await house.size(), entry.kind) == (size + 1, Kind.ACKNOWLEDGEMENT)
    assert await waiting_seals.of_agency(house.vault, desk) == []
    assert await waiting_seals.of_agency(house.vault, desk, renting) == []
    assert (await waiting_seals.one(house.vault, police, first["waiting"])).state == "seal_given_up"
    assert await waiting_seals.of_agency(house.vault, commune) == []


async def notified(house: House, caller: SystemCaller) -> list[str]:
    heard = await notifying.for_agency(house.vault, caller)
    assert isinstance(heard, list)
    return [one.id for one in heard]


def fails(code: str, problem: Exception) -> None:
    raise problem
