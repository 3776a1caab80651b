"""Sign-ins that were begun at a provider and have not come back yet: each comes back once, in its browser.

Strangers begin them, so nothing is kept of one but in the cookie of its browser, under a MAC: the key is the
same in all processes that serve. Rows know those alone that came back, so that none does twice. The nonce
that the provider is given is of the gate, which marks a session for no other; the challenge of PKCE follows
from a secret that lies in the cookie.
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from typing import Literal

from sqlalchemy import delete

from vault.callers import Role
from vault.database import Database
from vault.entries import instant, stamp
from vault.realm_rules import Realm
from vault.tables import sign_in
from vault.upserting import upsert

Purpose = Literal["sign_in", "step_up"]
LIFETIME = timedelta(minutes=10)
LONGEST = 2048  # characters of a cookie
_AHEAD = timedelta(minutes=1)  # that the clock of another process may be


@dataclass(frozen=True)
class Wanted:
    """What a sign-in is for; `session_hash` is of the session that it makes stronger, or replaces."""

    realm: Realm
    purpose: Purpose
    back: str
    role: Role | None = None
    session_hash: bytes | None = None


@dataclass(frozen=True)
class Begun:
    """A sign-in on its way; `browser` is the secret for the cookie, `state` goes to the provider and back."""

    state: str
    browser: str
    nonce: str  # what the ID token must repeat
    begun_at: datetime
    wanted: Wanted

    @property
    def verifier(self) -> str:
        """The code verifier (RFC 7636, 4.1): 43 characters."""
        return _text(hmac(self.browser.encode(), b"kho/1/pkce/" + self.state.encode(), sha256))

    @property
    def challenge(self) -> str:
        """The code challenge of method S256."""
        return _text(sha256(self.verifier.encode()).digest())


def begin(wanted: Wanted, nonce: str, at: datetime) -> Begun:
    """Begin a sign-in with a nonce of the gate; nothing of it is kept here."""
    return Begun(_text(os.urandom(32)), _text(os.urandom(32)), nonce, at, wanted)


def cookie(begun: Begun, key: bytes) -> str:
    """Write a sign-in for the cookie of its browser: it cannot be changed without the key."""
    wanted = begun.wanted
    said = {
        "state": begun.state,
        "browser": begun.browser,
        "nonce": begun.nonce,
        "at": stamp(begun.begun_at),
        "realm": wanted.realm,
        "purpose": wanted.purpose,
        "back": wanted.back,
        "role": wanted.role,
        "session": wanted.session_hash.hex() if wanted.session_hash is not None else None,
    }
    body = _text(json.dumps(said).encode())
    return f"{body}.{_mac(key, body)}"


def read(value: str, key: bytes, realm: Realm, state: str, at: datetime) -> Begun | None:
    """Read a sign-in off the cookie of its browser; None: changed, of another state, or over."""
    body, _, mac = value.partition(".")
    if len(value) > LONGEST or not compare_digest(mac.encode(), _mac(key, body).encode()):
        return None
    said = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))  # we wrote it
    begun_at = instant(said["at"])
    if "nonce" not in said:  # of a version before the gate made them
        return None
    if said["realm"] != realm or not compare_digest(said["state"].encode(), state.encode()):
        return None
    if not begun_at - _AHEAD <= at < begun_at + LIFETIME:
        return None
    session = bytes.fromhex(said["session"]) if said["session"] is not None else None
    wanted = Wanted(said["realm"], said["purpose"], said["back"], said["role"], session)
    return Begun(said["state"], said["browser"], said["nonce"], begun_at, wanted)


async def come_back(db: Database, begun: Begun, at: datetime) -> bool:
    """Take a sign-in up again, once; False where it was before.

    Raises:
        VaultBusy: it cannot be known now.
    """
    wanted = begun.wanted
    used = upsert(sign_in).values(
        state_hash=_hash(begun.state),
        browser_hash=_hash(begun.browser),
        realm=wanted.realm,
        purpose=wanted.purpose,
        role=wanted.role,
        session_hash=wanted.session_hash,
        back=wanted.back,
        begun_at=stamp(begun.begun_at),
        expires=stamp(begun.begun_at + LIFETIME + _AHEAD),
    )
    async with db.beside() as writing:
        await writing.execute(delete(sign_in).where(sign_in.c.expires <= stamp(at)))
        return (await writing.execute(used.on_conflict_do_nothing())).rowcount == 1


def _mac(key: bytes, body: str) -> str:
    return _text(hmac(key, b"kho/1/begun/" + body.encode(), sha256))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
