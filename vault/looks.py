"""Looks at the parts of a running vault that may not answer: each in its own time, none asked twice at once.

A part that does not answer in time counts as away, and its look goes on: whoever looks next joins it, so that
never more than one question waits at a part, however often somebody looks. What strangers may ask for is kept
for some seconds on top, so that their asking moves no part more often than that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Expected = type[Exception] | tuple[type[Exception], ...]


@dataclass
class Looks:
    """The looks at parts that are under way, by the part."""

    _running: dict[str, "asyncio.Task[Any]"] = field(default_factory=dict)
    _kept: dict[str, "asyncio.Task[Any]"] = field(default_factory=dict)
    _kept_until: dict[str, float] = field(default_factory=dict)

    async def part(
        self,
        name: str,
        look: Callable[[], Awaitable[T]],
        patience: float,
        away: T,
        expected: Expected,
    ) -> T:
        """Look at a part, or join the look that is under way; gives `away` where it takes too long."""
        running = self._running.get(name)
        if running is None or running.done() or running.get_loop() is not asyncio.get_running_loop():
            running = asyncio.ensure_future(_caught(look, away, expected))
            self._running[name] = running
        done, _ = await asyncio.wait({running}, timeout=patience)
        return running.result() if done else away

    async def kept(self, name: str, look: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Give a whole look: the one under way, the last one for `seconds` after it ended, or a new one.

        One that failed is told to all who waited for it, and not kept.
        """
        loop, task = asyncio.get_running_loop(), self._kept.get(name)
        fresh = task is not None and task.get_loop() is loop and not task.cancelled()
        if task is not None and fresh and task.done():
            fresh = task.exception() is None and loop.time() < self._kept_until[name]
        if task is None or not fresh:
            task = asyncio.ensure_future(self._timed(name, look, seconds))
            self._kept[name] = task
        return await asyncio.shield(task)  # whoever hangs up breaks off nobody else's look

    async def _timed(self, name: str, look: Callable[[], Awaitable[T]], seconds: float) -> T:
        told = await look()
        self._kept_until[name] = asyncio.get_running_loop().time() + seconds
        return told

    @property
    def late(self) -> bool:
        """Whether any look has not ended."""
        return any(not one.done() for one in self._running.values())

    async def close(self) -> None:
        """Break off what is still under way."""
        under_way = (*self._kept.values(), *self._running.values())
        for one in under_way:
            one.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _caught(look: Callable[[], Awaitable[T]], away: T, expected: Expected) -> T:
    try:
        return await look()
    except expected:
        return away
