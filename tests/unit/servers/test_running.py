"""A part that a machine is said to have is not skipped there; where nobody says so, it is skipped by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import LONGEST, MORE

_SKIPPED = """
import pytest

from tests.running import LONGEST

@pytest.fixture
def server():
    pytest.skip("Elasticsearch 9.5.0 cannot be obtained here")

def test_with_it(server): ...

@pytest.mark.skipif(True, reason="no Chromium found")
def test_looked_at(): ...
"""


@pytest.mark.parametrize(
    ("had", "outcome", "told"),
    [
        ("", 0, "2 skipped"),
        ("postgresql elasticsearch", 1, "1 skipped, 1 error"),
        ("Elasticsearch chromium", 1, "2 errors"),
    ],
)
def test_a_part_that_is_there_is_not_skipped(tmp_path: Path, had: str, outcome: int, told: str) -> None:
    (tmp_path / "test_parts.py").write_text(_SKIPPED)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.running", "-c", os.devnull, str(tmp_path)],
        env=os.environ | {"PARTS_OF_THIS_MACHINE": had},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, told in done.stdout) == (outcome, True), done.stdout
    assert ("says that this machine has elasticsearch" in done.stdout) == ("elasticsearch" in had.lower())


def test_the_files_that_come_first_are_there() -> None:
    root = Path(__file__).parents[3]
    assert [one for one in LONGEST if not (root / one).is_file()] == []
    assert [one for one in MORE if not (root / one).exists()] == []
