"""Importing: national procedure packages in versions, and the policy book before it takes effect."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from policies.procedures import read_package
from signing.leaf import Kind, Parts
from vault import catalogue, entries, epochs
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR
from vault.entries import stamp
from vault.services import Vault
from vault.tables import policy_version
from vault.telling import VAULT_HOLDER


async def import_procedure(vault: Vault, row: Mapping[str, Any]) -> int | None:
    """Import one package row; gives its new version, or None when nothing changed.

    Raises:
        PackageUnreadable: the row is not a package, or the book has no key for one of its cases.
    """
    read = read_package(row, vault.book)
    at = vault.clock.now()

    async def change(tx: Transaction) -> int | None:
        version = await catalogue.add(tx.db, read.code, dict(row), read.version, at)
        if version is not None:
            await tx.append([prepared])
        return version

    facts = {"procedure": read.code, "package": read.version}
    prepared = await _prepared(vault, Kind.ADMINISTRATOR_ACT, "procedure_imported", facts)
    return await vault.appender.commit(change)


async def publish_book(vault: Vault) -> bool:
    """Publish the vault's policy book when it is not the one published last; gives whether it did."""
    at = vault.clock.now()
    prepared = await _prepared(vault, Kind.POLICY_PUBLISHED, "policy_published", {"policy": vault.book.hash})

    async def change(tx: Transaction) -> bool:
        newest = select(policy_version.c.hash).order_by(policy_version.c.published_at.desc()).limit(1)
        if (await tx.db.execute(newest)).scalar_one_or_none() == vault.book.hash:
            return False
        known = select(policy_version.c.hash).where(policy_version.c.hash == vault.book.hash)
        if (await tx.db.execute(known)).first() is None:
            row = {"hash": vault.book.hash, "book": vault.book.to_json(), "published_at": stamp(at)}
            await tx.db.execute(insert(policy_version).values(**row))
        await epochs.advance(tx.db, [epochs.BOOK])
        await tx.append([prepared])
        return True

    return await vault.appender.commit(change)


async def _prepared(vault: Vault, kind: Kind, event: str, facts: Mapping[str, str]) -> entries.Prepared:
    at = vault.clock.now()
    async with vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    parts = Parts(
        subject={},
        actor=VAULT_ACTOR,
        purpose={},
        basis={"facts": dict(facts)},
        event={"type": event, "result": "permitted", "at": at.isoformat()},
    )
    return entries.prepare(kind, parts, held, at=at, caller_kind="vault", caller="vault")
