"""Receipts: the proof that a caller takes away, made when it is fetched (DESIGN 6)."""

from sqlalchemy import select

from signing.leaf import PARTS, opening
from signing.receipt import make_receipt
from vault.callers import Caller, OwnerCaller
from vault.errors import GateRefused, NotFound, VaultError
from vault.evidence import OpenedEntry
from vault.services import Vault
from vault.tables import entry_holder, receipt


class ReceiptGone(VaultError):
    """The entry stands, but the key that opens it was erased: there is no receipt any more."""

    code = "receipt_gone"


async def fetch(vault: Vault, caller: Caller, receipt_id: str) -> str:
    """Give a receipt to the caller whose access it proves: a C2SP tlog-proof with all five parts opened.

    Raises:
        NotFound: there is no such receipt, or it is another caller's.
        ReceiptGone: its owner's log key was erased.
        GateRefused: the entry was changed and does not open.
    """
    async with vault.db.read() as db:
        row = (await db.execute(select(receipt).where(receipt.c.id == receipt_id))).mappings().first()
    if row is None or (row["caller_kind"], row["caller"]) != (caller.kind, caller.id):
        raise NotFound
    return await _opened(vault, caller, row["idx"])


async def proof_of(vault: Vault, caller: OwnerCaller, index: int) -> str:
    """Give the proof of an entry to an owner whom it is about, whoever acted.

    Raises:
        NotFound: there is no such entry about this owner.
        ReceiptGone, GateRefused: as in `fetch`.
    """
    async with vault.db.read() as db:
        about = select(entry_holder.c.idx).where(
            entry_holder.c.idx == index,
            entry_holder.c.holder_kind == "owner",
            entry_holder.c.holder == caller.owner,
        )
        if (await db.execute(about)).first() is None:
            raise NotFound
    return await _opened(vault, caller, index)


async def _opened(vault: Vault, caller: Caller, index: int) -> str:
    opened = await vault.gate.open_entries([index], caller)
    if opened:
        return await _text(vault, opened[0])
    if index in vault.gate.unreadable:
        raise GateRefused(vault.gate.unreadable[index])
    raise ReceiptGone


async def _text(vault: Vault, entry: OpenedEntry) -> str:
    proof, checkpoint, _size = await vault.appender.proof(entry.index)
    return make_receipt(
        leaf=entry.leaf,
        index=entry.index,
        proof=proof,
        checkpoint=checkpoint,
        opening=opening(entry.parts, entry.seed, entry.leaf, PARTS),
    )
