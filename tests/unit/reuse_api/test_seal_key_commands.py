"""`kho seal-key`: what is registered seals, what cannot seal is refused, and no secret is written down."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from reuse_api.__main__ import run
from reuse_api.commands.ending import Ending
from signing.keys_file import FileKey, write_private_file
from tests.servers import softhsm
from tests.servers.csc_server import CLIENT, SECRET, CscServer, Held
from tests.servers.pki import Pki
from vault.seal_keys import SealKeys

NAME = "Ủy ban nhân dân xã Hoà Thắng"


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


@pytest.fixture
def house(tmp_path: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of keys, and one of trust; gives the folder of keys."""
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "trust" / "public").mkdir(parents=True)
    (tmp_path / "trust" / "public" / "root.pem").write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("KHO_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("KHO_TRUST", str(tmp_path / "trust"))
    return tmp_path / "keys"


def secret(folder: Path, name: str, text: str) -> str:
    write_private_file(folder / name, text.encode() + b"\n")
    return str(folder / name)


def pem(folder: Path, pki: Pki, *, usages: tuple[str, ...] = ("content_commitment",)) -> str:
    holder = pki.seal(NAME, usages=usages)
    FileKey(holder.private, holder.chain).to_pem(folder / "seal.pem", b"open it")
    return str(folder / "seal.pem")


def test_a_key_in_a_file_is_checked_and_kept_under_our_passphrase(
    house: Path, pki: Pki, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opens = ["--passphrase-file", secret(tmp_path, "opens", "open it")]
    added = ["seal-key", "add-file", "H26.14.02", pem(tmp_path, pki)]
    assert run([*added, "--passphrase-file", secret(tmp_path, "wrong", "no")]) == Ending.FAILED
    assert run(added) == Ending.FAILED, "it needs its passphrase"
    assert run([*added, *opens]) == Ending.DONE
    assert f"H26.14.02: a file key of CN={NAME}" in capsys.readouterr().out
    assert run(["seal-key", "add-file", "H27", *added[3:], *opens, "--lang", "vi"]) == Ending.DONE
    assert f"H27: từ nay ký bằng khóa trong tệp của CN={NAME}" in capsys.readouterr().out
    assert run([*added, *opens]) == Ending.FAILED, "a key is never overwritten"
    assert "already" in capsys.readouterr().err
    assert SealKeys(house / "seal").open("H26.14.02").subject.startswith(f"CN={NAME},")
    assert run(["seal-key", "list"]) == Ending.DONE
    told = capsys.readouterr().out
    assert "H26.14.02  file  sha256_ecdsa  until" in told and f"  CN={NAME}, " in told
    assert "2.5.4.97" not in told
    assert run(["seal-key", "list", "--lang", "vi"]) == Ending.DONE
    assert "sha256_ecdsa  đến " in capsys.readouterr().out
    (house / "seal.passphrase").write_text("another\n")
    assert run(["seal-key", "list"]) == Ending.FAILED
    assert "H26.14.02  BROKEN  seal_key_refused" in capsys.readouterr().out


def test_a_key_that_cannot_seal_is_not_kept(
    house: Path, pki: Pki, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opens = ["--passphrase-file", secret(tmp_path, "opens", "open it")]
    path = pem(tmp_path, pki, usages=("digital_signature",))
    assert run(["seal-key", "add-file", "H26", path, *opens]) == Ending.FAILED
    assert "key usage" in capsys.readouterr().err
    assert not (house / "seal").exists()
    for anchor in (tmp_path / "trust" / "public").iterdir():
        anchor.unlink()
    assert run(["seal-key", "add-file", "H26", path, *opens]) == Ending.WRONG_COMMAND_LINE
    assert "KHO_TRUST" in capsys.readouterr().err


def test_a_key_in_a_token_is_registered_without_its_pin(house: Path, pki: Pki, tmp_path: Path) -> None:
    place, public = softhsm.make_key("commands", "p256")
    (tmp_path / "chain.pem").write_bytes(_pems(pki.issue_for(public, NAME)))
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    (tmp_path / "other.pem").write_bytes(_pems(pki.issue_for(stranger, NAME)))

    def added(chain: str) -> list[str]:
        said = ["seal-key", "add-token", "H26", str(tmp_path / chain), "--module", str(place.module)]
        return [*said, "--token", place.token, "--key-label", "commands", "--pin-file", str(tmp_path / "pin")]

    secret(tmp_path, "pin", softhsm.PIN)
    assert run(added("other.pem")) == Ending.FAILED, "the certificate is another key's"
    assert run(added("chain.pem")) == Ending.DONE
    assert SealKeys(house / "seal").kinds() == {"pkcs11": 1}
    assert softhsm.PIN not in "".join(one.read_text("latin-1") for one in (house / "seal").iterdir())


@pytest.fixture
def service(pki: Pki) -> Iterator[CscServer]:
    with CscServer() as server:
        holder = pki.seal(NAME)
        server.credentials["c1"] = Held(holder.private, holder.chain)
        yield server


def test_a_remote_key_is_found_and_registered_without_our_secret(
    house: Path, tmp_path: Path, service: CscServer, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["seal-key", "add-remote", "H26", service.base, "--client-id", CLIENT]
    wrong = secret(tmp_path, "wrong", "no")
    assert run([*said, "--secret-file", wrong]) == Ending.FAILED
    said += ["--secret-file", secret(tmp_path, "secret", SECRET)]
    service.credentials["c1"].status = "disabled"
    assert run(said) == Ending.FAILED
    assert "disabled" in capsys.readouterr().err
    service.credentials["c1"].status = "enabled"
    assert run(said) == Ending.DONE
    assert len(service.done.signatures) == 1, "it was tried"
    assert SECRET not in "".join(one.read_text("latin-1") for one in (house / "seal").iterdir())
    service.credentials["c2"] = service.credentials["c1"]
    assert run([*said[:2], "H27", *said[3:]]) == Ending.FAILED
    assert "name one with --credential; the service knows c1, c2" in capsys.readouterr().err
    assert run([*said[:2], "H27", *said[3:], "--lang", "vi"]) == Ending.FAILED
    assert "hãy nêu một mã bằng --credential; dịch vụ có: c1, c2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"specs": "1.0.4.0"}, "version 2 is needed"),
        ({"authType": ["basic", "oauth2code"]}, "takes no client credentials"),
        (
            {"methods": ["info", "credentials/list", "credentials/info"]},
            "has no credentials/authorize, signatures",
        ),
        ({"oauth2": None, "oauth2Issuer": "https://auth.example"}, "where its tokens are given"),
        ({"oauth2": "http://auth.example"}, "where the signing service gives tokens: only https"),
        ({"oauth2": "file:///etc"}, "where the signing service gives tokens: expected"),
    ],
)
def test_a_remote_service_that_cannot_be_used_is_refused_before_it_hears_our_secret(
    house: Path,
    tmp_path: Path,
    service: CscServer,
    capsys: pytest.CaptureFixture[str],
    said: dict[str, object],
    words: str,
) -> None:
    service.info = said
    asked = ["seal-key", "add-remote", "H26", service.base, "--client-id", CLIENT, "--credential", "c1"]
    assert run([*asked, "--secret-file", secret(tmp_path, "secret", SECRET)]) == Ending.FAILED
    assert words in capsys.readouterr().err
    assert service.done.tokens == 0 and {one.path for one in service.asked} == {"/csc/v2/info"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"auth": {"mode": "oauth2code"}}, "authorised by oauth2code, which needs a person"),
        ({"auth": {"mode": "explicit", "objects": [{"id": "PIN"}, {"id": "OTP"}]}}, "wants PIN, OTP"),
        ({"pin": "4711"}, "--pin-file"),
        ({"scal": "3"}, "SCAL 3"),
    ],
)
def test_a_credential_that_cannot_be_used_is_refused_before_it_signs(
    house: Path,
    tmp_path: Path,
    service: CscServer,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    words: str,
) -> None:
    service.credentials["c1"] = replace(service.credentials["c1"], **changes)  # type: ignore[arg-type]
    asked = ["seal-key", "add-remote", "H26", service.base, "--client-id", CLIENT]
    assert run([*asked, "--secret-file", secret(tmp_path, "secret", SECRET)]) == Ending.FAILED
    assert words in capsys.readouterr().err
    assert service.done.authorised == 0


def test_a_service_that_lists_no_credentials_is_asked_about_the_one_that_is_named(
    house: Path, tmp_path: Path, service: CscServer, capsys: pytest.CaptureFixture[str]
) -> None:
    service.info = {"methods": ["info", "credentials/info", "credentials/authorize", "signatures/signHash"]}
    asked = ["seal-key", "add-remote", "H26", service.base, "--client-id", CLIENT]
    asked += ["--secret-file", secret(tmp_path, "secret", SECRET)]
    assert run(asked) == Ending.FAILED
    assert "has no credentials/list" in capsys.readouterr().err
    assert run([*asked, "--credential", "c1"]) == Ending.DONE


def test_a_remote_service_without_tls_is_not_called(
    house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["--client-id", CLIENT, "--secret-file", secret(tmp_path, "secret", SECRET), "--credential", "c"]
    assert run(["seal-key", "add-remote", "H26", "http://signing.example/csc/v2", *said]) == Ending.FAILED
    assert "https" in capsys.readouterr().err


def _pems(chain: list[bytes]) -> bytes:
    return b"".join(load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in chain)
