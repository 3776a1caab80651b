"""Rows of sessions, of persons and of officers: begun, kept while used, made stronger, listed, ended.

The secret of a session is in its cookie alone; the row has its hash. What the provider gave for signing out
there is sealed under a key made from that secret, so that the rows tell nothing of it.
"""

import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest as hmac
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, false, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.errors import BlobDamaged
from storage.sealed import open_bytes, seal_bytes
from vault.callers import Assurance
from vault.clock import Clock
from vault.database import Database
from vault.entries import instant, new_id, stamp
from vault.session_marks import Holder, Marking
from vault.tables import session, staff_session

_TABLES: dict[Holder, Table] = {"owner": session, "staff": staff_session}
_SEALED = "id-token"
STEP = timedelta(minutes=1)  # a session in use is written down as such once in this time


@dataclass(frozen=True)
class Limits:
    """How long a session lasts without use, and at most."""

    idle: timedelta
    lifetime: timedelta


@dataclass(frozen=True)
class Proven:
    """How a person was proven by a provider, as a session keeps it."""

    issuer: str
    subject: str
    sid: str | None
    assurance: Assurance
    authenticated_at: datetime | None  # none: the provider did not show that it was for this sign-in
    id_token: str
    proof: bytes  # the gate's handle of it, for one mark (vault/sign_in_proofs.py)


@dataclass(frozen=True)
class Line:
    """One session as its person, or an administrator, sees it."""

    id: str
    began_at: datetime
    expires: datetime
    idle_until: datetime | None
    assurance: str
    device: str | None
    current: bool
    agency: str | None = None
    officer: str | None = None
    name: str | None = None  # of the officer
    role: str | None = None


def new_secret() -> str:
    """Make the secret of a session: 256 bits, never taken from outside."""
    return urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def hash_of(secret: str) -> bytes:
    """Give the SHA-256 by which a secret is known to the rows."""
    return sha256(secret.encode()).digest()


def strength(row: Any) -> dict[str, Any]:
    """Give what a caller says of their session: how strongly they were proven, when, its end without use."""
    return {
        "assurance": row.assurance or "basic",
        "authenticated_at": instant(row.authenticated_at) if row.authenticated_at else None,
        "idle_until": instant(row.idle_until) if row.idle_until else None,
    }


async def by_code(
    gate: Marking, holder: Holder, who: dict[str, str], at: datetime, lifetime: timedelta
) -> tuple[str, dict[str, Any]]:
    """Give secret and row of a session that a code of the demo opens: as strong as any, without idle end."""
    secret = new_secret()
    row = {
        **who,
        "secret_hash": hash_of(secret),
        "kind": "session",
        "id": new_id("ses"),
        "began_at": stamp(at),
        "expires": stamp(at + lifetime),
        "assurance": "high",
        "authenticated_at": stamp(at),
        "device": "computer",
    }
    return secret, row | {"mark": await gate.mark_session_of_code(holder, row)}


async def begun(
    gate: Marking,
    holder: Holder,
    who: dict[str, str],
    proven: Proven,
    limits: Limits,
    *,
    device: str,
    at: datetime,
) -> tuple[str, dict[str, Any]]:
    """Give secret and row of a session, marked by the gate; `keep` inserts it."""
    secret = new_secret()
    row = {
        **who,
        **_of(proven, secret),
        "kind": "session",
        "id": new_id("ses"),
        "began_at": stamp(at),
        "expires": stamp(at + limits.lifetime),
        "idle_until": stamp(at + min(limits.idle, limits.lifetime)),
        "device": device,
    }
    return secret, row | {"mark": await gate.mark_session(holder, row, proven.proof)}


async def keep(db: AsyncConnection, holder: Holder, row: dict[str, Any], at: datetime) -> None:
    """Insert a session; what has ended goes."""
    table = _TABLES[holder]
    await db.execute(delete(table).where(_over(table, at)))
    await db.execute(insert(table).values(**row))


async def strengthen(
    db: Database, gate: Marking, holder: Holder, secret_hash: bytes, proven: Proven, at: datetime
) -> str | None:
    """Give a session a new secret and its person's fresh proof; None unless the same person proved it.

    Its end, and for whom it acts, stay as they were.

    Raises:
        SessionRefused: its row is not as the gate has marked it.
    """
    table, secret = _TABLES[holder], new_secret()
    same = and_(
        table.c.secret_hash == secret_hash,
        table.c.kind == "session",
        table.c.issuer == proven.issuer,
        table.c.subject == proven.subject,
        ~_over(table, at),
    )
    async with db.read() as reading:
        before = (await reading.execute(select(table).where(same))).mappings().first()
    if before is None:
        return None
    fresh = _of(proven, secret)
    fresh["mark"] = await gate.mark_session(holder, {**before, **fresh}, proven.proof, dict(before))
    async with db.write() as writing:
        done = await writing.execute(update(table).where(same).values(**fresh))
    return secret if done.rowcount == 1 else None


async def touch(db: Database, holder: Holder, secret: str, until: datetime) -> None:
    """Move the end without use on; a session that has ended meanwhile stays ended."""
    table = _TABLES[holder]
    async with db.beside() as writing:
        found = and_(table.c.secret_hash == hash_of(secret), table.c.idle_until < stamp(until))
        await writing.execute(update(table).where(found).values(idle_until=stamp(until)))


def touched(idle_until: datetime | None, expires: datetime, idle: timedelta, at: datetime) -> datetime | None:
    """Say until when a session that is used now lasts without further use; None: that is written down."""
    if idle_until is None:
        return None
    until = min(at + idle, expires)
    return until if until - idle_until >= STEP else None


async def end(db: Database, holder: Holder, secret: str) -> None:
    """End a session; an unknown one is ended already."""
    async with db.beside() as writing:
        await end_hashed(writing, holder, hash_of(secret))


async def end_hashed(db: AsyncConnection, holder: Holder, secret_hash: bytes) -> None:
    """End the session of a hashed secret; an unknown one is ended already."""
    table = _TABLES[holder]
    await db.execute(delete(table).where(table.c.secret_hash == secret_hash, table.c.kind == "session"))


async def end_by_id(db: AsyncConnection, holder: Holder, session_id: str, who: dict[str, str]) -> bool:
    """End one of somebody's sessions; False where there is none such."""
    table = _TABLES[holder]
    theirs = [table.c[name] == value for name, value in who.items()]
    done = await db.execute(delete(table).where(table.c.id == session_id, table.c.kind == "session", *theirs))
    return done.rowcount == 1


async def end_all(db: AsyncConnection, holder: Holder, who: dict[str, str]) -> None:
    """End every session of somebody."""
    table = _TABLES[holder]
    theirs = [table.c[name] == value for name, value in who.items()]
    await db.execute(delete(table).where(table.c.kind == "session", *theirs))


async def end_at_provider(
    db: AsyncConnection, holder: Holder, issuer: str, *, subject: str | None, sid: str | None
) -> int:
    """End what the provider has ended: one of its sessions, or all of a subject; gives how many.

    `subject` or `sid` is there, as a logout token has it.
    """
    table = _TABLES[holder]
    theirs = table.c.subject == subject if subject is not None else true()
    if sid is not None:
        # Of a session that came without a `sid` nobody knows which it is there: it ends with its subject's.
        unnamed = and_(table.c.sid.is_(None), theirs) if subject is not None else false()
        theirs = or_(and_(table.c.sid == sid, theirs), unnamed)
    return int((await db.execute(delete(table).where(table.c.issuer == issuer, theirs))).rowcount)


async def listed(
    db: AsyncConnection, holder: Holder, who: dict[str, str], *, current: str, at: datetime
) -> list[Line]:
    """List somebody's sessions that stand, newest first; `current` is the secret of the one that asks."""
    table = _TABLES[holder]
    theirs = [table.c[name] == value for name, value in who.items()]
    query = (
        select(table)
        .where(table.c.kind == "session", table.c.id.is_not(None), ~_over(table, at), *theirs)
        .order_by(table.c.began_at.desc())
    )
    mine = hash_of(current)
    return [line(row, current=row["secret_hash"] == mine) for row in (await db.execute(query)).mappings()]


def line(row: Any, *, current: bool, name: str | None = None) -> Line:
    """Tell of a row."""
    return Line(
        id=row["id"],
        began_at=instant(row["began_at"]),
        expires=instant(row["expires"]),
        idle_until=instant(row["idle_until"]) if row["idle_until"] else None,
        assurance=row["assurance"] or "basic",
        device=row["device"],
        current=current,
        agency=row.get("agency"),
        officer=row.get("officer"),
        name=name,
        role=row.get("role"),
    )


def standing(table: Table, at: datetime) -> ColumnElement[bool]:
    """Give the condition of sessions that stand and can be listed."""
    return and_(table.c.kind == "session", table.c.id.is_not(None), ~_over(table, at))


async def id_token_of(db: Database, holder: Holder, secret: str) -> tuple[str, str] | None:
    """Give issuer and ID token of a session for signing out there, with its secret alone; else None."""
    table = _TABLES[holder]
    query = select(table.c.issuer, table.c.id_token).where(
        table.c.secret_hash == hash_of(secret), table.c.kind == "session", table.c.id_token.is_not(None)
    )
    async with db.read() as reading:
        row = (await reading.execute(query)).first()
    if row is None:
        return None
    try:
        return row.issuer, open_bytes(row.id_token, key=_key(secret), record=_SEALED, part=_SEALED).decode()
    except BlobDamaged:
        return None  # it is not needed for signing out here


async def sweep(db: Database, clock: Clock) -> None:
    """Delete sessions and codes that are over, with what the provider gave for them."""
    at = clock.now()
    async with db.beside() as writing:
        for table in _TABLES.values():
            await writing.execute(delete(table).where(_over(table, at)))


def _of(proven: Proven, secret: str) -> dict[str, Any]:
    return {
        "secret_hash": hash_of(secret),
        "issuer": proven.issuer,
        "subject": proven.subject,
        "sid": proven.sid,
        "assurance": proven.assurance,
        "authenticated_at": stamp(proven.authenticated_at) if proven.authenticated_at else None,
        "id_token": seal_bytes(proven.id_token.encode(), key=_key(secret), record=_SEALED, part=_SEALED),
    }


def _over(table: Table, at: datetime) -> ColumnElement[bool]:
    now = stamp(at)
    return or_(table.c.expires <= now, and_(table.c.idle_until.is_not(None), table.c.idle_until <= now))


def _key(secret: str) -> bytes:
    return hmac(secret.encode(), b"kho/1/id-token", sha256)
