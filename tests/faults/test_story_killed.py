"""The demo killed with SIGKILL at random moments of its story: rows, blobs and tree agree, and it goes on."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from reuse_api.__main__ import run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(480),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills a child through its pidfd"),
]
PROGRAM = Path(__file__).with_name("storyteller.py")
MAKING = 60  # events
# Kills while there is no vault yet, or hardly one; kills over the whole story on a kept vault.
TIMES = [pytest.param(*times, marks=pytest.mark.long) for times in ((2, 3), (5, 16))]
LATER = 60  # milliseconds
NEVER = 1_000_000
Tell = Callable[[int, int], dict[str, Any]]
Inspect = Callable[..., tuple[int, str]]


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Tell]:
    """Tell the story until some event of it, and some milliseconds longer."""
    with subprocess.Popen(
        [sys.executable, PROGRAM, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None and program.stdout is not None

        def telling(number: int, later: int) -> dict[str, Any]:
            print(number, later, file=program.stdin, flush=True)
            answer: dict[str, Any] = json.loads(program.stdout.readline())
            print(f"exit {answer['status']}, event {number} and {later} ms: {answer['what']}")
            return answer

        yield telling


@pytest.fixture
def inspect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inspect:
    """Run `kho inspect` on the demo's vault; gives its exit status and what it said."""
    demo = tmp_path / "demo"
    monkeypatch.setenv("KHO_DATABASE", str(demo / "rows.db"))
    monkeypatch.setenv("KHO_STORE", f"folder:{demo / 'blobs'}")
    monkeypatch.setenv("KHO_KEYS", str(tmp_path / "demo-keys"))
    monkeypatch.setenv("KHO_LOG_FOLDER", str(demo / "log"))
    monkeypatch.setenv("KHO_SCRATCH", str(demo / "scratch"))

    def inspected(*arguments: str) -> tuple[int, str]:
        said = StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            status = run(["inspect", *arguments])
        return status, said.getvalue()

    return inspected


@pytest.mark.parametrize(("in_the_making", "kills"), TIMES)
def test_a_story_killed_at_any_moment_leaves_rows_blobs_and_tree_in_agreement(
    tell: Tell, inspect: Inspect, tmp_path: Path, in_the_making: int, kills: int
) -> None:
    """TEST_SEED gives the same moments again; the order in which threads run is not in our hands."""
    seed = int(os.environ.get("TEST_SEED", random.randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    chance = random.Random(seed)
    for _ in range(in_the_making):
        ended = tell(chance.randrange(MAKING), 0)
        assert ended["status"] == -9, ended["told"]
        status, said = inspect()
        assert status == 0 or "was never finished" in said or "there is no database" in said, said
    first = tell(NEVER, 0)
    assert first["status"] == 0, first["told"]
    whole = first["events"] * 3 // 4  # on a kept vault there is less to do
    moments = [(number + chance.random()) / kills for number in range(kills)]
    chance.shuffle(moments)
    for moment in moments:
        ended = tell(int(moment * whole), chance.choice([0, chance.randrange(1, LATER)]))
        while ended["status"] == 0:  # it came to its end before that
            whole = min(whole, ended["events"])
            ended = tell(int(chance.random() * whole), 0)
        assert ended["status"] == -9, ended["told"]
        status, said = inspect()
        assert status == 0, said
    last = tell(NEVER, 0)
    assert last["status"] == 0, last["told"]
    assert inspect("--sweep")[0] == 0
    status, said = inspect()
    assert (status, "note" in said) == (0, False), said
    assert left_behind(tmp_path) == []


def left_behind(folder: Path) -> list[Path]:
    """List what was being written when a process was killed, and nobody has cleared away."""
    places = [folder / "demo" / place for place in ("scratch", "blobs/writing", "log/.writing")]
    half_keys = (folder / "demo-keys").rglob(".*")
    return [*half_keys, *(one for place in places for one in place.iterdir())]
