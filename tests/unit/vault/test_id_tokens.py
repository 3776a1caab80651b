"""An ID token is believed for what it proves, by keys and algorithms of the list, and for nothing else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.servers.odd_provider import keyed
from vault.id_tokens import (
    LEEWAY,
    LOGOUT_EVENT,
    Expected,
    IdTokenRefused,
    check_id_token,
    check_logout_token,
)

AT = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
NOW = int(AT.timestamp())
ASKED = ("https://login.example", "kho", "n-1", "access")
EXPECTED = Expected(*ASKED)
CLAIMS = {
    "iss": "https://login.example",
    "aud": "kho",
    "sub": "s-1",
    "nonce": "n-1",
    "iat": NOW,
    "exp": NOW + 300,
}
KEYS: dict[str, Any] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSAKey.generate_key(2048)),
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
}


def made(claims: dict[str, Any], alg: str = "ES256", key: Any = None, **header: Any) -> str:
    key = key or KEYS[alg]
    named = {"alg": alg, "kid": key.thumbprint()} | header
    return jws.serialize_compact(named, json.dumps(claims), key, algorithms=[alg])


def published(*keys: Any, **more: Any) -> list[dict[str, Any]]:
    return [{**one.as_dict(private=False), "kid": one.thumbprint(), **more} for one in keys]


def checked(token: str, keys: Any = None, expected: Expected = EXPECTED, at: datetime = AT) -> Any:
    return check_id_token(token, keys=keys or published(KEYS["ES256"]), expected=expected, at=at)


def refused(code: str, token: str, **how: Any) -> IdTokenRefused:
    with pytest.raises(IdTokenRefused) as caught:
        checked(token, **how)
    assert caught.value.code == code
    return caught.value


@pytest.mark.parametrize("alg", KEYS)
def test_every_algorithm_of_the_list_is_taken_with_its_own_key(alg: str) -> None:
    told = checked(made(CLAIMS, alg), published(*{id(one): one for one in KEYS.values()}.values()))
    assert (told.subject, told.acr, told.amr, told.authenticated_at) == ("s-1", None, frozenset(), None)


def test_the_older_name_of_ed25519_is_taken_too() -> None:
    key = KEYS["Ed25519"]
    token = jws.serialize_compact(
        {"alg": "EdDSA", "kid": key.thumbprint()}, json.dumps(CLAIMS), key, algorithms=["EdDSA"]
    )
    assert checked(token, published(key)).subject == "s-1"


def test_a_secret_signs_nothing_not_even_the_published_key() -> None:
    public, secret = KEYS["RS256"], OctKey.generate_key(256)
    kid = public.thumbprint()
    listed = [{**secret.as_dict(), "kid": kid}, *published(public)]
    for known in (public.as_pem(private=False), secret.raw_value):
        for alg in ("HS256", "HS384", "HS512"):
            refused("id_token_algorithm", keyed(CLAIMS, alg, kid, known), keys=listed)


def test_a_key_of_another_kind_use_or_strength_is_no_key() -> None:
    weak = RSAKey.generate_key(1024, auto_kid=True)
    refused("id_token_key_unknown", made(CLAIMS, "RS256", weak), keys=published(weak))
    curve = KEYS["ES384"]
    for more in ({"use": "enc"}, {"alg": "ES256"}, {"key_ops": ["sign"]}, {"kty": "RSA"}):
        refused("id_token_key_unknown", made(CLAIMS, "ES384"), keys=published(curve, **more))
    refused("id_token_key_unknown", made(CLAIMS), keys=[{"kty": 7}, {}, {"kty": "EC", "crv": ["P-256"]}])


def test_without_a_name_a_key_is_found_only_where_there_is_one() -> None:
    token = jws.serialize_compact({"alg": "ES256"}, json.dumps(CLAIMS), KEYS["ES256"], algorithms=["ES256"])
    assert checked(token, published(KEYS["ES256"], KEYS["RS256"])).subject == "s-1"
    refused("id_token_key_unknown", token, keys=published(KEYS["ES256"], ECKey.generate_key("P-256")))


@given(st.integers(0, 4000), st.integers(1, 255))
def test_a_changed_character_breaks_it(position: int, by: int) -> None:
    token = made(CLAIMS)
    place = position % len(token)
    other = token[:place] + chr((ord(token[place]) + by) % 127) + token[place + 1 :]
    if other != token:
        with pytest.raises(IdTokenRefused):
            checked(other)


@pytest.mark.parametrize("ahead", [1, -1])
def test_two_minutes_between_the_clocks_are_forgiven_and_no_more(ahead: int) -> None:
    for seconds in (0, 60, 120):
        moved = {name: CLAIMS[name] + ahead * seconds for name in ("iat", "exp")}
        assert checked(made(CLAIMS | moved)).subject == "s-1"
    moved = {name: CLAIMS[name] + ahead * 600 for name in ("iat", "exp")}
    assert refused("id_token_clock", made(CLAIMS | moved)).ahead == ahead * 10


def test_an_expired_one_is_refused_whatever_the_leeway() -> None:
    short = CLAIMS | {"exp": NOW + 1}
    assert checked(made(short), at=AT + timedelta(seconds=60))
    refused("id_token_expired", made(CLAIMS | {"exp": NOW - 121, "iat": NOW - 119}))
    refused("id_token_expired", made(CLAIMS | {"exp": NOW}))


def test_a_fresh_proof_says_when_it_was_made() -> None:
    fresh = Expected(EXPECTED.issuer, EXPECTED.client_id, EXPECTED.nonce, "access", fresh_since=AT)
    refused("id_token_too_old", made(CLAIMS), expected=fresh)
    before = int((AT - LEEWAY).timestamp()) - 1
    refused("id_token_too_old", made(CLAIMS | {"auth_time": before}), expected=fresh)
    assert checked(made(CLAIMS | {"auth_time": NOW}), expected=fresh).authenticated_at == AT


def test_only_a_proof_of_this_very_sign_in_counts_as_one_of_now() -> None:
    """By the provider's clock alone and by ours alone: how far they are apart does not matter."""
    assert checked(made(CLAIMS)).authenticated_at is None, "the token's own time proves nobody"
    assert checked(made(CLAIMS | {"auth_time": NOW - 3600})).authenticated_at == AT - timedelta(hours=1)
    begun = Expected(*ASKED, begun_at=AT - timedelta(seconds=30))
    for apart in (-90, 0, 90):
        times = {"iat": NOW + apart, "exp": NOW + apart + 300}
        typed = made(CLAIMS | times | {"auth_time": NOW + apart - 5})
        assert checked(typed, expected=begun).authenticated_at == AT - timedelta(seconds=5)
        open_there = made(CLAIMS | times | {"auth_time": NOW + apart - 60})
        assert checked(open_there, expected=begun).authenticated_at is None
    assert checked(made(CLAIMS), expected=begun).authenticated_at is None


def test_the_hash_of_the_access_token_is_held_against_it() -> None:
    # OpenID Connect Core 1.0, A.3: the access token and its at_hash for RS256.
    access = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    told = Expected(EXPECTED.issuer, EXPECTED.client_id, EXPECTED.nonce, access)
    token = made(CLAIMS | {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}, "RS256")
    keys = published(KEYS["RS256"])
    assert checked(token, keys, told).subject == "s-1"
    refused("id_token_access_token", token, keys=keys)
    refused("id_token_access_token", made(CLAIMS | {"at_hash": 7}, "RS256"), keys=keys)


LOGOUT = {
    "iss": "https://login.example",
    "aud": "kho",
    "iat": NOW,
    "exp": NOW + 120,
    "jti": "j-1",
    "sid": "session-1",
    "events": {LOGOUT_EVENT: {}},
}


def test_a_logout_token_is_no_id_token_and_an_id_token_no_logout_token() -> None:
    keys = published(KEYS["ES256"])

    def told(claims: dict[str, Any], **header: Any) -> Any:
        said = {"keys": keys, "issuer": "https://login.example", "client_id": "kho", "at": AT}
        return check_logout_token(made(claims, **header), **said)

    assert told(LOGOUT, typ="logout+jwt").sid == "session-1"
    refused("id_token_malformed", made(LOGOUT | {"sub": "s-1"}))
    without = {name: value for name, value in LOGOUT.items() if name != "sid"}
    for claims in (
        CLAIMS,
        LOGOUT | {"nonce": "n-1"},
        LOGOUT | {"events": {}},
        LOGOUT | {"aud": "x"},
        without,
        LOGOUT | {"iat": NOW - 900, "exp": NOW + 900},
    ):
        with pytest.raises(IdTokenRefused):
            told(claims)
    with pytest.raises(IdTokenRefused):
        told(LOGOUT, typ="at+jwt")
