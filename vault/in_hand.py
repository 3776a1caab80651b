"""Requests in hand: two equal ones at once are worked on one after the other, so that nothing is done twice.

What is committed once is seen to by the key's own row (`vault.requests`); here it is what comes before and
cannot be taken back, as a signature. One process sees only its own: between several, the keys' memory holds
a signing service to one signature for a request (`signing.keys_memory`); a key in a file may sign twice.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vault.errors import VaultBusy

MOST = 10_000  # requests in hand at once; each holds a connection, so there are never so many


class InHand:
    """The requests a process works on now, by caller and Idempotency-Key; what ended leaves nothing."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._waiting: dict[tuple[str, str], int] = {}  # who holds or awaits each lock

    @asynccontextmanager
    async def taken(self, caller: str, key: str) -> AsyncIterator[None]:
        """Have a request to oneself; an equal one waits until it has ended, however it ends.

        Raises:
            VaultBusy: too many are in hand.
        """
        name = (caller, key)
        if name not in self._locks and len(self._locks) >= MOST:
            raise VaultBusy("too many requests are in hand")
        lock = self._locks.setdefault(name, asyncio.Lock())
        self._waiting[name] = self._waiting.get(name, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[name] -= 1
            if not self._waiting[name]:
                del self._waiting[name], self._locks[name]
