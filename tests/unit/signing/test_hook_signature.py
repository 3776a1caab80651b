"""Signatures of web hooks: the standard's own example, and every way in which one does not hold."""

import json
from base64 import b64decode, urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)

from signing.hook_signature import (
    LIVES,
    SKEW,
    HookKey,
    KeysUnreadable,
    Message,
    examine,
    jwk_of,
    kid_of,
    public_keys,
    signed,
)
from signing.receipt import outcome_of

URL = "https://hooks.example/kho?x=1"
BODY = b'{"id":"evt-1"}'
AT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)

# RFC 9421, B.1.4, B.2 and B.2.6
PRIVATE = b64decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF")
PUBLIC = b64decode("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")
COVERED = ("date", "@method", "@path", "@authority", "content-type", "content-length")
HEADERS = {
    "Host": "example.com",
    "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "Content-Type": "application/json",
    "Content-Length": "18",
}
SIGNATURE = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
INPUT = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)


def resolver() -> MappingKeyResolver:
    name = "test-key-ed25519"
    private, public = load_der_private_key(PRIVATE, None), load_der_public_key(PUBLIC)
    return MappingKeyResolver(private_keys={name: private}, public_keys={name: public})  # type: ignore[dict-item]


def test_the_standards_own_example_is_signed_alike() -> None:
    message = Message("POST", "https://example.com/foo?param=Value&Pet=dog", dict(HEADERS), b"")
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=resolver()).sign(
        message,
        key_id="test-key-ed25519",
        created=datetime.fromtimestamp(1618884473, UTC),
        label="sig-b26",
        include_alg=False,
        covered_component_ids=COVERED,
    )
    assert message.headers["Signature"] == f"sig-b26=:{SIGNATURE}:"
    assert message.headers["Signature-Input"] == INPUT


def test_the_standards_own_example_holds_and_no_other_does() -> None:
    said = HEADERS | {"Signature-Input": INPUT, "Signature": f"sig-b26=:{SIGNATURE}:"}
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=resolver())
    verifier.verify(Message("POST", "https://example.com/foo?param=Value&Pet=dog", said, b""), max_age=None)
    changed = said | {"Date": "Tue, 20 Apr 2021 02:07:56 GMT"}
    with pytest.raises(InvalidSignature):
        verifier.verify(
            Message("POST", "https://example.com/foo?param=Value&Pet=dog", changed, b""), max_age=None
        )


def test_a_key_is_named_by_its_thumbprint() -> None:
    """RFC 8037, A.3."""
    public = urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    assert kid_of(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.fixture(scope="module")
def key() -> HookKey:
    return HookKey(Ed25519PrivateKey.generate())


@pytest.fixture
def keys(key: HookKey) -> Any:
    return public_keys(json.dumps({"keys": [jwk_of(key.public)]}).encode())


@pytest.fixture
def message(key: HookKey) -> Message:
    return Message("POST", URL, signed(URL, BODY, key, AT), BODY)


def told(message: Message, keys: Any, at: datetime = AT, seen: Any = None) -> tuple[str, str]:
    steps = examine(message, keys, at, seen)
    return outcome_of(steps), steps[-1].name


def test_what_was_signed_holds_while_it_lives(message: Message, keys: Any) -> None:
    assert told(message, keys) == ("valid", "hook_time")
    assert told(message, keys, AT + LIVES + SKEW - timedelta(seconds=1))[0] == "valid"
    assert told(message, keys, AT + LIVES + SKEW + timedelta(seconds=2)) == ("invalid", "hook_time")
    assert told(message, keys, AT - SKEW - timedelta(seconds=2)) == ("invalid", "hook_time")


def test_two_signatures_of_one_thing_have_two_nonces(key: HookKey, keys: Any) -> None:
    first, second = (signed(URL, BODY, key, AT) for _ in range(2))
    assert first["Signature-Input"] != second["Signature-Input"]
    noted: set[str] = set()

    def seen(nonce: str, until: datetime) -> bool:
        assert until >= AT + LIVES
        known = nonce in noted
        noted.add(nonce)
        return known

    for headers in (first, second):
        assert told(Message("POST", URL, headers, BODY), keys, seen=seen) == ("valid", "hook_once")
    assert told(Message("POST", URL, first, BODY), keys, seen=seen) == ("invalid", "hook_once")
    late = AT + timedelta(hours=1)
    assert told(Message("POST", URL, first, BODY), keys, late, seen) == ("invalid", "hook_time")
    assert len(noted) == 2


def changed(message: Message, **headers: str) -> Message:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Message(message.method, message.url, message.headers | names, message.body)


def without(message: Message, name: str) -> Message:
    left = {one: value for one, value in message.headers.items() if one != name}
    return Message(message.method, message.url, left, message.body)


def test_what_was_changed_on_the_way_does_not_hold(message: Message, keys: Any) -> None:
    said = message.headers
    other = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    for made, step in (
        (Message("PUT", URL, said, BODY), "hook_signature"),
        (Message("POST", URL + "2", said, BODY), "hook_signature"),
        (Message("POST", URL.replace("hooks", "other"), said, BODY), "hook_signature"),
        (Message("POST", URL, said, BODY + b" "), "hook_digest"),
        (Message("POST", URL, said | {"Content-Digest": other}, b""), "hook_signature"),
        (changed(message, Content_Type="application/json"), "hook_signature"),
        (without(message, "Content-Digest"), "hook_digest"),
        (without(message, "Signature"), "hook_signature"),
        (without(message, "Signature-Input"), "hook_format"),
        (without(message, "Content-Type"), "hook_signature"),
    ):
        assert told(made, keys) == ("invalid", step)


@pytest.mark.parametrize(
    ("was", "now", "step"),
    [
        ('"content-digest"', "", "hook_signature"),
        ('"@target-uri"', '"@path"', "hook_signature"),
        ('"@method" ', "", "hook_signature"),
        (";expires=", ";expires=1", "hook_signature"),
        (';tag="kho-webhook"', "", "hook_format"),
        ("nonce=", "nonse=", "hook_format"),
        ("kho-webhook", "another", "hook_format"),
        ('alg="ed25519"', 'alg="hmac-sha256"', "hook_signature"),
        ("created=", "created=-", "hook_signature"),
        ("created=1", "created=1.", "hook_format"),
        ("kho=(", "kho=", "hook_format"),
    ],
)
def test_what_the_signature_says_of_itself_is_signed(
    message: Message, keys: Any, was: str, now: str, step: str
) -> None:
    said = message.headers["Signature-Input"].replace(was, now)
    assert said != message.headers["Signature-Input"]
    assert told(changed(message, Signature_Input=said), keys) == ("invalid", step)


def test_less_than_must_be_covered_does_not_hold_though_it_is_signed(key: HookKey, keys: Any) -> None:
    """A signature of ours for another use, or of a thief who had the key sign less."""
    message = Message("POST", URL, {"Content-Type": "application/json"}, BODY)
    HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={key.kid: key.private}),
    ).sign(
        message,
        key_id=key.kid,
        created=AT,
        expires=AT + LIVES,
        nonce="n",
        tag="kho-webhook",
        covered_component_ids=("@method", "content-type"),
        body=BODY,
    )
    assert told(message, keys) == ("invalid", "hook_signature")


def test_a_key_that_is_not_among_those_named_decides_nothing(message: Message) -> None:
    other = HookKey(Ed25519PrivateKey.generate())
    keys = public_keys(json.dumps({"keys": [jwk_of(other.public)]}).encode())
    assert told(message, keys) == ("undetermined", "hook_key")
    stolen = {next(iter(examine(message, {}, AT)[-1:])).detail: next(iter(keys.values()))}
    assert told(message, stolen) == ("invalid", "hook_signature"), "another key under its name"


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": ["x"]}', b'{"keys": [{}]}', b"\xff"]
)
def test_what_is_no_set_of_keys_is_told(text: bytes) -> None:
    with pytest.raises(KeysUnreadable):
        public_keys(text)


def test_keys_of_other_kinds_are_passed_over(key: HookKey) -> None:
    ours = jwk_of(key.public)
    others = [{"kty": "EC", "crv": "P-256", "kid": "x"}, {"kty": "OKP", "crv": "X25519", "x": "", "kid": "y"}]
    assert list(public_keys(json.dumps({"keys": [*others, ours]}).encode())) == [key.kid]


def test_the_secret_does_not_show(key: HookKey) -> None:
    assert "rivate" not in repr(key)
