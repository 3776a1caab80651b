"""Assertions and tokens: what proves a caller, and every way in which something nearly does."""

import base64
import hashlib
import hmac
import json
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.jwk import ECKey, OctKey, OKPKey

from vault.assertions import (
    CLIENT_TYPE,
    OFFICER_TYPE,
    AssertionRefused,
    TokenClaims,
    TokenKey,
    TokenRefused,
    check_assertion,
    make_assertion,
    new_caller_key,
    peek_issuer,
    public_jwk,
)

US = "https://kho.example"
NOW = datetime(2025, 3, 3, 2, 0, 0, 250_000, tzinfo=UTC)
START = int(NOW.timestamp())
ED = new_caller_key()
EC = ECKey.generate_key("P-256").as_dict(private=True)
KEYS = {"Ed25519": ED, "ES256": EC}

Json = dict[str, Any]


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "==")


def made(key: Json = ED, **kw: Any) -> str:
    arguments = {"issuer": US, "client_id": "police", "subject": "police", "typ": CLIENT_TYPE, "at": NOW}
    return make_assertion(key, **{**arguments, "jti": "j1", **kw})


def by_hand(claims: object = None, header: Json | None = None, key: Json = ED, **changed: Any) -> str:
    """Sign any header and any claims with an Ed25519 key, sharing no code with what is tested."""
    full: Json = {"iss": "police", "sub": "police", "aud": US, "jti": "j1", "exp": START + 60}
    full = {name: value for name, value in {**full, **changed}.items() if value is not ...}
    heading = {"alg": "Ed25519", "typ": CLIENT_TYPE, "kid": key["kid"], **(header or {})}
    heading = {name: value for name, value in heading.items() if value is not ...}
    body = claims if isinstance(claims, bytes) else json.dumps(full if claims is None else claims).encode()
    signing = f"{encoded(json.dumps(heading).encode())}.{encoded(body)}"
    private = Ed25519PrivateKey.from_private_bytes(decoded(key["d"]))
    return f"{signing}.{encoded(private.sign(signing.encode()))}"


def check(token: str, keys: list[Json] | None = None, **kw: Any) -> Any:
    arguments: Json = {"issuer": US, "typ": CLIENT_TYPE, "at": NOW, **kw}
    return check_assertion(token, keys=[public_jwk(ED)] if keys is None else keys, **arguments)


def refusal(token: str, keys: list[Json] | None = None, **kw: Any) -> str:
    with pytest.raises(AssertionRefused) as refused:
        check(token, keys, **kw)
    assert str(refused.value) == f"{refused.value.code}: {refused.value.detail}"
    return refused.value.code


@pytest.mark.parametrize("name", KEYS)
def test_a_client_assertion_proves_the_client(name: str) -> None:
    token = made(KEYS[name])
    assert peek_issuer(token) == "police"
    proven = check(token, [public_jwk(KEYS[name])])
    assert (proven.issuer, proven.subject, proven.jti, proven.typ) == ("police", "police", "j1", CLIENT_TYPE)
    assert proven.expires == datetime.fromtimestamp(START + 60, UTC)
    assert json.loads(decoded(token.split(".")[0]))["alg"] == name


def test_an_officer_assertion_proves_what_the_system_vouches_for() -> None:
    proven = check(made(subject="officer-7", typ=OFFICER_TYPE), typ=OFFICER_TYPE)
    assert (proven.issuer, proven.subject, proven.typ) == ("police", "officer-7", OFFICER_TYPE)


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    members = json.dumps({name: ED[name] for name in ("crv", "kty", "x")}, separators=(",", ":"))
    assert check(made()).key_thumbprint == encoded(hashlib.sha256(members.encode()).digest()) == ED["kid"]


def test_what_another_library_signs_is_taken() -> None:
    assert check(by_hand()).subject == "police"
    assert check(by_hand(aud=[US])).subject == "police"
    assert check(by_hand(header={"custom": 1})).subject == "police"


def test_the_older_name_of_the_algorithm_is_taken_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check(by_hand(header={"alg": "EdDSA"})).subject == "police"


def test_the_key_is_found_by_its_own_kid_or_its_thumbprint() -> None:
    other, named = public_jwk(new_caller_key()), {**public_jwk(ED), "kid": "2025-key"}
    assert check(made({**ED, "kid": "2025-key"}), [other, named]).key_thumbprint == ED["kid"]
    assert check(made(), [other, named]).key_thumbprint == ED["kid"]
    assert check(by_hand(header={"kid": ...})).key_thumbprint == ED["kid"]


def test_an_unknown_key_is_refused() -> None:
    other = new_caller_key()
    assert refusal(made(other)) == "assertion_key_unknown"
    assert refusal(made(), []) == "assertion_key_unknown"
    assert (
        refusal(by_hand(header={"kid": ...}), [public_jwk(ED), public_jwk(other)]) == "assertion_key_unknown"
    )
    assert refusal(by_hand(key={**other, "kid": ED["kid"]})) == "assertion_signature"


@pytest.mark.parametrize(
    "registered", [ECKey.generate_key("P-384"), OctKey.generate_key(256), OKPKey.generate_key("Ed448")]
)
def test_a_registered_key_of_another_kind_never_proves_anything(registered: Any) -> None:
    jwk = {**registered.as_dict(private=False), "kid": ED["kid"]}
    assert refusal(made(), [jwk]) == "assertion_key_unknown"
    with pytest.raises(ValueError, match="Ed25519 or P-256"):
        public_jwk(jwk)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(-3600, "assertion_expired"), (-1, "assertion_expired"), (0, "assertion_expired"), (1, None),
     (300, None), (301, "assertion_too_long_lived"), (86400, "assertion_too_long_lived")],
)  # fmt: skip
def test_it_ends_within_five_minutes(seconds: int, code: str | None) -> None:
    at, token = NOW.replace(microsecond=0), by_hand(exp=START + seconds)
    assert (check(token, at=at).expires == at + timedelta(seconds=seconds)) if code is None else True
    assert code is None or refusal(token, at=at) == code


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_it_is_not_from_the_future(name: str) -> None:
    at = NOW.replace(microsecond=0)
    assert check(by_hand(**{name: START + 30}), at=at).jti == "j1"
    assert refusal(by_hand(**{name: START + 31}), at=at) == "assertion_expired"


@pytest.mark.parametrize(
    "aud",
    [..., "", "https://other.example", US + "/", US.upper(), [], [US, "https://other.example"], [US, US],
     [[US]], {"0": US}, None, True],
)  # fmt: skip
def test_it_is_for_us_alone(aud: Any) -> None:
    assert refusal(by_hand(aud=aud)) == "assertion_audience"


def test_one_type_is_never_taken_for_another() -> None:
    assert refusal(made(typ=OFFICER_TYPE)) == "assertion_type"
    assert refusal(made(), typ=OFFICER_TYPE) == "assertion_type"
    for typ in (..., "JWT", "at+jwt", CLIENT_TYPE.upper(), "application/" + CLIENT_TYPE):
        assert refusal(by_hand(header={"typ": typ})) == "assertion_type"


def test_a_client_assertion_is_about_its_issuer() -> None:
    assert refusal(by_hand(sub="officer-7")) == "assertion_malformed"


def test_no_algorithm_is_no_proof() -> None:
    heading = encoded(json.dumps({"alg": "none", "typ": CLIENT_TYPE, "kid": ED["kid"]}).encode())
    body = made().split(".")[1]
    assert refusal(f"{heading}.{body}.") == "assertion_signature"
    assert refusal(f"{heading}.{body}.{made().split('.')[2]}") == "assertion_signature"


@pytest.mark.parametrize("name", KEYS)
def test_a_public_key_is_no_secret_to_sign_with(name: str) -> None:
    public = public_jwk(KEYS[name])
    native = (OKPKey if name == "Ed25519" else ECKey).import_key(public)
    secrets = [native.as_pem(private=False), native.as_der(private=False), json.dumps(public).encode()]
    for algorithm in ("HS256", "HS512"):
        heading = encoded(json.dumps({"alg": algorithm, "typ": CLIENT_TYPE, "kid": public["kid"]}).encode())
        signing = f"{heading}.{made().split('.')[1]}"
        for secret in [*secrets, decoded(public["x"])]:
            digest = hmac.digest(secret, signing.encode(), "sha256" if algorithm == "HS256" else "sha512")
            assert refusal(f"{signing}.{encoded(digest)}", [public]) == "assertion_signature"


def test_an_algorithm_that_is_not_the_keys_own_is_refused() -> None:
    for algorithm in ("ES256", "RS256", "Ed448", "ed25519", "", ...):
        assert refusal(by_hand(header={"alg": algorithm})) in ("assertion_signature", "assertion_malformed")
    assert refusal(by_hand(header={"alg": "EdDSA", "kid": ...}), [public_jwk(EC)]) == "assertion_signature"


@pytest.mark.parametrize("name", KEYS)
def test_every_changed_character_is_refused(name: str) -> None:
    token, keys = made(KEYS[name]), [public_jwk(KEYS[name])]
    assert check(token, keys)
    for place, letter in enumerate(token):
        # The next letter may differ in stray bits alone, which a lenient decoder drops.
        for other in ("A" if letter != "A" else "B", chr(ord(letter) + 1), ".", ""):
            if other != letter:
                refusal(token[:place] + other + token[place + 1 :], keys)


@pytest.mark.parametrize("name", ["iss", "sub", "jti"])
@pytest.mark.parametrize("value", [..., "", None, 7, ["j1"], {"a": 1}, "a\0b", "a\nb", "\ud800", "x" * 513])
def test_names_are_texts(name: str, value: Any) -> None:
    assert refusal(by_hand(**{name: value})) == "assertion_malformed"


def test_the_request_number_is_bounded() -> None:
    assert check(by_hand(jti="x" * 128)).jti == "x" * 128
    assert refusal(by_hand(jti="x" * 129)) == "assertion_malformed"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value", [None, "1741000000", True, [1], -1, 1e300, float("nan"), float("inf"), 10**400]
)
def test_instants_are_numbers(name: str, value: Any) -> None:
    assert refusal(by_hand(**{name: value})) == "assertion_malformed"


def test_an_end_is_demanded() -> None:
    assert refusal(by_hand(exp=...)) == "assertion_malformed"


NOT_TOKENS = [
    "", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.e.e", " ", "x" * 9000, f"{made()} ", f"{made()}\n",
    made() + "=", f"{encoded(b'[1]')}.{encoded(b'{}')}.AAAA", f"{encoded(b'[' * 5000)}.{encoded(b'{}')}.AAAA",
    f"{encoded(b'null')}.{encoded(b'{}')}.AAAA", f"{encoded(bytes([255]))}.{encoded(b'{}')}.AAAA",
]  # fmt: skip


@pytest.mark.parametrize("token", NOT_TOKENS)
def test_what_is_no_token_is_malformed(token: str) -> None:
    assert refusal(token) == "assertion_malformed"
    with pytest.raises(AssertionRefused, match="assertion_malformed"):
        peek_issuer(token)
    with pytest.raises(TokenRefused, match="token_malformed"):
        TokenKey(bytes(32)).check(token, US, NOW)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"null", b"{", b"\xff", b"[" * 4000, b'{"iss":' + b"[" * 3000]
)
def test_claims_that_are_no_object_are_malformed(body: bytes) -> None:
    assert refusal(by_hand(body)) == "assertion_malformed"
    with pytest.raises(AssertionRefused, match="assertion_malformed"):
        peek_issuer(by_hand(body))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"kid": 7},
        {"typ": ["x"]},
        {"alg": 1},
        {"alg": None},
    ],
)
def test_a_header_of_another_form_is_malformed(header: Json) -> None:
    assert refusal(by_hand(header=header)) == "assertion_malformed"


def test_a_key_in_the_header_is_not_believed() -> None:
    other = new_caller_key()
    token = by_hand(key=other, header={"kid": ED["kid"], "jwk": public_jwk(other)})
    assert refusal(token) == "assertion_signature"


def test_the_public_half_carries_no_secret() -> None:
    for key in (ED, EC, {**ED, "use": "sig", "alg": "EdDSA", "note": "x"}):
        assert set(public_jwk(key)) <= {"kty", "crv", "x", "y", "kid"}
    assert public_jwk({**ED, "kid": "mine"})["kid"] == "mine"
    assert public_jwk(public_jwk(EC)) == public_jwk(EC)


@pytest.mark.parametrize(
    "key",
    [{}, {"kty": "OKP"}, {"kty": ["OKP"], "crv": "Ed25519"}, {"kty": "OKP", "crv": "Ed25519"},
     {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"kty": "OKP", "crv": "Ed25519", "x": "é"},
     {"kty": "OKP", "crv": "X25519", "x": ED["x"]}, {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
     {"kty": "EC", "crv": "P-256", "x": "", "y": ""},
     {"kty": "EC", "crv": "P-384", "x": EC["x"], "y": EC["y"]}],
)  # fmt: skip
def test_what_is_no_key_cannot_be_registered(key: Json) -> None:
    with pytest.raises(ValueError, match="JWK"):
        public_jwk(key)


def test_a_public_key_cannot_make_an_assertion() -> None:
    with pytest.raises(ValueError, match="JWK"):
        made(public_jwk(ED))


TOKENS = TokenKey(bytes(range(32)))
ISSUED: Json = {
    "issuer": US, "client_id": "police", "subject": "officer-7", "agency": "H56.14", "officer": "officer-7",
    "assertion_thumbprint": ED["kid"], "jti": "t1", "at": NOW, "lifetime": timedelta(minutes=5),
}  # fmt: skip


def token_refusal(token: str, issuer: str = US, at: datetime = NOW, key: TokenKey = TOKENS) -> str:
    with pytest.raises(TokenRefused) as refused:
        key.check(token, issuer, at)
    return refused.value.code


@pytest.mark.parametrize("officer", ["officer-7", None])
def test_a_token_says_what_was_issued(officer: str | None) -> None:
    subject = officer or "police"
    token = TOKENS.issue(**{**ISSUED, "officer": officer, "subject": subject})
    expires = datetime.fromtimestamp(START + 300, UTC)
    said = TokenClaims("police", subject, officer, "H56.14", ED["kid"], "t1", expires)
    assert TOKENS.check(token, US, NOW) == said
    assert TokenKey(bytes(range(32))).check(token, US, NOW) == said
    claims = json.loads(decoded(token.split(".")[1]))
    assert ("officer" in claims) == (officer is not None)
    assert None not in claims.values()


def test_a_token_has_the_form_of_rfc_9068_and_checks_with_the_published_key() -> None:
    heading, body, signature = TOKENS.issue(**ISSUED).split(".")
    (jwk,) = TOKENS.jwks()["keys"]
    assert "d" not in jwk
    assert json.loads(decoded(heading)) == {"alg": "Ed25519", "typ": "at+jwt", "kid": jwk["kid"]}
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(json.loads(decoded(body)))
    public = Ed25519PublicKey.from_public_bytes(decoded(jwk["x"]))
    public.verify(decoded(signature), f"{heading}.{body}".encode())


def test_a_token_ends_and_is_for_us() -> None:
    token = TOKENS.issue(**ISSUED)
    end = datetime.fromtimestamp(START + 300, UTC)
    assert TOKENS.check(token, US, end - timedelta(microseconds=1)).expires == end
    assert token_refusal(token, at=end) == "token_expired"
    assert token_refusal(token, issuer="https://other.example") == "token_audience"


def test_a_token_of_another_key_is_refused() -> None:
    assert token_refusal(TOKENS.issue(**ISSUED), key=TokenKey(bytes(32))) == "token_signature"


def test_every_changed_character_of_a_token_is_refused() -> None:
    token = TOKENS.issue(**ISSUED)
    for place, letter in enumerate(token):
        refusal_code = token_refusal(token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :])
        assert refusal_code in ("token_malformed", "token_signature")


def ours(**changed: Any) -> str:
    """Sign other claims with the key of TOKENS itself, as a fault of our own would."""
    secret = {"d": encoded(bytes(range(32))), "kid": TOKENS.jwks()["keys"][0]["kid"]}
    full = {"iss": US, "client_id": "police", "agency": "H56.14", "key_thumbprint": "k", **changed}
    return by_hand(key=secret, header={"typ": changed.get("typ", "at+jwt")}, **full)


def test_a_token_of_ours_needs_every_claim() -> None:
    assert TOKENS.check(ours(), US, NOW).officer is None
    for name in ("client_id", "sub", "agency", "key_thumbprint", "jti", "exp"):
        assert token_refusal(ours(**{name: ...})) == "token_malformed"
    for name in ("iss", "aud"):
        assert token_refusal(ours(**{name: ...})) == "token_audience"
    assert token_refusal(ours(officer=None)) == "token_malformed"
    assert token_refusal(ours(typ="JWT")) == "token_malformed"


def test_an_assertion_is_no_token_and_a_token_no_assertion() -> None:
    assert token_refusal(made()) == "token_malformed"
    assert refusal(TOKENS.issue(**ISSUED), [TOKENS.jwks()["keys"][0]]) == "assertion_type"


def test_a_token_key_has_32_secret_bytes_and_does_not_show_them() -> None:
    with pytest.raises(ValueError, match="32"):
        TokenKey(bytes(31))
    assert encoded(bytes(range(32))) not in repr(TOKENS) + repr(vars(TOKENS))
