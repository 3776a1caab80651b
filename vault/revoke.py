"""Ending a record's validity, for good or for now; only who issued it may (DESIGN 2.9, 7)."""

from vault import validity
from vault.callers import SystemCaller
from vault.services import Answer, Refusal, Vault
from vault.validity import REINSTATED, REPLACED, REVOKED, SUSPENDED, Why


async def revoke(
    vault: Vault, caller: SystemCaller, record_id: str, *, ground: str, reason: str, key: str
) -> Answer | Refusal:
    """Revoke a record; raises as `validity.turn`, which does the work of all four."""
    return await validity.turn(vault, caller, record_id, REVOKED, Why(ground, reason), key=key)


async def suspend(
    vault: Vault, caller: SystemCaller, record_id: str, *, ground: str, reason: str, key: str
) -> Answer | Refusal:
    """Suspend a record until it is reinstated."""
    return await validity.turn(vault, caller, record_id, SUSPENDED, Why(ground, reason), key=key)


async def reinstate(
    vault: Vault, caller: SystemCaller, record_id: str, *, ground: str, reason: str, key: str
) -> Answer | Refusal:
    """End a suspension: the record is in force again, unless its own term has run out."""
    return await validity.turn(vault, caller, record_id, REINSTATED, Why(ground, reason), key=key)


async def replace(
    vault: Vault, caller: SystemCaller, record_id: str, *, by: str, ground: str, reason: str, key: str
) -> Answer | Refusal:
    """Have a newer record that is stored already, `by`, take the place of an older one."""
    return await validity.turn(vault, caller, record_id, REPLACED, Why(ground, reason, by), key=key)
