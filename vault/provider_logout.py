"""The end of sessions that their provider has ended: each logout token is good once."""

from sqlalchemy import delete

from vault import sessions
from vault.entries import stamp
from vault.id_tokens import LEEWAY, IdTokenRefused, LogoutToken
from vault.realm_rules import Realm
from vault.services import Vault
from vault.session_marks import Holder
from vault.tables import used_assertion
from vault.upserting import upsert


async def end(vault: Vault, realm: Realm, issuer: str, token: LogoutToken) -> int:
    """End what a checked logout token names; gives how many sessions that were.

    Raises:
        IdTokenRefused: it was used before.
    """
    at = vault.clock.now()
    async with vault.db.beside() as db:
        await db.execute(delete(used_assertion).where(used_assertion.c.expires < stamp(at)))
        known = upsert(used_assertion).values(
            issuer=f"logout:{issuer}", jti=token.jti, expires=stamp(token.expires + LEEWAY)
        )
        if (await db.execute(known.on_conflict_do_nothing())).rowcount == 0:
            raise IdTokenRefused("id_token_replayed", "jti was used")
        holder: Holder = "owner" if realm == "citizens" else "staff"
        return await sessions.end_at_provider(db, holder, issuer, subject=token.subject, sid=token.sid)
