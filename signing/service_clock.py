"""Clocks of services: one a little ahead of ours is waited for, one far ahead is not believed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

AHEAD = timedelta(seconds=5)  # what is dated later than that is refused


def utc_now() -> datetime:
    """Tell the machine's time."""
    return datetime.now(UTC)


def clock_ahead(date: str | None, now: datetime) -> float | None:
    """Say how many seconds a server's clock is ahead of ours, by the Date of its answer (RFC 9110, 6.6.1).

    None where it says none that can be read. The header has whole seconds: of the second that was cut off the
    middle is taken.
    """
    try:
        return (parsedate_to_datetime(date or "") - now).total_seconds() + 0.5
    except (ValueError, TypeError):  # TypeError: it names no zone
        return None


async def reached(moment: datetime, clock: Callable[[], datetime]) -> bool:
    """Wait until a moment (aware) has come, or say at once that it is too far ahead.

    What is dated in the future proves nothing yet: a file sealed with it would not validate for a while.
    """
    left = moment - clock()
    if left > AHEAD:
        return False
    await asyncio.sleep(max(0.0, left.total_seconds()))
    return True
