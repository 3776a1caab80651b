"""The clock: aware UTC, strictly increasing, whoever asks and whatever the system clock does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from vault.clock import Clock, FixedClock, SteppingClock

NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)


def test_readings_are_aware_utc() -> None:
    assert Clock().now().tzinfo is UTC


def test_readings_strictly_increase_over_instances() -> None:
    readings = [Clock().now() for _ in range(5000)]
    assert all(earlier < later for earlier, later in pairwise(readings))


def test_readings_from_many_threads_never_repeat() -> None:
    clock = Clock()
    with ThreadPoolExecutor(8) as pool:
        readings = list(pool.map(lambda _: clock.now(), range(4000)))
    assert len(set(readings)) == len(readings)


def test_a_system_clock_set_back_does_not_take_readings_back() -> None:
    class SetBack(Clock):
        def _read(self) -> datetime:
            return NOON

    before = Clock().now()
    first, second = SetBack().now(), SetBack().now()
    assert before < first < second < Clock().now()


def test_fixed_clock_stands_until_moved() -> None:
    clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(timedelta(minutes=5))
    assert clock.now() == NOON + timedelta(minutes=5)
    clock.move_to(NOON.astimezone(timezone(timedelta(hours=7))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_stepping_clock_moves_by_its_step() -> None:
    clock = SteppingClock(NOON, timedelta(seconds=10))
    assert [clock.now(), clock.now()] == [NOON, NOON + timedelta(seconds=10)]
    clock.advance(timedelta(days=1))
    assert clock.now() == NOON + timedelta(days=1, seconds=20)


@pytest.mark.parametrize("make", [FixedClock, SteppingClock])
def test_a_naive_instant_is_refused(make: type[FixedClock] | type[SteppingClock]) -> None:
    with pytest.raises(ValueError, match="time zone"):
        make(datetime(2025, 3, 3, 12, 0))


def test_a_stepping_clock_goes_forward_only() -> None:
    with pytest.raises(ValueError, match="positive"):
        SteppingClock(NOON, timedelta(0))
    with pytest.raises(ValueError, match="back"):
        SteppingClock(NOON).advance(timedelta(seconds=-1))
