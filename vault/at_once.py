"""Doing one thing to many, some at once, while they are still being listed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 8  # as many as a store has threads


async def each(items: AsyncIterator[T], work: Callable[[T], Awaitable[None]], at_once: int = AT_ONCE) -> None:
    """Do the work for every item; the first that fails ends it, and what runs beside it is cancelled."""
    taking = asyncio.Lock()

    async def some() -> None:
        while True:
            async with taking:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(some())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
