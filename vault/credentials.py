"""Who is calling: a caller is proven from the credential itself, token or session, and from nothing else."""

from dataclasses import replace
from hashlib import sha256

from sqlalchemy import select

from vault import delegations, staff
from vault.assertions import TokenKey
from vault.callers import Caller, OwnerCaller, StaffCaller, SystemCaller
from vault.clock import Clock
from vault.database import Database
from vault.days import legal_day
from vault.delegations import Grounds
from vault.entries import instant
from vault.errors import NotAuthenticated
from vault.tables import session


class Credentials:
    """Checks tokens and sessions; its `token_key` signs the tokens."""

    def __init__(
        self, *, db: Database, token_key: TokenKey, issuer: str, clock: Clock, grounds: Grounds
    ) -> None:
        self._db = db
        self.token_key = token_key
        self.issuer = issuer
        self._clock = clock
        self._grounds = grounds
        self._checked_tokens: dict[bytes, SystemCaller] = {}

    def check_token(self, token: str) -> SystemCaller:
        """Give the caller that a token proves; signatures are checked once and remembered until `exp`.

        Raises:
            TokenRefused: see vault.assertions.
        """
        now = self._clock.now()
        known = self._checked_tokens.get(digest := sha256(token.encode()).digest())
        if known is not None and known.expires > now:
            return known
        claims = self.token_key.check(token, issuer=self.issuer, at=now)
        caller = SystemCaller(
            system=claims.client_id,
            agency=claims.agency,
            officer=claims.officer,
            key_thumbprint=claims.key_thumbprint,
            expires=claims.expires,
            token=token,
        )
        if len(self._checked_tokens) >= 4096:
            self._checked_tokens = {
                key: one for key, one in self._checked_tokens.items() if one.expires > now
            }
        self._checked_tokens[digest] = caller
        return caller

    async def check_session(self, secret: str) -> OwnerCaller:
        """Give the owner that a session secret proves, or whom they act for while that is evidenced.

        Raises:
            NotAuthenticated: unknown or ended; or what they acted for another by no longer stands.
        """
        person, delegation = await self._session(secret)
        if delegation is None:
            return person
        async with self._db.read() as db:
            day = legal_day(self._clock.now())
            owner = await delegations.acted_for(db, delegation, person.owner, self._grounds, day)
        if owner is None:
            raise NotAuthenticated("acting_ended")
        return replace(person, owner=owner, actor_owner=person.owner, delegation=delegation)

    async def check_person(self, secret: str) -> OwnerCaller:
        """Give the owner that a session secret proves as themself, whomever they act for.

        Raises:
            NotAuthenticated: unknown or ended.
        """
        return (await self._session(secret))[0]

    async def _session(self, secret: str) -> tuple[OwnerCaller, str | None]:
        query = select(session.c.owner, session.c.expires, session.c.delegation).where(
            session.c.secret_hash == sha256(secret.encode()).digest(), session.c.kind == "session"
        )
        async with self._db.read() as db:
            row = (await db.execute(query)).first()
        if row is None or instant(row.expires) <= self._clock.now():
            raise NotAuthenticated("session_ended")
        return OwnerCaller(row.owner, instant(row.expires), secret), row.delegation

    async def check_staff(self, secret: str) -> StaffCaller:
        """Give the officer that a session secret proves, in the role they signed in for.

        Raises:
            NotAuthenticated: unknown or ended, or the officer or the agency is no longer live.
        """
        async with self._db.read() as db:
            found = await staff.signed_in(db, secret)
        if found is None or found.expires <= self._clock.now():
            raise NotAuthenticated("session_ended")
        return found

    async def own_view(self, credential: Caller) -> Caller:
        """Prove the caller from the credential itself, not from what the operation says about it."""
        if isinstance(credential, OwnerCaller):
            if credential.delegation is None:
                return await self.check_person(credential.session)
            return await self.check_session(credential.session)
        if isinstance(credential, StaffCaller):
            return await self.check_staff(credential.session)
        if credential.door == "desk":
            officer = await self.check_staff(credential.token)
            if officer.role != "desk":
                raise NotAuthenticated("role_missing")
            return officer.at_desk()
        return self.check_token(credential.token)
