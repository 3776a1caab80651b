"""What `make` says to a newcomer whose machine lacks something: one clear line, and nothing half-made."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2


@pytest.fixture
def clone() -> Iterator[Path]:
    """What a clone has that `make install` looks at; where anybody may look."""
    folder = Path(tempfile.mkdtemp(prefix="kho-clone-"))
    folder.chmod(0o755)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "dev.txt", folder / "requirements")
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def python_where(folder: Path, **modules: str) -> Path:
    """Give a python that finds modules of ours before its own."""
    shadow = folder / "shadow"
    shadow.mkdir()
    for name, text in modules.items():
        (shadow / f"{name}.py").write_text(text)
    program = folder / "python-of-this-machine"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{shadow}" exec {Path(sys.executable).resolve()} "$@"\n')
    program.chmod(0o755)
    return program


def as_anybody() -> None:
    """Let folders be closed to whoever runs this, even to root."""
    libc = ctypes.CDLL(None)
    for power in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        libc.prctl(_PR_CAPBSET_DROP, power, 0, 0, 0)


def make(clone: Path, python: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["make", "demo", f"PYTHON={python}"],
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=as_anybody,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (clone / ".venv").exists()
    return done.returncode, lines[0]


def test_a_python_without_venv_is_named_with_what_to_install(clone: Path) -> None:
    python = python_where(clone, venv="raise ImportError('no module named venv')")
    status, told = make(clone, python)
    assert status != 0
    assert told.startswith(f"'{python}' has no venv module; install it first")


def test_a_python_without_pip_to_give_is_told_alike(clone: Path) -> None:
    status, told = make(clone, python_where(clone, ensurepip="raise ImportError"))
    assert status != 0
    assert "has no venv module" in told


def test_an_old_python_is_told_which_one_is_needed(clone: Path) -> None:
    python = python_where(clone, sitecustomize="import sys\nsys.version_info = (3, 10, 0)")
    status, told = make(clone, python)
    assert status != 0
    assert told.startswith("Kho needs Python 3.11 or newer")
    assert "make PYTHON=" in told


def test_no_python_at_all_is_told_alike(clone: Path) -> None:
    status, told = make(clone, clone / "no-such-python")
    assert status != 0
    assert told.startswith("Kho needs Python 3.11 or newer")


def test_a_folder_that_cannot_be_written_to_is_told(clone: Path) -> None:
    clone.chmod(0o555)
    status, told = make(clone, Path(sys.executable).resolve())
    assert status != 0
    assert told == "This folder cannot be written to; clone Kho where you may write."
