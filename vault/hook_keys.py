"""The key that signs what is sent to web hooks: its private half in files, its public half in rows.

The files lie in a folder of their own beside the other keys: only whoever sends needs it (`kho work`, or a
server that works by itself). The public halves are published by every process, from the rows: a new key some
time before it is used, an old one for some time after.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.hook_signature import HookKey, jwk_of
from storage.keyring import create_key_folder, load_or_create_secret
from vault.entries import instant, stamp
from vault.hook_tables import webhook_key
from vault.registering import act
from vault.services import Vault

AHEAD = timedelta(
    hours=1
)  # that a new key is published before it signs: what receivers keep is older than that
BEHIND = timedelta(days=7)  # that an old one stays published after it last signed
KEPT = timedelta(minutes=5)  # that a receiver may keep the published set


@dataclass(frozen=True)
class PublicKey:
    """One public key: when it was made, from when it signs, and until when it is published."""

    kid: str
    public: bytes
    made_at: datetime
    used_from: datetime
    until: datetime | None


async def every(db: AsyncConnection) -> list[PublicKey]:
    """Read every key that there ever was, the oldest first."""
    rows = await db.execute(select(webhook_key).order_by(webhook_key.c.made_at, webhook_key.c.kid))
    return [
        PublicKey(
            row.kid,
            row.public,
            instant(row.made_at),
            instant(row.used_from),
            instant(row.until) if row.until is not None else None,
        )
        for row in rows
    ]


async def published(vault: Vault) -> dict[str, list[dict[str, str]]]:
    """Give the keys that may sign, or signed not long ago, as a JWKS (RFC 7517)."""
    now = stamp(vault.clock.now())
    query = select(webhook_key.c.public).where(or_(webhook_key.c.until.is_(None), webhook_key.c.until > now))
    async with vault.db.read() as db:
        found = await db.execute(query.order_by(webhook_key.c.used_from, webhook_key.c.kid))
        return {"keys": [jwk_of(row.public) for row in found]}


async def signing_key(vault: Vault) -> HookKey:
    """Give the key that signs now, making the first one; an entry tells of each key that is made.

    Raises:
        MasterKeyExposed, MasterKeyDamaged, StoreUnavailable: the files cannot be used.
        VaultBusy: the rows cannot be written.
    """
    at = vault.clock.now()
    held = {name: _read(vault.hook_folder, name, create=False) for name in _names(vault.hook_folder)}
    async with vault.db.read() as db:
        known = {one.kid: one for one in await every(db)}
    rows = {name: known[key.kid] for name, key in held.items() if key.kid in known}
    usable = [name for name, row in rows.items() if row.used_from <= at and not _over(row, at)]
    if usable:
        return held[max(usable, key=lambda name: (rows[name].used_from, name))]
    strange = [name for name in held if name not in rows]  # made by who died before its row was written
    return await _begin(vault, at, strange[-1] if strange else max(held, default=0) + 1, used_from=at)


async def rotate(vault: Vault, *, at_once: bool = False) -> PublicKey:
    """Make a new key, which signs in an hour; the old ones stay published for a week after that.

    Args:
        at_once: a key was lost or seen by others: the new one signs now, and no old one is published.

    Raises:
        MasterKeyExposed, StoreUnavailable, VaultBusy.
    """
    at = vault.clock.now()
    used_from = at if at_once else at + AHEAD
    name = max(_names(vault.hook_folder), default=0) + 1
    old_until = at if at_once else used_from + BEHIND
    key = await _begin(vault, at, name, used_from=used_from, old_until=old_until)
    return PublicKey(key.kid, key.public, at, used_from, None)


async def _begin(
    vault: Vault, at: datetime, name: int, *, used_from: datetime, old_until: datetime | None = None
) -> HookKey:
    create_key_folder(vault.hook_folder)
    key = _read(vault.hook_folder, name, create=True)

    async def rows(db: AsyncConnection) -> None:
        known = await db.execute(select(webhook_key.c.kid).where(webhook_key.c.kid == key.kid))
        if known.first() is not None:
            return  # another process was first
        if old_until is not None:
            open_ones = or_(webhook_key.c.until.is_(None), webhook_key.c.until > stamp(old_until))
            await db.execute(update(webhook_key).where(open_ones).values(until=stamp(old_until)))
        row = {"kid": key.kid, "public": key.public, "made_at": stamp(at), "used_from": stamp(used_from)}
        await db.execute(insert(webhook_key).values(**row))

    await act(vault, "webhook_key_made", {"key": key.kid, "used_from": used_from.isoformat()}, rows)
    return key


def _names(folder: Path) -> list[int]:
    return sorted(int(one.stem) for one in folder.glob("*.key") if one.stem.isdigit())


def _read(folder: Path, name: int, *, create: bool) -> HookKey:
    secret = load_or_create_secret(folder, str(name), create=create)
    return HookKey(Ed25519PrivateKey.from_private_bytes(secret))


def _over(one: PublicKey, at: datetime) -> bool:
    return one.until is not None and one.until <= at
