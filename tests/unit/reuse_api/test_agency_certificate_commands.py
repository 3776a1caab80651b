"""`kho agency-certificate`: registered, listed and ended at the command line, in both languages."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from reuse_api.__main__ import run
from reuse_api.commands.ending import Ending
from reuse_api.demo.people import COMMUNE
from tests.conftest import Template


@pytest.mark.parametrize(
    ("lang", "added", "line", "ended", "unreadable", "unknown"),
    [
        (
            "vi",
            "đã đăng ký",
            "đến hết 2026-06-30",
            "sau ngày 30/06/2026",
            "Không đọc được",
            "không có cơ quan",
        ),
        ("en", "is registered", "to the end of 2026-06-30", "until 2026-06-30", "not exactly", "no agency"),
    ],
)
def test_registered_listed_and_ended(
    vault_settings: Path,
    template: Template,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    lang: str,
    added: str,
    line: str,
    ended: str,
    unreadable: str,
    unknown: str,
) -> None:
    key = template.authority.issue_seal_key("Một con dấu khác", COMMUNE.code)
    file = tmp_path / "seal.pem"
    file.write_bytes(load_der_x509_certificate(key.certificates[0]).public_bytes(Encoding.PEM))

    def told(*arguments: str, ends: Ending = Ending.DONE) -> str:
        assert run(["agency-certificate", *arguments, "--lang", lang]) == ends
        out, err = capsys.readouterr()
        return err if ends else out

    adding = ["add", COMMUNE.code, str(file), "--reason", "Công văn 12", "--from", "2026-01-01"]
    assert added in told(*adding)
    (shown,) = [one for one in told("list", COMMUNE.code).splitlines() if "Một con dấu khác" in one]
    sha256 = shown.split()[1]
    assert told("list") != "" and told("list", "H99.99") == ""
    ending = ["--until", "2026-06-30", "--reason", "Mất khóa"]
    assert ended in told("end", COMMUNE.code, sha256, *ending)
    assert line in told("list", COMMUNE.code)
    assert told(*adding, ends=Ending.FAILED) != "", "it is the agency's already"
    assert unknown in told("end", COMMUNE.code, "0" * 64, *ending, ends=Ending.FAILED)
    assert unknown in told("add", "H99.99", *adding[2:], ends=Ending.FAILED)
    file.write_text("nothing")
    assert unreadable in told(*adding, ends=Ending.FAILED)
