"""Key pairs as rows of `key_pair`: private halves wrapped by the master key, an owner's two bound together.

An owner has two: what is told to them is sealed to the log key, the keys of their records to the content
key. They are made at once, and the content key opens only beside the log key that it was made with. So a
read that was sealed to another log key, be it one of ours put into the row for a moment, opens no record:
with another content key its key does not open, and with their own the log key is a wrong one.

Pairs from before were wrapped each for itself. None is made so for an owner any more: a log key of that kind
is the one that was always there.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.errors import SealBroken
from storage.keyring import KeyPair, MasterKey, new_key_pair, public_of
from vault.errors import GateRefused
from vault.tables import key_pair

_ALONE = {"agency", "vault"}  # whose pairs belong to no other
_BOUND = b"kho/2/pair/"


@dataclass(frozen=True)
class LogPair:
    """The opened log key of a holder of entries; `bound` if it was made together with a content key."""

    kind: str
    name: str
    private: bytes = field(repr=False)
    bound: bool = False


class KeyPairs:
    """Makes pairs and opens their private halves."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    def made(self, kind: str, name: str, purpose: str) -> dict[str, Any]:
        """Make a pair of an agency or of the vault, as a row. Raises GateRefused for anybody else's."""
        if kind not in _ALONE:
            raise GateRefused("pair: of an owner both are made at once")
        pair = new_key_pair()
        wrapped = self._master.wrap(pair.private, pair_aad(kind, name, purpose))
        return _row(kind, name, purpose, pair, wrapped)

    def made_for_owner(self, name: str) -> list[dict[str, Any]]:
        """Make both pairs of an owner, as rows."""
        log, content = new_key_pair(), new_key_pair()
        wrapped_log = self._master.wrap(log.private, _log_aad(name))
        wrapped = self._master.wrap(content.private, _content_aad(name, log.public))
        return [
            _row("owner", name, "log", log, wrapped_log),
            _row("owner", name, "content", content, wrapped),
        ]

    async def private(self, db: AsyncConnection, purpose: str) -> bytes:
        """Open the vault's own key of a purpose. Raises GateRefused."""
        wrapped = await _wrapped(db, "vault", "vault", purpose)
        return self._unwrapped(wrapped, pair_aad("vault", "vault", purpose))

    async def log(self, db: AsyncConnection, kind: str, name: str) -> LogPair:
        """Open the log key of a holder. Raises GateRefused: it was erased, or changed."""
        wrapped = await _wrapped(db, kind, name, "log")
        if kind == "owner":
            with suppress(SealBroken):  # one from before, or changed: what follows says
                return LogPair(kind, name, self._master.unwrap(wrapped, _log_aad(name)), bound=True)
        return LogPair(kind, name, self._unwrapped(wrapped, pair_aad(kind, name, "log")))

    async def content(self, db: AsyncConnection, log: LogPair) -> bytes:
        """Open the content key of the owner whose log key this is.

        Raises:
            GateRefused: it was erased or changed, or belongs to another log key.
        """
        wrapped = await _wrapped(db, log.kind, log.name, "content")
        own = _content_aad(log.name, public_of(log.private))
        return self._unwrapped(wrapped, own if log.bound else pair_aad(log.kind, log.name, "content"))

    def _unwrapped(self, wrapped: bytes, aad: bytes) -> bytes:
        try:
            return self._master.unwrap(wrapped, aad)
        except SealBroken as problem:
            raise GateRefused(f"key: {problem}") from problem


def pair_aad(kind: str, name: str, purpose: str) -> bytes:
    """Give what the private half of a pair that belongs to no other is bound to."""
    return f"{kind}:{name}:{purpose}".encode()


def _log_aad(owner: str) -> bytes:
    return _BOUND + b"log\x00" + owner.encode()


def _content_aad(owner: str, log_public: bytes) -> bytes:
    return _BOUND + b"content\x00" + log_public + owner.encode()


def _row(kind: str, name: str, purpose: str, pair: KeyPair, wrapped: bytes) -> dict[str, Any]:
    named = {"kind": kind, "id": name, "purpose": purpose}
    return named | {"public": pair.public, "wrapped_private": wrapped}


async def _wrapped(db: AsyncConnection, kind: str, name: str, purpose: str) -> bytes:
    query = select(key_pair.c.wrapped_private).where(
        key_pair.c.kind == kind, key_pair.c.id == name, key_pair.c.purpose == purpose
    )
    wrapped: bytes | None = (await db.execute(query)).scalar_one_or_none()
    if wrapped is None:
        raise GateRefused("key: it was erased")
    return wrapped
