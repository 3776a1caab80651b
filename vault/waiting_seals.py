"""What waits for its seal: permitted and taken, but nobody could stamp or sign just then.

Results and scans. What was asked lies sealed under a key of its own, wrapped to the vault; a file that was
handed in with it lies in the store under the same key (vault/waiting_files.py). The answer under its
Idempotency-Key says that it waits. Row and answer are committed together, so that nothing is lost by dying;
what ends the waiting (vault/sealing_again.py) commits with the record or with the entry that says why not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any, Final, Literal

from sqlalchemy import RowMapping, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.errors import SealingFailed
from storage.keyring import seal_to
from storage.sealed import new_record_key, seal_bytes
from vault import requests, tracing, waiting_files
from vault.appending import Transaction
from vault.callers import SystemCaller, desk_system
from vault.entries import Logged, instant, new_id, stamp
from vault.errors import GateRefused, Moved, NotFound
from vault.evidence_tables import waiting_file, waiting_seal
from vault.key_gate import WAITING_KEY_INFO, WAITING_PART
from vault.notifying import notify
from vault.services import Answer, Vault
from vault.settling import Draft
from vault.tables import key_pair, notice
from vault.waiting_files import HandedIn

WAITING, SEALED, GIVEN_UP = "waiting_for_seal", "sealed", "seal_given_up"
SCAN_GIVEN_UP = "scan_given_up"  # the event of a scan's notice
_BOUND = "handed_in"  # in the sealed body: what of the row it belongs to, which nobody may change meanwhile
_OF = ("caller", "agency", "officer", "operation", "dossier", "component", "type")
FIRST = timedelta(seconds=5)  # before it is tried again; doubled each time
LONGEST = timedelta(hours=1)
MOST_ATTEMPTS = 96  # some three and a half days
MOST_WAITING = 10_000  # of the whole vault; how many bytes of files, vault/waiting_files.py says
SCAN: Final = "digitise"  # the operation of a scan
_SPREAD = SystemRandom()


@dataclass(frozen=True)
class Order:
    """What was asked: the operation, its body as JSON, and the request it answers."""

    operation: Literal["issue", "issue_record", "digitise"]
    body: dict[str, Any]
    type: str
    dossier: str | None
    key: str
    asked: bytes
    component: str | None = None  # that a scan is for
    file: HandedIn | None = None


@dataclass(frozen=True)
class Waiting:
    """What waits, or how its waiting ended; with a `component` it is a scan for that.

    `notice` is how the desk heard that it was given up; once seen, the desk does not list it any more.
    """

    id: str
    state: str
    type: str
    dossier: str | None
    attempts: int
    reasons: tuple[str, ...]
    since: datetime
    next_at: datetime
    record: str | None
    component: str | None = None
    notice: str | None = None

    def answer(self) -> Answer:
        """Tell its system."""
        told: Answer = {"state": self.state, "waiting": self.id, "type": self.type}
        reasons = [] if self.state == SEALED else [self.state, *self.reasons]
        told |= {"attempts": self.attempts, "reasons": reasons}
        told |= {"since": self.since.isoformat()}
        if self.state == WAITING:
            told["next_at"] = self.next_at.isoformat()
        named = {"dossier": self.dossier, "component": self.component, "record": self.record}
        return told | {name: value for name, value in named.items() if value is not None}


async def accept(vault: Vault, caller: SystemCaller, order: Order, problem: SealingFailed) -> Answer:
    """Take a permitted request whose seal could not be made, to be carried out later.

    Raises:
        SealingFailed: `problem` itself, when waiting would not help or too much waits already.
        StorageError: the store cannot take the file; nothing waits.
        RequestConflict, VaultBusy: as in `settle`.
    """
    if not problem.retryable:
        raise problem
    size = order.file.path.stat().st_size if order.file is not None else 0
    async with vault.db.read() as db:
        public = await public_key(db)
        if not await _is_room(db, caller.agency, size):
            raise problem
    key, at = new_record_key(), vault.clock.now()
    told = Waiting(
        id=new_id("wait"),
        state=WAITING,
        type=order.type,
        dossier=order.dossier,
        attempts=1,
        reasons=(problem.code,),
        since=at,
        next_at=at + FIRST,
        record=None,
        component=order.component,
    )
    row = _new_row(caller, order, told, key, public)
    file = await waiting_files.put(vault, told.id, order.file, key) if order.file is not None else None

    async def change(tx: Transaction) -> Answer:
        done = await requests.answered(tx.db, caller.id, order.key, order.asked)
        if done is not None:
            return done
        twin = await same_scan(tx.db, caller, order, file["content_sha256"]) if file is not None else None
        if twin is not None:
            await requests.keep(tx.db, caller.id, order.key, order.asked, twin.answer(), at)
            return twin.answer()
        if not await _is_room(tx.db, caller.agency, size):  # others came meanwhile
            raise problem
        await tx.db.execute(insert(waiting_seal).values(**row))
        if file is not None:
            await tx.db.execute(insert(waiting_file).values(**file))
        await requests.keep(tx.db, caller.id, order.key, order.asked, told.answer(), at)
        return told.answer()

    try:
        answer = await vault.appender.commit(change)
    except Exception:
        if file is not None:
            await waiting_files.discard(vault, told.id)
        raise
    if file is not None and answer.get("waiting") != told.id:  # it was answered meanwhile
        await waiting_files.discard(vault, told.id)
    return answer


async def _is_room(db: AsyncConnection, agency: str, size: int) -> bool:
    count = select(func.count()).where(waiting_seal.c.state == WAITING)
    if (await db.execute(count)).scalar_one() >= MOST_WAITING:
        return False
    return not size or await waiting_files.is_room(db, agency, size)


def _new_row(
    caller: SystemCaller, order: Order, told: Waiting, key: bytes, public: bytes
) -> Mapping[str, Any]:
    row = _plain_row(caller, order, told)
    text = json.dumps(order.body | {_BOUND: _bound(row)}, ensure_ascii=False).encode()
    sealed = {
        "wrapped_key": seal_to(public, key, info=WAITING_KEY_INFO, aad=told.id.encode()),
        "body": seal_bytes(text, key=key, record=told.id, part=WAITING_PART),
    }
    return row | sealed


def said_in(row: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """Read what was asked from its opened body, for those alone who asked it.

    Raises:
        GateRefused: the row says another caller, dossier or component than when it was handed in.
    """
    said: dict[str, Any] = json.loads(body)
    bound = said.pop(_BOUND, None)  # absent in what was handed in before it was kept
    if bound is not None and bound != _bound(row):
        raise GateRefused("waiting: it was handed in by another, or for something else")
    return said


def _bound(row: Mapping[str, Any]) -> dict[str, Any]:
    return {one: row[one] for one in _OF}


def _plain_row(caller: SystemCaller, order: Order, told: Waiting) -> dict[str, Any]:
    return {
        "id": told.id,
        "caller": caller.id,
        "agency": caller.agency,
        "officer": caller.officer,
        "key_thumbprint": caller.key_thumbprint,
        "door": caller.door,
        "key": order.key,
        "asked": order.asked,
        "operation": order.operation,
        "dossier": order.dossier,
        "component": order.component,
        "type": order.type,
        "state": WAITING,
        "attempts": told.attempts,
        "reasons": json.dumps(told.reasons),
        "next_at": stamp(told.next_at),
        "created_at": stamp(told.since),
        "updated_at": stamp(told.since),
        "trace": tracing.kept(),
    }


async def one(vault: Vault, caller: SystemCaller, waiting: str) -> Waiting:
    """Give the state of what the caller's own system handed in; of a scan, to its agency.

    Raises:
        NotFound: there is no such one, or it is another's.
    """
    query = select(waiting_seal).where(
        waiting_seal.c.id == waiting,
        or_(waiting_seal.c.caller == caller.id, waiting_seal.c.operation == SCAN),
        waiting_seal.c.agency == caller.agency,
    )
    async with vault.db.read() as db:
        row = (await db.execute(query)).mappings().first()
    if row is None:
        raise NotFound
    return _read(row)


async def scans_of(db: AsyncConnection, dossier: str) -> list[Waiting]:
    """List the scans of a dossier that wait for their seal, oldest first."""
    query = select(waiting_seal).where(
        waiting_seal.c.dossier == dossier,
        waiting_seal.c.operation == SCAN,
        waiting_seal.c.state == WAITING,
    )
    rows = await db.execute(query.order_by(waiting_seal.c.created_at))
    return [_read(row) for row in rows.mappings()]


async def same_scan(db: AsyncConnection, caller: SystemCaller, order: Order, sha256: bytes) -> Waiting | None:
    """Find the scan of the same bytes that waits already for the same component of the dossier."""
    query = select(waiting_seal).join(waiting_file, waiting_file.c.waiting == waiting_seal.c.id)
    query = query.where(
        waiting_seal.c.agency == caller.agency,
        waiting_seal.c.operation == SCAN,
        waiting_seal.c.operation == order.operation,
        waiting_seal.c.dossier == order.dossier,
        waiting_seal.c.component == order.component,
        waiting_seal.c.state == WAITING,
        waiting_file.c.content_sha256 == sha256,
    )
    row = (await db.execute(query.order_by(waiting_seal.c.created_at))).mappings().first()
    return _read(row) if row is not None else None


def joining(
    caller: SystemCaller, order: Order, sha256: bytes, marks: Mapping[str, int], at: datetime
) -> Draft:
    """Give a draft that answers a request by the same scan that waits already: nothing waits twice."""

    async def write(tx: Transaction, _: list[Logged]) -> Answer:
        twin = await same_scan(tx.db, caller, order, sha256)
        if twin is None:
            raise Moved  # it has ended since: decided afresh
        return twin.answer()

    return Draft((), marks, at, write)


async def of_agency(vault: Vault, caller: SystemCaller, dossier: str | None = None) -> Sequence[Waiting]:
    """List what waits or was given up in the caller's agency, oldest first, of one dossier if it is named.

    What was given up is listed until somebody at the desk has seen the notice of it, which is an entry.
    """
    heard = and_(  # the notice was written in the transaction that ended the waiting, at the same instant
        notice.c.agency == waiting_seal.c.agency,
        notice.c.system.is_(None),
        notice.c.event.in_((GIVEN_UP, SCAN_GIVEN_UP)),
        notice.c.at == waiting_seal.c.updated_at,
        notice.c.dossier.is_not_distinct_from(waiting_seal.c.dossier),
    )
    ended = and_(waiting_seal.c.state == GIVEN_UP, notice.c.seen_at.is_(None))
    query = select(waiting_seal, notice.c.id.label("notice")).join(notice, heard, isouter=True)
    query = query.where(waiting_seal.c.agency == caller.agency, or_(waiting_seal.c.state == WAITING, ended))
    if dossier is not None:
        query = query.where(waiting_seal.c.dossier == dossier)
    async with vault.db.read() as db:
        rows = await db.execute(query.order_by(waiting_seal.c.created_at).limit(100))
        return [_read(row) for row in rows.mappings()]


def finishing(draft: Draft, waiting: str, kept: Mapping[str, bytes] | None = None) -> Draft:
    """Give a draft that ends the waiting in the transaction of what it waited for.

    Args:
        kept: key and body of what can still be told of it (vault/waiting_answers.py).
    """

    async def write(tx: Transaction, logged: list[Logged]) -> Answer:
        answer = await draft.write(tx, logged)
        row = await _row(tx.db, waiting)
        await end(tx.db, waiting, SEALED, (), draft.at, record=answer["record"], kept=kept)
        event = "scan_sealed" if row["operation"] == SCAN else "result_sealed"
        await tell(tx.db, row, event, logged[0].index, draft.at, record=answer["record"])
        return answer

    return replace(draft, write=write)


async def end(
    db: AsyncConnection,
    waiting: str,
    state: str,
    reasons: Sequence[str],
    at: datetime,
    record: str | None = None,
    kept: Mapping[str, bytes] | None = None,
) -> None:
    """Note how the waiting ended, and forget what was handed in; a file's bytes go after the commit.

    Args:
        kept: what stands in its place, by column.
    """
    values = {"state": state, "reasons": json.dumps(list(reasons)), "record": record, "updated_at": stamp(at)}
    gone = {"wrapped_key": None, "body": None} | dict(kept or {})
    await db.execute(update(waiting_seal).where(waiting_seal.c.id == waiting).values(**values, **gone))
    await waiting_files.forget(db, waiting)


async def tell(
    db: AsyncConnection, row: RowMapping, event: str, idx: int, at: datetime, record: str | None = None
) -> None:
    """Let the desk hear how it ended, and the system that handed it in."""
    for system in {None, row["caller"]} - {desk_system(row["agency"])}:
        await notify(
            db,
            agency=row["agency"],
            system=system,
            event=event,
            idx=idx,
            at=at,
            dossier=row["dossier"],
            record=record,
        )


def later(attempts: int, at: datetime) -> datetime:
    """Say when to try again after so many attempts: ever later, and not all at once."""
    wait: timedelta = min(LONGEST, FIRST * 2 ** min(attempts - 1, 20))
    return at + wait * _SPREAD.uniform(0.75, 1.25)


async def _row(db: AsyncConnection, waiting: str) -> RowMapping:
    return (await db.execute(select(waiting_seal).where(waiting_seal.c.id == waiting))).mappings().one()


async def public_key(db: AsyncConnection) -> bytes:
    """Give the key of the vault that what waits is sealed to."""
    query = select(key_pair.c.public).where(key_pair.c.kind == "vault", key_pair.c.purpose == WAITING_PART)
    public: bytes = (await db.execute(query)).scalar_one()
    return public


def _read(row: RowMapping) -> Waiting:
    return Waiting(
        id=row["id"],
        state=row["state"],
        type=row["type"],
        dossier=row["dossier"],
        attempts=row["attempts"],
        reasons=tuple(json.loads(row["reasons"])),
        since=instant(row["created_at"]),
        next_at=instant(row["next_at"]),
        record=row["record"],
        component=row["component"],
        notice=row.get("notice") if row["state"] == GIVEN_UP else None,
    )
