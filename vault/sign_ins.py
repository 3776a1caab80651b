"""Sign-ins that were begun at a provider and have not come back yet: each comes back once, in its browser.

What the provider is given (state, nonce, the challenge of PKCE) follows from a secret that lies in the cookie
of the browser alone; of both the rows have hashes.
"""

import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest as hmac
from typing import Literal

from sqlalchemy import delete, func, insert, select

from vault.callers import Role
from vault.entries import instant, stamp
from vault.errors import VaultBusy
from vault.services import Vault
from vault.tables import sign_in

Realm = Literal["citizens", "staff"]
Purpose = Literal["sign_in", "step_up"]
LIFETIME = timedelta(minutes=10)
MOST_OPEN = 20_000  # sign-ins under way at once: strangers begin them


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
    begun_at: datetime
    wanted: Wanted

    @property
    def nonce(self) -> str:
        """What the ID token must repeat."""
        return self._derived(b"kho/1/nonce/")

    @property
    def verifier(self) -> str:
        """The code verifier (RFC 7636, 4.1): 43 characters."""
        return self._derived(b"kho/1/pkce/")

    @property
    def challenge(self) -> str:
        """The code challenge of method S256."""
        return _text(sha256(self.verifier.encode()).digest())

    def _derived(self, label: bytes) -> str:
        return _text(hmac(self.browser.encode(), label + self.state.encode(), sha256))


async def begin(vault: Vault, wanted: Wanted) -> Begun:
    """Keep that a sign-in was begun.

    Raises:
        VaultBusy: too many are under way.
    """
    at = vault.clock.now()
    begun = Begun(_text(os.urandom(32)), _text(os.urandom(32)), at, wanted)
    async with vault.db.write() as db:
        await db.execute(delete(sign_in).where(sign_in.c.expires <= stamp(at)))
        count = (await db.execute(select(func.count()).select_from(sign_in))).scalar_one()
        if count >= MOST_OPEN:
            raise VaultBusy("too many sign-ins are under way")
        await db.execute(
            insert(sign_in).values(
                state_hash=_hash(begun.state),
                browser_hash=_hash(begun.browser),
                realm=wanted.realm,
                purpose=wanted.purpose,
                role=wanted.role,
                session_hash=wanted.session_hash,
                back=wanted.back,
                begun_at=stamp(at),
                expires=stamp(at + LIFETIME),
            )
        )
    return begun


async def come_back(vault: Vault, realm: Realm, state: str, browser: str) -> Begun | None:
    """Take a sign-in up again, once; None if it was never begun in this browser, or is over or used."""
    at = vault.clock.now()
    mine = (
        sign_in.c.state_hash == _hash(state),
        sign_in.c.browser_hash == _hash(browser),
        sign_in.c.realm == realm,
    )
    async with vault.db.write() as db:
        row = (await db.execute(select(sign_in).where(*mine))).first()
        if row is None or (await db.execute(delete(sign_in).where(*mine))).rowcount != 1:
            return None
    if instant(row.expires) <= at:
        return None
    wanted = Wanted(row.realm, row.purpose, row.back, row.role, row.session_hash)
    return Begun(state, browser, instant(row.begun_at), wanted)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
