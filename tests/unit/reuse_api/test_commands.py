"""The command `kho`: exit statuses, numbered steps, one clear line for what cannot be done."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from reuse_api.__main__ import COMMANDS, run
from reuse_api.commands import upkeep
from reuse_api.commands.speaking import spoken_language
from reuse_api.settings import Settings, variable
from signing.checkpoint import LogKey
from signing.growth import make_growth
from signing.leaf import PARTS, Kind, Parts, make_leaf, new_seed, opening
from signing.merkle import Tree, leaf_hash
from signing.receipt import make_receipt
from tests.servers.pki import Pki


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def signal_as_it_was() -> Iterator[None]:
    """`serve` listens to SIGTERM for its whole process, which here is that of all tests."""
    at_sigterm = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, at_sigterm)


@pytest.fixture(scope="module")
def key() -> LogKey:
    return LogKey.new("kho.test/log")


@pytest.fixture
def receipt(tmp_path: Path, key: LogKey) -> Path:
    parts = Parts(
        subject={"owners": ["own-1"]},
        actor={"agency": "H26"},
        purpose={},
        basis={},
        event={"type": "plan_asked", "result": "permitted"},
    )
    seed = new_seed()
    leaf = make_leaf(Kind.PLAN_ASKED, parts, seed)
    tree = Tree([leaf_hash(bytes([1]) * 34), leaf_hash(leaf)])
    text = make_receipt(
        leaf=leaf,
        index=1,
        proof=tree.inclusion(1),
        checkpoint=key.sign_checkpoint(2, tree.root()),
        opening=opening(parts, seed, leaf, PARTS),
    )
    file = tmp_path / "receipt.tlog-proof"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_receipt_is_checked_in_numbered_steps(
    receipt: Path, key: LogKey, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", "receipt", str(receipt), "--log-key", key.verifier_line()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:2] for line in lines[:5]] == ["1.", "2.", "3.", "4.", "5."]
    assert all("PASSED" in line for line in lines[:5])
    assert lines[-1] == "Outcome: VALID"


def test_the_steps_are_told_in_vietnamese(
    receipt: Path, key: LogKey, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    assert run(["verify", "receipt", str(receipt), "--log-key", key.verifier_line()]) == 0
    told = capsys.readouterr().out
    assert told.startswith("1. Biên nhận đúng dạng: ĐẠT")
    assert told.endswith("Kết luận: HỢP LỆ\n")
    assert run(["verify", "receipt", str(receipt), "--log-key", key.verifier_line(), "--lang", "en"]) == 0
    assert capsys.readouterr().out.endswith("Outcome: VALID\n")


def test_without_the_logs_key_nothing_is_proven(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "receipt", str(receipt)]) == 2
    assert "2. The checkpoint is signed by the log's key: NOT DECIDED" in capsys.readouterr().out


def test_the_key_line_may_stand_in_a_file(receipt: Path, key: LogKey, tmp_path: Path) -> None:
    line = tmp_path / "key"
    line.write_text(f"{key.verifier_line()}\n")
    assert run(["verify", "receipt", str(receipt), "--log-key", f"@{line}"]) == 0
    assert run(["verify", "receipt", str(receipt), "--log-key", "@nowhere"]) == 64


def test_another_logs_key_fails_the_second_step(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = LogKey.new("kho.test/log").verifier_line()
    assert run(["verify", "receipt", str(receipt), "--log-key", other]) == 1
    assert "2. The checkpoint is signed by the log's key: FAILED" in capsys.readouterr().out


def test_a_changed_receipt_is_invalid(receipt: Path, key: LogKey) -> None:
    content = bytearray(receipt.read_bytes())
    content[len(content) // 2] ^= 1
    receipt.write_bytes(bytes(content))
    assert run(["verify", "receipt", str(receipt), "--log-key", key.verifier_line()]) == 1


@pytest.mark.parametrize(("changed", "status", "failed"), [(False, 0, []), (True, 1, ["4."])])
def test_the_growth_of_a_log_is_checked_against_the_checkpoint_kept(
    key: LogKey,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: bool,
    status: int,
    failed: list[str],
) -> None:
    before = Tree(leaf_hash(bytes([number])) for number in range(5))
    after = Tree(leaf_hash(bytes([number + changed])) for number in range(9))
    (tmp_path / "kept").write_text(key.sign_checkpoint(5, before.root()))
    newer = key.sign_checkpoint(9, after.root())
    (tmp_path / "growth").write_text(make_growth(5, after.consistency(5), newer))
    asked = ["verify", "growth", "growth", "--since", "kept", "--log-key", key.verifier_line()]
    assert run(asked) == status
    lines = capsys.readouterr().out.splitlines()
    assert [line[:2] for line in lines if "FAILED" in line] == failed
    assert len(lines) == 5 and run([*asked, "--lang", "vi"]) == status
    assert "Nhật ký chỉ dài thêm" in capsys.readouterr().out


def test_what_a_receipt_proves_can_be_shown(
    receipt: Path, key: LogKey, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", "receipt", str(receipt), "--log-key", key.verifier_line(), "--parts"]) == 0
    assert '"agency": "H26"' in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["verify"],
        ["verify", "nonsense"],
        ["verify", "receipt"],
        ["verify", "receipt", "no-such-file"],
        ["verify", "receipt", ".", "--log-key", "x"],
        ["verify", "log", "no-such-folder"],
        ["verify", "document", "no-such-file"],
        ["token"],
        ["token", "--key", "no-such-file"],
        ["serve", "--port", "1"],
        ["demo", "--port", "99999"],
        ["demo", "--lang", "fr"],
    ],
)
def test_a_wrong_command_line_is_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 64
    assert "Traceback" not in capsys.readouterr().err


def test_a_key_line_that_is_none_is_64(receipt: Path) -> None:
    assert run(["verify", "receipt", str(receipt), "--log-key", "no key line"]) == 64


def test_a_wrong_setting_is_64_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KHO_STROE", "folder:x")
    assert run(["inspect"]) == 64
    assert capsys.readouterr().err.startswith("kho: KHO_STROE is no setting of Kho")


def test_the_demo_refuses_a_setting_that_is_none_and_makes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("KHO_NONSENSE", "1")
    assert run(["demo", "--once", "--port", "0"]) == 64
    told = capsys.readouterr()
    assert told.err.splitlines()[0].startswith("kho: KHO_NONSENSE is no setting of Kho")
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("arguments", [["serve", "--listen", "127.0.0.1:0"], ["migrate"], ["inspect"]])
def test_where_there_is_no_vault_one_line_says_so(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(arguments) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith("kho: there is no ")
    assert not (tmp_path / "var").exists(), "looking makes nothing"


def test_an_error_of_ours_is_70(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("this cannot be")

    monkeypatch.setattr(upkeep, "read_settings", broken)
    assert run(["inspect"]) == 70


def test_help_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert run(["serve", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(variable(name) in told for name in Settings.model_fields), "every setting is told"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "vi_VN", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB", "LC_MESSAGES": "vi"}, "vi"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_locale_decides_where_nothing_was_asked(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert spoken_language(None) == expected
    assert spoken_language("vi") == "vi"


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(100)


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (JPEG, "not_a_pdf", "a JPEG picture, no PDF, 111 bytes"),
        (b"<html><script>1</script></html>", "not_a_pdf", "a web page (HTML), no PDF"),
        (b"", "empty", "The file is empty."),
        (b"%PDF-1.7\nnothing", "unreadable", "a PDF, 16 bytes"),
    ],
)
def test_a_file_refused_before_it_is_examined_ends_with_3_and_says_what_it_is(
    content: bytes, code: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_bytes(content)
    assert run(["verify", "document", "file", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in told["reasons"]] == ["not_examined", code]
    assert told["refusal"]["code"] == code and told["steps"][0]["passed"] is None
    assert line in "; ".join(told["steps"][0]["details"]["en"])


def test_a_file_that_is_too_large_is_not_even_hashed(capsys: pytest.CaptureFixture[str]) -> None:
    with open("file", "wb") as file:
        file.truncate(50 * 2**20 + 1)
    assert run(["verify", "document", "file", "--lang", "vi"]) == 3
    told = capsys.readouterr().out
    assert "52.428.801 byte" in told and "Tệp lớn hơn 50 MiB." in told and "SHA-256" not in told


@pytest.mark.parametrize(
    "asked",
    [
        ["verify", "document", "pipe"],
        ["verify", "document", "/dev/zero"],
        ["verify", "document", "file", "--signature", "pipe"],
        ["verify", "receipt", "pipe"],
        ["verify", "growth", "file", "--since", "pipe"],
        ["import", "trusted-list", "pipe", "--into", ".", "--unsigned"],
        ["import", "trusted-list", "file", "--into", ".", "--signer", "pipe"],
        ["import", "catalogue", "pipe"],
        ["token", "--key", "pipe"],
    ],
)
def test_only_regular_files_are_read_and_nobody_waits_for_others(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo("pipe")
    Path("file").write_bytes(b"x")
    assert run([*asked, "--lang", "vi"]) == 64
    assert "không phải tệp thường" in capsys.readouterr().err


def test_a_broken_file_of_the_folder_of_trust_is_told_of_and_the_others_count(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("trust/public").mkdir(parents=True)
    Path("trust/public/broken.pem").write_bytes(b"x")
    Path("trust/public/root.der").write_bytes(Pki().roots[0])
    Path("file").write_bytes(JPEG)
    assert run(["verify", "document", "file", "--trust", "trust"]) == 3
    assert "public/broken.pem: it is not exactly one certificate" in capsys.readouterr().err


def test_the_list_of_commands_loads_nothing_that_it_does_not_show() -> None:
    code = (
        "import sys; from reuse_api.__main__ import COMMANDS, run; assert run(['--help']) == 0; "
        "heavy = {'fastapi', 'sqlalchemy', 'pyhanko', 'uvicorn', 'aiohttp', 'minio', 'elasticsearch'}; "
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("serve", "demo", "migrate", "verify", "seal-key"):
        assert f"\n  {name} " in done.stdout
    for name, command in COMMANDS.items():
        if not command.group:
            told = getattr(
                import_module(f"reuse_api.commands.{command.module}"), name.replace("-", "_")
            ).__doc__
            assert told.splitlines()[0] == command.help, "its line in the list is what it says of itself"
