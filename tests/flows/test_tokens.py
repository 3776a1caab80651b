"""A system proves itself and its officer with two assertions, or gets no token and is told why."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from reuse_api.demo.people import COMMUNE, POLICE
from reuse_api.journal import failed_authentications
from reuse_api.tokens import CLIENT_CREDENTIALS
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, new_caller_key
from vault.clock import Clock


def refused(reply: httpx.Response) -> tuple[int, str, str]:
    body = reply.json()
    assert reply.headers["cache-control"] == "no-store"
    assert body["error_description"].isascii() and body["detail"]
    return reply.status_code, body["error"], body["code"]


@pytest.fixture
def asking(kho: Any) -> Any:
    with kho.client() as client:
        yield client


def test_two_assertions_give_a_short_lived_token(kho: Any, asking: httpx.Client) -> None:
    reply = asking.post("/oauth2/token", data=kho.token_form(POLICE))
    assert reply.status_code == 200
    assert reply.json()["token_type"] == "Bearer"
    assert 0 < reply.json()["expires_in"] <= 600
    caller = kho.vault.gate.check_token(reply.json()["access_token"])
    assert (caller.system, caller.agency, caller.officer) == (POLICE.system, POLICE.code, POLICE.officer)


def test_a_token_without_an_officer_opens_nothing(
    kho: Any, asking: httpx.Client, residence: dict[str, Any]
) -> None:
    form = kho.token_form(POLICE) | {"grant_type": CLIENT_CREDENTIALS}
    del form["assertion"]
    reply = asking.post("/oauth2/token", data=form)
    headers = {"Authorization": f"Bearer {reply.json()['access_token']}"}
    opened = asking.put(f"/v1/dossiers/{kho.new_code(POLICE)}", json=residence, headers=headers)
    assert opened.status_code == 403
    assert "officer_not_named" in [one["code"] for one in opened.json()["reasons"]]
    assert opened.json()["receipts"]


def test_an_assertion_is_used_once(kho: Any, asking: httpx.Client) -> None:
    form = kho.token_form(POLICE)
    assert asking.post("/oauth2/token", data=form).status_code == 200
    assert refused(asking.post("/oauth2/token", data=form)) == (401, "invalid_client", "assertion_replayed")


def client_assertion(kho: Any, **changes: Any) -> dict[str, str]:
    said = {"subject": POLICE.system} | changes
    return {"client_assertion": kho.assertion(POLICE, CLIENT_TYPE, **said)}


def officer_assertion(kho: Any, subject: str, **changes: Any) -> dict[str, str]:
    return {"assertion": kho.assertion(POLICE, OFFICER_TYPE, subject, **changes)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda kho: client_assertion(kho, client_id="nobody", subject="nobody"),
            (401, "invalid_client", "client_unknown"),
        ),
        (
            lambda kho: client_assertion(kho, issuer="https://elsewhere.example"),
            (401, "invalid_client", "assertion_audience"),
        ),
        (
            lambda kho: client_assertion(kho, at=Clock().now() - timedelta(minutes=10)),
            (401, "invalid_client", "assertion_expired"),
        ),
        (
            lambda kho: client_assertion(kho, lifetime=timedelta(hours=1)),
            (401, "invalid_client", "assertion_too_long_lived"),
        ),
        (
            lambda kho: {"client_assertion": kho.assertion(POLICE, OFFICER_TYPE, POLICE.system)},
            (401, "invalid_client", "assertion_type"),
        ),
        (
            lambda kho: client_assertion(kho, key=new_caller_key()),
            (401, "invalid_client", "assertion_key_unknown"),
        ),
        (lambda kho: {"client_assertion": "no.jwt"}, (401, "invalid_client", "assertion_malformed")),
        (lambda kho: {"client_assertion": ""}, (401, "invalid_client", "client_assertion_missing")),
        (
            lambda kho: {"client_assertion_type": "urn:other"},
            (401, "invalid_client", "client_assertion_missing"),
        ),
        (
            lambda kho: officer_assertion(kho, "an-officer-of-nobody"),
            (400, "invalid_grant", "officer_unknown"),
        ),
        (
            lambda kho: officer_assertion(kho, COMMUNE.officer),
            (400, "invalid_grant", "officer_unknown"),
        ),
        (
            lambda kho: {"assertion": kho.assertion(COMMUNE, OFFICER_TYPE, COMMUNE.officer)},
            (400, "invalid_grant", "officer_of_another_system"),
        ),
        (lambda kho: {"assertion": ""}, (400, "invalid_grant", "officer_assertion_missing")),
        (lambda kho: {"grant_type": "password"}, (400, "unsupported_grant_type", "grant_type_unsupported")),
        (lambda kho: {"grant_type": ""}, (400, "invalid_request", "field_missing")),
    ],
)
def test_a_request_that_proves_nobody_is_refused(
    kho: Any, asking: httpx.Client, change: Any, expected: tuple[int, str, str]
) -> None:
    form = kho.token_form(POLICE) | change(kho)
    reply = asking.post("/oauth2/token", data=form)
    assert refused(reply) == expected
    assert ("www-authenticate" in reply.headers) == (expected[0] == 401)


def test_a_parameter_sent_twice_or_another_kind_of_body_is_refused(kho: Any, asking: httpx.Client) -> None:
    pairs = [*kho.token_form(POLICE).items(), ("grant_type", CLIENT_CREDENTIALS)]
    body = httpx.QueryParams(pairs)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = asking.post("/oauth2/token", content=str(body), headers=form)
    assert refused(twice) == (400, "invalid_request", "field_repeated")
    as_json = asking.post("/oauth2/token", json=kho.token_form(POLICE))
    assert refused(as_json) == (400, "invalid_request", "media_type_unsupported")
    unreadable = asking.post("/oauth2/token", content=b"grant_type=\xff%zz", headers=form)
    assert refused(unreadable) == (400, "invalid_request", "body_unreadable")


def test_the_refusal_is_told_in_vietnamese_too(kho: Any, asking: httpx.Client) -> None:
    form = kho.token_form(POLICE) | {"client_assertion": "x.y.z"}
    reply = asking.post("/oauth2/token", data=form, headers={"Accept-Language": "vi"})
    assert reply.json()["detail"] == "Chứng thực không đúng dạng."
    assert reply.headers["content-language"] == "vi"


def test_failures_are_counted_and_are_no_entries(kho: Any, asking: httpx.Client) -> None:
    size, count = kho.vault.signer.tree.size, failed_authentications["token_malformed"]
    for _ in range(3):
        reply = asking.get("/v1/dossiers/x/plan", headers={"Authorization": "Bearer stranger"})
        assert reply.status_code == 401
    assert failed_authentications["token_malformed"] == count + 3
    assert kho.vault.signer.tree.size == size


def old_token(kho: Any, **changes: Any) -> str:
    said = {
        "issuer": kho.url,
        "client_id": POLICE.system,
        "subject": POLICE.officer,
        "agency": POLICE.code,
        "officer": POLICE.officer,
        "assertion_thumbprint": "x",
        "jti": "1",
        "at": Clock().now() - timedelta(minutes=20),
        "lifetime": timedelta(minutes=10),
    }
    return str(kho.around.token_key.issue(**(said | changes)))


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (lambda kho: None, "token_missing"),
        (lambda kho: "Basic eDp5", "token_missing"),
        (lambda kho: "Bearer", "token_missing"),
        (lambda kho: "Bearer x", "token_malformed"),
        (lambda kho: f"Bearer {old_token(kho)}", "token_expired"),
        (
            lambda kho: f"Bearer {old_token(kho, issuer='https://elsewhere', at=Clock().now())}",
            "token_audience",
        ),
        (lambda kho: f"Bearer {old_token(kho, at=Clock().now())[:-4]}AAAA", "token_signature"),
    ],
)
def test_a_token_that_proves_nobody_is_named(
    kho: Any, asking: httpx.Client, authorization: Any, code: str
) -> None:
    value = authorization(kho)
    headers = {"Authorization": value} if value else {}
    reply = asking.get(f"/v1/dossiers/{kho.new_code(POLICE)}/plan", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (401, code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"].startswith('Bearer realm="kho"')


def test_the_metadata_leads_to_the_token_and_the_keys(kho: Any, asking: httpx.Client) -> None:
    metadata = asking.get("/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == kho.url
    assert asking.get(metadata["jwks_uri"]).json() == kho.vault.gate.token_key.jwks()
    assert "d" not in asking.get(metadata["jwks_uri"]).json()["keys"][0]
    assert asking.post(metadata["token_endpoint"], data=kho.token_form(POLICE)).status_code == 200
