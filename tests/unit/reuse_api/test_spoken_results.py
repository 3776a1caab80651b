"""What commands did is told in the language asked for, and times in Viet Nam's with their zone."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reuse_api.__main__ import run
from reuse_api.commands.ending import Ending
from reuse_api.settings import read_settings
from reuse_api.wiring import open_vault
from tests.conftest import Template
from vault import outbox
from vault.entries import stamp
from vault.tables import outbox as outbox_rows

Told = Callable[..., str]


@pytest.fixture
def told(vault_settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Run a command and give what it said on stdout, or on stderr where it is to fail by `err`."""
    monkeypatch.setenv("KHO_SEARCH", f"tantivy:{vault_settings / 'index'}")

    def telling(lang: str, *arguments: str, ends: int = Ending.DONE, err: bool = False) -> str:
        assert run([*arguments, "--lang", lang]) == ends
        out, wrong = capsys.readouterr()
        return wrong if err else out

    return telling


def test_a_migrated_database_and_a_built_index(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    for phase in ("all", "pre"):
        assert "phiên bản mới nhất" in told("vi", "migrate", "--phase", phase)
        assert "the newest version" in told("en", "migrate", "--phase", phase)
    assert re.fullmatch(r"đã lập chỉ mục \d+ giấy tờ\n", told("vi", "reindex"))
    assert re.fullmatch(r"\d+ documents indexed\n", told("en", "reindex"))
    monkeypatch.setenv("KHO_SEARCH", "none")
    for lang, words in (("vi", "không có chỉ mục"), ("en", "there is no index")):
        assert words in told(lang, "reindex", ends=Ending.FAILED, err=True)


def test_what_could_not_be_done_and_is_tried_again(told: Told) -> None:
    assert told("vi", "dead-letters") == "0 việc không làm được\n"
    given_up()
    for lang, words in (("vi", "20 lần thử\n1 việc không làm được"), ("en", "20 attempts\n1 dead letters")):
        line = told(lang, "dead-letters", ends=Ending.FAILED)
        assert line.startswith("2026-03-02T06:30:00+07:00  index  rec-1  index_failed  "), line
        assert words in line
    assert "1 việc được làm lại" in told("vi", "dead-letters", "--replay")
    given_up()
    assert "1 tried again" in told("en", "dead-letters", "--replay")


def given_up() -> None:
    """Have one change of the index given up at half past six in Ha Noi."""
    at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)

    async def put() -> None:
        async with open_vault(read_settings()) as vault, vault.db.write() as db:
            await outbox.add(db, outbox.INDEX, ["rec-1"], at)
            dead = {"dead_at": stamp(at), "attempts": 20, "reason": "index_failed"}
            mine = outbox_rows.update().where(outbox_rows.c.subject == "rec-1")
            await db.execute(mine.values(**dead))

    asyncio.run(put())


def test_a_verdict_found_again(told: Told, template: Template) -> None:
    again = ["revalidate", "--repeat", template.daughters]
    assert "báo cáo 1: như cũ: chữ ký số hợp lệ -> chữ ký số hợp lệ" in told("vi", *again)
    assert "report 1: the same: valid -> valid" in told("en", *again)
    for lang, words in (("vi", "chỉ dùng cùng --repeat"), ("en", "only with --repeat")):
        alone = ["revalidate", "--report", "1"]
        assert words in told(lang, *alone, ends=Ending.WRONG_COMMAND_LINE, err=True)
    one = ["revalidate", "--record", template.daughters]
    assert "chữ ký số hợp lệ -> chữ ký số hợp lệ" in told("vi", *one)
    assert "đã xét lại 1" in told("vi", *one) and "1 judged again" in told("en", *one)


def test_a_report_that_was_not_written(told: Told, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(b"<?xml version='1.0'?><a/>")
    check = ["verify", "document", str(tmp_path / "a.xml"), "--etsi", str(tmp_path / "report.xml")]
    for lang, words in (("vi", "không ghi tệp"), ("en", "was not written")):
        assert words in told(lang, *check, ends=Ending.UNDETERMINED, err=True)
    later = ["verify", "document", str(tmp_path / "a.xml"), "--at", "2999-01-01"]
    for lang, words in (("vi", "chưa tới lúc đó"), ("en", "not that late yet")):
        assert words in told(lang, *later, ends=Ending.WRONG_COMMAND_LINE, err=True)
    later[-1] = "soon"
    for lang, words in (("vi", "cần một thời điểm"), ("en", "expected a time")):
        assert words in told(lang, *later, ends=Ending.WRONG_COMMAND_LINE, err=True)


def test_work_says_what_it_does_until_it_is_stopped(vault_settings: Path) -> None:
    kho = str(Path(sys.executable).with_name("kho"))
    with subprocess.Popen(
        [kho, "work", "--lang", "vi"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"KHO_SEARCH": "none"},
    ) as working:
        assert working.stdout is not None
        try:
            assert "dừng bằng Ctrl-C" in working.stdout.readline()
        finally:
            working.send_signal(signal.SIGTERM)
        assert working.stdout.read() == "đã dừng\n"
    assert working.returncode == 0
