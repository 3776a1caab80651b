"""A file refused for what it does is kept shut for a while, told of, and released to nobody."""

import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.leaf import Kind
from storage.errors import BlobMissing, StoreUnavailable
from tests.hostile.making import RECIPES
from tests.unit.vault.test_appending import lose_the_answer_of_commits
from vault import deliver, deposit, entries, finding, issue, quarantining, staff
from vault.callers import OwnerCaller, StaffCaller, SystemCaller
from vault.clock import Clock
from vault.errors import FieldInvalid, FileRejected, NotAuthenticated, NotFound, VaultBusy
from vault.evidence_tables import quarantine
from vault.inspecting import inspect
from vault.issue import ResultBody
from vault.quarantine_ending import destroy, in_quarantine, my_quarantine, sweep
from vault.registering import give_role
from vault.tables import record

pytestmark = pytest.mark.anyio


@pytest.fixture
def suspect(tmp_path: Path) -> Any:
    """Make files that differ and run a script: `suspect()` gives a path."""

    def make() -> Path:
        path = tmp_path / f"{os.urandom(4).hex()}.pdf"
        path.write_bytes(RECIPES["script_that_runs_on_opening"]() + b"%" + os.urandom(8).hex().encode())
        return path

    return make


async def uploaded(house: Any, owner: OwnerCaller, file: Path) -> Any:
    said = {"title": "Giấy tờ", "type": None, "declared_type": "application/pdf"}
    return await deposit.upload(house.vault, owner, file, key=os.urandom(8).hex(), **said)


async def refused(house: Any, owner: OwnerCaller, file: Path) -> FileRejected:
    with pytest.raises(FileRejected) as raised:
        await uploaded(house, owner, file)
    return raised.value


async def test_it_is_kept_sealed_told_to_its_owner_and_is_no_record(
    house: Any, daughter: OwnerCaller, suspect: Any
) -> None:
    records, size = await house.rows(select(record.c.id)), await house.size()
    file = suspect()
    told = await refused(house, daughter, file)
    assert (told.code, told.found) == ("active_content", ("javascript",))
    assert told.quarantine is not None and told.receipt is not None
    assert (await house.rows(select(record.c.id)), await house.size()) == (records, size + 1)
    (row,) = await house.rows(select(quarantine).where(quarantine.c.id == told.quarantine))
    async with await house.vault.store.open(row.blob) as kept:
        sealed = await kept.read_at(0, kept.size)
    assert b"JavaScript" in file.read_bytes()
    assert b"JavaScript" not in sealed
    latest = (await finding.my_accesses(house.vault, daughter))[0]
    assert (latest.event, latest.result, latest.kind) == ("quarantined", "refused", Kind.RECORD_EVENT)
    assert latest.reasons == ("found_javascript",)
    (mine,) = [one for one in await my_quarantine(house.vault, daughter) if one.id == told.quarantine]
    assert mine.until - mine.at == timedelta(days=30)
    assert {one.code for one in (await inspect(house.places)).findings} == {"quarantine"}


async def test_the_same_bytes_are_kept_and_told_of_once(
    house: Any, daughter: OwnerCaller, suspect: Any
) -> None:
    file, size = suspect(), await house.size()
    told = await asyncio.gather(*(refused(house, daughter, file) for _ in range(3)))
    assert len({one.quarantine for one in told}) == 1
    assert await house.size() == size + 1
    assert {one.code for one in (await inspect(house.places)).findings} <= {"quarantine"}


async def test_what_one_holder_may_fill_is_bounded(
    house: Any, daughter: OwnerCaller, suspect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = len(await my_quarantine(house.vault, daughter))
    monkeypatch.setattr(quarantining, "MOST_OF_ONE", held + 1)
    assert (await refused(house, daughter, suspect())).quarantine is not None
    size = await house.size()
    beyond = await refused(house, daughter, suspect())
    assert (beyond.code, beyond.quarantine) == ("active_content", None)
    assert await house.size() == size
    monkeypatch.setattr(quarantining, "MOST_OF_ONE", held + 9)
    monkeypatch.setattr(quarantining, "MOST_BYTES", 1)
    assert (await refused(house, daughter, suspect())).quarantine is None


async def test_files_that_come_at_once_fill_no_more_than_one_by_one_and_the_rest_is_counted(
    house: Any,
    daughter: OwnerCaller,
    suspect: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = len(await my_quarantine(house.vault, daughter))
    monkeypatch.setattr(quarantining, "MOST_OF_ONE", held + 1)
    counted, size = quarantining.not_kept["active_content"], await house.size()
    told = await asyncio.gather(*(refused(house, daughter, suspect()) for _ in range(4)))
    assert [one.code for one in told] == ["active_content"] * 4
    assert len([one for one in told if one.quarantine is not None]) == 1
    assert await house.size() == size + 1
    assert quarantining.not_kept["active_content"] == counted + 3
    lines = [one for one in caplog.records if one.msg == "quarantine_full"]
    assert [one.name for one in lines] == ["kho.security"] * 3
    assert daughter.owner not in str([one.__dict__ for one in lines])
    assert {one.code for one in (await inspect(house.places)).findings} <= {"quarantine"}


async def test_a_full_disk_leaves_nothing_half_done(house: Any, daughter: OwnerCaller, suspect: Any) -> None:
    rows, size = await house.rows(select(quarantine)), await house.size()
    scratch, file = house.vault.scratch, suspect()
    moved = scratch.rename(scratch.with_name("away"))  # nothing can be written there, as on a full disk
    try:
        with pytest.raises(StoreUnavailable):
            await uploaded(house, daughter, file)
    finally:
        moved.rename(scratch)
    assert (await house.rows(select(quarantine)), await house.size()) == (rows, size)


async def test_a_row_whose_answer_was_lost_keeps_its_bytes(
    house: Any, daughter: OwnerCaller, suspect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, file = await ids(house), suspect()
    with monkeypatch.context() as broken:
        lose_the_answer_of_commits(house, broken)
        with pytest.raises(VaultBusy):
            await uploaded(house, daughter, file)
    (item,) = await ids(house) - known
    async with await house.vault.store.open(quarantining.blob_name(item)) as kept:
        assert kept.size > file.stat().st_size
    assert {one.code for one in (await inspect(house.places)).findings} == {"quarantine"}
    assert (await refused(house, daughter, file)).quarantine == item


async def test_whoever_leaves_during_the_commit_leaves_bytes_and_row(
    house: Any, daughter: OwnerCaller, suspect: Any
) -> None:
    known = await ids(house)
    async with house.vault.db.write():  # the row has to wait
        before = await in_store(house)
        leaving = asyncio.create_task(uploaded(house, daughter, suspect()))
        async with asyncio.timeout(60):
            while not await in_store(house) - before or not house.vault.appender._commits:
                await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
    await asyncio.gather(*house.vault.appender._commits)
    (item,) = await ids(house) - known
    async with await house.vault.store.open(quarantining.blob_name(item)) as kept:
        assert kept.size > 0
    assert {one.code for one in (await inspect(house.places)).findings} == {"quarantine"}


async def test_bytes_whose_row_was_not_written_are_taken_away(
    house: Any, daughter: OwnerCaller, suspect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, before = await ids(house), await in_store(house)

    async def failing(db: Any, *_: Any, **__: Any) -> Any:
        raise VaultBusy("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(entries, "write", failing)
        with pytest.raises(VaultBusy):
            await uploaded(house, daughter, suspect())
    assert (await ids(house), await in_store(house)) == (known, before)


async def ids(house: Any) -> set[str]:
    return {one.id for one in await house.rows(select(quarantine.c.id))}


async def in_store(house: Any) -> set[str]:
    return {key async for key, _ in house.vault.store.keys()}  # noqa: SIM118 - a store is no dict


async def test_what_an_agency_hands_in_is_told_to_the_agency(
    house: Any, commune: SystemCaller, suspect: Any
) -> None:
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    body = ResultBody("GKS", ("applicant",), None, "Giấy khai sinh", "1/2026", None, None)
    with pytest.raises(FileRejected) as raised:
        await issue.issue(house.vault, commune, code, body, suspect(), key="agency")
    (row,) = await house.rows(select(quarantine).where(quarantine.c.id == raised.value.quarantine))
    assert (row.holder_kind, row.holder, row.agency) == ("agency", commune.agency, commune.agency)
    (entry,) = await house.last(commune)
    assert (entry.parts.event["type"], "owners" in entry.parts.subject) == ("quarantined", False)


class _Ahead(Clock):
    def now(self) -> datetime:
        return super().now() + timedelta(days=31)


async def test_its_days_over_it_is_destroyed_and_told(open_house: Any, suspect: Any) -> None:
    async with open_house() as house:
        told = await refused(house, await house.owner(people.DAUGHTER), suspect())
        assert await sweep(house.vault) == 0
        (row,) = await house.rows(select(quarantine))
    async with open_house(clock=_Ahead()) as house:
        (gone,) = await house.rows(select(quarantine).where(quarantine.c.id == told.quarantine))
        assert (gone.blob, gone.wrapped_key, gone.ended_by) == (None, b"", "vault")
        with pytest.raises(BlobMissing):
            await house.vault.store.open(row.blob)
        owner = await house.owner(people.DAUGHTER)
        assert await my_quarantine(house.vault, owner) == []
        (entry,) = [
            one for one in await house.last(owner, 9) if one.parts.event["type"] == "quarantine_expired"
        ]
        assert (entry.kind, entry.parts.actor) == (Kind.MAINTENANCE, {"system": "vault"})
        assert (await inspect(house.places)).findings == ()


async def test_an_administrator_destroys_it_with_a_reason_and_nobody_else(
    house: Any, daughter: OwnerCaller, suspect: Any
) -> None:
    item = (await refused(house, daughter, suspect())).quarantine
    auditor, administrator = await staff_caller(house, "auditor"), await staff_caller(house, "administrator")
    with pytest.raises(NotAuthenticated):
        await destroy(house.vault, auditor, item, reason="x")
    with pytest.raises(NotAuthenticated):
        await in_quarantine(house.vault, auditor, limit=9)
    with pytest.raises(FieldInvalid):
        await destroy(house.vault, administrator, item, reason=" ")
    assert item in {one.id for one in await in_quarantine(house.vault, administrator, limit=99)}
    await destroy(house.vault, administrator, item, reason="Đã báo đơn vị an ninh mạng")
    with pytest.raises(NotFound):
        await destroy(house.vault, administrator, item, reason="Lần nữa")
    (entry,) = await house.last(daughter)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.ADMINISTRATOR_ACT, "quarantine_destroyed")
    assert entry.parts.basis["facts"]["reason"] == "Đã báo đơn vị an ninh mạng"


async def test_nothing_reads_it(house: Any, daughter: OwnerCaller, suspect: Any) -> None:
    item = str((await refused(house, daughter, suspect())).quarantine)
    with pytest.raises(NotFound):
        await deliver.read_own(house.vault, daughter, item)
    assert item not in {one.id for one in await finding.my_records(house.vault, daughter)}


async def test_a_bomb_is_refused_and_not_kept(house: Any, daughter: OwnerCaller, tmp_path: Path) -> None:
    file = tmp_path / "bomb.pdf"
    file.write_bytes(RECIPES["picture_of_a_gigapixel"]())
    told = await refused(house, daughter, file)
    assert (told.code, told.found, told.quarantine) == ("too_large_inside", ("image_pixels",), None)


async def staff_caller(house: Any, role: Any) -> StaffCaller:
    who = {"agency": people.COMMUNE.code, "officer": people.COMMUNE.officer}
    await give_role(house.vault, role=role, **who)
    ids = {"agency_id": who["agency"], "officer_id": who["officer"]}
    code = await staff.new_code(house.vault.db, house.vault.clock, role=role, **ids)
    found = await staff.redeem_code(house.vault.db, house.vault.gate, house.vault.clock, code)
    assert found is not None
    return await house.vault.gate.check_staff(found[0])  # type: ignore[no-any-return]
