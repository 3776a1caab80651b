"""Where nobody can say what a file holds, every door says so, takes nothing, and half-does nothing."""

import asyncio
import os
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.errors import SealingFailed
from signing.malware import Clamd
from signing.workers import Limits, WorkerPool
from tests.conftest import House
from tests.hostile.making import paper, stream
from vault import deposit, digitise, issue, issue_record
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.digitise import ScanBody
from vault.errors import FieldInvalid, FileRejected, MalwareScanUnavailable
from vault.evidence_tables import quarantine
from vault.issue import ResultBody
from vault.issue_record import RecordBody, RecordOwner
from vault.readiness import ready
from vault.sealer import Sealer
from vault.tables import record

pytestmark = pytest.mark.anyio
WIFE = RecordOwner("wife", "personal_number", people.MOTHER.number, people.MOTHER.name)
DOORS = ("upload", "result", "record", "scan")
SAID = {"title": "Giấy tờ", "type": None, "declared_type": "application/pdf"}


@pytest.fixture(scope="module")
async def starved(anyio_backend: str) -> AsyncIterator[WorkerPool]:
    """Workers that can allocate nothing: each ends before it has looked."""
    pool = WorkerPool(size=2, limits=Limits(memory_bytes=1))
    await pool.start()
    yield pool
    await pool.close()


async def hands_in(house: House, door: str, file: Path, vault: Any = None) -> Any:
    """Hand a file in at one door; `vault` None is the house's own."""
    vault, key = vault or house.vault, os.urandom(8).hex()
    if door == "upload":
        owner = await house.owner(people.DAUGHTER)
        return await deposit.upload(vault, owner, file, key=key, **SAID)
    if door == "record":
        body = RecordBody("GCNQSDD", (WIFE,), None, title="Giấy chứng nhận", number="AA 1")
        return await issue_record.issue_record(
            vault, await house.system(people.LAND_OFFICE), body, file, key=key
        )
    if door == "result":
        commune = await house.system(people.COMMUNE)
        code = await house.opens(commune, people.COMMUNE, house.reregistration())
        result = ResultBody("GKS", ("applicant",), None, "Giấy khai sinh", "1/2026", None, None)
        return await issue.issue(vault, commune, code, result, file, key=key)
    police = await house.system(people.POLICE)
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    code = await house.opens(police, people.POLICE, house.residence(*persons))
    scan = ScanBody("GKS", ("applicant",), number="15/1998", reason="applicant_insists")
    return await digitise.digitise(vault, police, code, people.KINSHIP, scan, file, key=key)


async def kept(house: House) -> tuple[list[Any], list[Any], list[str]]:
    """What a file could leave behind: records, quarantine, blobs."""
    blobs = [key async for key, _ in house.vault.store.keys()]  # noqa: SIM118 - a store is no dict
    return await house.rows(select(record.c.id)), await house.rows(select(quarantine.c.id)), sorted(blobs)


@pytest.mark.parametrize("door", DOORS)
async def test_a_worker_that_dies_is_told_and_nothing_is_kept(
    house: House, starved: WorkerPool, pdf: Any, door: str
) -> None:
    before = await kept(house)
    with pytest.raises(FileRejected) as raised:
        await hands_in(house, door, pdf("giấy tờ"), replace(house.vault, workers=starved))
    assert (raised.value.field, raised.value.code) == ("file", "not_examinable")
    assert await kept(house) == before
    assert list(house.vault.scratch.iterdir()) == []


def painted_over_and_over() -> bytes:
    """A page that is painted 40,000 times: little to count, much to draw."""
    fills = zlib.compress(b"0 0 m 595 0 l 300 842 l f " * 40_000, 9)
    return paper(contents=stream(fills, b"/Filter/FlateDecode"))


@pytest.mark.parametrize(("door", "code"), [("result", "not_examinable"), ("scan", "too_complex")])
async def test_what_takes_too_long_to_draw_is_told_before_any_key_is_asked(
    house: House, tmp_path: Path, door: str, code: str
) -> None:
    file = tmp_path / "painted.pdf"
    file.write_bytes(painted_over_and_over())
    before = await kept(house)
    pool = WorkerPool(size=2, limits=Limits(cpu_seconds=4))
    await pool.start()
    nobody_seals = Sealer(tmp_path / "keys", timestamper=None, revocation=None, trust=house.vault.trust)
    try:
        with pytest.raises(FieldInvalid) as raised:
            await hands_in(house, door, file, replace(house.vault, workers=pool, sealer=nobody_seals))
    finally:
        await pool.close()
    assert (raised.value.field, raised.value.code) == ("file", code)
    assert await kept(house) == before


async def test_a_result_of_our_own_that_nobody_could_examine_is_no_fault_of_the_callers(
    house: House, starved: WorkerPool, commune: SystemCaller
) -> None:
    before = await kept(house)
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    today = legal_day(house.vault.clock.now()).isoformat()
    body = ResultBody(
        "GKS",
        ("applicant",),
        people.certificate("9/2026", today, birth_place="Hà Nội"),
        None,
        None,
        None,
        None,
    )
    with pytest.raises(SealingFailed, match="not_examinable"):
        await issue.issue(replace(house.vault, workers=starved), commune, code, body, None, key="ours")
    assert await kept(house) == before
    assert list(house.vault.scratch.iterdir()) == []


@pytest.mark.parametrize("door", DOORS)
async def test_a_scanner_that_is_away_shuts_every_door(house: House, pdf: Any, door: str) -> None:
    vault = replace(house.vault, scanner=Clamd("unix:/nowhere/clamd"))
    before = await kept(house)
    with pytest.raises(MalwareScanUnavailable):
        await hands_in(house, door, pdf("giấy tờ"), vault)
    assert await kept(house) == before
    assert (await ready(vault))["malware"] == "unavailable"


async def test_what_a_scanner_found_is_named_and_kept_shut(house: House, pdf: Any, tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\0\0\0\0")
        writer.write(b"stream: Ours.Eicar FOUND\0")
        writer.close()

    place = tmp_path / "clamd"
    async with await asyncio.start_unix_server(serve, place):
        vault = replace(house.vault, scanner=Clamd(f"unix:{place}"))
        for door in DOORS:
            with pytest.raises(FileRejected) as raised:
                await hands_in(house, door, pdf(door), vault)
            assert (raised.value.code, raised.value.detail) == ("malware", "Ours.Eicar")
            found = select(quarantine.c.malware).where(quarantine.c.id == raised.value.quarantine)
            assert await house.rows(found) == [("Ours.Eicar",)]
