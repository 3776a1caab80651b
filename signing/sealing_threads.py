"""The threads that seal: apart from all others, because a slow service may hold them for a minute."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 8  # seals in work; more wait for their turn

_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sealing")


async def in_sealing_thread(work: Callable[[], T]) -> T:
    """Run `work` in one of the threads that seal, in the caller's context, and give what it returns."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_threads, lambda: context.run(work))
