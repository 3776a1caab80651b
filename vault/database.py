"""The contract of the rows: `read()` gives a snapshot, `write()` the head of the log and a connection.

`vault.sqlite` and `vault.postgres` keep it alike; `vault.connecting` picks one by the address.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

Hold = Literal["none", "writing", "alone"]
"""How a process has the rows open: to look only, to write (beside others where the database takes several),
or with nobody else writing."""

Work = Literal["making", "publishing", "indexing"]
"""What is done by one process at a time, whoever else has the rows open."""


Known = tuple[str, str, str] | None
"""What the rows say of where the vault is served: state, other place, since when (vault/standing.py)."""


class Database(ABC):
    """The rows of one vault."""

    shared: bool  # whether other processes may write the same rows now
    server_time: Select[datetime] | None = None  # asks the server's clock; None: it is this machine's

    @abstractmethod
    def read(self, *, unlimited: bool = False) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection with one consistent snapshot; never writes.

        Args:
            unlimited: a statement may take as long as it needs (the whole log at the start, an inspection).

        Raises:
            VaultBusy: the database cannot be read now.
        """

    @abstractmethod
    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection that holds the head of the log; commits on leaving, rolls back on any exception.

        One transaction at a time is in here, over all processes, and it sees all that was committed before.
        Dying inside leaves nothing: the transaction was never committed.

        Raises:
            VaultElsewhere: the vault was moved away while this process had lost its place.
            VaultBusy: the rows cannot be written now. At the commit itself a connection may be lost with the
                outcome unknown: who asks again under the same request id is told.
        """

    @abstractmethod
    def beside(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection that writes without the head, beside whoever has it; commits on leaving.

        For what no entry tells of and what locks its own rows, such as leases. It never takes the head later.
        With SQLite it is the one writing connection.

        Raises:
            VaultBusy: as in `write`.
        """

    @abstractmethod
    def alone(self, work: Work, *, wait: bool = False) -> AbstractAsyncContextManager[bool]:
        """Be the one process that does this work; gives False when another does it now.

        Args:
            wait: until the other has ended, two minutes at most.

        Raises:
            VaultBusy: it cannot be known now, or the other did not end.
        """

    def pin(self, known: Known) -> None:
        """Hold the rows to what they say now: once they tell something else, nothing is read or written here.

        Where no other process can have them open meanwhile there is nothing to hold.
        """
        return

    @abstractmethod
    def connections(self) -> Mapping[str, tuple[int, int]]:
        """Say how many connections are in use and how many there may be, by what they are for."""

    @abstractmethod
    async def close(self) -> None:
        """Close every connection and give up what is held."""


def used(engine: AsyncEngine) -> tuple[int, int]:
    """Count an engine's connections: in use now, and at the most."""
    pool = engine.pool
    return (pool.checkedout(), pool.size()) if isinstance(pool, QueuePool) else (0, 0)
