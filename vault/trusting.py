"""Whom the vault trusts now: the operator's folder as it stands, made to count for every process at once.

A change is an entry and raises the book's epoch: what was decided on the old anchors is decided again.
"""

from signing.leaf import Kind, Parts
from vault import entries, epochs, validation_evidence
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR
from vault.services import Vault
from vault.telling import VAULT_HOLDER


async def look(vault: Vault) -> bool:
    """Look at the folder of trust again; gives whether another set of anchors counts from now on.

    Called before whatever rests on the worth of documents. The folder is looked at once a second at most.

    Raises:
        VaultBusy: the change could not be written; the caller must not go on with the old anchors.
    """
    trusted = vault.trust.current()
    async with vault.db.read() as db:
        if await validation_evidence.trusted_now(db) == trusted.digest:
            return False
        held = await entries.holders(db, [VAULT_HOLDER])
    at = vault.clock.now()
    facts = {"trust": trusted.digest, "anchors": dict(trusted.counts)}
    parts = Parts(
        subject={},
        actor=VAULT_ACTOR,
        purpose={},
        basis={"facts": facts},
        event={"type": "trust_changed", "result": "permitted", "at": at.isoformat()},
    )
    told = entries.prepare(Kind.MAINTENANCE, parts, held, at=at, caller_kind="vault", caller="vault")

    async def change(tx: Transaction) -> bool:
        before = await validation_evidence.trusted_now(tx.db)
        if before == trusted.digest:
            return False
        await validation_evidence.trust(tx.db, trusted, at)
        await epochs.advance(tx.db, [epochs.BOOK])
        if before:  # the first anchors of a vault replace none
            await tx.append([told])
        return True

    return await vault.appender.commit(change)
