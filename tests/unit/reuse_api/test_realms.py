"""What the settings make of a realm: credentials kept close, levels and second factors judged."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reuse_api.realms import realms_of
from reuse_api.settings import Settings, SettingsInvalid
from vault.assertions import new_caller_key, public_jwk
from vault.id_tokens import IdToken


def settings(credentials: Path, realm: str = "citizens", **more: object) -> Settings:
    said = {
        f"{realm}_provider": "https://login.example",
        f"{realm}_client": "kho",
        f"{realm}_credentials": credentials,
    }
    return Settings(**(said | more))


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "credentials"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666])
def test_credentials_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SettingsInvalid, match="KHO_CITIZENS_CREDENTIALS: others can reach that file"):
        realms_of(settings(written(tmp_path, "secret\n", mode)))


@pytest.mark.parametrize("text", ["", "\n", "{", '{"kty": "oct", "k": "AAAA"}', "é"])
def test_credentials_that_are_none_are_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"^KHO_CITIZENS_CREDENTIALS: ") as caught:
        realms_of(settings(written(tmp_path, text)))
    assert "AAAA" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        realms_of(settings(tmp_path / "none"))


def test_a_secret_or_a_private_key_proves_us_and_is_never_shown(tmp_path: Path) -> None:
    held = realms_of(settings(written(tmp_path, "very secret\nmore\n")))["citizens"]
    assert held.credentials.secret == "very secret" and "very secret" not in repr(held)
    key = new_caller_key()
    held = realms_of(settings(written(tmp_path, json.dumps(key)), "staff"))["staff"]
    assert held.credentials.key == key and key["d"] not in repr(held)
    with pytest.raises(SettingsInvalid, match="no private JWK"):
        realms_of(settings(written(tmp_path, json.dumps(public_jwk(key))), "staff"))


def token(acr: str | None = None, *amr: str, **claims: object) -> IdToken:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    return IdToken("https://login.example", "s", at, acr, frozenset(amr), None, claims)


def test_levels_are_judged_by_the_lists_of_the_settings(tmp_path: Path) -> None:
    rules = realms_of(settings(written(tmp_path, "s")))["citizens"]
    assert [rules.assurance(token(acr)) for acr in ("LoA1", "LoA2", "LoA3", None)] == [
        "basic",
        "high",
        None,
        None,
    ]
    assert rules.assurance(token(None, loAs="LoA2")) == "high"
    assert rules.assurance(token(None, loAs=["LoA1", "LoA2"])) is None, "which one was it?"
    assert (rules.asked(high=False), rules.asked(high=True)) == (("LoA1",), ("LoA2",))
    any_level = realms_of(settings(written(tmp_path, "s"), citizens_acr="", citizens_acr_high=""))["citizens"]
    assert any_level.assurance(token()) == "high", "then a fresh authentication is all there is to ask for"


def test_a_second_factor_is_one_of_the_alternatives(tmp_path: Path) -> None:
    rules = realms_of(settings(written(tmp_path, "s"), "staff", staff_amr="mfa pwd+otp"))["staff"]
    assert rules.second_factor(token(None, "mfa")) and rules.second_factor(token(None, "otp", "pwd", "x"))
    assert not any(rules.second_factor(token(None, *one)) for one in ((), ("pwd",), ("otp",)))
