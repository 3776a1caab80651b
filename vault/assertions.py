"""Proof of who is calling: assertions of systems (RFC 7523) and our own access tokens (RFC 9068).

Pure: no rows, no clock. That an assertion is used once, and that its system and officer are registered, is
checked where the rows are. Algorithms are Ed25519 (RFC 8037, 9864; also under its older name EdDSA) and ES256.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

CLIENT_TYPE = "client-authentication+jwt"
OFFICER_TYPE = "kho-officer+jwt"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068, 2.1
LIFETIME_MAX = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
JTI_LENGTH_MAX = 128

_NAME_LENGTH_MAX = 512
_TOKEN_LENGTH_MAX = 8192
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_ALGORITHMS = {"OKP": "Ed25519", "EC": "ES256"}
_MEMBERS = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y")}
_CURVES = {"OKP": "Ed25519", "EC": "P-256"}

Claims = dict[str, Any]
Key = OKPKey | ECKey


class AssertionRefused(Exception):
    """An assertion does not prove who it says it is from.

    `code` is one of assertion_malformed, assertion_signature, assertion_expired (also: not valid yet),
    assertion_too_long_lived, assertion_audience, assertion_type, assertion_key_unknown; `detail` says which
    part is at fault, for the developer of the calling system.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class TokenRefused(Exception):
    """A token is not one of ours, or no longer.

    `code` is one of token_malformed, token_signature, token_expired, token_audience.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Assertion:
    """What a verified assertion says; `key_thumbprint` is that of the key which signed it (RFC 7638)."""

    issuer: str
    subject: str
    jti: str
    expires: datetime
    key_thumbprint: str
    typ: str


@dataclass(frozen=True)
class TokenClaims:
    """What a verified access token says; `key_thumbprint` is that of the client assertion's key."""

    client_id: str
    subject: str
    officer: str | None
    agency: str
    key_thumbprint: str
    jti: str
    expires: datetime


class _Malformed(Exception):
    """A token cannot be read as what it should be; the message says where."""


def peek_issuer(token: str) -> str:
    """Give the `iss` an assertion claims, unverified: only to find the keys to check it with.

    Raises AssertionRefused (assertion_malformed).
    """
    try:
        return _text(_claims(_parse(token)), "iss")
    except _Malformed as error:
        raise AssertionRefused("assertion_malformed", str(error)) from None


def check_assertion(
    token: str, *, keys: Sequence[dict[str, Any]], issuer: str, typ: str, at: datetime
) -> Assertion:
    """Verify an assertion at the instant `at` and give what it says.

    `keys` are the public JWKs registered for the system that `peek_issuer` named, `issuer` is our own name and
    must be the whole audience, `typ` the exact header type (CLIENT_TYPE or OFFICER_TYPE). `exp` lies at most
    five minutes ahead; `iat` and `nbf`, where given, not ahead by more than 30 s. A client assertion is about
    its issuer; an officer assertion is issued by a system about an officer. Raises AssertionRefused.
    """
    try:
        signed = _parse(token)
        if signed.protected.get("typ") != typ:
            raise AssertionRefused("assertion_type", f"typ is not {typ}")
        key = _find_key(keys, signed.protected.get("kid"))
        if key is None:
            raise AssertionRefused("assertion_key_unknown", "kid names no registered key")
        if not _is_signed_by(signed, key):
            raise AssertionRefused("assertion_signature", "alg or signature")
        claims = _claims(signed)
        if not _is_for(claims, issuer):
            raise AssertionRefused("assertion_audience", f"aud is not {issuer}")
        expires = _check_times(claims, at)
        named = _text(claims, "iss"), _text(claims, "sub"), _text(claims, "jti", JTI_LENGTH_MAX)
    except _Malformed as error:
        raise AssertionRefused("assertion_malformed", str(error)) from None
    if typ == CLIENT_TYPE and named[0] != named[1]:
        raise AssertionRefused("assertion_malformed", "iss and sub of a client assertion differ")
    return Assertion(*named, expires=expires, key_thumbprint=key.thumbprint(), typ=typ)


def _check_times(claims: Claims, at: datetime) -> datetime:
    now = at.timestamp()
    expires = _instant(claims, "exp")
    if expires <= now:
        raise AssertionRefused("assertion_expired", "exp has passed")
    if expires - now > LIFETIME_MAX.total_seconds():
        raise AssertionRefused("assertion_too_long_lived", "exp is more than 5 minutes ahead")
    for name in ("iat", "nbf"):
        if name in claims and _instant(claims, name) - now > LEEWAY.total_seconds():
            raise AssertionRefused("assertion_expired", f"{name} is still ahead")
    return datetime.fromtimestamp(expires, UTC)


def make_assertion(
    key: dict[str, Any],
    *,
    issuer: str,
    client_id: str,
    subject: str,
    typ: str,
    at: datetime,
    jti: str,
    lifetime: timedelta = timedelta(minutes=1),
) -> str:
    """Make an assertion, on the caller's side: `client_id` says to `issuer` (the vault) who `subject` is.

    `key` is the caller's private JWK (Ed25519 or P-256; its `kid`, else its thumbprint, names it). For a client
    assertion `subject` is the client id itself. Raises ValueError for a key that cannot sign.
    """
    signer = _import_key(key, private=True)
    header = {"typ": typ, "kid": key.get("kid", signer.thumbprint())}
    start = math.floor(at.timestamp())
    claims = {"iss": client_id, "sub": subject, "aud": issuer, "jti": jti, "iat": start}
    return _sign(header, claims | {"exp": start + math.floor(lifetime.total_seconds())}, signer)


def new_caller_key() -> dict[str, Any]:
    """Make a fresh private JWK (Ed25519, with its thumbprint as `kid`) for a system; register `public_jwk` of it."""
    return _with_kid(OKPKey.generate_key("Ed25519"), private=True)


def public_jwk(key: dict[str, Any]) -> dict[str, Any]:
    """Give the public half of a JWK with its `kid` (its thumbprint if it had none), and nothing else of it.

    Raises ValueError if it is no Ed25519 or P-256 key.
    """
    return _with_kid(_import_key(key, private=False), private=False) | (
        {"kid": key["kid"]} if isinstance(key.get("kid"), str) else {}
    )


class TokenKey:
    """Our key for access tokens: Ed25519, held by the gate alone; the public half is published as JWKS."""

    def __init__(self, secret: bytes) -> None:
        """Take the 32 secret bytes of the key; any other length raises ValueError."""
        public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        halves = {"d": _encode(secret), "x": _encode(public)}
        self._key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **halves})
        self._kid = self._key.thumbprint()

    def issue(
        self,
        *,
        issuer: str,
        client_id: str,
        subject: str,
        agency: str,
        officer: str | None,
        assertion_thumbprint: str,
        jti: str,
        at: datetime,
        lifetime: timedelta,
    ) -> str:
        """Give an access token for `issuer` itself, valid from `at` for `lifetime` (whole seconds).

        `subject` is the officer's id or, without one, the client's; `assertion_thumbprint` the key's that proved
        the client.
        """
        start = math.floor(at.timestamp())
        claims: Claims = {"iss": issuer, "aud": issuer, "sub": subject, "client_id": client_id}
        claims |= {"agency": agency, "key_thumbprint": assertion_thumbprint, "jti": jti, "iat": start}
        claims["exp"] = start + math.floor(lifetime.total_seconds())
        if officer is not None:
            claims["officer"] = officer
        return _sign({"typ": TOKEN_TYPE, "kid": self._kid}, claims, self._key)

    def check(self, token: str, issuer: str, at: datetime) -> TokenClaims:
        """Verify a token of ours at the instant `at` and give what it says. Raises TokenRefused."""
        try:
            signed = _parse(token)
            if signed.protected.get("typ") != TOKEN_TYPE:
                raise TokenRefused("token_malformed", f"typ is not {TOKEN_TYPE}")
            if not _is_signed_by(signed, self._key):
                raise TokenRefused("token_signature", "alg or signature")
            claims = _claims(signed)
            if not _is_for(claims, issuer) or claims.get("iss") != issuer:
                raise TokenRefused("token_audience", f"iss or aud is not {issuer}")
            expires = _instant(claims, "exp")
            if expires <= at.timestamp():
                raise TokenRefused("token_expired", "exp has passed")
            return TokenClaims(
                client_id=_text(claims, "client_id"),
                subject=_text(claims, "sub"),
                officer=_text(claims, "officer") if "officer" in claims else None,
                agency=_text(claims, "agency"),
                key_thumbprint=_text(claims, "key_thumbprint"),
                jti=_text(claims, "jti", JTI_LENGTH_MAX),
                expires=datetime.fromtimestamp(expires, UTC),
            )
        except _Malformed as error:
            raise TokenRefused("token_malformed", str(error)) from None

    def jwks(self) -> dict[str, Any]:
        """Give the public key as a JWK set (RFC 7517), for those who want to check our tokens."""
        return {"keys": [_with_kid(self._key, private=False) | {"alg": "Ed25519", "use": "sig"}]}


class _Registry(jws.JWSRegistry):
    """The two algorithms we take; EdDSA is an older name of one of them, never a third."""

    def __init__(self) -> None:
        super().__init__(algorithms=list(_ALGORITHMS.values()), strict_check_header=False)

    def get_alg(self, name: str) -> jws.JWSAlgModel:
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


_REGISTRY = _Registry()


def _parse(token: str) -> jws.CompactSignature:
    """Read a compact JWS whose three parts are canonical base64url, so that no other text is the same token."""
    if len(token) > _TOKEN_LENGTH_MAX or not _COMPACT.fullmatch(token):
        raise _Malformed("no compact JWS of at most 8192 characters")
    try:
        parts = [part.encode() for part in token.split(".")]
        if any(urlsafe_b64encode(urlsafe_b64decode(part)) != part for part in parts):
            raise _Malformed("base64url with stray bits")
        signed = jws.extract_compact(token.encode(), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise _Malformed("header") from None
    header = signed.protected
    if not isinstance(header, dict) or not all(
        isinstance(header.get(name, ""), str) for name in ("alg", "kid", "typ")
    ):
        raise _Malformed("header")
    if "crit" in header:
        raise _Malformed("crit names extensions we do not have")
    return signed


def _claims(signed: jws.CompactSignature) -> Claims:
    try:
        claims = json.loads(signed.payload)
    except (ValueError, RecursionError):
        raise _Malformed("claims are no JSON") from None
    if not isinstance(claims, dict):
        raise _Malformed("claims are no object")
    return claims


def _text(claims: Claims, name: str, length_max: int = _NAME_LENGTH_MAX) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= length_max or not value.isprintable():
        raise _Malformed(f"{name} must be a text of 1 to {length_max} characters")
    return value


def _instant(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise _Malformed(f"{name} must be a number of seconds")
    return float(value)


def _is_for(claims: Claims, issuer: str) -> bool:
    return claims.get("aud") in (issuer, [issuer])


def _is_signed_by(signed: jws.CompactSignature, key: Key) -> bool:
    try:
        return jws.validate_compact(signed, key, registry=_REGISTRY)
    except (JoseError, BadSignatureError, ValueError):
        return False  # an algorithm we do not take, or one that is not this key's


def _sign(header: dict[str, Any], claims: Claims, key: Key) -> str:
    header = {"alg": _ALGORITHMS[key.key_type], **header}
    return jws.serialize_compact(header, json.dumps(claims, separators=(",", ":")), key, registry=_REGISTRY)


def _find_key(keys: Sequence[dict[str, Any]], kid: str | None) -> Key | None:
    """Give the registered key a `kid` names, by its own kid or its thumbprint; without kid the only key."""
    if kid is None:
        return _import_key(keys[0], private=False) if len(keys) == 1 else None
    for jwk in keys:
        key = _import_key(jwk, private=False)
        if kid in (jwk.get("kid"), key.thumbprint()):
            return key
    return None


def _import_key(jwk: dict[str, Any], *, private: bool) -> Key:
    """Read an Ed25519 or P-256 JWK by its key members alone; ValueError if it is none."""
    kind = jwk.get("kty")
    if kind not in _CURVES or jwk.get("crv") != _CURVES[kind]:
        raise ValueError("a key for assertions is Ed25519 or P-256")
    wanted = (*_MEMBERS[kind], "d") if private else _MEMBERS[kind]
    try:
        members = {name: str(jwk[name]) for name in wanted}
        return OKPKey.import_key(members) if kind == "OKP" else ECKey.import_key(members)
    except (KeyError, JoseError) as error:
        raise ValueError("the key lacks a member or is malformed") from error


def _with_kid(key: Key, *, private: bool) -> dict[str, Any]:
    return {**key.as_dict(private=private), "kid": key.thumbprint()}


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).decode()
