"""Proof of who is calling: assertions of systems (RFC 7523) and our own access tokens (RFC 9068).

Pure: no rows, no clock. That an assertion is used once, and that its system and officer are registered, is
checked where the rows are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from vault.signed_claims import (
    Claims,
    Jwk,
    Malformed,
    as_jwk,
    claims_of,
    ed25519_key,
    ed25519_public,
    find_key,
    import_key,
    is_for,
    is_signed_by,
    parse,
    seconds,
    sign,
    text,
)

CLIENT_TYPE = "client-authentication+jwt"
OFFICER_TYPE = "kho-officer+jwt"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068, 2.1
LIFETIME_MAX = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
JTI_LENGTH_MAX = 128


class _Refused(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class AssertionRefused(_Refused):
    """An assertion does not prove what it says.

    `code` is one of assertion_malformed, assertion_signature, assertion_expired (or not valid yet),
    assertion_too_long_lived, assertion_audience, assertion_type, assertion_key_unknown; `detail` says which
    part is at fault, for the developers of the calling system.
    """


class TokenRefused(_Refused):
    """A token is not one of ours, or no longer.

    `code` is one of token_malformed, token_signature, token_expired, token_audience; `detail` says more.
    """


@dataclass(frozen=True)
class Assertion:
    """What a verified assertion says; `key_thumbprint` is that of the key that signed it (RFC 7638)."""

    issuer: str
    subject: str
    jti: str
    expires: datetime
    key_thumbprint: str
    typ: str


@dataclass(frozen=True)
class TokenClaims:
    """What a verified access token says; `key_thumbprint` is that of the key that proved the client."""

    client_id: str
    subject: str
    officer: str | None
    agency: str
    key_thumbprint: str
    jti: str
    expires: datetime


def peek_issuer(token: str) -> str:
    """Give the `iss` an assertion claims, unverified: only to find the keys to check it with.

    Raises AssertionRefused (assertion_malformed).
    """
    try:
        return text(claims_of(parse(token)), "iss")
    except Malformed as error:
        raise AssertionRefused("assertion_malformed", str(error)) from None


def check_assertion(token: str, *, keys: Sequence[Jwk], issuer: str, typ: str, at: datetime) -> Assertion:
    """Verify an assertion at the instant `at` and give what it says.

    `keys` are the public JWKs registered for the system that `peek_issuer` named; `issuer` is our own name
    and must be the whole audience; `typ` is the exact header type (CLIENT_TYPE or OFFICER_TYPE). `exp` lies
    at most five minutes ahead; `iat` and `nbf`, where given, at most 30 s. A client assertion is about its
    own issuer, an officer assertion is issued by a system about an officer. Raises AssertionRefused.
    """
    try:
        signed = parse(token)
        if signed.protected.get("typ") != typ:
            raise AssertionRefused("assertion_type", f"typ is not {typ}")
        key = find_key(keys, signed.protected.get("kid"))
        if key is None:
            raise AssertionRefused("assertion_key_unknown", "kid names no registered key")
        if not is_signed_by(signed, key):
            raise AssertionRefused("assertion_signature", "alg or signature")
        claims = claims_of(signed)
        if not is_for(claims, issuer):
            raise AssertionRefused("assertion_audience", f"aud is not {issuer}")
        expires = _check_times(claims, at)
        names = text(claims, "iss"), text(claims, "sub"), text(claims, "jti", JTI_LENGTH_MAX)
    except Malformed as error:
        raise AssertionRefused("assertion_malformed", str(error)) from None
    if typ == CLIENT_TYPE and names[0] != names[1]:
        raise AssertionRefused("assertion_malformed", "iss and sub of a client assertion differ")
    return Assertion(*names, expires=expires, key_thumbprint=key.thumbprint(), typ=typ)


def _check_times(claims: Claims, at: datetime) -> datetime:
    now, expires = at.timestamp(), seconds(claims, "exp")
    if expires <= now:
        raise AssertionRefused("assertion_expired", "exp has passed")
    if expires - now > LIFETIME_MAX.total_seconds():
        raise AssertionRefused("assertion_too_long_lived", "exp is more than 5 minutes ahead")
    for name in ("iat", "nbf"):
        if name in claims and seconds(claims, name) - now > LEEWAY.total_seconds():
            raise AssertionRefused("assertion_expired", f"{name} is still ahead")
    return datetime.fromtimestamp(expires, UTC)


def make_assertion(
    key_jwk_private: Jwk,
    *,
    issuer: str,
    client_id: str,
    subject: str,
    typ: str,
    at: datetime,
    jti: str,
    lifetime: timedelta = timedelta(minutes=1),
) -> str:
    """Make an assertion, on the caller's side: `client_id` tells `issuer` (the vault) who `subject` is.

    The key is the caller's private JWK (Ed25519 or P-256; its `kid`, else its thumbprint, names it). In a
    client assertion `subject` is the client id again. Raises ValueError for a key that cannot sign.
    """
    key = import_key(key_jwk_private, private=True)
    start = math.floor(at.timestamp())
    claims: Claims = {"iss": client_id, "sub": subject, "aud": issuer, "jti": jti, "iat": start}
    claims["exp"] = start + math.floor(lifetime.total_seconds())
    return sign(typ, key_jwk_private.get("kid") or key.thumbprint(), claims, key)


def new_caller_key() -> Jwk:
    """Make a private JWK for a system (Ed25519, its thumbprint as `kid`); register `public_jwk` of it."""
    return as_jwk(OKPKey.generate_key("Ed25519"), private=True)


def public_jwk(key: Jwk) -> Jwk:
    """Give the public half of a JWK with its `kid` (its thumbprint if it has none), and nothing else of it.

    Raises ValueError if it is no Ed25519 or P-256 key: what this gives may be registered.
    """
    kid = key.get("kid")
    return as_jwk(import_key(key), private=False, kid=kid if isinstance(kid, str) else None)


class TokenVerifier:
    """The public half of our key for access tokens: whoever has it can check them, and issue none."""

    def __init__(self, public: bytes) -> None:
        """Take the 32 public bytes of the key; any other length raises ValueError."""
        self.public = public
        self._key = ed25519_public(public)

    def check(self, token: str, issuer: str, at: datetime) -> TokenClaims:
        """Verify a token of ours at the instant `at` and give what it says. Raises TokenRefused."""
        try:
            signed = parse(token)
            if signed.protected.get("typ") != TOKEN_TYPE:
                raise TokenRefused("token_malformed", f"typ is not {TOKEN_TYPE}")
            if not is_signed_by(signed, self._key):
                raise TokenRefused("token_signature", "alg or signature")
            claims = claims_of(signed)
            if not is_for(claims, issuer) or claims.get("iss") != issuer:
                raise TokenRefused("token_audience", f"iss or aud is not {issuer}")
            expires = seconds(claims, "exp")
            if expires <= at.timestamp():
                raise TokenRefused("token_expired", "exp has passed")
            return _token_claims(claims, datetime.fromtimestamp(expires, UTC))
        except Malformed as error:
            raise TokenRefused("token_malformed", str(error)) from None

    def jwks(self) -> dict[str, list[Jwk]]:
        """Give the public key as a JWK set (RFC 7517), for those who check our tokens themselves."""
        return {"keys": [as_jwk(self._key, private=False) | {"alg": "Ed25519", "use": "sig"}]}


class TokenKey(TokenVerifier):
    """Our key for access tokens: Ed25519, held by the gate alone; its public half is published as JWKS."""

    def __init__(self, secret: bytes) -> None:
        """Take the 32 secret bytes of the key; any other length raises ValueError."""
        public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        super().__init__(public)
        self._key = ed25519_key(secret, public)
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
        """Give an access token for `issuer` itself, valid from `at` for `lifetime`, in whole seconds.

        `subject` is the officer's id or, without one, the client's; `assertion_thumbprint` is that of the key
        that proved the client.
        """
        start = math.floor(at.timestamp())
        claims: Claims = {"iss": issuer, "aud": issuer, "sub": subject, "client_id": client_id}
        claims |= {"agency": agency, "key_thumbprint": assertion_thumbprint, "jti": jti, "iat": start}
        claims["exp"] = start + math.floor(lifetime.total_seconds())
        if officer is not None:
            claims["officer"] = officer
        return sign(TOKEN_TYPE, self._kid, claims, self._key)


def _token_claims(claims: Claims, expires: datetime) -> TokenClaims:
    return TokenClaims(
        client_id=text(claims, "client_id"),
        subject=text(claims, "sub"),
        officer=text(claims, "officer") if "officer" in claims else None,
        agency=text(claims, "agency"),
        key_thumbprint=text(claims, "key_thumbprint"),
        jti=text(claims, "jti", JTI_LENGTH_MAX),
        expires=expires,
    )
