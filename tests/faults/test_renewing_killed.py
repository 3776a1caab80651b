"""Renewing an archive time stamp, killed with SIGKILL between its steps: one new version, the old kept."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.conftest import Template
from vault.evidence_tables import archive_stamp, earlier_content
from vault.inspecting import inspect

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks children to kill them"),
]
NEVER = 1_000_000
FAR = "2099-01-01T00:00:00.000000+00:00"


async def test_killed_between_any_two_steps_it_is_renewed_once(
    template: Template, folder: Path, open_house: Any
) -> None:
    """TEST_SEED gives the same moments again."""
    seed = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    async with open_house() as house:
        others = update(archive_stamp).where(archive_stamp.c.record != house.daughters)
        await house.change(others.values(again_at=FAR))
    program = Path(__file__).with_name("waiting_worker.py")
    with subprocess.Popen(
        [sys.executable, program, folder, "renew"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        killed = 0
        for moment in (1, random.Random(seed).randrange(2, 45), NEVER):
            print(moment, file=worker.stdin, flush=True)
            told = json.loads(worker.stdout.readline())
            print(f"exit {told['status']}, before event {moment}: {told['what']} ({told['events']})")
            killed += told["status"] == -9
            assert told["status"] in (0, -9)
            found = await inspect(house.places)
            assert found.sound, found.findings
        assert told["status"] == 0 and killed
    async with open_house() as house:
        rows = await house.rows(select(earlier_content.c.record, earlier_content.c.version))
        assert [tuple(one) for one in rows] == [(house.daughters, 1)]
    assert (await inspect(house.places, sweep=True)).sound
