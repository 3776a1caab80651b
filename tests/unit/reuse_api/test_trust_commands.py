"""`kho import trusted-list` and `kho revalidate`: whom we trust, and judging again by it."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from reuse_api.__main__ import run
from reuse_api.commands.ending import Ending
from signing.trust_folder import TrustFolder
from tests.servers.pki import Pki
from tests.servers.trusted_lists import CA, GRANTED, Service, signed_list, trusted_list


@pytest.fixture
def national(tmp_path: Path) -> Path:
    """A signed list, and beside it the operator's certificate and a stranger's."""
    pki = Pki()
    operator, since = pki.seal("Operator"), pki.at - timedelta(days=1)
    times = {"issued": since, "following": pki.at + timedelta(days=90)}
    content = trusted_list([Service(pki.root, CA, "Gốc", [(since, GRANTED)])], sequence=3, **times)
    (tmp_path / "list.xml").write_bytes(signed_list(content, operator))
    (tmp_path / "operator.pem").write_bytes(operator.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "stranger.der").write_bytes(pki.seal("Stranger").certificate.public_bytes(Encoding.DER))
    (tmp_path / "trust").mkdir()
    return tmp_path


def test_a_list_is_imported_if_the_named_operator_signed_it(
    national: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["import", "trusted-list", str(national / "list.xml"), "--into", str(national / "trust")]
    assert run(command) == Ending.WRONG_COMMAND_LINE, "neither a signer nor told to do without"
    assert run([*command, "--signer", str(national / "list.xml")]) == Ending.WRONG_COMMAND_LINE
    assert run([*command, "--signer", str(national / "stranger.der")]) == Ending.FAILED
    assert "signature_wrong" in capsys.readouterr().err
    assert TrustFolder(national / "trust").current().anchors == ()
    assert run([*command, "--signer", str(national / "operator.pem")]) == Ending.DONE
    assert "1 new, 0 changed, 0 unchanged" in capsys.readouterr().out
    assert run([*command, "--unsigned"]) == Ending.DONE
    assert "0 new, 0 changed, 1 unchanged" in capsys.readouterr().out
    (anchor,) = TrustFolder(national / "trust").current().anchors
    assert (anchor.purpose, anchor.label_vi) == ("public", "Nhà cung cấp - Gốc")


def test_documents_whose_anchor_is_gone_are_judged_again_by_command(
    folder: Path, template: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"DATABASE": "rows.db", "KEYS": "keys", "LOG_FOLDER": "log", "SCRATCH": "scratch"}
    for name, place in places.items():
        monkeypatch.setenv(f"KHO_{name}", str(folder / place))
    monkeypatch.setenv("KHO_STORE", f"folder:{folder / 'blobs'}")
    (folder / "keys" / "authority").rename(folder / "away")
    assert run(["revalidate"]) == Ending.DONE
    told = capsys.readouterr().out
    assert len(re.findall(r": undetermined -> undetermined signer_not_trusted$", told, re.M)) == 3, told
    (folder / "away").rename(folder / "keys" / "authority")
    assert run(["revalidate", "--record", template.daughters]) == Ending.DONE
    assert f"{template.daughters}: undetermined -> valid" in capsys.readouterr().out
    again = ["revalidate", "--repeat", template.daughters]
    assert run([*again, "--report", "2"]) == Ending.DONE
    assert "report 2: the same: undetermined -> undetermined" in capsys.readouterr().out
    assert run(again) == Ending.DONE
    assert "report 3: the same: valid -> valid" in capsys.readouterr().out
    assert run([*again, "--report", "9"]) == Ending.FAILED
    assert run([*again, "--record", "x"]) == Ending.WRONG_COMMAND_LINE
    assert run(["revalidate", "--report", "1"]) == Ending.WRONG_COMMAND_LINE
