"""Importing: national procedure packages in versions, and the policy book before it takes effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from policies.edits import Edit, edited, shipped_edits
from policies.packages import read_package, reading_digest
from policies.procedures import Procedure
from policies.recording import plain
from signing.leaf import Kind, Parts
from vault import catalogue, catalogue_edits, entries, epochs
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR
from vault.days import legal_day
from vault.entries import stamp
from vault.services import Vault
from vault.tables import policy_version
from vault.telling import VAULT_HOLDER
from vault.upserting import upsert


@dataclass(frozen=True)
class Imported:
    """What became of one package: a first version, another one, or nothing new.

    `procedure` is what a dossier opened now would have; `edits` are all that were ever published for it.
    """

    state: Literal["new", "changed", "unchanged"]
    version: int
    procedure: Procedure
    edits: tuple[Edit, ...]


async def import_procedure(vault: Vault, row: Mapping[str, Any]) -> Imported:
    """Import one package row, all of it or nothing; the edits of the procedure stay applied.

    A shipped edit of the procedure is published beside it, once.

    Raises:
        PackageUnreadable: the row is not a package.
    """
    read = read_package(row, vault.book)
    at = vault.clock.now()
    async with vault.db.read() as db:
        known = await catalogue.newest(db, read.code)
        published = await catalogue_edits.known(db, read.code)
        unchanged = known is not None and await catalogue.same(db, known, read.version, reading_digest(read))
        edits = await catalogue_edits.published(db, read.code, at)
    fresh = [one for one in shipped_edits() if one.procedure == read.code and one.id not in published]
    if unchanged and known is not None and not fresh:
        return Imported("unchanged", known["version"], edited(read, edits, legal_day(at)), edits)
    news = await _prepared(
        vault,
        Kind.ADMINISTRATOR_ACT,
        "procedure_imported",
        {"procedure": read.code, "package": read.version, "policy": vault.book.hash},
    )
    told = [await _prepared(vault, Kind.ADMINISTRATOR_ACT, EDIT_PUBLISHED, edit_facts(one)) for one in fresh]

    async def change(tx: Transaction) -> Imported:
        now = vault.clock.now()  # under the lock: whoever opened a dossier before, opened it without this
        version = await catalogue.add(tx.db, read, dict(row), vault.book.hash, now)
        if version is not None:
            await tx.append([news])
        await _publish(tx, fresh, told, now)
        return await _kept(tx, read, version, now)

    return await vault.appender.commit(change)


async def _publish(
    tx: Transaction, fresh: Sequence[Edit], told: Sequence[entries.Prepared], at: datetime
) -> None:
    for edit, prepared in zip(fresh, told, strict=True):
        if edit.id in await catalogue_edits.known(tx.db, edit.procedure):
            continue
        (logged,) = await tx.append([prepared])
        await catalogue_edits.add(tx.db, edit, agency=None, officer=None, index=logged.index, at=at)


async def _kept(tx: Transaction, read: Procedure, version: int | None, at: datetime) -> Imported:
    """Keep what the rows of the newest version are taken for now, and let decisions be made afresh."""
    edits = await catalogue_edits.published(tx.db, read.code, at)
    now = edited(read, edits, legal_day(at))
    newest = await catalogue.newest(tx.db, read.code)
    number: int = version or (newest["version"] if newest is not None else 1)
    await catalogue.write_readings(tx.db, read.code, number, now)
    await epochs.advance(tx.db, [epochs.BOOK])
    state: Literal["new", "changed", "unchanged"] = "unchanged"
    if version is not None:
        state = "new" if version == 1 else "changed"
    return Imported(state, number, now, edits)


EDIT_PUBLISHED = "catalogue_edit_published"


def edit_facts(edit: Edit) -> dict[str, Any]:
    """Give what the entry of an edit records: all of it, so that its effect can be worked out again."""
    facts: dict[str, Any] = plain(edit)
    return facts


async def publish_book(vault: Vault) -> bool:
    """Publish the vault's policy book when it is not the one published last; gives whether it did.

    A book that was published before, and others since, is the newest again: `published_at` is its last time.
    """
    at = vault.clock.now()
    prepared = await _prepared(vault, Kind.POLICY_PUBLISHED, "policy_published", {"policy": vault.book.hash})

    async def change(tx: Transaction) -> bool:
        newest = select(policy_version.c.hash).order_by(policy_version.c.published_at.desc()).limit(1)
        if (await tx.db.execute(newest)).scalar_one_or_none() == vault.book.hash:
            return False
        row = {"hash": vault.book.hash, "book": vault.book.to_json(), "published_at": stamp(at)}
        again = upsert(policy_version).values(**row)
        again = again.on_conflict_do_update(index_elements=["hash"], set_={"published_at": stamp(at)})
        await tx.db.execute(again)
        await epochs.advance(tx.db, [epochs.BOOK])
        await tx.append([prepared])
        return True

    return await vault.appender.commit(change)


async def _prepared(vault: Vault, kind: Kind, event: str, facts: Mapping[str, Any]) -> entries.Prepared:
    at = vault.clock.now()
    async with vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    parts = Parts(
        subject={},
        actor=VAULT_ACTOR,
        purpose={"procedure": facts["procedure"]} if "procedure" in facts else {},
        basis={"facts": dict(facts)},
        event={"type": event, "result": "permitted", "at": at.isoformat()},
    )
    return entries.prepare(kind, parts, held, at=at, caller_kind="vault", caller="vault")
