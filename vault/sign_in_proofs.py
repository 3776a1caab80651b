"""Who has signed in, as the gate finds it for itself from what the realm's provider has signed.

A sign-in begins with a nonce that the gate makes, and ends with an ID token that repeats it: one of another
time, of another client or of nobody is none here, and each nonce is good once. What was proven is kept in
memory for a moment, under a handle that marks one session. Where the gate is a process of its own, the key of
the nonces is of its memory alone: no sign-in that was begun before it started comes to an end there, so that
none can be used again behind a restart.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from typing import Any

from vault import identity_claims
from vault.callers import Assurance
from vault.clock import Clock
from vault.id_tokens import Expected, IdToken
from vault.identity_claims import Identity
from vault.provider_documents import ProviderDocuments
from vault.realm_rules import Realm, RealmRules
from vault.sign_in_refusals import SignInRefused
from vault.sign_ins import LIFETIME, Purpose

_RANDOM, _TIME, _MAC = 16, 8, 32  # bytes of a nonce
_KEPT = timedelta(minutes=2)  # from the proof to the session that it is for
_MILLISECOND = timedelta(milliseconds=1)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SignInProof:
    """What the gate has found of one who signs in; `handle` marks one session for them, once."""

    handle: bytes
    realm: Realm
    purpose: Purpose
    issuer: str
    subject: str
    sid: str | None
    assurance: Assurance
    authenticated_at: datetime | None  # none: the provider did not show that it was for this sign-in
    identity: Identity | None = None  # of a citizen who begins a session
    account: str | None = None  # by which the register knows an officer who begins one


class SignInProofs:
    """Makes nonces, checks what comes back with them, and remembers what was proven until it is used."""

    def __init__(
        self, realms: Mapping[Realm, RealmRules], clock: Clock, nonce_key: bytes | None = None
    ) -> None:
        """`realms` are those that have a provider; nobody is asked yet. Without a key it is made here."""
        self.realms = dict(realms)
        self._documents = {name: ProviderDocuments(rules, clock) for name, rules in realms.items()}
        self._clock = clock
        self._key = nonce_key or os.urandom(32)
        self._used: dict[str, datetime] = {}  # nonces, until they would be too old anyway
        self._proven: dict[bytes, tuple[SignInProof, datetime]] = {}

    def begin(self, realm: Realm, purpose: Purpose) -> str:
        """Give a nonce for a sign-in that begins now. Raises SignInRefused: the realm has no provider."""
        self._rules(realm)
        at = (self._clock.now() - _BEGINNING) // _MILLISECOND
        raw = os.urandom(_RANDOM) + at.to_bytes(_TIME, "big")
        return _text(raw + self._mac(realm, purpose, raw))

    async def prove(
        self, realm: Realm, purpose: Purpose, nonce: str, id_token: str, access_token: str
    ) -> SignInProof:
        """Find who has signed in; the nonce is used up by it.

        Raises:
            SignInRefused: not_begun (a nonce that is none of ours, is too old or was used), second_factor,
                level, identity_incomplete or staff_unknown.
            IdTokenRefused: the token does not prove it.
            ProviderFailed: the provider's keys, or claims that the token lacks, cannot be had.
        """
        rules, begun = self._rules(realm), self._begun(realm, purpose, nonce)
        if begun is None or nonce in self._used:
            raise SignInRefused("not_begun")
        again = purpose == "step_up"
        expected = Expected(
            issuer=rules.issuer,
            client_id=rules.client,
            nonce=nonce,
            access_token=access_token,
            begun_at=begun,
            fresh_since=begun if again else None,
        )
        token = await self._documents[realm].id_token(id_token, expected)
        self._use(nonce)
        proven: dict[str, Any] = {"assurance": _strength(rules, token, again=again)}
        if realm == "staff" and not again:
            proven["account"] = _account(rules, token)
        elif not again:
            proven["identity"] = await self._identity(realm, token, access_token)
        proof = SignInProof(
            handle=os.urandom(32),
            realm=realm,
            purpose=purpose,
            issuer=rules.issuer,
            subject=token.subject,
            sid=token.sid,
            authenticated_at=token.authenticated_at,
            **proven,
        )
        self._proven[proof.handle] = proof, self._clock.now() + _KEPT
        return proof

    def take(self, handle: bytes) -> SignInProof | None:
        """Give what was proven under a handle, once; None: nothing was, or it is too long ago."""
        self._sweep()
        found = self._proven.pop(handle, None)
        return found[0] if found is not None else None

    async def _identity(self, realm: Realm, token: IdToken, access_token: str) -> Identity:
        """Read who it is; what the token lacks is asked of the provider, of the same subject."""
        claims = dict(token.claims)
        if identity_claims.needs_more(claims):
            told = await self._documents[realm].userinfo(token, access_token)
            claims = dict(told) | claims
        found = identity_claims.identity(claims)
        if found is None:
            raise SignInRefused("identity_incomplete")
        return found

    def _rules(self, realm: Realm) -> RealmRules:
        if realm not in self.realms:
            raise SignInRefused("no_provider")
        return self.realms[realm]

    def _begun(self, realm: Realm, purpose: Purpose, nonce: str) -> datetime | None:
        """Say when a nonce was made for this; None: it was not by us, not for this, or too long ago."""
        try:
            held = urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))
        except ValueError:
            return None
        raw, mac = held[: _RANDOM + _TIME], held[_RANDOM + _TIME :]
        if _text(held) != nonce or not compare_digest(mac, self._mac(realm, purpose, raw)):
            return None
        begun = _BEGINNING + int.from_bytes(raw[_RANDOM:], "big") * _MILLISECOND
        return begun if self._clock.now() < begun + LIFETIME else None

    def _mac(self, realm: Realm, purpose: Purpose, raw: bytes) -> bytes:
        return hmac(self._key, f"kho/1/nonce/{realm}/{purpose}/".encode() + raw, sha256)

    def _use(self, nonce: str) -> None:
        """Use a nonce up; nothing is awaited between the look and the note. Raises SignInRefused."""
        self._sweep()
        if nonce in self._used:
            raise SignInRefused("not_begun")
        self._used[nonce] = self._clock.now() + LIFETIME

    def _sweep(self) -> None:
        now = self._clock.now()
        self._used = {nonce: until for nonce, until in self._used.items() if until > now}
        self._proven = {handle: one for handle, one in self._proven.items() if one[1] > now}


def _strength(rules: RealmRules, token: IdToken, *, again: bool) -> Assurance:
    if not rules.second_factor(token):
        raise SignInRefused("second_factor")
    assurance = rules.assurance(token)
    if assurance is None or (again and assurance != "high"):
        raise SignInRefused("level")
    return assurance


def _account(rules: RealmRules, token: IdToken) -> str:
    account = rules.account(token)
    if account is None:
        raise SignInRefused("staff_unknown")
    return account


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
