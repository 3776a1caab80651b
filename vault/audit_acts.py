"""What an auditor does is entered first, like everything else: kind 14, shown to the owner it concerns."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from signing.leaf import Kind, Parts
from vault import entries, requests, telling
from vault.appending import Transaction
from vault.callers import StaffCaller
from vault.entries import HolderKind, Logged, Prepared, stamp
from vault.errors import NotAuthenticated
from vault.evidence import FRESH, Evidence
from vault.services import Vault

# Everything an auditor can do; each has words of its own for the citizen.
EVENTS = (
    "owner_looked_up",
    "entries_searched",
    "entries_counted",
    "entries_exported",
    "anomalies_listed",
    "entry_opened",
    "entry_replayed",
    "entry_proof_taken",
    "versions_listed",
)


async def enter(
    vault: Vault,
    caller: StaffCaller,
    event: str,
    facts: Mapping[str, Any],
    *,
    owners: Sequence[str] = (),
    of: int | None = None,
    record: str | None = None,
    key: str | None = None,
) -> Logged:
    """Commit the entry of an auditor's act before it is done.

    Args:
        facts: what is asked, and for an opening its ground.
        owners: whom it concerns: it is sealed to them, else to the auditor's own agency.
        of: the entry that is to be opened.
        record: the document that is looked at, never into.
        key: the Idempotency-Key; the same act again is the same entry while that is fresh. Looking again
            later is another look, and another entry.

    Raises:
        NotAuthenticated: the caller is no auditor.
        RequestConflict: the key was used for another act.
        VaultBusy: the entry could not be written; nothing may be shown.
    """
    if caller.role != "auditor":
        raise NotAuthenticated("role_missing")
    at = vault.clock.now()
    prepared = await _prepared(
        vault, caller, event, facts, {"owners": tuple(owners), "record": record}, of, at
    )
    if key is None:
        return (await vault.appender.append([prepared], telling.nothing_to_check))[0]
    asked = requests.body_hash(event, {"facts": dict(facts), "owners": list(owners), "of": str(of)})

    async def change(tx: Transaction) -> Logged:
        done = await requests.answered(tx.db, caller.id, key, asked)
        if done is not None and at - datetime.fromisoformat(done["at"]) < FRESH / 2:
            return await entries.logged(tx.db, done["index"])
        (logged,) = await tx.append([prepared])
        if done is None:
            told = {"index": logged.index, "at": stamp(at)}
            await requests.keep(tx.db, caller.id, key, asked, told, at)
        return logged

    return await vault.appender.commit(change)


async def evidence(vault: Vault, entered: Logged) -> Evidence:
    """Prove the auditor's own entry to the gate."""
    proof, checkpoint, _size = await vault.appender.proof(entered.index)
    return Evidence(entered.index, entered.leaf, proof, checkpoint)


async def _prepared(
    vault: Vault,
    caller: StaffCaller,
    event: str,
    facts: Mapping[str, Any],
    about: Mapping[str, Any],
    of: int | None,
    at: datetime,
) -> Prepared:
    told = {"type": event, "result": "permitted", "at": at.isoformat(), "of": of}
    parts = Parts(
        subject={name: value for name, value in about.items() if value},
        actor=caller.actor(),
        purpose={},
        basis={"facts": {"role": caller.role} | dict(facts)},
        event={name: value for name, value in told.items() if value is not None},
    )
    async with vault.db.read() as db:
        held = await _holders(db, caller, about["owners"])
    return entries.prepare(Kind.AUDITOR_ACT, parts, held, at=at, caller_kind=caller.kind, caller=caller.id)


async def _holders(db: AsyncConnection, caller: StaffCaller, owners: Sequence[str]) -> list[entries.Holder]:
    wanted: list[tuple[HolderKind, str]] = [("owner", owner) for owner in owners]
    return await entries.holders(db, wanted or [("agency", caller.agency)])
