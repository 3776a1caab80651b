"""`kho staff`: officers come, hold roles and lose them, and leave for good."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reuse_api.__main__ import run
from reuse_api.demo import people

WHO = [people.POLICE.code, people.POLICE.officer]


@pytest.fixture
def said(vault_settings: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def command(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        status = int(run(["staff", *arguments]))
        return status, "".join(capfd.readouterr())

    return command


def test_roles_are_given_and_taken_and_whoever_left_is_gone(said: Callable[..., tuple[int, str]]) -> None:
    assert said("add", *WHO, "--role", "desk", "--role", "auditor")[0] == 0
    status, told = said("revoke", *WHO, "--role", "auditor", "--lang", "en")
    assert (status, "no longer auditor" in told) == (0, True)
    status, told = said("revoke", *WHO, "--role", "auditor", "--lang", "vi")
    assert (status, "không có vai trò này" in told) == (1, True)
    status, told = said("revoke", *WHO, "--role", "owner", "--lang", "en")
    assert (status, "a role is desk, auditor or administrator" in told) == (1, True)
    assert "desk" in said("list")[1] and "auditor" not in said("list")[1]
    status, told = said("leave", *WHO, "--lang", "vi")
    assert (status, "đã thôi việc" in told) == (0, True)
    status, told = said("leave", *WHO, "--lang", "en")
    assert (status, "no such officer works there" in told) == (1, True)
    assert people.POLICE.officer not in said("list")[1]
    status, told = said("add", *WHO, "--name", "Ai đó", "--role", "desk", "--lang", "en")
    assert (status, "has left" in told) == (1, True)
