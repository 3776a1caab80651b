"""Rows in PostgreSQL: many processes, each with a bounded pool (DESIGN 6, 9).

A snapshot is a REPEATABLE READ, READ ONLY transaction. A write is READ COMMITTED and locks the row of the
log's head before anything else, so that there is one at a time, and each of its statements sees all that was
committed before. No wait is without a limit: what takes longer ends as VaultBusy, the next asks afresh.

Whoever serves the rows says once what they tell of where the vault is (`pin`). The statement that locks the
head, or begins a change beside it, reads that again and takes our place for as long as the transaction: rows
that moved while the place was lost are written no more, and by this process never again.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    DateTime,
    Integer,
    Select,
    Text,
    event,
    func,
    literal,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql.base import PGDDLCompiler, PGTypeCompiler
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from vault.database import Database, Hold, Work, used
from vault.errors import NotFound, VaultBusy, VaultLocked
from vault.rows_address import RowsAddress
from vault.standing import Known, VaultElsewhere, elsewhere
from vault.tables import log_head, vault_standing

READERS = 8  # connections for snapshots; with those of _WRITERS and the presence, 13 a process
_WRITERS = 4  # one that writes, one beside it, one that publishes, one that makes a vault or an index
_SECONDS_FOR_A_CONNECTION = 10
_SESSION = {
    "application_name": "kho",
    "synchronous_commit": "on",  # an entry is durable before a byte leaves, whatever the server's default is
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",  # a process that stands still does not keep the head
    "idle_session_timeout": "0",
    "tcp_keepalives_idle": "15",  # nor does a machine that is gone
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "jit": "off",
}
_HEAD = select(log_head.c.size).with_for_update()
_PLACE_EVERY = 2.0  # seconds between two looks whether our place is still ours
# SQLSTATE classes (PostgreSQL, appendix A) of what passes by itself or by an operator's hand: connection,
# authorisation, transaction rollback, resources, object not in the state, operator's intervention, system.
_PASSING = ("08", "28", "40", "53", "55", "57", "58")
_PASSING_STATES = ("25006", "25P03", "25P04", "3D000")  # a standby, idle too long, no such database (yet)
_NO_TEXT = "22021"  # a text with a NUL: SQLite takes it, PostgreSQL holds it in no row
_LOCKS = 0x4B686F << 32  # "Kho" in the upper half of the numbers of our advisory locks
_PRESENCE, _MIGRATING = 1, 2
_WORKS: dict[Work, int] = {"making": 3, "publishing": 4, "indexing": 5}


class PostgresDatabase(Database):
    """One database of a PostgreSQL server, of its own for one vault."""

    shared = True
    server_time = select(func.clock_timestamp(type_=DateTime(timezone=True)))

    def __init__(self, address: RowsAddress, presence: "_Presence | None") -> None:
        self._address = address
        self._readers = engine(address, pool_size=READERS, isolation_level="REPEATABLE READ")
        self._writers = engine(address, pool_size=_WRITERS)
        self._presence = presence
        self._one_writer = asyncio.Lock()  # of this process: others wait here, not each with a connection
        self._pinned: tuple[Known] | None = None
        self._gone = ""  # why nothing is read or written any more, once that is so
        self._keeping: asyncio.Task[None] | None = None

        @event.listens_for(self._readers.sync_engine, "connect")
        def _read_only(connection: Any, _record: object) -> None:
            connection.readonly = True

    @classmethod
    async def opened(cls, address: RowsAddress, *, hold: Hold) -> Self:
        """Reach the server, and take our place among the processes that have these rows open.

        Raises:
            VaultBusy, VaultLocked, VaultIncomplete.
        """
        presence = None if hold == "none" else _Presence(address, alone=hold == "alone")
        opened = cls(address, presence)
        try:
            if presence is not None:
                await presence.hold()
            else:
                async with opened.read() as db:
                    await db.execute(select(1))
        except BaseException:
            await opened.close()
            raise
        if hold == "writing":
            opened._keeping = asyncio.create_task(opened._keep())
        return opened

    def pin(self, known: Known) -> None:
        """Hold the rows to what they say now of where the vault is."""
        self._pinned = (known,)

    @asynccontextmanager
    async def read(self, *, unlimited: bool = False) -> AsyncIterator[AsyncConnection]:
        """Give a snapshot, taken with the first statement."""
        self._require_not_gone()
        async with connected(self._readers) as db:
            if unlimited:
                await db.execute(text("SET LOCAL statement_timeout = 0"))
            yield db

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Lock the head's row, then give the connection."""
        async with self._one_writer:
            await self._here()
            async with connected(self._writers) as db, db.begin():
                await self._begin(db, head=True)
                yield db

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that locks only what its statements touch."""
        await self._here()
        async with connected(self._writers) as db, db.begin():
            await self._begin(db, head=False)
            yield db

    async def _begin(self, db: AsyncConnection, *, head: bool) -> None:
        """Lock the head where it is wanted; the same statement sees that the vault is still where it was.

        It takes our place for this transaction, too: one that the server gave up without our hearing of it
        may be another's by now. Raises VaultElsewhere, VaultBusy.
        """
        if self._pinned is None:
            if head:
                await db.execute(_HEAD)
            return
        row = (await db.execute(_HEAD_HERE)).first() if head else None
        if row is None:  # beside the head, or there is none yet
            row = (await db.execute(_HERE)).one()
        self._require_same(row)
        if not row.mine:
            raise VaultBusy(_Presence.why(self._address, alone=False))

    def _require_same(self, row: Any) -> None:
        found = None if row.state is None else (row.state, row.peer, row.at)
        if self._pinned is not None and (found,) != self._pinned:
            self._gone = elsewhere(found, str(self._address))
            raise VaultElsewhere(self._gone)

    def _require_not_gone(self) -> None:
        if self._gone:
            raise VaultElsewhere(self._gone)

    async def _keep(self) -> None:
        """Take our place again soon after it was lost, also while nobody writes, and look what was done."""
        while not self._gone:
            await asyncio.sleep(_PLACE_EVERY)
            with suppress(VaultBusy, VaultLocked):  # it is tried again, and whoever writes is told
                await self._look_again()

    async def _look_again(self) -> None:
        if self._presence is not None and await self._presence.hold():
            async with connected(self._readers) as db:
                self._require_same((await db.execute(_STANDS)).one())

    async def _here(self) -> None:
        """Hold our place among the processes; one that was lost and that another took whole is waited for."""
        self._require_not_gone()
        if self._presence is not None:
            try:
                await self._presence.hold()
            except VaultLocked as problem:
                raise VaultBusy(problem.detail) from problem

    @asynccontextmanager
    async def alone(self, work: Work, *, wait: bool = False) -> AsyncIterator[bool]:
        """Hold the work's advisory lock; it ends with this process, or with its connection."""
        self._require_not_gone()
        async with connected(self._writers) as db:
            await db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            if wait:
                await db.execute(text("SET LOCAL statement_timeout = '120s'"))
                await db.execute(text("SET LOCAL lock_timeout = '120s'"))
                await db.execute(select(func.pg_advisory_xact_lock(_lock(_WORKS[work]))))
                yield True
            else:
                lock = select(func.pg_try_advisory_xact_lock(_lock(_WORKS[work])))
                yield bool((await db.execute(lock)).scalar_one())

    def connections(self) -> Mapping[str, tuple[int, int]]:
        """Count the readers' and the writers' connections; our place among the processes has one more."""
        return {"read": used(self._readers), "write": used(self._writers)}

    async def close(self) -> None:
        """Close every connection; the server gives up our place with the last."""
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
            self._keeping = None
        if self._presence is not None:
            await self._presence.close()
        await self._readers.dispose()
        await self._writers.dispose()


class _Presence:
    """Our place among the processes that have the rows open: a lock that lasts as long as its connection.

    Whoever sweeps or migrates for good needs the rows alone and takes it whole. A connection that was lost
    took the place along: it is taken again before the next write, or that is refused.
    """

    def __init__(self, address: RowsAddress, *, alone: bool) -> None:
        self._address = address
        self._alone = alone
        self._engine = engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._taking = asyncio.Lock()

    async def hold(self) -> bool:
        """Take the place unless it is held; costs nothing where it is. Says whether it was taken now.

        Raises:
            VaultLocked: the rows are held by others in a way that forbids it.
            VaultBusy: the server cannot be reached.
        """
        async with self._taking:
            if self._driver is None or self._driver.is_closed():
                await self._take()
                return True
        return False

    async def _take(self) -> None:
        await self._let_go()
        try:
            connection = await self._engine.connect()
        except (OSError, PoolExhausted) as problem:
            raise VaultBusy(_words(problem)) from problem
        self._connection = connection
        lock = func.pg_try_advisory_lock if self._alone else func.pg_try_advisory_lock_shared
        if not (await connection.execute(select(lock(_lock(_PRESENCE))))).scalar_one():
            await self._let_go()
            raise VaultLocked(self.why(self._address, alone=self._alone))
        self._driver = (await connection.get_raw_connection()).driver_connection

    @staticmethod
    def why(address: RowsAddress, *, alone: bool) -> str:
        """Say why the place cannot be had."""
        if alone:
            return f"other processes have {address} open; stop every `kho serve` on it first"
        return f"{address} is being migrated, moved or swept; wait for that to end"

    async def _let_go(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()

    async def close(self) -> None:
        """Give up the place."""
        await self._let_go()
        await self._engine.dispose()


@asynccontextmanager
async def connected(of: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection; what happens to it comes out as VaultBusy where it passes."""
    try:
        connection = await of.connect()
    except (OSError, PoolExhausted) as problem:  # what the driver says has been translated already
        raise VaultBusy(_words(problem)) from problem
    try:
        yield connection
    finally:
        await asyncio.shield(connection.close())


def engine(address: RowsAddress, **more: Any) -> AsyncEngine:
    """Make an engine that lets only our errors out, limits every wait, shows no parameters in messages."""
    if "poolclass" not in more:
        more |= {"max_overflow": 0, "pool_timeout": _SECONDS_FOR_A_CONNECTION}
    checked = address.encryption()
    made = create_async_engine(
        address.url(),
        hide_parameters=True,  # they are about persons
        connect_args={
            **({"ssl": checked} if checked else {}),
            "timeout": 5,  # seconds to connect
            "command_timeout": 60,  # the server's own limits come first; this one is for a dead network
            "server_settings": _SESSION,
            "target_session_attrs": "read-write",
        },
        **more,
    )

    @event.listens_for(made.sync_engine, "handle_error")
    def _translate(context: ExceptionContext) -> None:
        problem = context.original_exception
        state = getattr(problem, "sqlstate", None) or ""
        if state == _NO_TEXT:
            raise NotFound from problem
        if isinstance(problem, OSError) or context.is_disconnect or _passes(state):
            raise VaultBusy(_words(problem)) from problem

    @event.listens_for(made.sync_engine, "checkout")
    def _still_open(_connection: Any, record: Any, _proxy: object) -> None:
        # The server's farewell was heard meanwhile: a fresh connection is made instead, without a question.
        if record.driver_connection.is_closed():
            raise DisconnectionError

    return made


def migrating_engine(address: RowsAddress) -> AsyncEngine:
    """Make an engine for migrations: no limit on a statement's work, a short one on waiting for a table.

    What a migration calls text is ordered and compared by its bytes, as SQLite does, whatever the database's
    own collation is; a number is one of 64 bits.
    """
    made = engine(address, poolclass=NullPool)
    made.sync_engine.dialect.type_compiler_instance = _ColumnTypes(made.sync_engine.dialect)
    made.sync_engine.dialect.ddl_compiler = _Columns

    @event.listens_for(made.sync_engine, "connect")
    def _unlimited(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET {limit} = 0")
        cursor.close()
        connection.commit()

    return made


@asynccontextmanager
async def turn_to_migrate(of: AsyncEngine) -> AsyncIterator[None]:
    """Wait for the turn to migrate, two minutes at most, and keep it. Raises VaultBusy."""
    async with connected(of) as db:
        await db.execute(text("SET LOCAL lock_timeout = '120s'"))
        await db.execute(select(func.pg_advisory_xact_lock(_lock(_MIGRATING))))
        yield


class _Columns(PGDDLCompiler):
    def get_column_specification(self, column: Column[Any], **kw: Any) -> str:
        # No row of ours is numbered by the database.
        said = str(super().get_column_specification(column, **kw))  # type: ignore[no-untyped-call]
        return said.replace(" SERIAL ", " BIGINT ")


class _ColumnTypes(PGTypeCompiler):
    def visit_TEXT(self, type_: Text, **kw: Any) -> str:
        return 'TEXT COLLATE "C"'

    def visit_INTEGER(self, type_: Integer, **kw: Any) -> str:
        return "BIGINT"


def _lock(number: int) -> BindParameter[int]:
    return literal(_LOCKS + number, BigInteger)


def _with_place(of: Select[Any]) -> Select[Any]:
    """Let a statement take our place until its transaction ends; `mine` says whether it was to be had."""
    return of.add_columns(func.pg_try_advisory_xact_lock_shared(_lock(_PRESENCE)).label("mine"))


_SAID = (vault_standing.c.state, vault_standing.c.peer, vault_standing.c.at)
_ALWAYS = select(literal(1).label("one")).subquery("always")
_STANDS = select(*_SAID).select_from(_ALWAYS.outerjoin(vault_standing, true()))
_HERE = _with_place(_STANDS)
_HEAD_HERE = _with_place(
    select(log_head.c.size, *_SAID)
    .select_from(log_head.outerjoin(vault_standing, true()))
    .with_for_update(of=log_head)
)


def _passes(state: str) -> bool:
    return state[:2] in _PASSING or state in _PASSING_STATES


def _words(problem: BaseException) -> str:
    """Say what happened in one line; neither address nor password stands in it."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"database: its certificate is not trusted: {problem.verify_message}"
    said = str(problem).partition("\n")[0].strip()
    return f"database: {said or type(problem).__name__}"
