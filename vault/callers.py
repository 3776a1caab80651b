"""Who is calling: proven by credentials, carried through every operation."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal


@dataclass(frozen=True)
class SystemCaller:
    """A processing system, its agency, and the officer it vouches for; read from a checked access token."""

    system: str
    agency: str
    officer: str | None
    key_thumbprint: str
    expires: datetime
    token: str

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
        part = {"agency": self.agency, "system": self.system, "key": self.key_thumbprint}
        return part | ({"officer": self.officer} if self.officer else {})


@dataclass(frozen=True)
class OwnerCaller:
    """The owner of a store, signed in to the wallet."""

    owner: str
    expires: datetime
    session: str  # the session secret

    kind: Literal["owner"] = "owner"

    @property
    def id(self) -> str:
        """The name that receipts and idempotency keys belong to."""
        return self.owner

    @property
    def credential_hash(self) -> bytes:
        """SHA-256 of the session secret."""
        return sha256(self.session.encode()).digest()

    def actor(self) -> dict[str, str]:
        """The `actor` part of an entry."""
        return {"owner": self.owner}


Caller = SystemCaller | OwnerCaller
VAULT_ACTOR = {"system": "vault"}
