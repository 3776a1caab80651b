"""Carrying out what waits, killed with SIGKILL between its steps: nothing is lost or issued twice."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from reuse_api.demo import people
from tests.conftest import House, Template
from tests.faults.waiting_worker import HAND_IN, NobodyAnswers, hand_in
from vault import issue
from vault.callers import SystemCaller
from vault.evidence_tables import waiting_file, waiting_seal
from vault.inspecting import inspect
from vault.issue import ResultBody
from vault.tables import digitisation, entry_fact, record, request

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks children to kill them"),
]
NEVER = 1_000_000
KILLS = 4


async def put_off(house: House, key: str) -> str:
    """Have a result wait, and give its dossier."""
    commune = await house.system(people.COMMUNE)
    person = house.person(people.DAUGHTER, "applicant")
    code = await house.opens(commune, people.COMMUNE, house.reregistration(person))
    fields = people.certificate(key, "2026-11-20", birth_place="Hà Nội")
    body = ResultBody("GKS", ("applicant",), fields, None, None, None, None)
    told = await issue.issue(house.vault, commune, code, body, None, key=key)
    assert isinstance(told, dict)
    assert told["state"] == "waiting_for_seal"
    return code


async def renting(house: House) -> tuple[SystemCaller, str]:
    """Give a dossier that asks for a contract, and who opened it."""
    police = await house.system(people.POLICE)
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    body = replace(house.residence(*persons), case="thue-muon-o-nho")
    return police, await house.opens(police, people.POLICE, body)


@contextmanager
def worker(*arguments: object) -> Iterator[Callable[[int | str], dict[str, Any]]]:
    """Run the program; gives what has it work once and says how that ended."""
    program = Path(__file__).with_name("waiting_worker.py")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, str(program), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as running:
        assert running.stdin is not None and running.stdout is not None

        def works(number: int | str) -> dict[str, Any]:
            print(number, file=running.stdin, flush=True)
            told: dict[str, Any] = json.loads(running.stdout.readline())  # type: ignore[union-attr]
            print(f"exit {told['status']}, before event {number}: {told['what']}")
            return told

        yield works


def chance() -> random.Random:
    """TEST_SEED gives the same moments again."""
    seed = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    return random.Random(seed)


async def test_killed_between_any_two_steps_it_is_issued_once(
    template: Template, folder: Path, open_house: Any, scanned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = chance()
    async with open_house() as house:
        with monkeypatch.context() as down:
            down.setattr(house.vault.sealer, "_timestamper", NobodyAnswers())
            result = await put_off(house, "result")
            police, lease = await renting(house)
            await hand_in(house, police, lease, scanned("chờ ký"))
        before = len(await house.rows(select(record.c.id)))
    with worker(folder) as works:
        for moment in [1, 2, *(seed.randrange(3, 70) for _ in range(KILLS - 2))]:
            if (told := works(moment))["status"] == 0:
                break
            assert told["status"] == -9
            found = await inspect(house.places)
            assert found.sound, found.findings
        assert works(NEVER)["status"] == 0
    async with open_house() as house:
        assert len(await house.rows(select(record.c.id))) == before + 2
        for code, event in ((result, "issued"), (lease, "digitised")):
            entered = select(entry_fact.c.idx).where(
                entry_fact.c.dossier == code, entry_fact.c.event == event
            )
            assert len(await house.rows(entered)) == 1
        assert len(await house.rows(select(digitisation.c.record))) == 1
        states = await house.rows(select(waiting_seal.c.state, waiting_seal.c.body))
        assert [tuple(one) for one in states] == [("sealed", None)] * 2
        assert await house.rows(select(waiting_file)) == []
    await swept(house)


async def test_killed_with_the_signature_of_a_file_key_in_hand_it_is_sealed_once(
    template: Template, folder: Path, open_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a signature leaves with its process: the next try makes another, and one record comes of it."""
    async with open_house() as house:
        with monkeypatch.context() as down:
            down.setattr(house.vault.sealer, "_timestamper", NobodyAnswers())
            code = await put_off(house, "killed")
        before = len(await house.rows(select(record.c.id)))
    with worker(folder) as works:
        for between in ("1 signed.sqlite", "1 commit"):  # signed and not kept; kept and not committed
            told = works(between)
            assert (told["status"], between[2:] in told["what"]) == (-9, True)
        assert works(NEVER)["status"] == 0
    async with open_house() as house:
        assert len(await house.rows(select(record.c.id))) == before + 1
        entered = select(entry_fact.c.idx).where(entry_fact.c.dossier == code, entry_fact.c.event == "issued")
        assert len(await house.rows(entered)) == 1
    await swept(house)


async def test_killed_while_a_scan_is_taken_it_waits_once_or_not_at_all(
    template: Template, folder: Path, open_house: Any, scanned: Any
) -> None:
    seed, file = chance(), scanned("chờ ký")
    async with open_house() as house:
        police, code = await renting(house)
    with worker(folder, HAND_IN, police.agency, police.officer, police.system, code, file) as works:
        last = works(NEVER)
        assert last["status"] == 0
        async with open_house() as house:  # begin again: as if that one had not been
            await house.change(
                delete(waiting_file),
                delete(waiting_seal),
                delete(request).where(request.c.caller == police.system, request.c.key == "scan"),
            )
        # Nearly all events are those of looking at the scan: what is put and written comes at the end.
        for moment in sorted(last["events"] - back for back in (1, seed.randrange(2, 8))):
            told = works(moment)
            if told["status"] == 0:
                break
            assert told["status"] == -9
            found = await inspect(house.places)
            assert found.sound, found.findings
        assert works(NEVER)["status"] == 0
    async with open_house() as house:
        assert len(await house.rows(select(waiting_file))) == 1
        states = await house.rows(select(waiting_seal.c.state))
        assert [one.state for one in states] == ["waiting_for_seal"]
    findings = (await inspect(house.places, sweep=True)).findings
    assert {one.code for one in findings} <= {"orphan_swept", "waiting_files"}
    findings = (await inspect(house.places)).findings
    assert [(one.code, one.harm) for one in findings] == [("waiting_files", False)]
    with worker(folder) as works:
        assert works(NEVER)["status"] == 0
    async with open_house() as house:
        assert len(await house.rows(select(digitisation.c.record))) == 1
    await swept(house)


async def swept(house: House) -> None:
    """See that nothing but orphans is found, and nothing once they are swept."""
    findings = (await inspect(house.places, sweep=True)).findings
    assert {one.code for one in findings} <= {"orphan_swept"}
    assert (await inspect(house.places)).findings == ()
