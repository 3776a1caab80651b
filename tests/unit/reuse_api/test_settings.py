"""Settings are read once, documented, and refused in one clear line when they cannot be meant."""

import pytest

from reuse_api.realms import realms_of, rules_of
from reuse_api.settings import Settings, SettingsInvalid, read_settings, variable


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_without_any_variable_everything_has_a_value() -> None:
    settings = read_settings()
    assert settings.database == "var/kho/rows.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.address == "http://127.0.0.1:8080"
    assert settings.trust is None
    assert settings.demo_sign_in is False


def test_the_environment_decides_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHO_DATABASE", "/srv/kho/rows.db")
    monkeypatch.setenv("KHO_LISTEN", "[::1]:9000")
    monkeypatch.setenv("KHO_ISSUER", "https://kho.example/")
    settings = read_settings(listen="127.0.0.1:0", store=None)
    assert settings.database == "/srv/kho/rows.db"
    assert settings.port == 0
    assert settings.address == "https://kho.example"
    assert settings.store == "folder:var/kho/blobs"
    assert read_settings().host == "::1"


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHO_DATABSE", "/srv/kho/rows.db")
    with pytest.raises(SettingsInvalid, match=r"KHO_DATABSE is no setting of Kho; known are .*KHO_DATABASE"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("store", "s3://secret@somewhere/bucket"),
        ("store", "folder:"),
        ("listen", "8080"),
        ("listen", "127.0.0.1:99999"),
        ("issuer", "kho.example"),
        ("search", "elastic"),
        ("search", "ftp://u:secret@host"),
        ("body_limit", "12"),
        ("demo_sign_in", "perhaps"),
    ],
)
def test_a_wrong_value_names_its_variable_and_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(variable(name), value)
    with pytest.raises(SettingsInvalid) as caught:
        read_settings()
    assert str(caught.value).startswith(variable(name) + ": ")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "192.0.2.7:8080", "[::]:8080", "kho.example:80"])
def test_demo_sign_in_is_refused_off_loopback(listen: str) -> None:
    with pytest.raises(SettingsInvalid, match="KHO_DEMO_SIGN_IN needs KHO_LISTEN on loopback"):
        read_settings(listen=listen, demo_sign_in=True)


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080", "localhost:8080"])
def test_demo_sign_in_is_taken_on_loopback(listen: str) -> None:
    assert read_settings(listen=listen, demo_sign_in=True).demo_sign_in is True


@pytest.mark.parametrize(
    "search", ["http://search.example:9200", "http://u:hush@10.0.0.7", "http://[2001:db8::1]"]
)
def test_a_search_server_off_this_machine_is_asked_over_https_unless_it_is_said(search: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"KHO_SEARCH is http.*KHO_SEARCH_UNENCRYPTED") as refused:
        read_settings(search=search)
    assert "hush" not in str(refused.value)
    assert read_settings(search=search, search_unencrypted=True).search == search
    assert read_settings(search=search.replace("http:", "https:")).search_unencrypted is False
    for here in ("http://127.0.0.1:9200/kho", "http://[::1]:9200", "http://localhost"):
        assert read_settings(search=here).search == here


@pytest.mark.parametrize("asked", ["", "?ssl=disable", "?ssl=allow", "?ssl=prefer"])
def test_rows_off_this_machine_are_asked_for_encrypted_unless_it_is_said(asked: str) -> None:
    there = f"postgresql+asyncpg://kho:hush@rows.example:5432/kho{asked}"
    with pytest.raises(SettingsInvalid, match=r"KHO_DATABASE is elsewhere.*DATABASE_UNENCRYPTED") as refused:
        read_settings(database=there)
    assert "hush" not in str(refused.value)
    assert read_settings(database=there, database_unencrypted=True).database == there


@pytest.mark.parametrize(
    "fine",
    [
        "postgresql+asyncpg://kho@rows.example/kho?ssl=require",
        "postgresql+asyncpg://kho@rows.example/kho?ssl=verify-full",
        "postgresql+asyncpg://kho@127.0.0.1:5432/kho",
        "postgresql+asyncpg://kho@[::1]/kho",
        "postgresql+asyncpg://kho@/kho?host=/run/postgresql",
        "postgresql+asyncpg://kho@/kho",
        "var/kho/rows.db",
    ],
)
def test_rows_that_nobody_on_the_way_reads_need_no_word(fine: str) -> None:
    assert read_settings(database=fine).database == fine


def test_an_address_of_a_search_server_that_cannot_be_read_is_not_repeated() -> None:
    for search in ("http://u:secret@[::", "http://u:secret@ho\u2100st"):
        with pytest.raises(SettingsInvalid) as refused:
            read_settings(search=search)
        assert "secret" not in str(refused.value)


AWAY = {
    "issuer": "https://kho.example",
    "database": "postgresql+asyncpg://kho@127.0.0.1/kho",
    "store": "s3+http://127.0.0.1:9000/kho",
    "search": "http://127.0.0.1:9200",
    "signer": "unix:/run/kho/sign/socket",
    "gate": "unix:/run/kho/gate/socket",
    "sealer": "unix:/run/kho/seal/socket",
}


@pytest.mark.parametrize("name", AWAY)
def test_demo_sign_in_is_refused_with_any_address_that_is_not_embedded(name: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"KHO_DEMO_SIGN_IN needs {variable(name)}"):
        read_settings(demo_sign_in=True, **{name: AWAY[name]})
    assert read_settings(**{name: AWAY[name]}).demo_sign_in is False


def test_every_address_that_decides_the_set_up_is_held_against_the_demo() -> None:
    """Of the four (DESIGN 9) the keys are always a folder."""
    assert set(read_settings()._embedded) == set(AWAY)
    assert read_settings(demo_sign_in=True, search="none").demo_sign_in is True


def test_demo_sign_in_never_stands_beside_a_provider() -> None:
    for realm in ("citizens", "staff"):
        with pytest.raises(SettingsInvalid, match=f"cannot stand beside KHO_{realm.upper()}_PROVIDER"):
            read_settings(demo_sign_in=True, **provider(realm))


def provider(realm: str, **changes: str) -> dict[str, str]:
    said = {"provider": "https://login.example", "client": "kho", "credentials": "/run/secrets/kho"}
    return {f"{realm}_{name}": value for name, value in (said | changes).items()}


@pytest.mark.parametrize("realm", ["citizens", "staff"])
@pytest.mark.parametrize(
    "address", ["http://login.example", "login.example", "ftp://127.0.0.1", "https://u@a.b"]
)
def test_a_provider_is_https_or_on_this_machine(realm: str, address: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"^KHO_{realm.upper()}_PROVIDER: "):
        read_settings(**provider(realm, provider=address))
    told = read_settings(**provider(realm, provider="http://127.0.0.1:9000"))
    assert getattr(told, f"{realm}_provider") == "http://127.0.0.1:9000"


def test_a_provider_needs_its_client_and_what_proves_us_at_its_door_alone() -> None:
    with pytest.raises(SettingsInvalid, match="KHO_STAFF_PROVIDER needs KHO_STAFF_CLIENT"):
        read_settings(**provider("staff", client=""))
    told = read_settings(**provider("staff", credentials=""))
    assert rules_of(told)["staff"].issuer == told.staff_provider, "a gate needs no more"
    with pytest.raises(SettingsInvalid, match="KHO_STAFF_PROVIDER needs KHO_STAFF_CREDENTIALS"):
        realms_of(told)


def test_people_come_back_over_https_but_on_this_machine() -> None:
    with pytest.raises(SettingsInvalid, match="KHO_CITIZENS_PROVIDER needs KHO_ISSUER to begin with https"):
        read_settings(issuer="http://kho.example", **provider("citizens"))
    assert read_settings(issuer="https://kho.example", **provider("citizens"))


def test_staff_always_need_a_second_factor_and_scopes_name_openid() -> None:
    with pytest.raises(SettingsInvalid, match="KHO_STAFF_AMR"):
        read_settings(staff_amr=" ")
    with pytest.raises(SettingsInvalid, match="KHO_CITIZENS_SCOPE"):
        read_settings(citizens_scope="profile")
