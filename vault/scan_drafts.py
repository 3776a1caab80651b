"""Scans that were measured and read, and wait for their officer: sealed, a quarter of an hour, no longer.

The key of each is held in memory alone: whatever ends this process ends them, and nothing is a record yet.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from vault.callers import SystemCaller
from vault.scan_found import JudgedScan, Reading

LASTS = timedelta(minutes=15)
_MOST = 40  # at once: the oldest of whoever holds most gives way
_MOST_OF_ONE = 6  # at once, of one officer: the oldest of their own gives way


@dataclass(frozen=True)
class ScanDraft:
    """A scan that was measured and read, for one component of a dossier, by one officer."""

    id: str
    whose: tuple[str, str, str]  # agency, officer, dossier
    component: str
    declared_type: str
    file_name: str
    judged: JudgedScan
    reading: Reading
    made_at: datetime
    sealed: Path
    key: bytes

    @property
    def officer(self) -> tuple[str, str]:
        """Whose it is: agency and officer."""
        return self.whose[:2]


@dataclass
class ScanDrafts:
    """The drafts of this process."""

    _held: dict[str, ScanDraft] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many drafts are held now."""
        return len(self._held)

    def add(self, draft: ScanDraft) -> None:
        """Take a draft in; what is too old, or too much, goes."""
        self.sweep(draft.made_at)
        mine = [one.id for one in self._held.values() if one.officer == draft.officer]
        for id in mine[: max(0, len(mine) + 1 - _MOST_OF_ONE)]:
            self.drop(id)
        while len(self._held) >= _MOST:
            count = Counter(one.officer for one in self._held.values())
            self.drop(max(self._held.values(), key=lambda one: count[one.officer]).id)
        self._held[draft.id] = draft

    def find(self, caller: SystemCaller, dossier: str, id: str, now: datetime) -> ScanDraft | None:
        """Find a caller's own draft for a dossier that has not ended yet."""
        self.sweep(now)
        found = self._held.get(id)
        return found if found is not None and found.whose == whose(caller, dossier) else None

    def drop(self, id: str) -> None:
        """End a draft; its bytes and its key are gone."""
        draft = self._held.pop(id, None)
        if draft is not None:
            draft.sealed.unlink(missing_ok=True)

    def sweep(self, now: datetime) -> None:
        """End what has lasted its time."""
        for id, draft in list(self._held.items()):
            if now - draft.made_at > LASTS:
                self.drop(id)


def whose(caller: SystemCaller, dossier: str) -> tuple[str, str, str]:
    """Name whom a draft belongs to, and for which dossier."""
    return caller.agency, caller.officer or "", dossier
