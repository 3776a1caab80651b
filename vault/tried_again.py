"""Work that fails as a whole and is begun again by itself, ever later: what this process knows of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any

_FIRST = timedelta(seconds=2)
_SPREAD = SystemRandom()


@dataclass
class TriedAgain:
    """How often it failed in a row, why the last time, and when it is begun again.

    Args:
        longest: the longest wait, but for what chance adds: so long it may take until a mended thing is seen.
    """

    longest: timedelta
    failures: int = 0
    reason: str = ""
    next_at: datetime | None = None

    def waits(self, at: datetime) -> bool:
        """Say whether it is not to be begun yet."""
        return self.next_at is not None and at < self.next_at

    def failed(self, reason: str, at: datetime) -> None:
        """Take note that it failed."""
        wait = min(self.longest, _FIRST * 2 ** min(self.failures, 20))
        self.failures, self.reason = self.failures + 1, reason
        self.next_at = at + wait * _SPREAD.uniform(0.75, 1.25)

    def worked(self) -> None:
        """Forget what failed before."""
        self.failures, self.reason, self.next_at = 0, "", None

    def told(self) -> dict[str, Any]:
        """Tell it; nothing where nothing failed."""
        if self.next_at is None:
            return {}
        return {"failures": self.failures, "reason": self.reason, "next_at": self.next_at.isoformat()}
