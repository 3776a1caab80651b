"""Carries out what waits for its seal, in children that are killed at a moment; for `test_waiting_killed.py`.

With "renew" as a second argument it renews archive time stamps, years ahead; for `test_renewing_killed.py`.
With "hand-in" it hands in a scan while nobody stamps; who does, the dossier and the file are named behind.

A line of input says before which event the next child kills itself, by its number, or by a part of what it is
called and how often that is to come before; a line of output says how it ended.
Events are the operations on files below the folder and the commits of the database, as in `storyteller.py`.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Engine

from reuse_api.demo.pki import DemoAuthority
from signing.errors import TimestampFailed
from signing.service_state import ServiceState
from tests.conftest import House, opened_house
from tests.faults.storyteller import WATCHED
from tests.unit.vault.test_renewing import Ahead
from vault.callers import SystemCaller
from vault.digitise import ScanBody, digitise
from vault.renewing import renew_due
from vault.sealing_again import retry_due

RENEW, HAND_IN = "renew", "hand-in"
LEASE = "KQ003607"


class NobodyAnswers:
    issuers = ()
    state = ServiceState("none")

    async def answer(self, request: bytes, at: datetime) -> bytes:
        raise TimestampFailed("nobody answers")


async def hand_in(house: House, caller: SystemCaller, code: str, file: Path) -> None:
    """Hand in a scan whose seal has to wait."""
    house.vault.sealer._timestamper = NobodyAnswers()
    said = ScanBody("HDTN", ("applicant",), title="Hợp đồng thuê nhà")
    told = await digitise(house.vault, caller, code, LEASE, said, file, key="scan")
    assert isinstance(told, dict)
    assert told["state"] == "waiting_for_seal", told


def unforeseen(code: str, problem: Exception) -> None:
    raise problem


async def work(folder: Path, begin: Any) -> None:
    """Open the vault, begin to count, and carry out all that waits."""
    authority = DemoAuthority.load(folder / "keys" / "authority")
    renews = RENEW in sys.argv
    async with opened_house(folder, authority, {}, 1, clock=Ahead(4.8) if renews else None) as house:
        if HAND_IN in sys.argv:
            agency, officer, system, code, file = sys.argv[3:8]
            at = house.vault.clock.now() + timedelta(hours=1)
            caller = SystemCaller(system, agency, officer, "thumb", at, "", "token")
            begin()
            await hand_in(house, caller, code, Path(file))
            return
        begin()
        if renews:
            await renew_due(house.vault, unforeseen)
        else:
            await retry_due(house.vault, unforeseen, all_of_them=True)


def one(folder: Path, moment: str) -> dict[str, Any]:
    """Work once; gives the exit status, how many events there were, and which one came next."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _work_and_exit(folder, moment, writing)
    os.close(writing)
    with os.fdopen(reading) as said:
        events, _, what = said.readline().strip().partition(" ")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"status": status, "events": int(events or 0), "what": what}


def _work_and_exit(folder: Path, moment: str, writing: int) -> NoReturn:
    os.dup2(2, 1)
    counting, events, like = False, 0, 0
    number, _, called = moment.partition(" ")

    def count(what: str) -> None:
        nonlocal events, like
        if not counting:
            return
        like += called in what
        if (like if called else events + 1) == int(number) + 1 and called in what:
            os.write(writing, f"{events} {what}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        events += 1

    def begin() -> None:
        nonlocal counting
        counting = True

    def watch(name: str, arguments: tuple[Any, ...]) -> None:
        if name in WATCHED and str(folder) in str(arguments[0]):
            count(f"{name} {arguments[0]}")

    status = 70
    try:
        sys.addaudithook(watch)
        event.listen(Engine, "commit", lambda _: count("commit"))
        asyncio.run(work(folder, begin))
        os.write(writing, f"{events} the end\n".encode())
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(one(Path(sys.argv[1]), line.strip())), flush=True)
