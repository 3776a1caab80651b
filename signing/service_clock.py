"""Clocks of services: one a little ahead of ours is waited for, one far ahead is not believed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

AHEAD = timedelta(seconds=5)  # what is dated later than that is refused


def utc_now() -> datetime:
    """Tell the machine's time."""
    return datetime.now(UTC)


async def reached(moment: datetime, clock: Callable[[], datetime]) -> bool:
    """Wait until a moment (aware) has come, or say at once that it is too far ahead.

    What is dated in the future proves nothing yet: a file sealed with it would not validate for a while.
    """
    left = moment - clock()
    if left > AHEAD:
        return False
    await asyncio.sleep(max(0.0, left.total_seconds()))
    return True
