"""Is the vault fit to serve? What `/readyz` shows; nothing in it is personal."""

from typing import Any

from sqlalchemy import func, select

from search.errors import SearchError
from storage.errors import StorageError
from vault import archive_stamps, outbox
from vault.errors import VaultBusy
from vault.services import Vault
from vault.tables import damage, log_head


async def ready(vault: Vault) -> dict[str, Any]:
    """Check database, store, log and reported damage: {"ready": bool, "checks": {name: "ok" or a code}}."""
    checks = {"database": "ok", "store": "ok", "log": "ok", "content": "ok"}
    put_off: dict[str, int] = {}
    grown = vault.signer.tree.size  # before the rows: a commit grows them first
    try:
        async with vault.db.read() as db:
            put_off = await archive_stamps.told(db)
            size = (await db.execute(select(log_head.c.size))).scalar_one()
            damaged = (await db.execute(select(func.count(func.distinct(damage.c.record))))).scalar_one()
        if size < grown:  # more is a commit whose tree is about to grow
            checks["log"] = "log_behind"
        elif vault.gate.unreadable:
            checks["log"] = f"entries_unreadable:{len(vault.gate.unreadable)}"
        if damaged:
            checks["content"] = f"damaged_records:{damaged}"
    except VaultBusy:
        checks["database"] = checks["log"] = "unavailable"
    try:
        await vault.store.ready()
    except StorageError as problem:
        checks["store"] = problem.code
    workers = {
        "network": _cut(vault.workers.network_cut),
        "files": _cut(vault.workers.files_cut),
        "file_types": "libmagic" if vault.workers.magic else "own_rules",
    }
    malware = "off"  # reading goes on without it, so that it makes nobody unready
    if vault.scanner is not None:
        malware = "ready" if await vault.scanner.ready() else "unavailable"
    ready = all(value == "ok" for value in checks.values())
    workers["ocr"] = vault.ocr.state  # scans are read for suggestions where it is there
    search = await searchable(vault)  # plan and release work without
    away = {"search": search["state"] not in ("ok", "off"), "malware": malware == "unavailable"}
    return {
        "ready": ready,
        "degraded": [name for name, is_away in away.items() if is_away],
        "checks": checks,
        "store": vault.store.told(),
        "workers": workers,
        "malware": malware,
        "trust": _trust(vault),
        "sealing": await vault.sealer.told(),  # no reason not to serve either: all but sealing works without
        "renewals": {"put_off": put_off},  # of archive time stamps: why, and of how many records
        "search": search,
    }


async def searchable(vault: Vault) -> dict[str, Any]:
    """Say whether documents can be searched for, and how far the index is behind the rows."""
    told: dict[str, Any] = {"state": "off"}
    try:
        if vault.index is not None:
            told = {"state": "ok", "documents": await vault.index.ready()}
    except SearchError as problem:
        told = {"state": problem.code}
    try:
        async with vault.db.read() as db:
            behind = await outbox.lag(db, outbox.INDEX)
    except VaultBusy:
        return told
    late = (vault.clock.now() - behind.since).total_seconds() if behind.since else 0.0
    return told | {"waiting": behind.waiting, "seconds_behind": round(max(late, 0.0), 1), "dead": behind.dead}


def _trust(vault: Vault) -> dict[str, Any]:
    """Say whom documents are judged by, and who may be asked about certificates: told, no reason either."""
    trusted = vault.trust.current()
    return {
        "anchors": dict(trusted.counts),
        "for_tests": vault.demonstration,  # then roots for tests count for what documents are worth
        "refused": [{"file": file, "code": code} for file, code in trusted.faults],
        "status": sorted(vault.status.hosts) or "offline",
    }


def _cut(done: bool) -> str:
    """Say what the workers that parse foreign bytes are cut off from: no reason not to serve, but told."""
    return "cut" if done else "not_cut"
