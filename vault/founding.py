"""What holds a vault's rows, bytes and keys: in this process, or the parts that others are."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from policies.book import Book, shipped_book
from storage.blobs import BlobStore
from storage.keyring import load_or_create_master, load_or_create_secret
from storage.opening import open_store
from vault import part_marks
from vault.appending import Appender
from vault.assertions import TokenKey
from vault.clock import Clock
from vault.database import Database
from vault.grown_log import GrownLog
from vault.key_gate import Gate
from vault.places import Authorities, PartPlaces, VaultPlaces
from vault.realm_rules import Realm, RealmRules
from vault.remote_gate import RemoteGate
from vault.remote_sealer import RemoteSealer
from vault.remote_signer import RemoteSigner
from vault.sealer import Sealer
from vault.signer import Signer
from vault.standing import require_bytes_here


@dataclass(frozen=True)
class Foundation:
    """What holds the vault's rows, bytes and keys, before anything is built on them."""

    db: Database
    store: BlobStore
    signer: GrownLog
    appender: Appender
    gate: Gate | RemoteGate
    sealer: Sealer | RemoteSealer
    book: Book


async def founded(
    places: VaultPlaces,
    db: Database,
    stack: AsyncExitStack,
    clock: Clock,
    issuer: str,
    authorities: Authorities,
    realms: Mapping[Realm, RealmRules],
    *,
    fresh: bool,
) -> Foundation:
    """Open the store, and signer, gate and sealer: here, or where they are processes of their own."""
    store = await asyncio.to_thread(open_store, places.store, places.store_access)
    stack.push_async_callback(store.close)
    await require_bytes_here(store, places.store)
    if places.parts is not None:
        return await _reached(places.parts, db, store, stack, clock, issuer)
    master = load_or_create_master(places.keys, create=fresh)
    signer = await Signer.open(key_folder=places.keys, log_folder=places.log, create=fresh, shared=db.shared)
    stack.push_async_callback(signer.close)
    appender = Appender(db, signer)
    stack.push_async_callback(appender.close)
    book = shipped_book()
    gate = Gate(
        master=master,
        db=db,
        log_key_line=signer.verifier_line,
        token_key=TokenKey(load_or_create_secret(places.keys, "token", create=fresh)),
        issuer=issuer,
        clock=clock,
        book=book,
        index_key=load_or_create_secret(places.keys, "index", create=fresh),
        realms=realms,
        shared=db.shared,
    )
    sealer = Sealer(
        places.keys / "seal",
        passphrase=places.seal_passphrase,
        timestamper=authorities.timestamper,
        revocation=authorities.revocation,
        trust=authorities.trust,
    )
    return Foundation(db, store, signer, appender, gate, sealer, book)


async def _reached(
    parts: PartPlaces, db: Database, store: BlobStore, stack: AsyncExitStack, clock: Clock, issuer: str
) -> Foundation:
    """Find the parts that are processes of their own, and hold them to these rows and to each other."""
    signer = await RemoteSigner.reached(parts.signer, parts.log_key)
    stack.push_async_callback(signer.close)
    await part_marks.require(db, "signer", signer.verifier_line.encode())
    appender = Appender(db, signer)
    stack.push_async_callback(appender.close)
    gate = await RemoteGate.reached(parts.gate, issuer, signer.verifier_line, clock)
    stack.push_async_callback(gate.close)
    await part_marks.require(db, "gate", gate.token_key.public)
    sealer = RemoteSealer(parts.sealer)
    stack.push_async_callback(sealer.close)
    return Foundation(db, store, signer, appender, gate, sealer, shipped_book())
