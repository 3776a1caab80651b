"""Carrying out what waits, killed with SIGKILL between its steps: nothing is lost or issued twice."""

import json
import os
import random
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.errors import TimestampFailed
from signing.service_state import ServiceState
from tests.conftest import House, Template
from vault import issue
from vault.evidence_tables import waiting_seal
from vault.inspecting import inspect
from vault.issue import ResultBody
from vault.tables import entry_fact, record

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks children to kill them"),
]
NEVER = 1_000_000
KILLS = 5


class NobodyAnswers:
    issuers = ()
    state = ServiceState("none")

    async def answer(self, request: bytes, at: datetime) -> bytes:
        raise TimestampFailed("nobody answers")


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


async def test_killed_between_any_two_steps_it_is_issued_once(
    template: Template, folder: Path, open_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TEST_SEED gives the same moments again."""
    seed = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    chance = random.Random(seed)
    codes = []
    async with open_house() as house:
        with monkeypatch.context() as down:
            down.setattr(house.vault.sealer, "_timestamper", NobodyAnswers())
            codes = [await put_off(house, f"k{number}") for number in range(2)]
        before = len(await house.rows(select(record.c.id)))
    program = Path(__file__).with_name("waiting_worker.py")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, program, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as worker:
        assert worker.stdin is not None and worker.stdout is not None

        def works(number: int) -> dict[str, Any]:
            print(number, file=worker.stdin, flush=True)
            told: dict[str, Any] = json.loads(worker.stdout.readline())  # type: ignore[union-attr]
            print(f"exit {told['status']}, before event {number}: {told['what']}")
            return told

        moments = [1, 2, *(chance.randrange(3, 40) for _ in range(KILLS - 2))]
        for moment in moments:
            if (told := works(moment))["status"] == 0:
                break
            assert told["status"] == -9
            found = await inspect(house.places)
            assert found.sound, found.findings
        assert works(NEVER)["status"] == 0
    async with open_house() as house:
        assert len(await house.rows(select(record.c.id))) == before + 2
        for code in codes:
            issued = select(entry_fact.c.idx).where(
                entry_fact.c.dossier == code, entry_fact.c.event == "issued"
            )
            assert len(await house.rows(issued)) == 1
        states = await house.rows(select(waiting_seal.c.state, waiting_seal.c.body))
        assert [tuple(one) for one in states] == [("sealed", None)] * 2
    assert (await inspect(house.places, sweep=True)).sound
