"""The signer as a process of its own: it reads the committed rows itself, and believes nobody who asks."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import select

from signing.merkle import leaf_hash
from vault import part_marks
from vault.connecting import connect
from vault.database import Database
from vault.errors import VaultBusy
from vault.migrating import check_schema, check_tables
from vault.rows_address import RowsAddress
from vault.signer import Signer
from vault.socket_serving import Asked, Call, Journal, Told, listening
from vault.standing import require_here
from vault.tables import log_entry
from vault.wire_values import number

_EVERY = 1.0  # seconds between two publications (DESIGN 6)
_AT_ONCE = 16_384  # rows read in one go


class SignerPart:
    """A signer over rows of its own reading, and what may be asked of it."""

    def __init__(self, signer: Signer, db: Database) -> None:
        self.signer = signer
        self._db = db
        self._following = asyncio.Lock()

    @property
    def calls(self) -> dict[str, Call]:
        """What may be asked, by name."""
        return {"hello": self._hello, "sign": self._sign}

    async def start(self) -> None:
        """Grow the tree from the committed rows. Raises LogBehind, LogForked, VaultBusy."""
        hashes: list[bytes] = []
        while more := await self._hashes(len(hashes)):
            hashes += more
        await self.signer.load(hashes)

    async def catch_up(self) -> None:
        """Grow the tree by the rows that were committed meanwhile."""
        async with self._following:
            while more := await self._hashes(first := self.signer.tree.size):
                self.signer.extend(first, more)

    async def publish(self) -> bool:
        """Publish the present head; False where there is nothing new, or another process is at it."""
        async with self._db.alone("publishing") as mine:
            if not mine:
                return False
            await self.catch_up()
            return await self.signer.publish(self._leaves)

    async def _hello(self, _asked: Asked) -> Told:
        return Told({"log_key": self.signer.verifier_line, "size": self.signer.tree.size})

    async def _sign(self, asked: Asked) -> Told:
        wanted = number(asked.said, "size")
        if self.signer.tree.size < wanted:
            await self.catch_up()
        if self.signer.tree.size < wanted:
            raise VaultBusy(f"only {self.signer.tree.size} entries are committed")
        return Told({"note": await self.signer.checkpoint()})

    async def _hashes(self, first: int) -> list[bytes]:
        """Hash the leaves of rows anew: what a row says of its own hash counts for nothing here."""
        return [leaf_hash(leaf) for leaf in await self._leaves(first, first + _AT_ONCE)]

    async def _leaves(self, first: int, stop: int) -> list[bytes]:
        query = select(log_entry.c.leaf).where(log_entry.c.idx >= first, log_entry.c.idx < stop)
        async with self._db.read(unlimited=True) as db:
            return list((await db.execute(query.order_by(log_entry.c.idx))).scalars())


@asynccontextmanager
async def signing(
    *,
    database: RowsAddress,
    keys: Path,
    log_folder: Path,
    place: Path,
    peers: Collection[int],
    create: bool,
    journal: Journal,
) -> AsyncIterator[Signer]:
    """Sign and publish while inside.

    Args:
        create: make the log key where there is none, for rows without entries.

    Raises:
        VaultIncomplete, MasterKeyExposed, MasterKeyMissing, VaultLocked, VaultBusy, SchemaMismatch,
            LogBehind, LogForked, SocketInvalid.
    """
    async with AsyncExitStack() as stack:
        db = await connect(database, hold="writing")
        stack.push_async_callback(db.close)
        await check_tables(database)
        await check_schema(database)
        await require_here(db, str(database))
        if create and not (keys / "log.key").exists():
            await part_marks.require_none(db, "signer")
        signer = await Signer.open(key_folder=keys, log_folder=log_folder, create=create)
        stack.push_async_callback(signer.close)
        line = signer.verifier_line.encode()
        await (part_marks.note if create else part_marks.require)(db, "signer", line)
        part = SignerPart(signer, db)
        await part.start()
        await stack.enter_async_context(_publishing(part, journal))
        await stack.enter_async_context(listening(place, part.calls, peers=peers, journal=journal))
        yield signer


@asynccontextmanager
async def _publishing(part: SignerPart, journal: Journal) -> AsyncIterator[None]:
    """Publish once a second, and once more on leaving; what fails is written down and done again."""
    ending = asyncio.Event()

    async def work() -> None:
        while True:
            last = ending.is_set()
            try:
                await part.publish()
            except Exception as problem:
                journal.failed("publication_failed", problem)
            if last:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _EVERY)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        ending.set()
        await task
