"""What was done since this process started, counted as the log was told it; no name and no id is in it."""

import re
from collections import Counter
from collections.abc import Sequence

from signing.leaf import Kind
from vault.entry_facts import EntryFacts

_CODE = re.compile(r"[a-z][a-z0-9_]{0,79}")
_MOST = 500  # different keys of one count: codes are few, and whoever finds more has found a fault
OTHER = "other"
# Of the vault's own making: nobody asked for a decision.
_OURS = frozenset(
    {Kind.NOT_DELIVERED, Kind.POLICY_PUBLISHED, Kind.MAINTENANCE, Kind.KEY_ERASED, Kind.HEARTBEAT}
)
Counts = Counter[tuple[str, ...]]


class Tally:
    """Counts that only grow: entries by kind and event, decisions by their first reason, bytes that left.

    An entry that is written once for each person is one decision. One attempt that is told to its owner in
    other words than to its caller may be counted for each.
    """

    def __init__(self) -> None:
        self.entries: Counts = Counter()  # by kind, event
        self.decisions: Counts = Counter()  # by result, first reason ("" where permitted)
        self.bytes_delivered = 0  # of content, authenticated and handed on

    def entered(self, facts: Sequence[EntryFacts]) -> None:
        """Count entries that were committed together."""
        for one in facts:
            _count(self.entries, (Kind(one.kind).name.lower(), one.event))
        for one in set(facts) if len(facts) > 1 else facts:
            if one.kind not in _OURS:
                _count(self.decisions, (one.result, one.reasons[0] if one.reasons else ""))


def _count(counts: Counts, key: tuple[str, ...]) -> None:
    if key in counts:
        counts[key] += 1
        return
    known = tuple(one if not one or _CODE.fullmatch(one) else OTHER for one in key)
    if known not in counts and len(counts) >= _MOST:
        known = tuple(OTHER for _ in known)
    counts[known] += 1
