"""Proof of a person by an identity provider: ID tokens and logout tokens, strictly checked.

Rules: OpenID Connect Core 1.0, 3.1.3.7 and 3.1.3.8; OpenID Connect Back-Channel Logout 1.0, 2.6. Pure: no
rows, no clock, no network; the provider's keys are an argument.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha384, sha512
from hmac import compare_digest
from typing import Any

from joserfc.util import urlsafe_b64encode

from vault import provider_keys
from vault.signed_claims import Claims, Malformed, Signed, claims_of, is_for, parse, seconds, text

LEEWAY = timedelta(minutes=2)  # how far two clocks may differ
_WHOLE_SECONDS = timedelta(seconds=1)  # times of tokens are told so
MOST_CHARACTERS = 16 * 1024
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_SUBJECT_MAX = 255  # OpenID Connect Core 1.0, 2
_HASHES = {"256": sha256, "384": sha384, "512": sha512}
_MOST_METHODS = 20


class IdTokenRefused(Exception):
    """A token of the provider does not prove what it should.

    `code` is id_token_malformed, id_token_algorithm, id_token_key_unknown, id_token_signature,
    id_token_issuer, id_token_audience, id_token_nonce, id_token_expired, id_token_clock, id_token_too_old,
    id_token_replayed or id_token_access_token; `detail` says which part, and repeats no value. With
    id_token_clock `ahead` is how many minutes the provider's clock is ahead of ours (negative: behind).
    """

    def __init__(self, code: str, detail: str, *, ahead: int = 0) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.ahead = ahead


@dataclass(frozen=True)
class Expected:
    """What an ID token must say: exactly this issuer, this client, this nonce; issued for this access token.

    `begun_at`: when we sent the person there; who was authenticated before that typed nothing now.
    `fresh_since`: the person must have authenticated after that instant, and the token must say so.
    """

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None = None
    begun_at: datetime | None = None
    fresh_since: datetime | None = None


@dataclass(frozen=True)
class IdToken:
    """What a checked ID token says; `claims` holds the rest, unjudged."""

    issuer: str
    subject: str
    authenticated_at: datetime | None  # `auth_time`; none where it is absent, or before this sign-in began
    acr: str | None
    amr: frozenset[str]
    sid: str | None
    claims: Mapping[str, Any]


@dataclass(frozen=True)
class LogoutToken:
    """Whose sessions the provider has ended: one session (`sid`), or all of a subject."""

    subject: str | None
    sid: str | None
    jti: str
    expires: datetime


def check_id_token(
    token: str, *, keys: Sequence[Mapping[str, Any]], expected: Expected, at: datetime
) -> IdToken:
    """Verify an ID token at the instant `at` by the provider's published keys (JWKs).

    Raises:
        IdTokenRefused: it does not hold; nothing of it may be used.
    """
    try:
        claims, _, algorithm = _signed(token, keys, expected.issuer, expected.client_id)
        if not compare_digest(text(claims, "nonce").encode(), expected.nonce.encode()):
            raise IdTokenRefused("id_token_nonce", "nonce is another")
        issued = _check_times(claims, at)
        _check_access_token(claims, expected.access_token, algorithm)
        return IdToken(
            issuer=expected.issuer,
            subject=text(claims, "sub", _SUBJECT_MAX),
            authenticated_at=_authenticated(claims, issued, expected, at),
            acr=text(claims, "acr") if claims.get("acr") is not None else None,
            amr=_methods(claims),
            sid=text(claims, "sid") if claims.get("sid") is not None else None,
            claims=claims,
        )
    except Malformed as problem:
        raise IdTokenRefused("id_token_malformed", str(problem)) from None


def check_logout_token(
    token: str, *, keys: Sequence[Mapping[str, Any]], issuer: str, client_id: str, at: datetime
) -> LogoutToken:
    """Verify a logout token at the instant `at`; that it is used once is checked where the rows are.

    Raises:
        IdTokenRefused: it does not hold.
    """
    try:
        claims, signed, _ = _signed(token, keys, issuer, client_id)
        if signed.protected.get("typ", "logout+jwt").lower() not in ("logout+jwt", "jwt"):
            raise IdTokenRefused("id_token_malformed", "typ is not that of a logout token")
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
            raise IdTokenRefused("id_token_malformed", "events does not name a logout")
        if "nonce" in claims:  # else an ID token could pass for one
            raise IdTokenRefused("id_token_malformed", "a logout token has no nonce")
        _check_times(claims, at)
        subject = text(claims, "sub", _SUBJECT_MAX) if "sub" in claims else None
        sid = text(claims, "sid") if "sid" in claims else None
        if subject is None and sid is None:
            raise IdTokenRefused("id_token_malformed", "neither sub nor sid")
        return LogoutToken(subject, sid, text(claims, "jti"), _instant(claims, "exp"))
    except Malformed as problem:
        raise IdTokenRefused("id_token_malformed", str(problem)) from None


def unknown_key(problem: IdTokenRefused) -> bool:
    """Say whether newer keys of the provider may help: it could have changed them."""
    return problem.code == "id_token_key_unknown"


def _signed(
    token: str, keys: Sequence[Mapping[str, Any]], issuer: str, client_id: str
) -> tuple[Claims, Signed, str]:
    """Check algorithm, key, signature, issuer and audience; give the claims."""
    signed = parse(token, MOST_CHARACTERS)
    algorithm = provider_keys.algorithm_of(signed)
    if algorithm is None:
        raise IdTokenRefused("id_token_algorithm", "alg is not among those that are taken")
    key = provider_keys.find(keys, signed.protected.get("kid"), algorithm)
    if key is None:
        raise IdTokenRefused("id_token_key_unknown", "no published key of that kid and algorithm")
    if not provider_keys.is_signed_by(signed, key, algorithm):
        raise IdTokenRefused("id_token_signature", "signature")
    claims = claims_of(signed)
    if claims.get("iss") != issuer:
        raise IdTokenRefused("id_token_issuer", "iss is another")
    if not is_for(claims, client_id):  # further audiences are nobody whom we trust
        raise IdTokenRefused("id_token_audience", "aud is not this client alone")
    if claims.get("azp", client_id) != client_id:
        raise IdTokenRefused("id_token_audience", "azp is another client")
    return claims, signed, algorithm


def _check_times(claims: Claims, at: datetime) -> datetime:
    """Hold `iat`, `exp` and `nbf` against our clock; a token is looked at as soon as it was made."""
    issued, expires = _instant(claims, "iat"), _instant(claims, "exp")
    apart = issued - at
    if abs(apart) > LEEWAY:
        minutes = round(apart.total_seconds() / 60)
        raise IdTokenRefused("id_token_clock", "iat is far from our time", ahead=minutes)
    if expires + LEEWAY <= at or expires <= issued:
        raise IdTokenRefused("id_token_expired", "exp has passed")
    if "nbf" in claims and _instant(claims, "nbf") - at > LEEWAY:
        raise IdTokenRefused("id_token_expired", "nbf is still ahead")
    return issued


def _authenticated(claims: Claims, issued: datetime, expected: Expected, at: datetime) -> datetime | None:
    """Say when the person was authenticated for this very sign-in; None: nothing shows that they were.

    A session that stands open at the provider lets anybody at that computer in without a word. How long ago
    it was is told by the provider's clock alone, how long ago we asked by ours alone.
    """
    said = _instant(claims, "auth_time") if claims.get("auth_time") is not None else None
    if said is not None and said - at > LEEWAY:
        raise IdTokenRefused("id_token_too_old", "auth_time is still ahead")
    if expected.fresh_since is not None and (said is None or said + LEEWAY < expected.fresh_since):
        raise IdTokenRefused("id_token_too_old", "auth_time is missing or before the question")
    if said is None:
        return None
    ago = max(issued - said, timedelta(0))
    if expected.begun_at is not None and ago > at - expected.begun_at + _WHOLE_SECONDS:
        return None
    return at - ago


def _check_access_token(claims: Claims, access_token: str | None, algorithm: str) -> None:
    """Hold `at_hash`, where there is one, against the access token that came with it."""
    said = claims.get("at_hash")
    if said is None:
        return
    if access_token is None or not isinstance(said, str):
        raise IdTokenRefused("id_token_access_token", "at_hash without an access token")
    digest = _HASHES.get(algorithm[-3:], sha512)(access_token.encode()).digest()  # Ed25519 hashes by SHA-512
    half = urlsafe_b64encode(digest[: len(digest) // 2])
    if not compare_digest(said.encode(), half):
        raise IdTokenRefused("id_token_access_token", "at_hash is that of another token")


def _methods(claims: Claims) -> frozenset[str]:
    found = claims.get("amr")
    if found is None:
        return frozenset()
    if (
        not isinstance(found, list)
        or len(found) > _MOST_METHODS
        or not all(isinstance(one, str) for one in found)
    ):
        raise Malformed("amr must be a list of texts")
    return frozenset(found)


def _instant(claims: Claims, name: str) -> datetime:
    return datetime.fromtimestamp(seconds(claims, name), UTC)
