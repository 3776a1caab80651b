"""`kho system end`, `kho agency end`, `kho seal-key end`: in both languages, once, and with a reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reuse_api.__main__ import run
from reuse_api.demo import people

Said = Callable[..., tuple[int, str]]


@pytest.fixture
def said(vault_settings: Path, capfd: pytest.CaptureFixture[str]) -> Said:
    def command(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        status = int(run(arguments))
        return status, "".join(capfd.readouterr())

    return command


def test_a_system_ends_once_and_with_a_reason(said: Said) -> None:
    system = people.POLICE.system
    status, told = said("system", "end", system, "--reason", " ", "--lang", "en")
    assert status == 1, told
    assert said("system", "end", system)[0] == 64, "without any"
    status, told = said("system", "end", system, "--reason", "Đã thay", "--lang", "vi")
    assert (status, f"{system} của {people.POLICE.code}: đã kết thúc" in told) == (0, True), told
    status, told = said("system", "end", system, "--reason", "Đã thay", "--lang", "en")
    assert (status, "ended already" in told) == (1, True), told
    status, told = said("system", "end", "ai-do", "--reason", "Đã thay", "--lang", "vi")
    assert (status, "không có hệ thống ai-do đang hoạt động" in told) == (1, True), told


def test_an_agency_ends_with_its_officers_and_its_seal_key(said: Said) -> None:
    code = people.COMMUNE.code
    assert f"{code}  file" in said("seal-key", "list", "--lang", "en")[1]
    status, told = said("agency", "end", code, "--reason", "Sáp nhập", "--lang", "en")
    assert (status, f"{code}: ended, with its systems (1) and officers (1)" in told) == (0, True), told
    assert "another process" not in told
    status, told = said("agency", "end", code, "--reason", "Sáp nhập", "--lang", "vi")
    assert (status, f"không có cơ quan mã {code} đang hoạt động" in told) == (1, True), told
    status, told = said("seal-key", "list", "--lang", "vi")
    assert (status, f"{code}  ĐÃ KẾT THÚC" in told) == (0, True), told
    who = (code, "cb-moi-01", "--name", "Ai đó", "--role", "desk")
    status, told = said("staff", "add", *who, "--lang", "en")
    assert (status, f"agency {code} has ended" in told) == (1, True), told
    assert people.COMMUNE.officer not in said("staff", "list")[1]
    status, told = said("inspect")
    assert status == 0, told


def test_a_seal_key_ends_where_the_keys_are(said: Said) -> None:
    for _ in range(2):
        status, told = said("seal-key", "end", people.COMMUNE.code, "--lang", "vi")
        assert (status, "không ký thêm gì nữa" in told) == (0, True), told
