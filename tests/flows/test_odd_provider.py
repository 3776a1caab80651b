"""A provider that answers nonsense, or whose proof does not hold: told clearly, nothing half done."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from reuse_api import journal
from reuse_api.identity_provider import IdentityProvider
from signing.exchange import Limits
from tests.flows.plain_browser import Browser
from tests.flows.signing_in import Door, credentials, served
from tests.servers.loopback import dropped, elsewhere, failing, garbage, giant, page
from tests.servers.odd_provider import CLIENT, SECRET, OddProvider
from vault.tables import log_entry, owner, session

PERSON = {"LoaiTaiKhoan": 1, "SoDinhDanh": "001199012345", "HoVaTen": "Phạm Thu Thủy"}
GO = "Sign in with electronic identity"
TEN_MINUTES = 600


@pytest.fixture(scope="module")
def odd() -> Iterator[OddProvider]:
    with OddProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def door(kho: Any, odd: OddProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("odd")
    with served(
        kho,
        citizens_provider=odd.url,
        citizens_client=CLIENT,
        citizens_credentials=credentials(folder, "secret", SECRET),
    ) as running:
        yield running


@pytest.fixture
def browser(door: Door, odd: OddProvider) -> Iterator[Browser]:
    """A fresh browser before an honest provider that Kho has not heard of yet."""
    odd.reset()
    odd.person = dict(PERSON)
    for one in (door.app.state.doors["citizens"], door.gate.sign_ins._documents["citizens"]):
        one._metadata = one._keys = one._looked_again = one._away = None
    with door.browser() as fresh:
        yield fresh


def counts(door: Door) -> tuple[int, ...]:
    """Count what signing in would leave: sessions, stores, entries."""

    async def read() -> tuple[int, ...]:
        async with door.kho.vault.db.read() as db:
            found = [
                (await db.execute(select(func.count()).select_from(one))).scalar_one()
                for one in (session, owner, log_entry)
            ]
        return tuple(found)

    counted: tuple[int, ...] = door.kho.run(read())
    return counted


def refused(browser: Browser, door: Door, words: str, status: int = 502) -> str:
    """Try to sign in; nobody may be let in, and nothing may be left of it."""
    before = counts(door)
    browser.go("/sign-in")
    told = browser.press(GO)
    assert (told.status_code, words in told.text) == (status, True), told.text
    assert counts(door) == before
    assert browser.cookie("kho_session") == browser.cookie("kho_door") == ""
    assert SECRET not in told.text
    return told.text


def test_an_honest_provider_lets_in(browser: Browser, door: Door, odd: OddProvider) -> None:
    browser.go("/sign-in")
    browser.press(GO)
    assert browser.place == "/wallet"
    assert (odd.count("/token"), odd.count("/keys")) == (1, 1)


def changed(**claims: Any) -> Any:
    """Say other claims, those of a function as it gives them then; None takes one away."""

    def change(told: dict[str, Any]) -> dict[str, Any]:
        said = {name: value() if callable(value) else value for name, value in claims.items()}
        return {name: value for name, value in (told | said).items() if value is not None}

    return change


def later(seconds: int) -> Any:
    """Say everything as a clock would that goes that much ahead."""

    def change(told: dict[str, Any]) -> dict[str, Any]:
        return told | {name: told[name] + seconds for name in ("iat", "exp", "auth_time")}

    return change


@pytest.mark.parametrize(
    "claims",
    [
        changed(iss="https://another.example"),
        changed(iss=None),
        changed(aud="another"),
        changed(aud=[CLIENT, "another"]),
        changed(aud=None),
        changed(azp="another"),
        changed(nonce="another"),
        changed(nonce=None),
        changed(sub=None),
        changed(exp=lambda: int(time.time()) - TEN_MINUTES),
        changed(exp=None),
        changed(iat=None),
        changed(iat="now"),
        changed(nbf=lambda: int(time.time()) + TEN_MINUTES),
        changed(at_hash="AAAA"),
        changed(auth_time=lambda: int(time.time()) + TEN_MINUTES),
        changed(amr="pwd"),
    ],
)
def test_a_proof_that_says_something_else_lets_nobody_in(
    browser: Browser, door: Door, odd: OddProvider, claims: Any
) -> None:
    odd.claims = claims
    refused(browser, door, "Who you are could not be proven")


@pytest.mark.parametrize("way", ["unsigned", "by_public_key", "by_another_key"])
def test_a_signature_that_proves_nothing_lets_nobody_in(
    browser: Browser, door: Door, odd: OddProvider, way: str
) -> None:
    odd.sign = getattr(odd, way)
    refused(browser, door, "Who you are could not be proven")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (TEN_MINUTES, "clock is 10 minutes ahead"),
        (-TEN_MINUTES, "clock is 10 minutes behind"),
        (-180, "clock is 3 minutes behind"),
    ],
)
def test_a_clock_that_is_off_is_named(
    browser: Browser, door: Door, odd: OddProvider, seconds: int, said: str
) -> None:
    odd.claims = later(seconds)
    assert said in refused(browser, door, "The clocks of the two systems disagree")


def test_a_clock_that_is_a_minute_off_is_taken(browser: Browser, odd: OddProvider) -> None:
    odd.claims = later(60)
    browser.go("/sign-in")
    browser.press(GO)
    assert browser.place == "/wallet"


def test_a_key_that_was_rotated_is_looked_for_once(browser: Browser, door: Door, odd: OddProvider) -> None:
    browser.go("/sign-in")
    browser.press(GO)
    odd.rotate()
    browser.go("/sign-in")
    browser.press(GO)
    assert browser.place == "/wallet"
    assert odd.count("/keys") == 2
    odd.sign = lambda claims: odd.signed(claims, kid="never published")
    with door.browser() as other:
        for _ in range(3):
            refused(other, door, "Who you are could not be proven")
    assert odd.count("/keys") == 2, "unknown keys must not have them fetched again and again"


@pytest.mark.parametrize(
    ("metadata", "what"),
    [
        (changed(issuer="https://another.example"), "issuer"),
        (changed(authorization_endpoint="http://kho.example/authorize"), "http off this machine"),
        (changed(token_endpoint="ftp://127.0.0.1/token"), "a scheme that is none"),
        (changed(jwks_uri=None), "no keys"),
        (changed(code_challenge_methods_supported=["plain"]), "no PKCE"),
        (changed(token_endpoint=["https://a.example"]), "a list"),
    ],
)
def test_metadata_that_cannot_be_right_lets_nobody_in(
    browser: Browser, door: Door, odd: OddProvider, metadata: Any, what: str
) -> None:
    odd.metadata = metadata
    refused(browser, door, "answer cannot be used")


@pytest.mark.parametrize(
    ("fault", "words", "status"),
    [
        (garbage, "answer cannot be used", 502),
        (page, "answer cannot be used", 502),
        (giant, "answer cannot be used", 502),
        (elsewhere("http://127.0.0.1:9/"), "answer cannot be used", 502),
        (failing(404), "answer cannot be used", 502),
        (dropped, "does not answer", 503),
        (failing(503), "does not answer", 503),
    ],
)
@pytest.mark.parametrize("place", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_answers_that_are_none(
    browser: Browser, door: Door, odd: OddProvider, fault: Any, words: str, status: int, place: str
) -> None:
    odd.fault = lambda asked: fault(asked) if asked.path == place else None
    told = refused(browser, door, words, status)
    assert "127.0.0.1:9" not in told


@pytest.mark.parametrize(
    "tokens",
    [
        changed(id_token=None),
        changed(access_token=None),
        changed(token_type="mac"),
        changed(id_token={"a": 1}),
        changed(id_token="x" * 40_000),
        changed(id_token="a.b.c"),
    ],
    ids=["no id_token", "no access_token", "token_type", "an object", "too long", "no JWS"],
)
def test_tokens_that_are_none(browser: Browser, door: Door, odd: OddProvider, tokens: Any) -> None:
    odd.tokens = tokens
    browser.go("/sign-in")
    before = counts(door)
    assert browser.press(GO).status_code == 502
    assert counts(door) == before


def test_a_slow_provider_is_not_waited_for_without_end(
    browser: Browser, door: Door, odd: OddProvider
) -> None:
    usual = door.app.state.doors["citizens"]
    impatient = IdentityProvider(usual.rules, usual._clock, Limits(seconds=0.3, tries=1))
    door.app.state.doors["citizens"] = impatient
    try:
        odd.slow = 5.0
        refused(browser, door, "does not answer", 503)
    finally:
        odd.slow, door.app.state.doors["citizens"] = 0.0, usual


def test_who_asks_while_a_provider_is_away_opens_no_more_connections(
    browser: Browser, door: Door, odd: OddProvider
) -> None:
    metadata = "/.well-known/openid-configuration"
    provider = door.app.state.doors["citizens"]
    odd.fault = lambda asked: page(asked) if asked.path == metadata else None
    refused(browser, door, "answer cannot be used")
    asked = odd.count(metadata)
    provider._away = (provider._away[0], provider._away[1] + timedelta(hours=1))  # as if it were just now
    for _ in range(3):
        refused(browser, door, "answer cannot be used")
    assert odd.count(metadata) == asked
    odd.fault = None
    provider._away = (provider._away[0], provider._away[1] - timedelta(hours=2))
    browser.go("/sign-in")
    browser.press(GO)
    assert browser.place == "/wallet", "a while later it is asked again"


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (changed(state="another"), "can no longer be used"),
        (changed(state=None), "can no longer be used"),
        (changed(iss="https://another.example"), "reports an error"),
        (changed(code=None), "reports an error"),
        (changed(error="server_error"), "reports an error"),
        (changed(error="access_denied"), "You did not sign in"),
    ],
    ids=["another state", "no state", "another issuer", "no code", "an error", "cancelled"],
)
def test_what_people_come_back_with(
    browser: Browser, door: Door, odd: OddProvider, back: Any, words: str
) -> None:
    odd.back = back
    browser.go("/sign-in")
    before = counts(door)
    told = browser.press(GO)
    assert told.status_code in (403, 502) and words in told.text
    assert counts(door) == before


def test_a_provider_that_names_itself_must_always_do_so(
    browser: Browser, door: Door, odd: OddProvider
) -> None:
    odd.metadata = changed(authorization_response_iss_parameter_supported=True)
    refused(browser, door, "reports an error")
    odd.back = changed(iss=odd.url)
    browser.go("/sign-in")
    browser.press(GO)
    assert browser.place == "/wallet"


@pytest.mark.parametrize(
    "person",
    [
        {"SoDinhDanh": "001199012345", "HoVaTen": ""},
        {"SoDinhDanh": "12", "HoVaTen": "Ai"},
        {"HoVaTen": "Không số"},
        {"LoaiTaiKhoan": 2, "SoDinhDanh": "001199012345", "HoVaTen": "Không mã số thuế"},
        {"LoaiTaiKhoan": "2", "MaSoThue": "0100109107", "TenDoanhNghiep": "Sai số kiểm tra"},
    ],
)
def test_claims_that_name_nobody_let_nobody_in(
    browser: Browser, door: Door, odd: OddProvider, person: dict[str, Any]
) -> None:
    odd.person = person
    refused(browser, door, "The account lacks an identifier", 403)


def test_a_level_that_is_too_low_lets_nobody_in(browser: Browser, door: Door, odd: OddProvider) -> None:
    odd.claims = changed(acr="LoA0")
    refused(browser, door, "level of authentication is not enough", 403)
    odd.claims = changed(acr=None)
    refused(browser, door, "level of authentication is not enough", 403)


def test_the_level_that_the_portal_names_in_its_own_claim_counts(browser: Browser, odd: OddProvider) -> None:
    odd.claims = changed(acr=None, loAs=["LoA1"])
    browser.go("/sign-in")
    browser.press(GO)
    assert browser.place == "/wallet"


def test_a_failure_is_told_in_both_languages(door: Door, odd: OddProvider, browser: Browser) -> None:
    odd.claims = changed(nonce="another")
    with door.browser("vi") as vietnamese:
        vietnamese.go("/sign-in")
        told = vietnamese.press("Đăng nhập bằng định danh điện tử")
    assert 'lang="vi"' in told.text and "Không chứng minh được bạn là ai" in told.text


def test_the_journal_tells_no_secret_and_no_person(
    browser: Browser, door: Door, odd: OddProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger=journal.ROOT)
    odd.claims = changed(nonce="another")
    refused(browser, door, "Who you are could not be proven")
    browser.client.cookies.clear()
    odd.fault = lambda asked: failing(400)(asked) if asked.path == "/token" else None
    refused(browser, door, "does not take this sign-in")
    lines = [journal.JsonLines().format(one) for one in caplog.records]
    assert any("id_token_nonce" in one for one in lines) and any("token_status_400" in one for one in lines)
    said = "\n".join(lines)
    codes = [one.body.decode() for one in odd.asked if one.path == "/token"]
    secrets = [SECRET, PERSON["SoDinhDanh"], PERSON["HoVaTen"], *codes]
    assert [one for one in secrets if str(one) in said] == []


def test_a_callback_is_good_once_and_in_its_own_browser(browser: Browser, door: Door) -> None:
    browser.go("/sign-in")
    browser.press(GO)
    (came_back,) = [one for one in browser.visited if "/sign-in/callback/" in one]
    again = browser.go(came_back)
    assert again.status_code == 403 and "can no longer be used" in again.text
    assert browser.go("/wallet").status_code == 200, "whoever is signed in stays so"


def test_whoever_is_sent_the_callback_of_another_is_not_signed_in(browser: Browser, door: Door) -> None:
    """Login CSRF: the attacker begins, and has the victim's browser come back."""
    browser.go("/sign-in")
    form = next(one for one in browser._read().forms if one.action == "/sign-in/provider")
    begun = browser.client.post(f"{door.url}/sign-in/provider", data=form.fields)
    place = begun.text.partition("url=")[2].partition('"')[0].replace("&amp;", "&")
    back = httpx_location(place)
    with door.browser() as victim:
        for cookie in ("", "kho_door=somebody-elses"):
            told = victim.client.get(back, headers={"Cookie": cookie} if cookie else {})
            assert told.status_code == 403 and "kho_session" not in told.headers.get("set-cookie", "")
    browser.go(back)
    assert browser.place == "/wallet", "the one who began it still can"


def httpx_location(place: str) -> str:
    return str(httpx.get(place).headers["location"])


def test_a_session_that_an_attacker_chose_is_not_taken(browser: Browser, door: Door) -> None:
    """Session fixation: the secret is new at every sign-in, and the one before ends."""
    browser.client.cookies.set("kho_session", "chosen-by-another", domain="127.0.0.1")
    browser.go("/sign-in")
    browser.press(GO)
    first = browser.cookie("kho_session")
    assert first != "chosen-by-another"
    browser.go("/sign-in")
    browser.press(GO)
    second = browser.cookie("kho_session")
    assert second != first
    with door.kho.client(Cookie=f"kho_session={first}") as old:
        assert old.get("/v1/me/records").status_code == 401


def test_a_form_of_another_site_begins_no_sign_in(browser: Browser, door: Door) -> None:
    told = browser.client.post(
        f"{door.url}/sign-in/provider",
        data={"realm": "citizens"},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://attacker.example"},
    )
    assert told.status_code == 403
    assert "kho_door" not in told.headers.get("set-cookie", "")


def test_over_tls_no_other_host_can_plant_our_cookies(
    kho: Any, odd: OddProvider, tmp_path: Any, browser: Browser
) -> None:
    """Behind a proxy that ends TLS: each cookie has a name that browsers take from this very host alone."""
    ours, plain = "https://kho.example.vn", {"kho_session": "planted", "kho_door": "planted"}
    with served(
        kho,
        issuer=ours,
        citizens_provider=odd.url,
        citizens_client=CLIENT,
        citizens_credentials=credentials(tmp_path, "secret", SECRET),
    ) as running:
        said = {"Host": "kho.example.vn", "Accept-Language": "en"}
        with httpx.Client(base_url=running.url, headers=said, timeout=60) as client:

            def cookies(reply: httpx.Response) -> dict[str, str]:
                told = [one.partition("=") for one in reply.headers.get_list("set-cookie")]
                for name, _, rest in told:
                    kept = [one.strip().lower() for one in rest.split(";")[1:]]
                    assert name.startswith("__Host-") and {"secure", "path=/", "httponly"} <= set(kept)
                    assert not any(one.startswith("domain") for one in kept)
                return {name: rest.partition(";")[0] for name, _, rest in told}

            def ask(method: str, place: str, sent: dict[str, str], **more: Any) -> httpx.Response:
                line = "; ".join(f"{name}={value}" for name, value in (plain | sent).items())
                return client.request(method, place, headers={"Cookie": line}, **more)

            begun = ask("POST", "/sign-in/provider", {}, data={"realm": "citizens"})
            door = cookies(begun)
            assert list(door) == ["__Host-kho_door"]
            place = begun.text.partition("url=")[2].partition('"')[0].replace("&amp;", "&")
            back = httpx_location(place).removeprefix(ours)
            refused = ask("GET", back, {"kho_door": door["__Host-kho_door"]})
            assert refused.status_code == 403 and "kho_session" not in str(cookies(refused))
            entered = cookies(ask("GET", back, door))
            assert entered.keys() == {"__Host-kho_session", "__Host-kho_door"}
            assert entered["__Host-kho_door"] in ("", '""')
            session = {"__Host-kho_session": entered["__Host-kho_session"]}
            assert ask("GET", "/v1/me/records", session).status_code == 200
            planted = {"kho_session": entered["__Host-kho_session"]}
            assert ask("GET", "/v1/me/records", planted).status_code == 401
            page = ask("GET", "/wallet", session)
            token = re.search(r'name="form_token" value="([^"]+)"', page.text)
            assert token is not None
            left = ask("POST", "/sign-out", session, data={"form_token": token[1], "room": "wallet"})
            assert list(cookies(left)) == ["__Host-kho_session"]
            assert ask("GET", "/v1/me/records", session).status_code == 401
