"""Signing what is sent to web hooks, and checking it: HTTP message signatures (RFC 9421) by Ed25519.

Method, target, kind and digest (RFC 9530) of the body are signed, for one receiver, for some minutes, under
a number used once. The checking half is the receiver's: it is what `kho verify webhook` does, offline.
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from signing.receipt import Step

TAG = "kho-webhook"
LABEL = "kho"
COVERED = ("@method", "@target-uri", "content-type", "content-digest")
LIVES = timedelta(minutes=5)  # from `created` to `expires`
SKEW = timedelta(minutes=1)  # that the clocks of sender and receiver may differ by
EVENT_TYPE = "application/cloudevents+json"
_NONCE = 16  # bytes
_SAID = ("created", "expires", "nonce", "keyid", "alg", "tag")


@dataclass
class Message:
    """A request as it is sent or came in; a header that came twice stands in one value with a comma."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class HookKey:
    """The key that signs; the private half never shows in a repr. `kid` is its thumbprint (RFC 7638)."""

    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The public half: 32 raw bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def kid(self) -> str:
        """The name of the key."""
        return kid_of(self.public)


def kid_of(public: bytes) -> str:
    """Name an Ed25519 public key by its thumbprint (RFC 7638, RFC 8037)."""
    said = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": _text(public)}, separators=(",", ":"))
    return _text(sha256(said.encode()).digest())


def jwk_of(public: bytes) -> dict[str, str]:
    """Write an Ed25519 public key as a JWK (RFC 8037)."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _text(public),
        "kid": kid_of(public),
        "alg": "Ed25519",
        "use": "sig",
    }


def signed(url: str, body: bytes, key: HookKey, at: datetime, *, kind: str = EVENT_TYPE) -> dict[str, str]:
    """Give the headers of a POST of `body` to `url` that is signed at an instant."""
    message = Message("POST", url, {"Content-Type": kind}, body)
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={key.kid: key.private}),
    )
    signer.sign(
        message,
        key_id=key.kid,
        created=at,
        expires=at + LIVES,
        nonce=_text(os.urandom(_NONCE)),
        label=LABEL,
        tag=TAG,
        covered_component_ids=COVERED,
        body=body,
    )
    return message.headers


# The receiver's half ------------------------------------------------------------------------------------


class KeysUnreadable(ValueError):
    """A set of keys is no JWKS with an Ed25519 key."""


def public_keys(jwks: bytes) -> dict[str, Ed25519PublicKey]:
    """Read the Ed25519 keys of a JWKS by their `kid`; others are left out. Raises KeysUnreadable."""
    try:
        found = json.loads(jwks)["keys"]
        fit = [one for one in found if (one["kty"], one.get("crv")) == ("OKP", "Ed25519")]
        return {one["kid"]: Ed25519PublicKey.from_public_bytes(_bytes(one["x"])) for one in fit}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise KeysUnreadable("expected a JSON object with a list of keys (RFC 7517)") from problem


def examine(
    message: Message,
    keys: Mapping[str, Ed25519PublicKey],
    at: datetime,
    seen: Callable[[str, datetime], bool] | None = None,
) -> tuple[Step, ...]:
    """Check a message as its receiver, step by step; a step that fails ends it.

    Args:
        at: when it came in.
        seen: takes note of a nonce until an instant, and says whether it was noted before. It is asked last,
            of what is right in all else.
    """
    said = _said(message.headers)
    steps = [Step(1, "hook_format", said is not None, "" if said is not None else "signature-input")]
    if said is None:
        return tuple(steps)
    digested = _digest_fits(message)
    steps.append(Step(2, "hook_digest", digested, ""))
    if not digested:
        return tuple(steps)
    known = said["keyid"] in keys
    steps.append(Step(3, "hook_key", True if known else None, said["keyid"]))
    if not known:
        return tuple(steps)
    wrong = _wrong_signature(message, keys)
    steps.append(Step(4, "hook_signature", wrong is None, wrong or ""))
    if wrong is not None:
        return tuple(steps)
    created, expires = said["created"], said["expires"]
    timely = created - SKEW.total_seconds() <= at.timestamp() <= expires + SKEW.total_seconds()
    timely = timely and expires - created <= LIVES.total_seconds()
    steps.append(Step(5, "hook_time", timely, f"{created}..{expires}"))
    if not timely or seen is None:
        return tuple(steps)
    until = datetime.fromtimestamp(expires, at.tzinfo) + SKEW
    steps.append(Step(6, "hook_once", not seen(said["nonce"], until), said["nonce"]))
    return tuple(steps)


class _Unclocked(HTTPMessageVerifier):
    """The library's verifier without its own clock: the time is judged by `examine`, as at an instant."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Leave the time to `examine`."""


def _said(headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Read what the one signature of ours says of itself; None unless it says all that it must."""
    try:
        value = _header(headers, "signature-input").encode("ascii")
        parsed: Any = http_sf.parse(value, tltype="dictionary", on_duplicate_key=_refuse)
        members = [params for _, params in parsed.values() if params.get("tag") == TAG]
        (params,) = members
        said = {name: params[name] for name in _SAID}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    numbers = all(type(said[one]) is int for one in ("created", "expires"))
    texts = all(isinstance(said[one], str) for one in ("nonce", "keyid"))
    return said if numbers and texts and said["nonce"] else None


def _refuse(name: str, context: str) -> None:
    raise ValueError(f"{context}: {name} stands twice")


def _digest_fits(message: Message) -> bool:
    try:
        ContentDigest.verify(_header(message.headers, "content-digest"), message.body)
    except (HTTPMessageSignaturesException, KeyError, ValueError):
        return False
    return True


def _wrong_signature(message: Message, keys: Mapping[str, Ed25519PublicKey]) -> str | None:
    verifier = _Unclocked(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(public_keys=keys, private_keys={}),
    )
    try:
        found: Sequence[Any] = verifier.verify(
            message, max_age=None, expect_tag=TAG, require_components=COVERED, body=message.body
        )
    except HTTPMessageSignaturesException as problem:
        return str(problem) or "signature"
    return None if len(found) == 1 else "signature"


def _header(headers: Mapping[str, str], name: str) -> str:
    (value,) = [value for known, value in headers.items() if known.lower() == name]
    return value


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
