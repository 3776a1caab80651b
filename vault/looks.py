"""Looks at the parts of a running vault that may not answer: each in its own time, none asked twice at once.

A part that does not answer in time counts as away, and its look goes on: whoever looks next joins it, so that
never more than one question waits at a part, however often somebody looks.
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

    @property
    def late(self) -> bool:
        """Whether any look has not ended."""
        return any(not one.done() for one in self._running.values())

    async def close(self) -> None:
        """Break off what is still under way."""
        for one in self._running.values():
            one.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)


async def _caught(look: Callable[[], Awaitable[T]], away: T, expected: Expected) -> T:
    try:
        return await look()
    except expected:
        return away
