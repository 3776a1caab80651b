"""Publishing the log: the signer writes the tiles, the leaves come from the committed rows (DESIGN 6)."""

from sqlalchemy import select

from vault.services import Vault
from vault.tables import log_entry


async def publish(vault: Vault) -> bool:
    """Bring the published log to the present head; False when there was nothing new,
    or another process is at it, or it is the signer's own work.

    Raises:
        LogBehind, LogForked, VaultBusy: as `Signer.publish`; what was not finished is done by the next call.
    """

    async def leaves(first: int, stop: int) -> list[bytes]:
        query = select(log_entry.c.leaf).where(log_entry.c.idx >= first, log_entry.c.idx < stop)
        async with vault.db.read() as db:
            return list((await db.execute(query.order_by(log_entry.c.idx))).scalars())

    if not vault.signer.publishes:
        return False
    async with vault.db.alone("publishing") as mine:
        if not mine:
            return False
        await vault.appender.catch_up()
        return await vault.signer.publish(leaves)
