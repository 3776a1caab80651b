"""Entries of the log: sealed and prepared outside the lock, kept as rows inside it (DESIGN 6)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.leaf import Kind, Parts, make_leaf, new_seed, seal_body
from signing.merkle import leaf_hash
from storage.keyring import seal_to
from vault.entry_facts import STAMP, EntryFacts, facts_of
from vault.tables import entry_fact, entry_holder, key_pair, log_entry, receipt

HolderKind = Literal["owner", "agency", "vault"]
SEED_INFO = b"kho/1/seed"
BODY_VERSION = 1


@dataclass(frozen=True)
class Holder:
    """Whose log key opens an entry: an owner, else the asking agency, else the vault."""

    kind: HolderKind
    id: str
    public: bytes  # X25519, 32 bytes

    @property
    def tag(self) -> bytes:
        """The owner tag that the sealed seed is bound to."""
        return holder_tag(self.kind, self.id)


@dataclass(frozen=True)
class Prepared:
    """An entry ready to be written: nothing in it waits on a key, a worker or a file."""

    kind: Kind
    leaf: bytes
    leaf_hash: bytes
    body: bytes
    seeds: tuple[tuple[Holder, bytes], ...]
    facts: EntryFacts
    at: datetime
    receipt: str
    caller_kind: str
    caller: str


@dataclass(frozen=True)
class Logged:
    """A committed entry: where it stands, and the receipt id that its caller may ask for."""

    index: int
    receipt: str
    leaf: bytes


def holder_tag(kind: str, name: str) -> bytes:
    """Name a holder in authenticated data."""
    return f"{kind}:{name}".encode()


def new_id(prefix: str) -> str:
    """Give a random, long identifier that tells nothing (128 bits)."""
    return f"{prefix}-{os.urandom(16).hex()}"


def prepare(
    kind: Kind,
    parts: Parts,
    holders: Sequence[Holder],
    *,
    at: datetime,
    caller_kind: str,
    caller: str,
    seed: bytes | None = None,
) -> Prepared:
    """Make the leaf, seal the body, and seal its seed to every holder (HPKE, some 100 us each).

    `seed` is given by whoever shows the entry to everybody; otherwise nobody knows it but the holders.
    """
    seed = seed or new_seed()
    leaf = make_leaf(kind, parts, seed)
    seeds = tuple(
        (holder, seal_to(holder.public, seed, info=SEED_INFO, aad=holder.tag + b"\x00" + leaf))
        for holder in holders
    )
    return Prepared(
        kind=kind,
        leaf=leaf,
        leaf_hash=leaf_hash(leaf),
        body=seal_body(parts, seed, leaf),
        seeds=seeds,
        facts=facts_of(kind, parts, at),
        at=at,
        receipt=new_id("rcp"),
        caller_kind=caller_kind,
        caller=caller,
    )


async def write(db: AsyncConnection, first: int, entries: Sequence[Prepared]) -> list[Logged]:
    """Insert prepared entries from index `first` on; the caller holds the head."""
    if not entries:
        return []
    numbered = list(enumerate(entries, first))
    await db.execute(
        insert(log_entry),
        [
            {
                "idx": index,
                "kind": int(entry.kind),
                "leaf": entry.leaf,
                "leaf_hash": entry.leaf_hash,
                "body": entry.body,
                "body_sha256": sha256(entry.body).digest(),
                "body_version": BODY_VERSION,
                "at": stamp(entry.at),
            }
            for index, entry in numbered
        ],
    )
    await db.execute(insert(entry_fact), [entry.facts.row(index) for index, entry in numbered])
    await db.execute(
        insert(entry_holder),
        [
            {
                "idx": index,
                "holder_kind": holder.kind,
                "holder": holder.id,
                "sealed_seed": seed,
                "seed_sha256": sha256(seed).digest(),
            }
            for index, entry in numbered
            for holder, seed in entry.seeds
        ],
    )
    await db.execute(
        insert(receipt),
        [
            {"id": entry.receipt, "idx": index, "caller_kind": entry.caller_kind, "caller": entry.caller}
            for index, entry in numbered
        ],
    )
    return [Logged(index, entry.receipt, entry.leaf) for index, entry in numbered]


async def logged(db: AsyncConnection, index: int) -> Logged:
    """Read a committed entry that is known to exist."""
    query = (
        select(log_entry.c.leaf, receipt.c.id)
        .join(receipt, receipt.c.idx == log_entry.c.idx)
        .where(log_entry.c.idx == index)
    )
    row = (await db.execute(query)).one()
    return Logged(index, row.id, row.leaf)


async def holders(db: AsyncConnection, wanted: Sequence[tuple[HolderKind, str]]) -> list[Holder]:
    """Read the public log keys of owners, agencies or the vault, in the order asked."""
    found: list[Holder] = []
    for kind, name in wanted:
        query = select(key_pair.c.public).where(
            key_pair.c.kind == kind, key_pair.c.id == name, key_pair.c.purpose == "log"
        )
        found.append(Holder(kind, name, (await db.execute(query)).scalar_one()))
    return found


def stamp(at: datetime) -> str:
    """Write an instant as the rows keep it: UTC, ISO 8601, microseconds, comparable as text."""
    return at.strftime(STAMP)


def instant(text: str) -> datetime:
    """Read an instant back from a row."""
    return datetime.fromisoformat(text)
