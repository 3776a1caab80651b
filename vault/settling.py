"""Settling a write: done once for its key, and on facts that still stand when it is written (DESIGN 6).

Everything slow happens in the draft: reading, deciding, sealing entries. Inside the lock there are rows only.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vault import epochs, requests
from vault.appending import Transaction
from vault.callers import Caller
from vault.entries import Logged, Prepared
from vault.errors import Moved, VaultBusy
from vault.services import MAX_AFRESH, Answer, Refusal, Vault


@dataclass(frozen=True)
class Draft:
    """A write that was decided on and is ready: its entries, what they rest on, and the rows that follow.

    `write` runs under the head lock after the entries have their places, and gives the answer.
    """

    prepared: Sequence[Prepared]
    epochs: Mapping[str, int]
    at: datetime
    write: Callable[[Transaction, list[Logged]], Awaitable[Answer]]


async def settle(
    vault: Vault,
    caller: Caller,
    *,
    key: str,
    asked: bytes,
    draft: Callable[[datetime], Awaitable[Draft | Refusal | Answer]],
    resumes: str | None = None,
) -> Answer | Refusal:
    """Give the answer of an earlier, equal request, else draft and write; draft afresh when something moved.

    Args:
        key: the Idempotency-Key.
        asked: what the key stands for (`requests.body_hash`).
        draft: decides at an instant; a refusal or an answer that needs no writing goes to the caller, and so
            does what it raises.
        resumes: the id of what was put off under the key, and is carried out now (vault/waiting_seals.py).

    Raises:
        RequestConflict: the key was used for another request.
        VaultBusy: the facts keep moving, or the entries could not be written; nothing was changed.
    """
    for _ in range(MAX_AFRESH):
        async with vault.db.read() as db:
            earlier = await requests.answered(db, caller.id, key, asked, resumes)
        if earlier is not None:
            return earlier
        drafted = await draft(vault.clock.now())
        if not isinstance(drafted, Draft):
            return drafted
        try:
            return await _written(vault, caller, key, asked, drafted, resumes)
        except Moved:
            continue
    raise VaultBusy("what this rests on keeps changing; try again")


async def _written(
    vault: Vault, caller: Caller, key: str, asked: bytes, drafted: Draft, resumes: str | None
) -> Answer:
    async def change(tx: Transaction) -> Answer:
        done = await requests.answered(tx.db, caller.id, key, asked, resumes)
        if done is not None:
            return done
        await epochs.hold(tx.db, drafted.epochs)
        answer = await drafted.write(tx, await tx.append(drafted.prepared))
        if resumes is not None:
            await requests.answer_anew(tx.db, caller.id, key, answer)
        else:
            await requests.keep(tx.db, caller.id, key, asked, answer, drafted.at)
        return answer

    return await vault.appender.commit(change)
