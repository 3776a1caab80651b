"""Where somebody is signed in, and the end of that by themself: a person's stores, an officer's roles."""

from vault import sessions
from vault.callers import OwnerCaller, StaffCaller
from vault.errors import NotFound
from vault.services import Vault
from vault.session_marks import Holder
from vault.sessions import Line

Signed = OwnerCaller | StaffCaller


async def listed(vault: Vault, caller: Signed) -> list[Line]:
    """List one's own sessions that stand, newest first."""
    holder, who = _who(caller)
    async with vault.db.read() as db:
        return await sessions.listed(db, holder, who, current=caller.session, at=vault.clock.now())


async def end(vault: Vault, caller: Signed, session_id: str) -> None:
    """End one of one's own sessions, this one too.

    Raises:
        NotFound: no such session of theirs stands.
    """
    holder, who = _who(caller)
    async with vault.db.write() as db:
        if not await sessions.end_by_id(db, holder, session_id, who):
            raise NotFound


def _who(caller: Signed) -> tuple[Holder, dict[str, str]]:
    if isinstance(caller, OwnerCaller):
        return "owner", {"owner": caller.person}
    return "staff", {"agency": caller.agency, "officer": caller.officer}
