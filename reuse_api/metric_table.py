"""Every metric that Kho gives, with its labels and what it says; docs/operate.md explains each.

Labels are codes, templates of routes, names of parts: never a path, an id, a person, a file. Each is bounded
by the program itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import Metric as Family
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Declared:
    """One metric: a counter's name ends with _total."""

    kind: Kind
    labels: tuple[str, ...]
    words: str


def _counter(words: str, *labels: str) -> Declared:
    return Declared("counter", labels, words)


def _gauge(words: str, *labels: str) -> Declared:
    return Declared("gauge", labels, words)


METRICS: Mapping[str, Declared] = {
    "kho_build_info": _gauge("1; which Kho runs here, as what process.", "version", "python", "process"),
    "kho_sources_failed": _gauge("Sources of figures that failed in this answer."),
    # Doors
    "kho_http_requests_total": _counter("Answered requests.", "method", "door", "status"),
    "kho_http_request_seconds": Declared(
        "histogram", ("method", "door"), "Seconds from a request to the end of its answer."
    ),
    "kho_http_requests_in_hand": _gauge("Requests being answered now."),
    "kho_authentications_failed_total": _counter("Credentials that proved nobody.", "code"),
    # Work
    "kho_decisions_total": _counter("Decisions, refusals by their first reason.", "result", "reason"),
    "kho_log_entries_total": _counter("Entries that this process committed.", "kind", "event"),
    "kho_deposits_total": _counter("Records taken into stores.", "event"),
    "kho_releases_total": _counter("Releases permitted."),
    "kho_delivered_bytes_total": _counter("Bytes of documents, authenticated and handed on."),
    "kho_quarantine_not_kept_total": _counter("Hostile files for which quarantine had no room.", "code"),
    "kho_failures_total": _counter("Failures of ours, as the journal tells them.", "event"),
    "kho_journal_lines_lost_total": _counter("Lines of the journal that could not be written."),
    # Queues
    "kho_appender_waiting": _gauge("Accesses that wait to be committed to the log."),
    "kho_outbox_waiting": _gauge("Subjects that wait to be carried out elsewhere.", "topic"),
    "kho_outbox_oldest_seconds": _gauge("How long the oldest of them has waited.", "topic"),
    "kho_outbox_dead": _gauge("Subjects that were given up: dead letters.", "topic"),
    "kho_seals_waiting": _gauge("Requests that wait for their seal."),
    "kho_seals_oldest_seconds": _gauge("How long the oldest of them has waited."),
    "kho_scans_in_hand": _gauge("Scans that were examined and wait for their officer, in this process."),
    # Workers
    "kho_workers_size": _gauge("Workers that may examine files at once."),
    "kho_workers_busy": _gauge("Workers at a file now."),
    "kho_workers_waiting": _gauge("Files that wait for a worker."),
    "kho_worker_endings_total": _counter("How workers ended.", "code"),
    "kho_worker_restarts_total": _counter("Times that the process which raises workers had to be replaced."),
    # The log and the index
    "kho_log_rows": _gauge("Entries that are committed."),
    "kho_log_tree": _gauge("Entries that the signer's tree holds."),
    "kho_log_published": _gauge("Entries that the published checkpoint covers."),
    "kho_log_published_age_seconds": _gauge("Seconds since the published checkpoint was written."),
    "kho_index_documents": _gauge("Documents in the search index."),
    "kho_index_behind_seconds": _gauge("How long the oldest change has waited for the index."),
    # Integrity and alarms
    "kho_log_fork": _gauge("1 once the log was found to differ from what was signed."),
    "kho_damaged_records": _gauge("Records whose bytes were found damaged."),
    "kho_unreadable_entries": _gauge("Entries that did not open since the start."),
    "kho_alarm": _gauge("1 for what is wrong now, as /readyz tells it.", "code", "which"),
    "kho_ready": _gauge("1 where work can be done, as /readyz answers."),
    # Services and the machine
    "kho_service_up": _gauge("1 where a service was right the last time it was seen.", "service"),
    "kho_clock_ahead_seconds": _gauge("How far another's clock was ahead of ours when last heard.", "of"),
    "kho_database_connections_used": _gauge("Connections to the database in use.", "pool"),
    "kho_database_connections_most": _gauge("Connections to the database that there may be.", "pool"),
    "kho_disk_free_bytes": _gauge("Bytes that we may still write.", "folder"),
    "kho_look_complete": _gauge("1 where what stands in rows and services was seen for this answer."),
    "kho_look_age_seconds": _gauge("How old that is."),
}
# What the library tells of the process itself.
OF_THE_PROCESS = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)

Samples = Iterable[tuple[Sequence[str], float]]


def figures(name: str, samples: Samples) -> Family:
    """Give a counter or a gauge with its samples: (values of its labels in their order, figure)."""
    said = METRICS[name]
    family: CounterMetricFamily | GaugeMetricFamily
    if said.kind == "counter":
        family = CounterMetricFamily(name, said.words, labels=said.labels)
    else:
        family = GaugeMetricFamily(name, said.words, labels=said.labels)
    for labels, figure in samples:
        family.add_metric(labels, figure)
    return family


def figure(name: str, value: float) -> Family:
    """Give a counter or a gauge without labels."""
    return figures(name, [((), value)])


def histogram(
    name: str, bounds: Sequence[float], samples: Iterable[tuple[Sequence[str], Sequence[int], float]]
) -> Family:
    """Give a histogram; a sample is its labels, how many fell under each bound and beyond, and their sum."""
    said = METRICS[name]
    family = HistogramMetricFamily(name, said.words, labels=said.labels)
    for labels, counts, total in samples:
        passed, buckets = 0, []
        for bound, count in zip((*(str(one) for one in bounds), "+Inf"), counts, strict=True):
            passed += count
            buckets.append((bound, float(passed)))
        family.add_metric(labels, buckets, total)
    return family
