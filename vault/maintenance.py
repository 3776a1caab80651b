"""The vault's own work on content: an entry for every owner before anything is opened (DESIGN 2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.leaf import Kind, Parts
from storage.errors import BlobDamaged, BlobMissing, StorageError
from storage.sealed import read_sealed
from vault import entries, epochs
from vault.callers import VAULT_ACTOR
from vault.entries import HolderKind, Logged, stamp
from vault.errors import ContentDamaged, StoreAway, VaultBusy
from vault.evidence import Evidence
from vault.keeping import scratch_file, write_private
from vault.records import Stored, part_of, version_of
from vault.services import Vault
from vault.tables import damage
from vault.telling import nothing_to_check


@asynccontextmanager
async def opened_content(vault: Vault, stored: Stored, *, job: str, reason: str) -> AsyncIterator[Path]:
    """Lay a record's file into a private scratch file for one piece of work, and take it away again.

    `job` is the event's type, `reason` says why, to the owners who read the entry.

    Raises:
        GateRefused: the gate opens no key.
        ContentDamaged: the stored bytes do not authenticate; that is an entry.
        VaultBusy: the entry could not be written.
        PartAway, StoreAway: signer, gate or store did not answer; the entry stands.
    """
    async with opened_with_key(vault, stored, job=job, reason=reason) as (path, _key):
        yield path


@asynccontextmanager
async def opened_with_key(
    vault: Vault, stored: Stored, *, job: str, reason: str
) -> AsyncIterator[tuple[Path, bytes]]:
    """Do as `opened_content` does, and give the record's key too: to seal a newer version of the file."""
    entry = await _entered(vault, stored, job, reason)
    proof, checkpoint, _ = await vault.appender.proof(entry.index)
    evidence = Evidence(entry.index, entry.leaf, proof, checkpoint)
    key = await vault.gate.open_key_for_job(evidence, job, stored.facts.id)
    path = scratch_file(vault)
    try:
        try:
            await asyncio.to_thread(write_private, path, b"")
            await _lay_out(vault, stored, key, path)
        except (BlobDamaged, BlobMissing) as problem:
            await _report_damage(vault, stored, job, entry, problem.code)
            raise ContentDamaged from problem
        except StorageError as problem:
            raise StoreAway(f"storage: {problem.code}") from problem
        except OSError as problem:
            raise VaultBusy("scratch: the file cannot be written") from problem
        yield path, key
    finally:
        path.unlink(missing_ok=True)


async def _entered(
    vault: Vault, stored: Stored, job: str, reason: str, *, of: int | None = None, damaged: bool = False
) -> Logged:
    at = vault.clock.now()
    owners = sorted(stored.facts.owners)
    held: list[tuple[HolderKind, str]] = [("owner", one) for one in owners]
    async with vault.db.read() as db:
        holders = await entries.holders(db, held)
    parts = parts_of(stored, job, reason, at, of)
    told = entries.prepare(Kind.MAINTENANCE, parts, holders, at=at, caller_kind="vault", caller="vault")

    async def write(db: AsyncConnection, logged: list[Logged]) -> None:
        row = {"record": stored.facts.id, "part": "file", "idx": logged[0].index, "at": stamp(at)}
        await db.execute(insert(damage).values(**row))
        await epochs.advance(db, [("owner", one) for one in owners])

    return (await vault.appender.append([told], nothing_to_check, write if damaged else None))[0]


def parts_of(stored: Stored, job: str, reason: str, at: datetime, of: int | None = None) -> Parts:
    """Compose the parts of an entry of the vault's own work on a record."""
    owners = sorted(stored.facts.owners)
    event = {"type": job, "result": "permitted", "at": at.isoformat()}
    return Parts(
        subject={
            "owners": owners,
            "record": stored.facts.id,
            "version": version_of(stored.row),
            "type": stored.facts.type,
            "digest": stored.row["content_sha256"].hex(),
        },
        actor=VAULT_ACTOR,
        purpose={},
        basis={"facts": {"reason": reason}},
        event=event if of is None else {**event, "of": of},
    )


async def _report_damage(vault: Vault, stored: Stored, job: str, entry: Logged, why: str) -> None:
    await _entered(vault, stored, f"{job}_failed", why, of=entry.index, damaged=True)


async def _lay_out(vault: Vault, stored: Stored, key: bytes, path: Path) -> None:
    row = stored.row
    async with await vault.store.open(row["blob"]) as reader:
        sealed = read_sealed(
            reader, key=key, record=row["id"], part=part_of(row), content_size=row["content_size"]
        )
        with path.open("r+b") as file:
            async with aclosing(sealed):
                async for chunk in sealed:
                    await asyncio.to_thread(file.write, chunk)
