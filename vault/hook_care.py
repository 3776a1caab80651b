"""Web hooks as an administrator sees them: whose they are, how they fare, and what was given up.

The address is told by its host alone: the rest of it may be a secret of the receiver's.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.leaf import Kind, Parts
from vault import entries, hooks, outbox, requests
from vault.appending import Transaction
from vault.callers import StaffCaller
from vault.errors import NotAuthenticated, NotFound
from vault.hook_tables import ACTIVE, ENDED, PAUSED, webhook
from vault.hooks import Hook
from vault.outbox import Lag, Letter
from vault.services import Answer, Vault
from vault.tables import agency, system
from vault.telling import VAULT_HOLDER

MOST_LETTERS = 20  # that are listed of one hook
_REQUESTS = {"dead_letters_replayed": "replay_webhook", "webhook_resumed": "resume_webhook"}


@dataclass(frozen=True)
class Cared:
    """One hook with its system's and its agency's names (vi, en), what waits, and what was given up."""

    hook: Hook
    host: str
    system_name: str
    agency_name: tuple[str, str]
    lag: Lag
    letters: tuple[Letter, ...]


async def every(vault: Vault, caller: StaffCaller, limit: int) -> list[Cared]:
    """List hooks, the newest first, ended ones too.

    Raises:
        NotAuthenticated: the caller is no administrator.
    """
    _allowed(caller)
    at = vault.clock.now()
    query = (
        select(webhook, system.c.name.label("system_name"), agency.c.name_vi, agency.c.name_en)
        .join(system, system.c.id == webhook.c.system)
        .join(agency, agency.c.id == webhook.c.agency)
        .order_by(webhook.c.created_at.desc(), webhook.c.id)
        .limit(limit)
    )
    async with vault.db.read() as db:
        rows = (await db.execute(query)).mappings().all()
        return [
            await _cared(db, hooks.read(row, at), row["system_name"], (row["name_vi"], row["name_en"]))
            for row in rows
        ]


async def _cared(db: AsyncConnection, hook: Hook, system_name: str, names: tuple[str, str]) -> Cared:
    letters = await outbox.dead_letters(db, MOST_LETTERS, topic=hook.outbox)
    lag = await outbox.lag(db, hook.outbox)
    return Cared(hook, urlsplit(hook.url).netloc, system_name, names, lag, tuple(letters))


async def replay(vault: Vault, caller: StaffCaller, hook: str, *, key: str) -> Answer:
    """Have what was given up for a hook tried again now; an entry.

    Raises:
        NotAuthenticated: the caller is no administrator.
        NotFound: there is no such hook, or it has ended.
    """

    async def does(db: AsyncConnection, found: Hook, at: datetime) -> Mapping[str, Any]:
        count = await outbox.replay(db, at, topic=found.outbox)
        await hooks.try_now(db, hook, at)
        return {"replayed": count}

    return await _acted(vault, caller, hook, "dead_letters_replayed", does, key)


async def resume(vault: Vault, caller: StaffCaller, hook: str, *, key: str) -> Answer:
    """Go on telling a hook that a restore paused, also what has waited since; an entry. Again, it is none.

    Raises:
        NotAuthenticated: the caller is no administrator.
        NotFound: there is no such hook, or it has ended.
    """

    async def does(db: AsyncConnection, _found: Hook, at: datetime) -> Mapping[str, Any]:
        await hooks.resume(db, hook, at)
        return {"state": ACTIVE}

    return await _acted(vault, caller, hook, "webhook_resumed", does, key, needed=PAUSED)


async def _acted(
    vault: Vault,
    caller: StaffCaller,
    hook: str,
    event: str,
    does: Callable[[AsyncConnection, Hook, datetime], Awaitable[Mapping[str, Any]]],
    key: str,
    *,
    needed: str | None = None,
) -> Answer:
    """Do something to a hook as its own entry; `needed`: a hook of another state is left as it is."""
    _allowed(caller)
    at = vault.clock.now()
    async with vault.db.read() as db:
        (held,) = await entries.holders(db, [VAULT_HOLDER])
    parts = Parts(
        subject={},
        actor=caller.actor(),
        purpose={},
        basis={"facts": {"webhook": hook}},
        event={"type": event, "result": "permitted", "at": at.isoformat()},
    )
    told = entries.prepare(
        Kind.ADMINISTRATOR_ACT, parts, [held], at=at, caller_kind=caller.kind, caller=caller.id
    )
    asked = requests.body_hash(_REQUESTS[event], {"webhook": hook})

    async def change(tx: Transaction) -> Mapping[str, Any]:
        done = await requests.answered(tx.db, caller.id, key, asked)
        if done is not None:
            return done
        found = await hooks.one(tx.db, hook, at)
        if found is None or found.state == ENDED:
            raise NotFound
        if needed is not None and found.state != needed:
            return {"webhook": hook, "state": found.state}
        did = await does(tx.db, found, at)
        (logged,) = await tx.append([told])
        answer = {"webhook": hook, **did, "receipt": logged.receipt, "index": logged.index}
        await requests.keep(tx.db, caller.id, key, asked, answer, at)
        return answer

    return dict(await vault.appender.commit(change))


def _allowed(caller: StaffCaller) -> None:
    if caller.role != "administrator":
        raise NotAuthenticated("role_missing")
