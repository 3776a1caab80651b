"""The figures of an open vault: what it counted, and what is seen of it now (vault/seeing.py).

What stands in rows or behind a service is looked at when somebody asks, within a time limit, and the look is
shared for some seconds. Where it does not end in time, or the database is away, the rest is told and
`kho_look_complete` is 0.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence

from prometheus_client import Metric

from reuse_api.metric_table import figure, figures, histogram
from reuse_api.traffic import BOUNDS, Traffic
from signing.leaf import Kind
from vault.alarms import CODES, alarms
from vault.quarantining import not_kept
from vault.seeing import Seen, look
from vault.services import Vault

PATIENCE = 2.5  # seconds for each part that is looked at
SHARED = 5.0  # seconds that a look is used for
DEPOSITS = ("uploaded", "digitised", "issued")
_SERVICES_UP = frozenset({"ok", "ready"})
_NO_SERVICE = frozenset({"off", "none", "not_asked"})


class VaultFigures:
    """A source of metrics (reuse_api/metrics.py) over an open vault and, where it is served, its traffic."""

    def __init__(self, vault: Vault, traffic: Traffic | None = None) -> None:
        self._vault = vault
        self._traffic = traffic
        self._seen: Seen | None = None
        self._seen_at = float("-inf")
        self._looking = asyncio.Lock()

    async def __call__(self) -> Sequence[Metric]:
        """Give every figure."""
        seen, age = await self._look()
        given = [*_counted(self._vault), *_held(self._vault), *_seen(seen), *_complete(seen, age)]
        return given + (list(_traffic(self._traffic)) if self._traffic is not None else [])

    async def _look(self) -> tuple[Seen, float]:
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen_at > SHARED:
                self._seen = await look(self._vault, patience=PATIENCE)
                self._seen_at = time.monotonic()
            return self._seen, time.monotonic() - self._seen_at


def _traffic(traffic: Traffic) -> Iterator[Metric]:
    answers = [
        ((method, door, str(status)), count) for (method, door, status), count in traffic.answers.items()
    ]
    yield figures("kho_http_requests_total", answers)
    took = [(key, one.counts, one.seconds) for key, one in traffic.durations.items()]
    yield histogram("kho_http_request_seconds", BOUNDS, took)
    yield figure("kho_http_requests_in_hand", traffic.in_hand)


def _counted(vault: Vault) -> Iterator[Metric]:
    tally, workers = vault.tally, vault.workers
    yield figures("kho_decisions_total", tally.decisions.items())
    yield figures("kho_log_entries_total", tally.entries.items())
    kept = Kind.RECORD_EVENT.name.lower()
    yield figures("kho_deposits_total", [((event,), tally.entries[kept, event]) for event in DEPOSITS])
    yield figure("kho_releases_total", tally.entries[Kind.RELEASE_PERMITTED.name.lower(), "released"])
    yield figure("kho_delivered_bytes_total", tally.bytes_delivered)
    yield figures("kho_quarantine_not_kept_total", [((code,), count) for code, count in not_kept.items()])
    yield figures("kho_worker_endings_total", [((code,), count) for code, count in workers.endings.items()])
    yield figure("kho_worker_restarts_total", workers.restarts)


def _held(vault: Vault) -> Iterator[Metric]:
    """Give what this process knows without a look."""
    yield figure("kho_appender_waiting", vault.appender.waiting)
    yield figure("kho_scans_in_hand", vault.drafts.count)
    yield figure("kho_workers_size", vault.workers.size)
    yield figure("kho_workers_busy", vault.workers.busy)
    yield figure("kho_workers_waiting", vault.workers.waiting)
    pools = vault.db.connections()
    yield figures("kho_database_connections_used", [((pool,), used) for pool, (used, _) in pools.items()])
    yield figures("kho_database_connections_most", [((pool,), most) for pool, (_, most) in pools.items()])


def _seen(seen: Seen) -> Iterator[Metric]:
    yield from _rows(seen)
    yield figure("kho_log_tree", seen.tree)
    if seen.published is not None:
        yield figure("kho_log_published", seen.published)
        yield figure("kho_log_published_age_seconds", seen.published_age)
    if seen.documents is not None:
        yield figure("kho_index_documents", seen.documents)
    yield figure("kho_log_fork", float(seen.log_fault == "log_forked"))
    yield figure("kho_unreadable_entries", seen.unreadable)
    yield figures("kho_disk_free_bytes", [((name,), free) for name, free in seen.free.items()])
    yield figures("kho_clock_ahead_seconds", [((name,), ahead) for name, ahead in seen.clocks.items()])
    yield figures("kho_service_up", _services(seen))
    wrong = alarms(seen)
    now = sorted({(one.code, one.which) for one in wrong})
    quiet = sorted(CODES.keys() - {code for code, _ in now})
    yield figures("kho_alarm", [*((one, 1.0) for one in now), *(((code, ""), 0.0) for code in quiet)])
    yield figure("kho_ready", float(not any(one.stops for one in wrong)))


def _rows(seen: Seen) -> Iterator[Metric]:
    rows = seen.rows
    if rows is None:
        return
    yield figure("kho_log_rows", rows.entries)
    yield figure("kho_damaged_records", rows.damaged)
    yield figure("kho_index_behind_seconds", rows.index_behind)
    yield figure("kho_seals_waiting", rows.seals_waiting)
    yield figure("kho_seals_oldest_seconds", rows.seals_waiting_for)
    yield figures("kho_outbox_waiting", [((topic,), lag.waiting) for topic, lag in rows.outbox.items()])
    yield figures("kho_outbox_oldest_seconds", [((topic,), age) for topic, age in rows.outbox_ages.items()])
    yield figures("kho_outbox_dead", [((topic,), lag.dead) for topic, lag in rows.outbox.items()])


def _services(seen: Seen) -> Iterator[tuple[Sequence[str], float]]:
    states = {"store": seen.store, "search": seen.search, "malware": seen.malware, **seen.services}
    yield ("database",), float(seen.rows is not None)
    for name, state in seen.parts.items():
        yield (name,), float(state == "ok")
    for name, state in states.items():
        if state not in _NO_SERVICE:
            yield (name,), float(state in _SERVICES_UP)


def _complete(seen: Seen, age: float) -> Iterator[Metric]:
    yield figure("kho_look_complete", float(seen.rows is not None and seen.in_time))
    yield figure("kho_look_age_seconds", age)
