"""What is seen of a vault, and what is called wrong: each alarm at its threshold, nobody waited for long."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from tests.conftest import House
from vault import alarms, outbox
from vault.alarms import LEAST_FREE, NONE_FREE, Alarm
from vault.entries import stamp
from vault.errors import VaultBusy
from vault.looks import Looks
from vault.outbox import INDEX, Lag
from vault.publishing import publish
from vault.readiness import ready
from vault.seeing import Rows, Seen, look
from vault.signer import LogForked
from vault.tables import damage

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
QUIET_ROWS = Rows(10, 0, {}, {INDEX: Lag(0, None, 0)}, {INDEX: 0.0}, 0, 0.0, None)
QUIET = Seen(
    rows=QUIET_ROWS,
    store="ok",
    search="ok",
    documents=3,
    malware="ready",
    parts={"signer": "ok", "gate": "ok", "sealer": "ok"},
    sealing={},
    services={"timestamps": "ok", "status": "not_asked"},
    tree=10,
    published=10,
    published_age=1e9,
    log_fault="",
    unreadable=0,
    free={"scratch": LEAST_FREE, "rows": LEAST_FREE},
    clocks={"database": 9.9},
    in_time=True,
)


def rows(**changes: Any) -> Seen:
    return replace(QUIET, rows=replace(QUIET_ROWS, **changes))


def test_where_all_is_well_nothing_is_said() -> None:
    assert alarms.alarms(QUIET) == []
    off = replace(QUIET, search="off", malware="off", services={"timestamps": "none", "status": "none"})
    assert alarms.alarms(off) == []


@pytest.mark.parametrize(
    ("seen", "alarm"),
    [
        (replace(QUIET, rows=None), Alarm("database_unavailable")),
        (replace(QUIET, store="store_unavailable"), Alarm("store_unavailable")),
        (replace(QUIET, store="store_refused"), Alarm("store_refused")),
        (replace(QUIET, store="store_not_trusted"), Alarm("store_not_trusted")),
        (replace(QUIET, search="index_not_trusted"), Alarm("index_not_trusted")),
        (replace(QUIET, store="store_bucket_missing"), Alarm("store_bucket_missing")),
        (replace(QUIET, store="something_new"), Alarm("store_unavailable")),
        (replace(QUIET, parts={"signer": "away", "gate": "ok"}), Alarm("signer_away")),
        (replace(QUIET, parts={"gate": "away"}), Alarm("gate_away")),
        (replace(QUIET, parts={"sealer": "away"}, services={}), Alarm("sealer_away")),
        (rows(entries=9), Alarm("log_behind", figures={"rows": 9, "tree": 10})),
        (replace(QUIET, log_fault="log_behind"), Alarm("log_behind")),
        (replace(QUIET, log_fault="log_forked"), Alarm("log_forked")),
        (replace(QUIET, unreadable=2), Alarm("entries_unreadable", figures={"entries": 2})),
        (
            replace(QUIET, published=7, published_age=60.6),
            Alarm("publication_late", figures={"entries": 3, "seconds": 61}),
        ),
        (rows(damaged=1), Alarm("damaged_records", figures={"records": 1})),
        (replace(QUIET, search="index_unavailable"), Alarm("index_unavailable")),
        (replace(QUIET, search="index_credentials_refused"), Alarm("index_credentials_refused")),
        (replace(QUIET, search="index_read_only"), Alarm("index_read_only")),
        (replace(QUIET, search="index_busy"), Alarm("index_busy")),
        (replace(QUIET, search="index_name_taken"), Alarm("index_name_taken")),
        (replace(QUIET, search="index_missing"), Alarm("index_missing")),
        (replace(QUIET, search="index_newer"), Alarm("index_newer")),
        (rows(outbox_ages={INDEX: 300.6}), Alarm("index_late", figures={"seconds": 301})),
        (
            rows(outbox={INDEX: Lag(0, None, 0), "hooks": Lag(4, None, 2)}),
            Alarm("dead_letters", "hooks", {"subjects": 2}),
        ),
        (replace(QUIET, malware="unavailable"), Alarm("malware_unavailable")),
        (
            replace(QUIET, services={"timestamps": "slow", "status": "ok"}),
            Alarm("timestamps_failing", "slow"),
        ),
        (
            replace(QUIET, services={"timestamps": "ok", "status": "stale"}),
            Alarm("status_failing", "stale"),
        ),
        (rows(seals_waiting_for=3601.0), Alarm("seals_late", figures={"seconds": 3601})),
        (rows(seals_waiting=8001), Alarm("seals_many", figures={"waiting": 8001, "most": 10_000})),
        (
            replace(QUIET, free={"scratch": NONE_FREE - 1}),
            Alarm("disk_full", "scratch", {"free": NONE_FREE - 1}),
        ),
        (replace(QUIET, free={"log": LEAST_FREE - 1}), Alarm("disk_low", "log", {"free": LEAST_FREE - 1})),
        (replace(QUIET, clocks={"store": -600.04}), Alarm("clock_off", "store", {"seconds": -600.0})),
        (replace(QUIET, clocks={"timestamps": 600.0}), Alarm("clock_off", "timestamps", {"seconds": 600.0})),
    ],
    ids=lambda one: one.code if isinstance(one, Alarm) else "",
)
def test_each_wrong_thing_is_named(seen: Seen, alarm: Alarm) -> None:
    assert alarms.alarms(seen) == [alarm]
    told = alarm.told()
    assert (told["code"], told["part"], told["stops"]) == (alarm.code, *alarms.CODES[alarm.code])


def test_every_code_is_reached_above() -> None:
    marks = test_each_wrong_thing_is_named.pytestmark  # type: ignore[attr-defined]
    assert {one.code for _, one in marks[0].args[1]} == {*alarms.CODES}


def test_what_stops_work_comes_first() -> None:
    seen = replace(
        QUIET, search="index_missing", free={"rows": 0, "log": LEAST_FREE - 1}, store="store_refused"
    )
    assert [one.code for one in alarms.alarms(seen)] == [
        "store_refused",
        "disk_full",
        "index_missing",
        "disk_low",
    ]


# Looking ---------------------------------------------------------------------------------------------


async def test_a_sound_vault_is_seen_whole(house: House) -> None:
    await publish(house.vault)
    seen = await look(house.vault)
    assert seen.rows is not None and seen.in_time
    assert seen.rows.entries == seen.tree == seen.published == await house.size()
    assert (seen.store, seen.search, seen.malware, seen.log_fault) == ("ok", "off", "off", "")
    assert (
        seen.services == {"timestamps": "not_asked", "status": "not_asked"} or "ok" in seen.services.values()
    )
    assert ("database" in seen.clocks) == house.vault.db.shared
    assert {"scratch", "log", "keys", "store"} <= {*seen.free}
    assert ("rows" in seen.free) != house.vault.db.shared
    disk = os.statvfs(house.vault.log_folder)
    assert abs(seen.free["log"] - disk.f_bavail * disk.f_frsize) < 2**30
    told = await ready(house.vault)
    assert (told["ready"], told["degraded"], told["alarms"]) == (True, [], [])


async def test_what_waits_and_what_is_damaged_is_counted(house: House) -> None:
    at = house.vault.clock.now()
    async with house.vault.db.write() as db:
        await outbox.add(db, "hooks", ["a", "b"], at - timedelta(minutes=5))
        await db.execute(insert(damage).values(record=house.daughters, part="file", idx=0, at=stamp(at)))
        for hook in ("one", "other"):  # each web hook has a topic of its own: figures know them together
            await outbox.add(db, f"webhook:{hook}", ["a", "b"], at)
    seen = await look(house.vault)
    assert seen.rows is not None
    assert {topic: lag.waiting for topic, lag in seen.rows.outbox.items()} == {
        INDEX: 3,
        "hooks": 2,
        "webhook": 4,
    }
    assert seen.rows.damaged == 1
    assert seen.rows.outbox_ages["hooks"] == pytest.approx(300, abs=30)
    told = await ready(house.vault)
    assert (told["ready"], told["degraded"]) == (True, ["content"])


class Hanging:
    """A database that says nothing until it is told to, in front of the real one."""

    def __init__(self, real: Any) -> None:
        self._real, self.answers, self.asked = real, asyncio.Event(), 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @asynccontextmanager
    async def read(self, **said: Any) -> AsyncIterator[Any]:
        self.asked += 1
        await self.answers.wait()
        async with self._real.read(**said) as db:
            yield db


async def test_a_part_that_says_nothing_is_away_and_asked_once_however_often_somebody_looks(
    house: House,
) -> None:
    slow = Hanging(house.vault.db)
    vault = replace(house.vault, db=slow, looks=Looks())  # type: ignore[arg-type]
    seen = [await look(vault, patience=0.05) for _ in range(3)]
    assert all(one.rows is None and one.store == "ok" and not one.in_time for one in seen)
    assert slow.asked == 1
    assert [one.code for one in alarms.alarms(seen[0])] == ["database_unavailable"]
    slow.answers.set()
    again = await look(vault)
    assert again.rows is not None and again.in_time
    await vault.looks.close()


async def test_what_still_hangs_when_leaving_is_broken_off(house: House) -> None:
    vault = replace(house.vault, db=Hanging(house.vault.db), looks=Looks())  # type: ignore[arg-type]
    await look(vault, patience=0.01)
    assert vault.looks.late
    await vault.looks.close()
    assert not vault.looks.late


async def test_many_who_ask_at_once_or_one_after_the_other_share_one_whole_look(house: House) -> None:
    asked = 0
    goes_on, looks = asyncio.Event(), Looks()

    async def whole() -> int:
        nonlocal asked
        asked += 1
        await goes_on.wait()
        return asked

    waiting = [asyncio.ensure_future(looks.kept("all", whole, 3600)) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # who hangs up breaks off nobody else's
    goes_on.set()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(told[0], asyncio.CancelledError) and set(told[1:]) == {1}
    assert await looks.kept("all", whole, 3600) == 1
    await looks.close()


async def test_a_whole_look_that_is_over_or_failed_is_not_given_again(house: House) -> None:
    answers = iter([1, RuntimeError("odd"), 3])
    looks = Looks()

    async def whole() -> int:
        one = next(answers)
        if isinstance(one, Exception):
            raise one
        return one

    assert await looks.kept("all", whole, 0) == 1
    with pytest.raises(RuntimeError, match="odd"):
        await looks.kept("all", whole, 3600)
    assert await looks.kept("all", whole, 3600) == 3
    assert await looks.kept("all", whole, 3600) == 3
    await looks.close()


async def test_an_unforeseen_failure_of_a_part_is_not_hidden() -> None:
    async def odd() -> int:
        raise RuntimeError

    async def away() -> int:
        raise VaultBusy("away")

    looks = Looks()
    assert await looks.part("one", away, 1.0, 7, VaultBusy) == 7
    with pytest.raises(RuntimeError):
        await looks.part("other", odd, 1.0, 7, VaultBusy)


async def test_a_fork_is_an_alarm_for_good(house: House) -> None:
    signer = house.vault.signer
    with pytest.raises(LogForked):
        signer.extend(0, [b"\x00" * 32])
    told = await ready(house.vault)
    assert (told["ready"], told["checks"]["log"]) == (False, "log_forked")
    await publish(house.vault)
    assert (await ready(house.vault))["alarms"][0]["code"] == "log_forked"


async def test_a_checkpoint_that_is_no_checkpoint_is_not_believed(house: House) -> None:
    await publish(house.vault)
    path = Path(house.vault.log_folder) / "checkpoint"
    path.chmod(0o644)
    for content in (
        b"",
        b"kho\n",
        b"kho\n-1\n",
        b"kho\n" + b"9" * 30 + b"\n",
        b"\xff\xff",
        "kho\n٣\n".encode(),
    ):
        path.write_bytes(content)
        assert (await look(house.vault)).published is None
    path.unlink()
    assert (await look(house.vault)).published is None
