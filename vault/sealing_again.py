"""Carrying out what waited for its seal: decided afresh, then committed exactly as if it were asked now."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import RowMapping, select, update

from signing.errors import SealingFailed, SealKeyUnavailable, ServiceFailed, WorkerFailed
from signing.leaf import Kind, Parts
from storage.errors import BlobDamaged, BlobMissing, StoreUnavailable
from vault import entries, requests, tracing, waiting_files, waiting_orders, waiting_seals
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.digitise import digitise
from vault.entries import stamp
from vault.errors import FieldInvalid, MalwareScanUnavailable, NotFound, RequestConflict, VaultBusy
from vault.evidence_tables import waiting_seal
from vault.issue import issue
from vault.issue_record import issue_record
from vault.services import Answer, Refusal, Vault
from vault.waiting_seals import GIVEN_UP, MOST_ATTEMPTS, SCAN, SCAN_GIVEN_UP, WAITING, later

_LEASE = timedelta(minutes=10)  # nobody else takes it up meanwhile; whoever dies, it is due again after that
_AT_ONCE = 20  # in one look
_LATER = (VaultBusy, StoreUnavailable, MalwareScanUnavailable, WorkerFailed)
_NEVER = (FieldInvalid, NotFound, RequestConflict)

LOST = "waiting_file_lost"

Failed = Callable[[str, Exception], None]


async def retry_due(
    vault: Vault, failed: Failed, *, all_of_them: bool = False, ending: asyncio.Event | None = None
) -> int:
    """Try again what is due, oldest first, at most 20 in one look; gives how many were tried.

    A service for all that fails (time stamps, certificate status) ends the look; an agency's key that cannot
    be reached leaves out what else waits for it.

    Args:
        failed: hears of a failure that nobody foresaw, by a code, and what it befell goes on waiting; and of
            bytes that are gone.
        all_of_them: first make due whatever waits, as at a start.
        ending: once set, the look ends behind the result in hand.
    """
    now = stamp(vault.clock.now())
    if all_of_them:
        async with vault.db.write() as db:
            waits = update(waiting_seal).where(waiting_seal.c.state == WAITING, waiting_seal.c.next_at > now)
            await db.execute(waits.values(next_at=now))
    query = select(waiting_seal).where(waiting_seal.c.state == WAITING, waiting_seal.c.next_at <= now)
    async with vault.db.read() as db:
        rows = await db.execute(query.order_by(waiting_seal.c.created_at).limit(_AT_ONCE))
        due = rows.mappings().all()
    tried, unreachable = 0, set[str]()
    for row in due:
        if ending is not None and ending.is_set():
            break
        if row["agency"] in unreachable or not await _taken_up(vault, row):
            continue
        with tracing.under(tracing.resumed(row["trace"])):
            problem = await _attempt(vault, row, failed)
        tried += 1
        if isinstance(problem, ServiceFailed):
            break
        if isinstance(problem, SealKeyUnavailable):
            unreachable.add(row["agency"])
    return tried


async def _taken_up(vault: Vault, row: RowMapping) -> bool:
    """Count the attempt before it is made, so that one which kills us is counted too."""
    mine = update(waiting_seal).where(
        waiting_seal.c.id == row["id"],
        waiting_seal.c.state == WAITING,
        waiting_seal.c.next_at == row["next_at"],
    )
    values = {"attempts": row["attempts"] + 1, "next_at": stamp(vault.clock.now() + _LEASE)}
    async with vault.db.write() as db:
        return bool((await db.execute(mine.values(**values))).rowcount)


async def _attempt(vault: Vault, row: RowMapping, failed: Failed) -> SealingFailed | None:
    """Try one; gives what stood in the way of its seal."""
    try:
        told = await _carry_out(vault, row)
    except SealingFailed as problem:
        if problem.retryable:
            await _wait_on(vault, row, problem.code)
        else:
            await _give_up(vault, row, (problem.code,))
        await waiting_files.discard(vault, row["id"])
        return problem
    except _NEVER as problem:
        await _give_up(vault, row, (problem.code,))
    except (BlobMissing, BlobDamaged) as problem:  # what was handed in is gone: no later try finds it
        failed(LOST, problem)
        await _give_up(vault, row, (LOST,))
    except _LATER as problem:
        await _wait_on(vault, row, problem.code)
    except Exception as problem:
        failed("waiting_seal_failed", problem)
        await _wait_on(vault, row, "other")
    else:
        if isinstance(told, Refusal):
            await _give_up(vault, row, _told(row, told))
    await waiting_files.discard(vault, row["id"])
    return None


async def _carry_out(vault: Vault, row: RowMapping) -> Answer | Refusal:
    body, key = await vault.gate.open_waiting(row["id"])
    said, caller = waiting_seals.said_in(dict(row), body), _caller(row, vault.clock.now())
    again = {"key": row["key"], "resumes": row["id"]}
    async with _handed_in(vault, row, key) as (file, media_type):
        if row["operation"] == SCAN and file is not None:
            scan = waiting_orders.scan(said)
            dossier, component = row["dossier"], row["component"]
            return await digitise(
                vault, caller, dossier, component, scan, file, declared_type=media_type, **again
            )
        if row["operation"] == "issue":
            return await issue(vault, caller, row["dossier"], waiting_orders.result(said), file, **again)
        return await issue_record(vault, caller, waiting_orders.record(said), file, **again)


@asynccontextmanager
async def _handed_in(vault: Vault, row: RowMapping, key: bytes) -> AsyncIterator[tuple[Path | None, str]]:
    """Give the file that was handed in with it, if there was one, and its declared type.

    The services are asked first: while they are away no file is opened, measured and copied in vain.
    """
    async with vault.db.read() as db:
        handed = await waiting_files.one(db, row["id"])
    if handed is None:
        if row["operation"] == SCAN:
            raise BlobMissing(row["id"])
        yield None, ""
        return
    await vault.sealer.stamp_lasts(vault.clock.now())
    async with waiting_files.opened(vault, handed, key) as file:
        yield file, handed["media_type"]


def _told(row: RowMapping, refusal: Refusal) -> Sequence[str]:
    """Say why it is given up; a scan that needs a reason now, and needed none, came too late."""
    met = row["operation"] == SCAN and "rescan_reason_missing" in refusal.reasons
    others = [one for one in refusal.reasons if one != "rescan_reason_missing"]
    return ("component_met_meanwhile", *others) if met else refusal.reasons


def _caller(row: RowMapping, at: datetime) -> SystemCaller:
    """Give who handed it in; the token is gone, and opens nothing: whether they still may is read afresh."""
    return SystemCaller(
        system=row["caller"],
        agency=row["agency"],
        officer=row["officer"],
        key_thumbprint=row["key_thumbprint"],
        expires=at + _LEASE,
        token="",
        door=row["door"],
    )


async def _wait_on(vault: Vault, row: RowMapping, code: str) -> None:
    attempts, at = row["attempts"] + 1, vault.clock.now()
    if attempts >= MOST_ATTEMPTS:
        await _give_up(vault, row, ("seal_attempts_exhausted", code))
        return
    due = later(attempts, at)
    values = {"next_at": stamp(due), "reasons": json.dumps([code]), "updated_at": stamp(at)}
    async with vault.db.write() as db:
        still = update(waiting_seal).where(waiting_seal.c.id == row["id"], waiting_seal.c.state == WAITING)
        await db.execute(still.values(**values))


async def _give_up(vault: Vault, row: RowMapping, reasons: Sequence[str]) -> None:
    """End it for good: an entry for the agency, a notice, and the answer of its Idempotency-Key."""
    at = vault.clock.now()
    parts = Parts(
        subject={},
        actor=_caller(row, at).actor(),  # whose request it was: they may read why
        purpose={"dossier": row["dossier"]} if row["dossier"] else {},
        basis={
            "kind": "maintenance",
            "reference": "waiting_seal",
            "reasons": [{"code": code, "fact": row["id"]} for code in reasons],
        },
        event={"type": GIVEN_UP, "result": "refused", "at": at.isoformat(), "request": row["key"]},
    )
    async with vault.db.read() as db:
        held = await entries.holders(db, [("agency", row["agency"])])
    prepared = entries.prepare(
        Kind.MAINTENANCE, parts, held, at=at, caller_kind="system", caller=row["caller"]
    )

    async def change(tx: Transaction) -> None:
        still = select(waiting_seal).where(waiting_seal.c.id == row["id"], waiting_seal.c.state == WAITING)
        if (await tx.db.execute(still)).first() is None:
            return
        (logged,) = await tx.append([prepared])
        await waiting_seals.end(tx.db, row["id"], GIVEN_UP, reasons, at)
        event = SCAN_GIVEN_UP if row["operation"] == SCAN else GIVEN_UP
        await waiting_seals.tell(tx.db, row, event, logged.index, at)
        told = {"state": GIVEN_UP, "waiting": row["id"], "reasons": [GIVEN_UP, *reasons]}
        await requests.answer_anew(tx.db, row["caller"], row["key"], told | {"receipt": logged.receipt})

    await vault.appender.commit(change)
