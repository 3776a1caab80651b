"""What is wrong with a running vault, as codes: judged from what was seen, without a look of its own.

Every code is explained in docs/operate.md. An alarm that `stops` means that work cannot be done: then
`/readyz` says 503. All others degrade: most of the work goes on, and says where it does without something.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vault.seeing import Seen
from vault.waiting_seals import MOST_WAITING

LEAST_FREE = 2**30  # bytes: below it a disk is low
NONE_FREE = 64 * 2**20  # below it nothing more is taken: not even the largest file would fit
INDEX_LATE = 300.0  # seconds that the oldest change waits for the index
PUBLICATION_LATE = 60.0  # seconds that the published checkpoint is behind the tree
SEALS_LATE = 3600.0  # seconds that the oldest request waits for its seal
CLOCK_OFF = 10.0  # seconds between our clock and another's

# By code: the part of the vault, and whether work stops.
CODES: Mapping[str, tuple[str, bool]] = {
    "database_unavailable": ("database", True),
    "store_unavailable": ("store", True),
    "store_refused": ("store", True),
    "store_not_trusted": ("store", True),
    "store_bucket_missing": ("store", True),
    "signer_away": ("signer", True),
    "gate_away": ("gate", True),
    "sealer_away": ("sealer", False),
    "log_behind": ("log", True),
    "log_forked": ("log", True),
    "entries_unreadable": ("log", False),
    "publication_late": ("log", False),
    "damaged_records": ("content", False),
    "index_unavailable": ("search", False),
    "index_credentials_refused": ("search", False),
    "index_not_trusted": ("search", False),
    "index_read_only": ("search", False),
    "index_busy": ("search", False),
    "index_name_taken": ("search", False),
    "index_missing": ("search", False),
    "index_newer": ("search", False),
    "index_late": ("search", False),
    "dead_letters": ("outbox", False),
    "malware_unavailable": ("malware", False),
    "timestamps_failing": ("sealing", False),
    "status_failing": ("sealing", False),
    "seals_late": ("sealing", False),
    "seals_many": ("sealing", False),
    "disk_full": ("disk", True),
    "disk_low": ("disk", False),
    "clock_off": ("clock", False),
}


@dataclass(frozen=True)
class Alarm:
    """One thing that is wrong: its code, what it concerns where there are several, and figures."""

    code: str
    which: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """The part of the vault."""
        return CODES[self.code][0]

    @property
    def stops(self) -> bool:
        """Whether work cannot be done."""
        return CODES[self.code][1]

    def told(self) -> dict[str, object]:
        """Tell it, without anything personal."""
        which = {"which": self.which} if self.which else {}
        return {"code": self.code, "part": self.part, "stops": self.stops, **which, **self.figures}


def alarms(seen: Seen) -> list[Alarm]:
    """Say what is wrong, what stops work first."""
    found = [*_rows(seen), *_log(seen), *_stores(seen), *_services(seen), *_machine(seen)]
    return sorted(found, key=lambda one: not one.stops)


def _rows(seen: Seen) -> Iterator[Alarm]:
    rows = seen.rows
    if rows is None:
        yield Alarm("database_unavailable")
        return
    if rows.damaged:
        yield Alarm("damaged_records", figures={"records": rows.damaged})
    for topic, lag in rows.outbox.items():
        if lag.dead:
            yield Alarm("dead_letters", topic, {"subjects": lag.dead})
    if rows.seals_waiting_for > SEALS_LATE:
        yield Alarm("seals_late", figures={"seconds": round(rows.seals_waiting_for)})
    if rows.seals_waiting > 0.8 * MOST_WAITING:
        yield Alarm("seals_many", figures={"waiting": rows.seals_waiting, "most": MOST_WAITING})
    if seen.search != "off" and rows.index_behind > INDEX_LATE:
        yield Alarm("index_late", figures={"seconds": round(rows.index_behind)})


def _log(seen: Seen) -> Iterator[Alarm]:
    if seen.log_fault:
        yield Alarm(seen.log_fault)
    elif seen.rows is not None and seen.rows.entries < seen.tree:
        yield Alarm("log_behind", figures={"rows": seen.rows.entries, "tree": seen.tree})
    if seen.unreadable:
        yield Alarm("entries_unreadable", figures={"entries": seen.unreadable})
    if seen.published is not None and seen.published < seen.tree and seen.published_age > PUBLICATION_LATE:
        behind = {"entries": seen.tree - seen.published, "seconds": round(seen.published_age)}
        yield Alarm("publication_late", figures=behind)


def _stores(seen: Seen) -> Iterator[Alarm]:
    if seen.store != "ok":
        yield Alarm(seen.store if seen.store in CODES else "store_unavailable")
    if seen.search not in ("ok", "off"):
        yield Alarm(seen.search if seen.search in CODES else "index_unavailable")


def _services(seen: Seen) -> Iterator[Alarm]:
    for name, state in seen.parts.items():
        if state != "ok":
            yield Alarm(f"{name}_{state}")
    if seen.malware == "unavailable":
        yield Alarm("malware_unavailable")
    for name, last in seen.services.items():
        if last not in ("ok", "not_asked", "none"):
            yield Alarm(f"{name}_failing", last)


def _machine(seen: Seen) -> Iterator[Alarm]:
    for name, free in seen.free.items():
        if free < LEAST_FREE:
            yield Alarm("disk_full" if free < NONE_FREE else "disk_low", name, {"free": free})
    for name, seconds in seen.clocks.items():
        if abs(seconds) > CLOCK_OFF:
            yield Alarm("clock_off", name, {"seconds": round(seconds, 1)})
