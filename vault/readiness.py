"""Is the vault fit to serve? What `/readyz` shows; nothing in it is personal."""

from typing import Any

from vault import outbox
from vault.alarms import Alarm, alarms
from vault.errors import VaultBusy
from vault.outbox import Lag
from vault.seeing import Seen, index_state, look
from vault.services import Vault


async def ready(vault: Vault) -> dict[str, Any]:
    """Look at the vault, and say what is wrong.

    {"ready": whether work can be done, "degraded": the parts that something is wrong with meanwhile,
    "alarms": every wrong thing by its code (vault/alarms.py), "checks": {name: "ok" or a code}, and more that
    is told and no reason for anything}.
    """
    seen = await look(vault)
    wrong = alarms(seen)
    return {
        "ready": not any(one.stops for one in wrong),
        "degraded": list(dict.fromkeys(one.part for one in wrong if not one.stops)),
        "alarms": [one.told() for one in wrong],
        "checks": _checks(seen, wrong),
        "store": vault.store.told(),
        "workers": {
            "network": _cut(vault.workers.network_cut),
            "files": _cut(vault.workers.files_cut),
            "file_types": "libmagic" if vault.workers.magic else "own_rules",
            "ocr": vault.ocr.state,  # scans are read for suggestions where it is there
        },
        "malware": seen.malware,  # reading goes on without it, so that it makes nobody unready
        "trust": _trust(vault),
        "sealing": seen.sealing,  # no reason not to serve either: all but sealing works without
        "renewals": {"put_off": dict(seen.rows.put_off) if seen.rows is not None else {}},
        "search": _searched(
            seen.search,
            seen.documents,
            seen.rows.outbox[outbox.INDEX] if seen.rows is not None else None,
            seen.rows.index_behind if seen.rows is not None else 0.0,
        )
        | _building(vault),
        "disk": {name: {"free": free} for name, free in seen.free.items()},
        "clocks": {name: round(seconds, 1) for name, seconds in seen.clocks.items()},
    }


def _checks(seen: Seen, wrong: list[Alarm]) -> dict[str, str]:
    """Say of the four that hold the vault whether each is as it should be, by the worst that is wrong."""
    checks = {"database": "ok", "store": seen.store, "log": "ok", "content": "ok"}
    codes = [one.code for one in wrong]
    if seen.unreadable:
        checks["log"] = f"entries_unreadable:{seen.unreadable}"
    for code in ("log_behind", "log_forked"):
        if code in codes:
            checks["log"] = code
    if seen.rows is None:
        checks["database"] = checks["log"] = "unavailable"
    elif seen.rows.damaged:
        checks["content"] = f"damaged_records:{seen.rows.damaged}"
    return checks


async def searchable(vault: Vault) -> dict[str, Any]:
    """Say whether documents can be searched for, and how far the index is behind the rows."""
    state, documents = await index_state(vault)
    try:
        async with vault.db.read() as db:
            lag = await outbox.lag(db, outbox.INDEX)
    except VaultBusy:
        return _searched(state, documents, None, 0.0)
    behind = (vault.clock.now() - lag.since).total_seconds() if lag.since else 0.0
    return _searched(state, documents, lag, behind)


def _searched(state: str, documents: int | None, lag: Lag | None, behind: float) -> dict[str, Any]:
    told: dict[str, Any] = {"state": state}
    if documents is not None:
        told["documents"] = documents
    if lag is None:
        return told
    late = {"waiting": lag.waiting, "seconds_behind": round(max(behind, 0.0), 1), "dead": lag.dead}
    return told | late


def _building(vault: Vault) -> dict[str, Any]:
    """Tell of a missing index that this process could not build, why, and when it begins again."""
    told = vault.search.building.told()
    return {"building": told} if told else {}


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
