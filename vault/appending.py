"""Appending to the log: the head first, then the checks, then the rows, then the commit (DESIGN 6).

State changes append in their own transaction; reads go through one batcher: while one commit is in flight
the next batch gathers. Nothing inside the lock waits for a worker, a key, the network or a file. Only after
the commit does the tree grow and may a checkpoint be signed: dying before it leaves nothing, dying after it
leaves a logged access that was not served, which is the safe side.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import entries, epochs
from vault.database import Database
from vault.entries import Logged, Prepared
from vault.entry_facts import EntryFacts
from vault.errors import Moved, VaultBusy
from vault.grown_log import GrownLog
from vault.tables import log_entry, log_head
from vault.tallying import Tally
from vault.upserting import upsert

T = TypeVar("T")

MAX_WAITING = 1024  # appends waiting for a batch; one more is answered with VaultBusy
MAX_BATCH = 256  # appends in one commit

Check = Callable[[AsyncConnection], Awaitable[None]] | Mapping[str, int]
Write = Callable[[AsyncConnection, list[Logged]], Awaitable[None]]


class Transaction:
    """One state change that holds the head: rows through `db`, entries through `append`."""

    def __init__(self, db: AsyncConnection, size: int) -> None:
        self.db = db
        self.first = size
        self.hashes: list[bytes] = []
        self.facts: list[EntryFacts] = []

    async def append(self, prepared: Sequence[Prepared]) -> list[Logged]:
        """Write entries at the next free indexes of the log."""
        logged = await entries.write(self.db, self.first + len(self.hashes), prepared)
        self.hashes.extend(entry.leaf_hash for entry in prepared)
        self.facts.extend(entry.facts for entry in prepared)
        return logged


@dataclass
class _Waiting:
    prepared: Sequence[Prepared]
    check: Check
    write: Write | None
    moves: bool
    answer: asyncio.Future[list[Logged]]


class Appender:
    """The only way rows enter the log."""

    def __init__(self, db: Database, signer: GrownLog) -> None:
        self._db = db
        self._signer = signer
        self._waiting: list[_Waiting] = []
        self._running: asyncio.Task[None] | None = None
        self._commits: set[asyncio.Future[Any]] = set()  # also those whose caller has left
        self.tally = Tally()
        signer.follow(self.catch_up)

    async def start(self) -> None:
        """Grow the tree from the committed rows; refuse when they are behind the signer's memory."""
        async with self._db.write() as db:
            await db.execute(upsert(log_head).values(id=1, size=0).on_conflict_do_nothing())
        async with self._db.read(unlimited=True) as db:
            rows = await db.execute(select(log_entry.c.leaf_hash).order_by(log_entry.c.idx))
            await self._signer.load([row.leaf_hash for row in rows])

    async def commit(self, change: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run one state change in its own transaction; a cancelled caller does not tear it.

        Raises:
            VaultBusy: the database cannot take it now (disk full, locked); nothing was changed.
            Moved: raised by `change` when an epoch moved; nothing was changed.
        """
        task = asyncio.ensure_future(self._commit(change))
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)
        return await asyncio.shield(task)

    async def append(
        self, prepared: Sequence[Prepared], check: Check, write: Write | None = None, *, moves: bool = True
    ) -> list[Logged]:
        """Append entries of a read through the batcher.

        Args:
            prepared: the entries, sealed.
            check: the epochs that the decision stands on, compared under the lock before anything is written;
                or what runs there, and raises Moved when the decision is stale.
            write: runs under the lock after they are written, with their indexes.
            moves: whether `write` may raise an epoch; false lets those behind it share its statements.

        Raises:
            VaultBusy: the queue is full or the database cannot take the batch.
            Moved: an epoch is another now, or from `check`.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise VaultBusy("too many accesses are waiting to be logged")
        answer: asyncio.Future[list[Logged]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(prepared, check, write, write is not None and moves, answer))
        if self._running is None or self._running.done():
            # A batch is nobody's: it goes on under no caller's trace.
            self._running = asyncio.create_task(self._drain(), context=contextvars.Context())
        return await asyncio.shield(answer)

    @property
    def waiting(self) -> int:
        """How many accesses wait for a batch now."""
        return len(self._waiting)

    async def proof(self, index: int) -> tuple[list[bytes], str, int]:
        """Give the inclusion proof of a committed entry, the signed head that it leads to, that head's size.

        A row is seen a moment before the tree holds it, and a commit that failed may have taken effect: the
        tree is brought up to the rows first. Raises IndexError for an entry that is not committed, and as
        `Signer.proof` does.
        """
        if index >= self._signer.tree.size:
            await self.catch_up()
        return await self._signer.proof(index)

    async def catch_up(self) -> None:
        """Grow the tree by the committed rows that it does not hold yet."""
        known = self._signer.tree.size
        query = select(log_entry.c.leaf_hash).where(log_entry.c.idx >= known).order_by(log_entry.c.idx)
        async with self._db.read(unlimited=True) as db:
            hashes = [row.leaf_hash for row in await db.execute(query)]
        self._signer.extend(known, hashes)  # what others have added meanwhile is compared, not added again

    async def close(self) -> None:
        """Let the batch and the changes in flight end."""
        running = [self._running] if self._running is not None else []
        await asyncio.gather(*running, *self._commits, return_exceptions=True)

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            results = await self._outcomes(batch)
            for item, result in zip(batch, results, strict=True):
                if item.answer.cancelled():
                    continue
                if isinstance(result, BaseException):
                    item.answer.set_exception(result)
                else:
                    item.answer.set_result(result)

    async def _outcomes(self, batch: Sequence[_Waiting]) -> list[list[Logged] | BaseException]:
        """Commit a batch; every waiting caller hears of a failure, whatever it is."""
        try:
            return await self._commit(partial(_write_batch, batch=batch))
        except Exception as problem:
            if len(batch) == 1 or isinstance(problem, VaultBusy):
                return [problem for _ in batch]
        # The rows of one of them are refused: each for itself now, so that it takes no other down.
        return [outcome for item in batch for outcome in await self._outcomes([item])]

    async def _commit(self, change: Callable[[Transaction], Awaitable[T]]) -> T:
        async with self._db.write() as db:
            size: int = (await db.execute(select(log_head.c.size))).scalar_one()
            tx = Transaction(db, size)
            result = await change(tx)
            if tx.hashes:
                await db.execute(update(log_head).values(size=size + len(tx.hashes)))
        if tx.hashes:
            self.tally.entered(tx.facts)
            await self._grow(tx)
        return result

    async def _grow(self, tx: Transaction) -> None:
        if self._signer.tree.size != tx.first:
            # Earlier commits are unknown to the tree: another process made them, or one of ours failed, or
            # its task ended, after it took effect.
            try:
                await self.catch_up()
            except VaultBusy:
                return  # the rows are committed all the same; whoever asks for a proof brings the tree up
        self._signer.extend(tx.first, tx.hashes)


async def _write_batch(tx: Transaction, batch: Sequence[_Waiting]) -> list[list[Logged] | BaseException]:
    return [outcome for stretch in _stretches(batch) for outcome in await _write_stretch(tx, stretch)]


def _stretches(batch: Sequence[_Waiting]) -> Iterator[list[_Waiting]]:
    """Part a batch behind each item that may raise an epoch: what comes after it is compared anew."""
    stretch: list[_Waiting] = []
    for item in batch:
        stretch.append(item)
        if item.moves:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


async def _write_stretch(tx: Transaction, stretch: Sequence[_Waiting]) -> list[list[Logged] | BaseException]:
    """Compare all, then write the entries of those that stand in one go, then what goes with each."""
    told = {key: 0 for item in stretch if isinstance(item.check, Mapping) for key in item.check}
    marks = await epochs.now(tx.db, told) if told else {}
    moved = [await _moved(tx, item, marks) for item in stretch]
    standing = [item for item, why in zip(stretch, moved, strict=True) if why is None]
    logged = iter(await tx.append([one for item in standing for one in item.prepared]))
    results: list[list[Logged] | BaseException] = []
    for item, why in zip(stretch, moved, strict=True):
        if why is not None:
            results.append(why)
            continue
        theirs = [next(logged) for _ in item.prepared]
        if item.write is not None:
            await item.write(tx.db, theirs)
        results.append(theirs)
    return results


async def _moved(tx: Transaction, item: _Waiting, marks: Mapping[str, int]) -> Moved | None:
    try:
        if not isinstance(item.check, Mapping):
            await item.check(tx.db)
        elif any(marks[key] != n for key, n in item.check.items()):
            raise Moved
    except Moved as moved:
        return moved
    return None
