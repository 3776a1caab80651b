"""`kho sign`, `gate`, `seal`, `keys split`: what is set wrongly is said before anything is begun."""

from pathlib import Path

import pytest

from reuse_api.__main__ import run
from reuse_api.commands.ending import Ending

GIVEN = {"SIGNER": "unix:/run/kho/sign", "GATE": "unix:/run/kho/gate", "SEALER": "unix:/run/kho/seal"}
SERVER = {"DATABASE": "postgresql+asyncpg://kho@/kho"}


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["sign"], {}, "KHO_SIGNER says where to listen"),
        (["gate"], {"SIGNER": GIVEN["SIGNER"]}, "KHO_GATE says where to listen"),
        (["seal"], {}, "KHO_SEALER says where to listen"),
        (["sign"], {"SIGNER": "tcp:127.0.0.1:1"}, "KHO_SIGNER: expected"),
        (["sign"], {"SIGNER": f"unix:/{'x' * 100}"}, "KHO_SIGNER: the path of a socket"),
        (
            ["sign"],
            {"SIGNER": GIVEN["SIGNER"], "PEERS": "nobody-of-that-name"},
            "KHO_PEERS: there is no user",
        ),
        (["gate"], {"GATE": GIVEN["GATE"], "LOG_KEY": "a line"}, "KHO_LOG_KEY: expected"),
        (["work"], SERVER | {"GATE": GIVEN["GATE"]}, "KHO_SIGNER is needed too"),
        (["work"], SERVER | GIVEN | {"SEALER": ""}, "KHO_SEALER is needed too"),
        (["work"], GIVEN, "several processes need PostgreSQL"),
    ],
)
def test_a_wrong_setting_ends_it_at_once(
    setting: None,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    settings: dict[str, str],
    said: str,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"KHO_{name}", value)
    if arguments == ["work"]:
        arguments = [*arguments, "--lang", "en"]
    assert run(arguments) == Ending.WRONG_COMMAND_LINE
    assert said in capfd.readouterr().err
    assert list(Path.cwd().iterdir()) == []


def test_keys_of_rows_in_a_file_are_not_split(setting: None, capfd: pytest.CaptureFixture[str]) -> None:
    folders = [f"--{part}=keys/{part}" for part in ("sign", "gate", "seal")]
    assert run(["keys", "split", *folders, "--lang", "en"]) == Ending.FAILED
    assert "several need PostgreSQL" in capfd.readouterr().err
    assert run(["migrate", "--create", "--lang", "en"]) == Ending.FAILED
    assert "--create is for rows in PostgreSQL" in capfd.readouterr().err
    assert list(Path.cwd().iterdir()) == []
