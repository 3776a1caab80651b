"""Who is calling: assertions for a token (RFC 7523, RFC 9068), one-time codes for the demo's wallet."""

import os
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, insert, select

from vault import agencies, sessions
from vault.callers import SystemCaller
from vault.credentials import IssuedToken
from vault.entries import stamp
from vault.services import Vault
from vault.tables import session

CODE_LIFETIME = timedelta(minutes=30)
SESSION_LIFETIME = timedelta(minutes=30)


async def exchange(vault: Vault, *, client_assertion: str, officer_assertion: str | None) -> IssuedToken:
    """Have the gate verify both assertions and issue an access token.

    Raises:
        NotAuthenticated: client_unknown, officer_unknown, assertion_replayed, or a code of vault.assertions.
    """
    return await vault.gate.exchange(client_assertion, officer_assertion)


async def check_system(vault: Vault, token: str) -> SystemCaller:
    """Give the system that a token proves, while it and its agency are registered.

    Raises:
        TokenRefused: see vault.assertions.
        NotAuthenticated: system_ended.
    """
    caller = vault.gate.check_token(token)
    async with vault.db.read() as db:
        await agencies.require_live(db, caller)
    return caller


# The wallet of the demo ------------------------------------------------------------------------------


async def new_sign_in_code(vault: Vault, owner: str) -> str:
    """Make a one-time code for an owner; the demo prints it in its terminal."""
    code = "-".join(os.urandom(2).hex() for _ in range(4))
    await _keep(vault, "code", code, owner, CODE_LIFETIME)
    return code


async def redeem_code(vault: Vault, code: str) -> str | None:
    """Turn a one-time code into a session secret; None when it is unknown, used or too old."""
    at = vault.clock.now()
    asked = session.c.secret_hash == _hash(code.strip().lower()), session.c.kind == "code"
    async with vault.db.read() as db:
        query = select(session.c.owner).where(*asked, session.c.expires > stamp(at))
        found = (await db.execute(query)).scalar_one_or_none()
    if found is None:
        return None
    secret, row = await sessions.by_code(vault.gate, "owner", {"owner": found}, at, SESSION_LIFETIME)
    async with vault.db.write() as db:
        if (await db.execute(delete(session).where(*asked))).rowcount != 1:
            return None  # somebody was faster
        await db.execute(delete(session).where(session.c.expires < stamp(at)))
        await db.execute(insert(session).values(**row))
    return secret


async def sign_out(vault: Vault, secret: str) -> None:
    """End a session; an unknown one is ended already."""
    async with vault.db.write() as db:
        await db.execute(delete(session).where(session.c.secret_hash == _hash(secret)))


async def _keep(vault: Vault, kind: str, secret: str, owner: str, lifetime: timedelta) -> None:
    async with vault.db.write() as db:
        await db.execute(
            insert(session).values(
                secret_hash=_hash(secret), kind=kind, owner=owner, expires=stamp(vault.clock.now() + lifetime)
            )
        )


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
