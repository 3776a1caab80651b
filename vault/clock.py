"""The only real clock of Kho: every stored time comes from here, all else takes its time as an argument."""

import threading
from datetime import UTC, datetime, timedelta

_TICK = timedelta(microseconds=1)


class Clock:
    """The time of the system, as aware UTC instants with microseconds.

    Readings are strictly increasing within the process, whichever instance or thread asks: two readings in
    one microsecond, or a system clock that was set back, give the last reading plus one microsecond, so that
    the order of stored times is the order in which they were taken.
    """

    _lock = threading.Lock()
    _last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Give the instant now, later than every instant given before in this process."""
        with Clock._lock:
            Clock._last = max(self._read(), Clock._last + _TICK)
            return Clock._last

    def _read(self) -> datetime:
        return datetime.now(UTC)


class FixedClock(Clock):
    """A clock that stands still until it is moved; for tests of what happens at one instant."""

    def __init__(self, at: datetime) -> None:
        """Stand at `at`, an aware instant; a naive one raises ValueError."""
        self._at = _as_utc(at)

    def now(self) -> datetime:
        """Give the instant this clock stands at: the same one until `advance` or `move_to`."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move on by `by`; a negative step is allowed, to play a clock that was set back."""
        self._at += by

    def move_to(self, at: datetime) -> None:
        """Stand at `at` from now on, an aware instant; a naive one raises ValueError."""
        self._at = _as_utc(at)


class SteppingClock(Clock):
    """A clock that moves by one fixed step at every reading; for stories told at the same times each run.

    Safe from many threads; readings are strictly increasing because the step is.
    """

    def __init__(self, start: datetime, step: timedelta = timedelta(seconds=1)) -> None:
        """Give `start` (aware) at the first reading and `step` (positive) more at each later one."""
        if step <= timedelta(0):
            raise ValueError("the step of a clock must be positive")
        self._next = _as_utc(start)
        self._step = step
        self._stepping = threading.Lock()

    def now(self) -> datetime:
        """Give the next instant of the row."""
        with self._stepping:
            at = self._next
            self._next += self._step
            return at

    def advance(self, by: timedelta) -> None:
        """Leave out a stretch of time: the next reading comes `by` later; never backwards (ValueError)."""
        if by < timedelta(0):
            raise ValueError("a stepping clock never moves back")
        with self._stepping:
            self._next += by


def _as_utc(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("an instant needs its time zone")
    return at.astimezone(UTC)
