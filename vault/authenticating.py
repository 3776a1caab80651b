"""Who is calling: assertions for a token (RFC 7523, RFC 9068), one-time codes for the demo's wallet."""

import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import agencies
from vault.assertions import (
    CLIENT_TYPE,
    OFFICER_TYPE,
    Assertion,
    AssertionRefused,
    check_assertion,
    peek_issuer,
)
from vault.days import legal_day
from vault.entries import stamp
from vault.errors import NotAuthenticated
from vault.services import Vault
from vault.tables import session, used_assertion
from vault.upserting import upsert

TOKEN_LIFETIME = timedelta(minutes=10)
CODE_LIFETIME = timedelta(minutes=30)
SESSION_LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True)
class IssuedToken:
    """An access token, its life in seconds, and the officer it speaks for."""

    token: str
    expires_in: int
    officer: str | None


async def exchange(vault: Vault, *, client_assertion: str, officer_assertion: str | None) -> IssuedToken:
    """Verify both assertions and issue an access token.

    Raises:
        NotAuthenticated: client_unknown, officer_unknown, assertion_replayed, or a code of vault.assertions.
    """
    at = vault.clock.now()
    client = await _checked(vault, client_assertion, CLIENT_TYPE, at)
    officer = await _checked(vault, officer_assertion, OFFICER_TYPE, at) if officer_assertion else None
    if officer is not None and officer.issuer != client.issuer:
        raise NotAuthenticated("officer_of_another_system")
    async with vault.db.write() as db:
        agency = await agencies.agency_of(db, client.issuer)
        if agency is None:
            raise NotAuthenticated("client_unknown")
        for one in (client, officer):
            if one is not None:
                await _use_once(db, one, at)
        if officer is not None and not await agencies.officer_live(db, agency, officer.subject):
            raise NotAuthenticated("officer_unknown")
    token = vault.gate.token_key.issue(
        issuer=vault.gate.issuer,
        client_id=client.issuer,
        subject=officer.subject if officer else client.issuer,
        agency=agency,
        officer=officer.subject if officer else None,
        assertion_thumbprint=client.key_thumbprint,
        jti=os.urandom(16).hex(),
        at=at,
        lifetime=TOKEN_LIFETIME,
    )
    return IssuedToken(token, int(TOKEN_LIFETIME.total_seconds()), officer.subject if officer else None)


async def _checked(vault: Vault, assertion: str, typ: str, at: datetime) -> Assertion:
    try:
        issuer = peek_issuer(assertion)
        async with vault.db.read() as db:
            keys = await agencies.public_keys(db, issuer, legal_day(at))
        if not keys:
            raise NotAuthenticated("client_unknown")
        return check_assertion(assertion, keys=keys, issuer=vault.gate.issuer, typ=typ, at=at)
    except AssertionRefused as problem:
        raise NotAuthenticated(problem.code) from problem


async def _use_once(db: AsyncConnection, one: Assertion, at: datetime) -> None:
    """Keep the jti until the assertion is dead; a second use is refused (RFC 7523, 3.7)."""
    await db.execute(delete(used_assertion).where(used_assertion.c.expires < stamp(at)))
    known = upsert(used_assertion).values(issuer=one.issuer, jti=one.jti, expires=stamp(one.expires))
    if (await db.execute(known.on_conflict_do_nothing())).rowcount == 0:
        raise NotAuthenticated("assertion_replayed")


# The wallet of the demo ------------------------------------------------------------------------------


async def new_sign_in_code(vault: Vault, owner: str) -> str:
    """Make a one-time code for an owner; the demo prints it in its terminal."""
    code = "-".join(os.urandom(2).hex() for _ in range(4))
    await _keep(vault, "code", code, owner, CODE_LIFETIME)
    return code


async def redeem_code(vault: Vault, code: str) -> str | None:
    """Turn a one-time code into a session secret; None when it is unknown, used or too old."""
    at, secret = vault.clock.now(), urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    async with vault.db.write() as db:
        found = (
            await db.execute(
                select(session.c.owner).where(
                    session.c.secret_hash == _hash(code.strip().lower()),
                    session.c.kind == "code",
                    session.c.expires > stamp(at),
                )
            )
        ).scalar_one_or_none()
        if found is None:
            return None
        await db.execute(delete(session).where(session.c.secret_hash == _hash(code.strip().lower())))
        await db.execute(delete(session).where(session.c.expires < stamp(at)))
        await db.execute(
            insert(session).values(
                secret_hash=_hash(secret), kind="session", owner=found, expires=stamp(at + SESSION_LIFETIME)
            )
        )
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
