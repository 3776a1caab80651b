"""Who is calling: a caller is proven from the credential itself, token or session, and from nothing else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import agencies, delegations, owners, sessions, staff
from vault.assertions import (
    CLIENT_TYPE,
    OFFICER_TYPE,
    Assertion,
    AssertionRefused,
    TokenKey,
    TokenVerifier,
    check_assertion,
    peek_issuer,
)
from vault.callers import Caller, OwnerCaller, StaffCaller, SystemCaller
from vault.clock import Clock
from vault.database import Database
from vault.days import legal_day
from vault.delegations import Grounds
from vault.entries import instant, stamp
from vault.errors import NotAuthenticated
from vault.identity_claims import SCHEMES
from vault.realm_rules import Realm, RealmRules
from vault.session_marks import Holder, SessionMarks, check_proven
from vault.sign_in_proofs import SignInProof, SignInProofs
from vault.sign_in_refusals import SessionRefused
from vault.sign_ins import Purpose
from vault.tables import session, used_assertion
from vault.upserting import upsert

TOKEN_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class IssuedToken:
    """An access token, its life in seconds, and the officer it speaks for."""

    token: str
    expires_in: int
    officer: str | None


class TokenMemory:
    """Checks access tokens; a signature is checked once and remembered until the token's `exp`."""

    def __init__(self, token_key: TokenVerifier, issuer: str, clock: Clock) -> None:
        self.token_key = token_key
        self.issuer = issuer
        self._clock = clock
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


class Credentials(TokenMemory):
    """Checks tokens and sessions, and issues tokens against assertions."""

    def __init__(
        self,
        *,
        db: Database,
        token_key: TokenKey,
        issuer: str,
        clock: Clock,
        grounds: Grounds,
        session_key: bytes,
        realms: Mapping[Realm, RealmRules],
        nonce_key: bytes | None,
    ) -> None:
        super().__init__(token_key, issuer, clock)
        self.sign_ins = SignInProofs(realms, clock, nonce_key)
        self._marks = SessionMarks(session_key)
        self._db = db
        self._signing_key = token_key
        self._grounds = grounds

    async def exchange(self, client_assertion: str, officer_assertion: str | None) -> IssuedToken:
        """Verify both assertions and issue an access token.

        Raises:
            NotAuthenticated: client_unknown, officer_unknown, assertion_replayed, or a code of
                vault.assertions.
        """
        at = self._clock.now()
        client = await self._checked(client_assertion, CLIENT_TYPE, at)
        officer = await self._checked(officer_assertion, OFFICER_TYPE, at) if officer_assertion else None
        if officer is not None and officer.issuer != client.issuer:
            raise NotAuthenticated("officer_of_another_system")
        async with self._db.write() as db:
            agency = await agencies.agency_of(db, client.issuer)
            if agency is None:
                raise NotAuthenticated("client_unknown")
            for one in (client, officer):
                if one is not None:
                    await _use_once(db, one, at)
            if officer is not None and not await agencies.officer_live(db, agency, officer.subject):
                raise NotAuthenticated("officer_unknown")
        token = self._signing_key.issue(
            issuer=self.issuer,
            client_id=client.issuer,
            subject=officer.subject if officer else client.issuer,
            agency=agency,
            officer=officer.subject if officer else None,
            assertion_thumbprint=client.key_thumbprint,
            jti=os.urandom(16).hex(),
            at=at,
            lifetime=TOKEN_LIFETIME,
        )
        seconds = int(TOKEN_LIFETIME.total_seconds())
        return IssuedToken(token, seconds, officer.subject if officer else None)

    async def _checked(self, assertion: str, typ: str, at: datetime) -> Assertion:
        try:
            issuer = peek_issuer(assertion)
            async with self._db.read() as db:
                keys = await agencies.public_keys(db, issuer, legal_day(at))
            if not keys:
                raise NotAuthenticated("client_unknown")
            return check_assertion(assertion, keys=keys, issuer=self.issuer, typ=typ, at=at)
        except AssertionRefused as problem:
            raise NotAuthenticated(problem.code) from problem

    @property
    def realms(self) -> dict[str, tuple[str, str]]:
        """Whose providers are believed here: of each realm the issuer, and our client id there."""
        return {name: (one.issuer, one.client) for name, one in self.sign_ins.realms.items()}

    async def begin_sign_in(self, realm: Realm, purpose: Purpose) -> str:
        """Give the nonce of a sign-in that begins now, for that alone (vault/sign_in_proofs.py).

        Raises:
            SignInRefused: no_provider.
        """
        return self.sign_ins.begin(realm, purpose)

    async def prove_sign_in(
        self, realm: Realm, purpose: Purpose, nonce: str, id_token: str, access_token: str
    ) -> SignInProof:
        """Find who has signed in from what the realm's provider has signed, as `SignInProofs.prove` does.

        Raises:
            SignInRefused, IdTokenRefused, ProviderFailed.
        """
        return await self.sign_ins.prove(realm, purpose, nonce, id_token, access_token)

    async def mark_session(
        self, holder: Holder, row: Mapping[str, Any], proof: bytes, before: Mapping[str, Any] | None = None
    ) -> bytes:
        """Give the mark of a session that begins, or that is made stronger (vault/session_marks.py).

        Args:
            proof: the handle of what `prove_sign_in` has found; it is used up.
            before: of a session that is made stronger, the row that it was.

        Raises:
            SessionRefused: nobody was proven so, it would last too long, or does not follow from what it was.
        """
        proven = check_proven(holder, row, self.sign_ins.take(proof), before)
        if before is None:
            async with self._db.read() as db:
                await _check_who(db, row, proven)
        return self._marks.mark(holder, row, before, self._clock.now())

    async def mark_session_of_code(self, holder: Holder, row: Mapping[str, Any]) -> bytes:
        """Give the mark of a session that a code of the demo opens, within this process alone."""
        return self._marks.mark(holder, row, None, self._clock.now())

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
        query = select(session).where(
            session.c.secret_hash == sha256(secret.encode()).digest(), session.c.kind == "session"
        )
        async with self._db.read() as db:
            row = (await db.execute(query)).first()
        if row is None or not self._marks.hold("owner", dict(row._mapping)):
            raise NotAuthenticated("session_ended")
        caller = OwnerCaller(row.owner, instant(row.expires), secret, **sessions.strength(row))
        self._standing(caller)
        return caller, row.delegation

    async def check_staff(self, secret: str) -> StaffCaller:
        """Give the officer that a session secret proves, in the role they signed in for.

        Raises:
            NotAuthenticated: unknown or ended, or the officer or the agency is no longer live.
        """
        async with self._db.read() as db:
            found = await staff.signed_in(db, secret, self._marks)
        if found is None:
            raise NotAuthenticated("session_ended")
        self._standing(found)
        return found

    def _standing(self, caller: OwnerCaller | StaffCaller) -> None:
        """Refuse a session that has ended, by its age or without use."""
        now = self._clock.now()
        if caller.expires <= now:
            raise NotAuthenticated("session_ended")
        if caller.idle_until is not None and caller.idle_until <= now:
            raise NotAuthenticated("session_idle")

    async def own_view(self, credential: Caller) -> Caller:
        """Prove the caller from the credential itself, not from what the operation says about it.

        Raises:
            NotAuthenticated: it proves nobody any more; of a system also that it ended.
            TokenRefused: see vault.assertions.
        """
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
        caller = self.check_token(credential.token)
        async with self._db.read() as db:  # a token is remembered, who is registered is not
            await agencies.require_live(db, caller)
        return caller


async def _check_who(db: AsyncConnection, row: Mapping[str, Any], proven: SignInProof) -> None:
    """See that a session is of whom the rows know by what was proven. Raises SessionRefused.

    A store has one identifier by which somebody signs in: of one that was given another it is not known whose
    it is.
    """
    if proven.identity is not None:
        named = (proven.identity.scheme, proven.identity.value)
        if row["owner"] != await owners.by_identifier(db, *named):
            raise SessionRefused("owner_unknown")
        known = [one for one in await owners.identifiers(db, row["owner"]) if one[0] in SCHEMES]
        if known != [named]:
            raise SessionRefused("owner_doubtful")
        return
    who = await staff.who_is(db, proven.issuer, proven.account or "")
    if who is None or who != (row["agency"], row["officer"]):
        raise SessionRefused("of_another")
    if row["role"] not in await staff.roles(db, *who):
        raise SessionRefused("role_not_held")


async def _use_once(db: AsyncConnection, one: Assertion, at: datetime) -> None:
    """Keep the jti until the assertion is dead; a second use is refused (RFC 7523, 3.7)."""
    await db.execute(delete(used_assertion).where(used_assertion.c.expires < stamp(at)))
    known = upsert(used_assertion).values(issuer=one.issuer, jti=one.jti, expires=stamp(one.expires))
    if (await db.execute(known.on_conflict_do_nothing())).rowcount == 0:
        raise NotAuthenticated("assertion_replayed")
