"""Opening rows by their address: the only place that asks which database it is."""

from vault.database import Database, Hold
from vault.postgres import PostgresDatabase
from vault.rows_address import RowsAddress
from vault.sqlite import SqliteDatabase


async def connect(address: RowsAddress, *, hold: Hold) -> Database:
    """Open rows that are there.

    Raises:
        VaultLocked: another process holds them in a way that forbids it.
        VaultBusy: the server cannot be reached, or refuses us.
        VaultIncomplete: its password cannot be read.
    """
    if address.server:
        return await PostgresDatabase.opened(address, hold=hold)
    return SqliteDatabase(address.file, hold=hold)
