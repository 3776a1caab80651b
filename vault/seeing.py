"""What can be seen of an open vault now: each part looked at beside the others, none waited for too long.

Nothing here is personal. What it means, vault/alarms.py judges.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from search.errors import SearchError
from signing.errors import SealerAway, SealingFailed
from signing.service_clock import utc_now
from storage.errors import StorageError
from vault import archive_stamps, outbox
from vault.entries import instant
from vault.errors import PartAway, PartFailed, PeerRefused, VaultBusy
from vault.evidence_tables import waiting_seal
from vault.log_folder import CHECKPOINT
from vault.outbox import Lag
from vault.services import Vault
from vault.tables import damage, log_head
from vault.waiting_seals import WAITING

PART_TROUBLE = (PartAway, PartFailed, PeerRefused)
PATIENCE = 8.0  # seconds that /readyz waits for a part
_LONGEST_HEAD = 20  # digits of a checkpoint's size


@dataclass(frozen=True)
class Rows:
    """What the rows say; `clock` is how far ahead the database's own clock is, in seconds, if it has one."""

    entries: int
    damaged: int
    put_off: Mapping[str, int]  # renewals of archive stamps, by the reason
    outbox: Mapping[str, Lag]  # by topic; that of the index is always there
    outbox_ages: Mapping[str, float]  # seconds that the oldest of each topic has waited
    seals_waiting: int
    seals_waiting_for: float  # seconds, the oldest
    clock: float | None

    @property
    def index_behind(self) -> float:
        """How many seconds the oldest change has waited for the index."""
        return self.outbox_ages[outbox.INDEX]


@dataclass(frozen=True)
class Seen:
    """One look. `rows` is None where the database is away; states are "ok", "off" or a code."""

    rows: Rows | None
    store: str
    search: str
    documents: int | None  # in the index
    malware: str  # off | ready | unavailable
    parts: Mapping[str, str]  # signer, gate, sealer: "ok", or "away" where it is a process that is away
    sealing: Mapping[str, Any]  # what the sealer tells of keys and services
    services: Mapping[str, str]  # timestamps, status: "ok", "not_asked", "none", or what was wrong last
    tree: int  # entries that the signer knows, before the rows were read: a commit grows the rows first
    published: int | None  # entries of the published checkpoint
    published_age: float  # seconds since it was written
    log_fault: str  # log_behind, log_forked or nothing: what the signer met since the start
    unreadable: int  # entries that did not open since the start
    free: Mapping[str, int]  # bytes left for us, by what lies there
    clocks: Mapping[str, float]  # seconds that others' clocks are ahead of ours, by whose
    in_time: bool  # whether every part answered, in whatever way, within its time


async def look(vault: Vault, *, patience: float = PATIENCE) -> Seen:
    """Look at every part of a vault.

    Args:
        patience: seconds that a part has for its answer.
    """
    tree, looks = vault.signer.tree.size, vault.looks
    nothing: Mapping[str, int] = {}
    no_answer: tuple[str, int | None] = ("index_unavailable", None)
    unpublished: tuple[int | None, float] = (None, 0.0)
    unsealed: Mapping[str, Any] = {"state": SealerAway.code}
    data = asyncio.gather(
        looks.part("rows", lambda: _rows(vault), patience, None, VaultBusy),
        looks.part("store", lambda: _store(vault), patience, "store_unavailable", StorageError),
        looks.part("search", lambda: index_state(vault), patience, no_answer, SearchError),
    )
    machine = asyncio.gather(
        looks.part("malware", lambda: _malware(vault), patience, "unavailable", OSError),
        looks.part("disk", lambda: asyncio.to_thread(_free, vault.folders), patience, nothing, OSError),
        looks.part("log", lambda: asyncio.to_thread(_published, vault), patience, unpublished, OSError),
    )
    parts = asyncio.gather(
        looks.part("signer", lambda: _there(vault.signer.ready), patience, "away", PART_TROUBLE),
        looks.part("gate", lambda: _there(vault.gate.ready), patience, "away", PART_TROUBLE),
        looks.part("sealer", vault.sealer.told, patience, unsealed, SealingFailed),
    )
    (rows, store, search), (malware, free, published), (signer, gate, sealing) = await asyncio.gather(
        data, machine, parts
    )
    sealer = "away" if "state" in sealing else "ok"
    return Seen(
        rows=rows,
        store=store,
        search=search[0],
        documents=search[1],
        malware=malware,
        parts={"signer": signer, "gate": gate, "sealer": sealer},
        sealing=sealing,
        services={name: str(sealing.get(name, {}).get("last", "none")) for name in ("timestamps", "status")},
        tree=tree,
        published=published[0],
        published_age=published[1],
        log_fault=vault.signer.fault,
        unreadable=len(vault.gate.unreadable),
        free=free,
        clocks=_clocks(rows, sealing, vault.store.clock_ahead),
        in_time=not looks.late,
    )


async def _rows(vault: Vault) -> Rows | None:
    async with vault.db.read() as db:
        entries = (await db.execute(select(log_head.c.size))).scalar_one()
        damaged = (await db.execute(select(func.count(func.distinct(damage.c.record))))).scalar_one()
        put_off = await archive_stamps.told(db)
        lags = await outbox.lags(db)
        waits = select(func.count(), func.min(waiting_seal.c.created_at)).where(
            waiting_seal.c.state == WAITING
        )
        waiting, since = (await db.execute(waits)).one()
        clock = None
        if vault.db.server_time is not None:
            asked = utc_now()
            clock = ((await db.execute(vault.db.server_time)).scalar_one() - asked).total_seconds()
    now = vault.clock.now()
    ages = {topic: _seconds(lag.since, now) for topic, lag in lags.items()}
    waited = _seconds(instant(since) if since else None, now)
    return Rows(entries, damaged, put_off, lags, ages, waiting, waited, clock)


def _seconds(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since is not None else 0.0


async def _there(ready: Callable[[], Awaitable[None]]) -> str:
    await ready()
    return "ok"


async def _store(vault: Vault) -> str:
    try:
        await vault.store.ready()
    except StorageError as problem:
        return problem.code
    return "ok"


async def index_state(vault: Vault) -> tuple[str, int | None]:
    """Say whether the search index answers, "off" without one, and how many documents are in it.

    One that answers, but took nothing from this process when it last put something, is told by why. What is
    seen stands in `vault.search`, for every answer that does without it.
    """
    if vault.index is None:
        return "off", None
    try:
        documents = await vault.index.ready()
    except SearchError as problem:
        vault.search.away = True
        return problem.code, None
    vault.search.away = False
    return vault.search.writing.reason or "ok", documents


async def _malware(vault: Vault) -> str:
    if vault.scanner is None:
        return "off"
    return "ready" if await vault.scanner.ready() else "unavailable"


def _free(folders: Mapping[str, Path]) -> Mapping[str, int]:
    """Say how many bytes we may still write where; a folder that is not there says nothing."""
    found = {}
    for name, folder in folders.items():
        try:
            disk = os.statvfs(folder)
        except OSError:
            continue
        found[name] = disk.f_bavail * disk.f_frsize
    return found


def _published(vault: Vault) -> tuple[int | None, float]:
    """Read the size off the published checkpoint (its second line), and its age; it is believed for this."""
    path = vault.log_folder / CHECKPOINT
    try:
        size = path.read_text("utf-8").split("\n")[1]
        age = utc_now().timestamp() - path.stat().st_mtime
    except (OSError, ValueError, IndexError):
        return None, 0.0
    if not (size.isascii() and size.isdigit() and len(size) <= _LONGEST_HEAD):
        return None, 0.0
    return int(size), max(age, 0.0)


def _clocks(rows: Rows | None, sealing: Mapping[str, Any], store: float | None) -> Mapping[str, float]:
    """Say how far ahead of ours the clocks of others were when they were last heard."""
    told = {
        "database": rows.clock if rows is not None else None,
        "store": store,
        "timestamps": sealing.get("timestamps", {}).get("clock_ahead"),
        "status": sealing.get("status", {}).get("clock_ahead"),
    }
    return {name: seconds for name, seconds in told.items() if seconds is not None}
