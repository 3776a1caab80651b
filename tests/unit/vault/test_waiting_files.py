"""Scans and files of results whose seal cannot be made just now: sealed aside, carried out later."""

import filecmp
import os
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from signing.composing import compose
from signing.errors import TimestampFailed
from storage.errors import BlobMissing, StoreUnavailable
from storage.sealed import new_record_key
from tests.conftest import House
from tests.unit.vault.conftest import Interrupted
from vault import digitise, handling, issue, issue_record, notifying, plan, waiting_files, waiting_seals
from vault.callers import SystemCaller
from vault.digitise import ScanBody
from vault.errors import RequestConflict
from vault.evidence_tables import scan, waiting_file, waiting_seal
from vault.inspecting import inspect
from vault.issue import ResultBody
from vault.issue_record import RecordBody, RecordOwner
from vault.sealing_again import retry_due
from vault.services import Answer, Refusal
from vault.tables import digitisation, notice, officer, record
from vault.waiting_files import HandedIn

pytestmark = pytest.mark.anyio
LEASE = "KQ003607"  # the contract of whoever lives in a rented place: nothing answers for it
SCAN = ScanBody("HDTN", ("applicant",), title="Hợp đồng thuê nhà")
RESULT = ResultBody("GKS", ("applicant",), None, None, None, None, None)


@pytest.fixture
async def renting(house: House, police: SystemCaller) -> str:
    """A dossier that asks for a contract."""
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    body = replace(house.residence(*persons), case="thue-muon-o-nho")
    return await house.opens(police, people.POLICE, body)


@pytest.fixture
async def issuing(house: House, commune: SystemCaller) -> str:
    """A dossier of the commune's, for a birth certificate."""
    person = house.person(people.DAUGHTER, "applicant")
    return await house.opens(commune, people.COMMUNE, house.reregistration(person))


@pytest.fixture
def unsigned(house: House, tmp_path: Path) -> Path:
    """A birth certificate as another program writes it."""
    fields = people.certificate(f"{next(house.serials)}/2026", "2026-11-20", birth_place="Hà Nội")
    path = tmp_path / "unsigned.pdf"
    path.write_bytes(compose("birth_certificate", fields, at=house.vault.clock.now()))
    return path


async def scans(house: House, caller: SystemCaller, code: str, file: Path, **changes: Any) -> Answer:
    said = {"key": "k1", "body": SCAN} | changes
    body, key = said["body"], said["key"]
    told = await digitise.digitise(house.vault, caller, code, LEASE, body, file, key=key)
    assert isinstance(told, dict), told
    return told


async def again(house: House) -> list[str]:
    """Try all that waits; gives the failures that nobody foresaw."""
    heard: list[str] = []
    await retry_due(house.vault, lambda code, _: heard.append(code), all_of_them=True)
    return heard


async def state(house: House, caller: SystemCaller, told: Answer) -> tuple[str, tuple[str, ...]]:
    found = await waiting_seals.one(house.vault, caller, told["waiting"])
    return found.state, found.reasons


async def contract(house: House, caller: SystemCaller, code: str) -> dict[str, Any]:
    told = await plan.ask(house.vault, caller, code)
    assert isinstance(told, dict)
    return next(one for one in told["components"] if one["component"] == LEASE)


async def keys_in_store(house: House) -> set[str]:
    return {key async for key, _ in house.vault.store.keys()}  # noqa: SIM118 - a store is no dict


async def rows_left(house: House) -> list[Any]:
    return await house.rows(select(waiting_file))


async def test_a_scan_waits_sealed_and_is_stored_and_counted_once(
    house: House, folder: Path, police: SystemCaller, renting: str, line: Interrupted, scanned: Any
) -> None:
    before, entries, file = await keys_in_store(house), await house.size(), scanned("chờ ký")
    plain = file.read_bytes()[len(file.read_bytes()) // 2 :][:64]
    told = await scans(house, police, renting, file)
    assert (told["state"], told["component"]) == ("waiting_for_seal", LEASE)
    assert await scans(house, police, renting, file) == told
    blob = waiting_files.blob_name(told["waiting"])
    assert await keys_in_store(house) == before | {blob}
    assert (await house.size(), await house.rows(select(scan))) == (entries, [])
    lying = [one for one in folder.rglob("*") if one.is_file() and plain in one.read_bytes()]
    assert lying == [], "what was handed in lies sealed"
    waits = await contract(house, police, renting)
    assert (waits["state"], waits["waiting"]) == ("none", [told["waiting"]]), "it is not there yet"
    assert await again(house) == []
    assert await state(house, police, told) == ("waiting_for_seal", ("timestamp_failed",))

    line.down = False
    assert await again(house) == []
    stored = await scans(house, police, renting, file)
    assert (stored["verdict"], stored["trust"], stored["state"]) == ("valid", "B", "satisfied")
    assert await state(house, police, told) == ("sealed", ())
    assert len(await house.rows(select(digitisation.c.record))) == 1
    after = await contract(house, police, renting)
    assert (after["state"], "waiting" in after) == ("satisfied", False)
    heard = await notifying.for_agency(house.vault, police)
    assert isinstance(heard, list)
    assert [(one.event, one.record) for one in heard] == [("scan_sealed", stored["record"])]
    assert blob not in await keys_in_store(house)
    assert (await rows_left(house), list(house.places.scratch.iterdir())) == ([], [])
    assert (await inspect(house.places)).findings == ()
    assert await again(house) == []
    with pytest.raises(RequestConflict):
        await scans(house, police, renting, scanned("khác"))


async def test_a_result_handed_in_as_a_file_waits_too(
    house: House, commune: SystemCaller, issuing: str, line: Interrupted, unsigned: Path
) -> None:
    told = await issue.issue(house.vault, commune, issuing, RESULT, unsigned, key="k1")
    assert isinstance(told, dict)
    assert (told["state"], "component" in told) == ("waiting_for_seal", False)
    line.down = False
    assert await again(house) == []
    stored = await issue.issue(house.vault, commune, issuing, RESULT, unsigned, key="k1")
    assert isinstance(stored, dict)
    assert (stored["verdict"], stored["trust"], stored["already_stored"]) == ("valid", "A", False)
    assert stored["handed_in_size"] == unsigned.stat().st_size
    assert (await rows_left(house), list(house.places.scratch.iterdir())) == ([], [])
    assert (await inspect(house.places)).findings == ()


async def test_a_record_outside_a_dossier_handed_in_as_a_file_waits_too(
    house: House, commune: SystemCaller, line: Interrupted, unsigned: Path
) -> None:
    owner = RecordOwner("child", "personal_number", people.DAUGHTER.number, people.DAUGHTER.name)
    body = RecordBody("GKS", (owner,), None)
    told = await issue_record.issue_record(house.vault, commune, body, unsigned, key="k1")
    assert isinstance(told, dict) and told["state"] == "waiting_for_seal"
    line.down = False
    assert await again(house) == []
    stored = await issue_record.issue_record(house.vault, commune, body, unsigned, key="k1")
    assert isinstance(stored, dict) and stored["verdict"] == "valid"


async def closes(house: House, police: SystemCaller, code: str, **_: Any) -> None:
    await handling.close_dossier(house.vault, police, code, key="close")


async def leaves(house: House, **_: Any) -> None:
    await house.change(update(officer).where(officer.c.id == people.POLICE.officer).values(live=False))


async def meets(house: House, police: SystemCaller, code: str, scanned: Any, line: Interrupted) -> None:
    line.down = False
    assert (await scans(house, police, code, scanned("khác"), key="k2"))["state"] == "satisfied"


async def loses(house: House, told: Answer, **_: Any) -> None:
    await house.vault.store.delete(waiting_files.blob_name(told["waiting"]))


async def damages(house: House, told: Answer, folder: Path, **_: Any) -> None:
    name = waiting_files.blob_name(told["waiting"]).replace("/", ".")
    (path,) = (folder / "blobs").rglob(name)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")


@pytest.mark.parametrize(
    ("happens", "reason", "unforeseen"),
    [
        (closes, "dossier_closed", []),
        (leaves, "officer_not_live", []),
        (meets, "component_met_meanwhile", []),
        (loses, "waiting_file_lost", ["waiting_file_lost"]),
        (damages, "waiting_file_lost", ["waiting_file_lost"]),
    ],
)
async def test_what_happened_meanwhile_ends_it_with_its_reason(
    house: House,
    folder: Path,
    police: SystemCaller,
    renting: str,
    line: Interrupted,
    scanned: Any,
    happens: Any,
    reason: str,
    unforeseen: list[str],
) -> None:
    file = scanned("chờ ký")
    told = await scans(house, police, renting, file)
    known = {"police": police, "code": renting, "scanned": scanned, "line": line}
    wanted = happens.__code__.co_varnames[: happens.__code__.co_argcount]
    everything = {**known, "told": told, "folder": folder, "house": house}
    await happens(**{name: everything[name] for name in wanted})
    before = len(await house.rows(select(record.c.id)))
    line.down = False
    assert await again(house) == unforeseen
    ended, reasons = await state(house, police, told)
    assert (ended, reason in reasons) == ("seal_given_up", True), reasons
    assert len(await house.rows(select(record.c.id))) == before
    assert waiting_files.blob_name(told["waiting"]) not in await keys_in_store(house)
    heard = await house.rows(select(notice.c.event, notice.c.system).order_by(notice.c.system))
    assert [tuple(one) for one in heard] == [("scan_given_up", None), ("scan_given_up", police.system)]
    answered = await digitise.digitise(house.vault, police, renting, LEASE, SCAN, file, key="k1")
    assert isinstance(answered, dict)
    assert (answered["state"], reason in answered["reasons"]) == ("seal_given_up", True)


async def test_no_file_is_touched_while_nobody_stamps(
    house: House, police: SystemCaller, renting: str, line: Interrupted, scanned: Any
) -> None:
    told = await scans(house, police, renting, scanned("chờ ký"))
    await loses(house, told)
    assert await again(house) == []
    assert (await state(house, police, told))[0] == "waiting_for_seal"


async def test_too_many_bytes_do_not_wait(
    house: House,
    police: SystemCaller,
    commune: SystemCaller,
    renting: str,
    issuing: str,
    line: Interrupted,
    scanned: Any,
    unsigned: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = scanned("chờ ký")
    await scans(house, police, renting, file)
    for limit in ("MOST_BYTES_OF_ONE", "MOST_BYTES"):
        with monkeypatch.context() as tight:
            tight.setattr(waiting_files, limit, file.stat().st_size + 10)
            with pytest.raises(TimestampFailed):
                await scans(house, police, renting, scanned("nữa"), key="k2")
            if limit == "MOST_BYTES_OF_ONE":  # another agency has its own
                told = await issue.issue(house.vault, commune, issuing, RESULT, unsigned, key="k1")
                assert isinstance(told, dict) and told["state"] == "waiting_for_seal"
    assert (await inspect(house.places)).sound
    assert [one.code for one in (await inspect(house.places)).findings] == ["waiting_files"]


async def test_a_store_that_is_gone_refuses_before_anything_is_half_done(
    house: House, folder: Path, police: SystemCaller, renting: str, line: Interrupted, scanned: Any
) -> None:
    file, blobs = scanned("chờ ký"), folder / "blobs" / "blobs"
    away = blobs.rename(folder / "away")
    with pytest.raises(StoreUnavailable):
        await scans(house, police, renting, file)
    assert (await house.rows(select(waiting_seal)), list(house.places.scratch.iterdir())) == ([], [])
    away.rename(blobs)
    assert (await scans(house, police, renting, file))["state"] == "waiting_for_seal"


async def test_bytes_whose_row_never_came_are_an_orphan_and_swept(house: House, scanned: Any) -> None:
    waiting = "wait-" + "0" * 32
    await waiting_files.put(house.vault, waiting, HandedIn(scanned("x"), "application/pdf"), new_record_key())
    blob = waiting_files.blob_name(waiting)
    told = await inspect(house.places)
    assert [(one.code, one.what, one.harm) for one in told.findings] == [("orphan_blob", blob, False)]
    await waiting_files.discard(house.vault, waiting)
    with pytest.raises(BlobMissing):
        await house.vault.store.open(blob)


async def test_what_may_not_be_scanned_does_not_wait(
    house: House, police: SystemCaller, renting: str, line: Interrupted, scanned: Any
) -> None:
    await handling.close_dossier(house.vault, police, renting, key="close")
    told = await digitise.digitise(house.vault, police, renting, LEASE, SCAN, scanned("x"), key="k1")
    assert isinstance(told, Refusal)
    assert (line.asked, await house.rows(select(waiting_seal))) == (0, [])


async def test_a_large_file_is_put_aside_and_laid_out_again_in_little_memory(
    house: House, tmp_path: Path
) -> None:
    large, waiting, key = tmp_path / "large.pdf", "wait-" + "1" * 32, new_record_key()
    large.write_bytes(os.urandom(2**20) * 46)
    tracemalloc.start()
    try:
        row: Any = await waiting_files.put(house.vault, waiting, HandedIn(large, "application/pdf"), key)
        async with waiting_files.opened(house.vault, row, key) as laid_out:
            assert laid_out.stat().st_mode & 0o777 == 0o600
            _, peak = tracemalloc.get_traced_memory()
            assert filecmp.cmp(large, laid_out, shallow=False)
    finally:
        tracemalloc.stop()
    assert peak < 16 * 2**20
    assert list(house.places.scratch.iterdir()) == []
