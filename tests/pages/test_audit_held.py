"""The log held to a checkpoint that an auditor kept, on its page over plain HTTP."""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from signing.checkpoint import LogKey
from tests.pages.desk import entries, hidden
from tests.pages.test_audit_uses import HOSTILE, at_audit


@pytest.fixture
def auditor(told: Any) -> Iterator[httpx.Client]:
    with at_audit(told) as client:
        yield client


def _held(client: httpx.Client, kept: str) -> httpx.Response:
    form = hidden(client.get("/audit/log").text, "/audit/log")
    return client.post("/audit/log", data=form | {"kept": kept})


def test_the_log_is_held_to_a_kept_checkpoint(auditor: httpx.Client, told: Any) -> None:
    kept = auditor.get("/log/checkpoint").text
    auditor.get("/audit?find=1")
    before = entries(told)
    for pasted in (kept, kept.strip().replace("\n", "\r\n"), f"\n  {kept}"):
        answer = _held(auditor, pasted)
        assert answer.status_code == 200 and 'role="alert"' not in answer.text
        assert "Khớp: nhật ký" in answer.text and "Chữ ký của khóa nhật ký này là đúng" in answer.text
    assert entries(told) == before, "nothing secret is looked at"
    with at_audit(told, "en") as other:
        assert "It agrees: the log of" in _held(other, kept).text


def test_a_checkpoint_that_was_changed_or_of_another_log_does_not_agree(
    auditor: httpx.Client, told: Any
) -> None:
    name, number, root, rest = auditor.get("/log/checkpoint").text.split("\n", 3)
    other, key = b64encode(os.urandom(32)).decode(), LogKey.new(name)
    strange = key.sign_checkpoint(int(number), b64decode(root))
    for kept, said in (
        ("\n".join((name, number, other, rest)), "Không khớp: ở cỡ"),
        ("\n".join((name, "99999999", root, rest)), "Không khớp: điểm kiểm có 99999999 mục"),
        (strange, "Khớp: nhật ký"),
    ):
        answer = _held(auditor, kept)
        assert answer.status_code == 200
        assert said in answer.text and "Không có chữ ký đúng" in answer.text
        assert answer.text.count('role="alert"') == 1


@pytest.mark.parametrize("kept", ["", "  ", "x", HOSTILE, "a\n5\nAAAA\n\n— a AAAAAAAA\n", "é\n" * 9000])
def test_what_is_no_checkpoint_is_told_at_its_field(auditor: httpx.Client, kept: str) -> None:
    answer = _held(auditor, kept)
    assert answer.status_code == 422
    assert 'id="kept-error"' in answer.text and "<script>alert" not in answer.text
