"""Who is calling: proven by credentials, carried through every operation.

An officer at the desk calls as the agency's own desk system, so that one set of rules decides for both.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Literal


@dataclass(frozen=True)
class SystemCaller:
    """A processing system, its agency, and the officer it vouches for; read from a checked access token."""

    system: str
    agency: str
    officer: str | None
    key_thumbprint: str  # empty at the desk: its officer is proven by a session, not by a key
    expires: datetime
    token: str  # the access token; at the desk the session secret
    door: Literal["token", "desk"] = "token"

    kind: Literal["system"] = "system"

    @property
    def id(self) -> str:
        """The name that receipts and idempotency keys belong to."""
        return self.system

    @property
    def credential_hash(self) -> bytes:
        """SHA-256 of the token: what a shared delivery is bound to."""
        return sha256(self.token.encode()).digest()

    def actor(self) -> dict[str, str]:
        """The `actor` part of an entry."""
        part = {
            "agency": self.agency,
            "system": self.system,
            "key": self.key_thumbprint,
            "officer": self.officer,
        }
        return {name: value for name, value in part.items() if value}


Assurance = Literal["basic", "high"]


@dataclass(frozen=True)
class OwnerCaller:
    """The owner of a store, signed in to the wallet, or somebody who acts for that owner.

    `owner` is whose store it is. Without a delegation the owner is the person who acts; with one,
    `actor_owner` is, and the gate has seen that its evidence stands. `assurance` is how strongly the person
    was authenticated, at `authenticated_at`; without use the session ends at `idle_until`, if it is there.
    """

    owner: str
    expires: datetime
    session: str  # the session secret
    actor_owner: str | None = None
    delegation: str | None = None
    assurance: Assurance = "basic"
    authenticated_at: datetime | None = None
    idle_until: datetime | None = None

    kind: Literal["owner"] = "owner"

    @property
    def person(self) -> str:
        """The owner who acts, for themself or for another."""
        return self.actor_owner or self.owner

    @property
    def id(self) -> str:
        """The name that receipts and idempotency keys belong to; acting for another is a name of its own."""
        return self.owner if self.delegation is None else f"{self.person}:{self.delegation}"

    @property
    def credential_hash(self) -> bytes:
        """SHA-256 of the session secret."""
        return sha256(self.session.encode()).digest()

    def alone(self) -> "OwnerCaller":
        """Give the signed-in person, acting for themself."""
        return replace(self, owner=self.person, actor_owner=None, delegation=None)

    def actor(self) -> dict[str, str]:
        """The `actor` part of an entry."""
        if self.delegation is None:
            return {"owner": self.owner}
        return {"owner": self.person, "delegation": self.delegation}


Role = Literal["desk", "auditor", "administrator"]


@dataclass(frozen=True)
class StaffCaller:
    """An officer of an agency who signed in, in one role: at the desk, as auditor, or as administrator."""

    agency: str
    officer: str
    role: Role
    name: str
    expires: datetime
    session: str  # the session secret
    assurance: Assurance = "basic"
    authenticated_at: datetime | None = None
    idle_until: datetime | None = None

    kind: Literal["staff"] = "staff"

    @property
    def id(self) -> str:
        """The name that receipts and idempotency keys belong to; no system has a name like it."""
        return f"{self.role}:{self.agency}:{self.officer}"

    @property
    def credential_hash(self) -> bytes:
        """SHA-256 of the session secret."""
        return sha256(self.session.encode()).digest()

    def actor(self) -> dict[str, str]:
        """The `actor` part of an entry."""
        return {"agency": self.agency, "system": f"kho-{self.role}", "officer": self.officer}

    def at_desk(self) -> SystemCaller:
        """Give the caller that an officer at the desk is for every operation on dossiers and records."""
        return SystemCaller(
            system=desk_system(self.agency),
            agency=self.agency,
            officer=self.officer,
            key_thumbprint="",
            expires=self.expires,
            token=self.session,
            door="desk",
        )


def desk_system(agency: str) -> str:
    """Name the system that an agency's officers at the desk work through."""
    return f"desk-{agency}"


Caller = SystemCaller | OwnerCaller | StaffCaller
VAULT_ACTOR = {"system": "vault"}
