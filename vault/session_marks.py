"""What binds the row of a session to the gate: a mark (HMAC-SHA256) by a key that the gate alone has.

Whoever can write rows, with an API process's rights or a copy of its password, can write a row that looks
like somebody's session. Without its mark it opens nothing: the gate looks at every use, and marks those alone
whose sign-in it has proven for itself (vault/sign_in_proofs.py). What is bound is who signed in, by which
secret, how strongly proven and until when at most; where the session ends without use, and for whom its
person acts (on evidence that is looked at each time), move while it is used.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from typing import Any, Literal, Protocol

from vault.entries import instant, stamp
from vault.realm_rules import Realm
from vault.sign_in_proofs import SignInProof
from vault.sign_in_refusals import SessionRefused

Holder = Literal["owner", "staff"]
LONGEST = timedelta(hours=25)  # no setting lets a session last longer than a day, by a clock near ours
_WHO: dict[Holder, tuple[str, ...]] = {"owner": ("owner",), "staff": ("agency", "officer", "role")}
_REALMS: dict[Holder, Realm] = {"owner": "citizens", "staff": "staff"}
_BOUND = ("secret_hash", "expires", "assurance", "authenticated_at", "issuer", "subject")


class Marking(Protocol):
    """Who makes the marks: the gate, in this process or behind its socket."""

    async def mark_session(
        self, holder: Holder, row: Mapping[str, Any], proof: bytes, before: Mapping[str, Any] | None = None
    ) -> bytes:
        """Give the mark of a row that begins, or of one that follows another (`Credentials.mark_session`)."""
        ...

    async def mark_session_of_code(self, holder: Holder, row: Mapping[str, Any]) -> bytes:
        """Give the mark of a row that a code of the demo opens; where the gate is a process there is none."""
        ...


def bound(holder: Holder) -> tuple[str, ...]:
    """Give the columns that a mark is about."""
    return (*_WHO[holder], *_BOUND)


class SessionMarks:
    """Makes marks and looks at them."""

    def __init__(self, key: bytes) -> None:
        """Take the gate's key for them."""
        self._key = key

    def mark(
        self, holder: Holder, row: Mapping[str, Any], before: Mapping[str, Any] | None, now: datetime
    ) -> bytes:
        """Give the mark of a row.

        Args:
            before: for a session that is made stronger, the row that it was, with its mark.

        Raises:
            SessionRefused: it would last too long, or does not follow from what it was.
        """
        if instant(row["expires"]) > now + LONGEST:
            raise SessionRefused("too_long")
        if before is not None:
            kept = ("expires", "issuer", "subject", *_WHO[holder])
            if not self.hold(holder, before) or any(before[name] != row[name] for name in kept):
                raise SessionRefused("not_the_same")
        return self._of(holder, row)

    def hold(self, holder: Holder, row: Mapping[str, Any]) -> bool:
        """Say whether the gate has marked this very row."""
        return compare_digest(row.get("mark") or b"", self._of(holder, row))

    def _of(self, holder: Holder, row: Mapping[str, Any]) -> bytes:
        said = b"".join(_measured(row.get(name)) for name in bound(holder))
        return hmac(self._key, b"kho/1/session/" + holder.encode() + b"\x00" + said, sha256)


def check_proven(
    holder: Holder, row: Mapping[str, Any], proof: SignInProof | None, before: Mapping[str, Any] | None
) -> SignInProof:
    """See that a row says of its sign-in what was proven, and give that back. Raises SessionRefused."""
    if proof is None:
        raise SessionRefused("unproven")
    purpose = "sign_in" if before is None else "step_up"
    if (_REALMS[holder], purpose) != (proof.realm, proof.purpose):
        raise SessionRefused("of_another")
    at = proof.authenticated_at
    said = {
        "issuer": proof.issuer,
        "subject": proof.subject,
        "assurance": proof.assurance,
        "authenticated_at": stamp(at) if at is not None else None,
    }
    if any(row.get(name) != value for name, value in said.items()):
        raise SessionRefused("too_strong" if row.get("subject") == proof.subject else "of_another")
    return proof


def _measured(value: str | bytes | None) -> bytes:
    """Write a value so that no two rows are written alike: absent, or its length before it."""
    if value is None:
        return b"\x00"
    told = value if isinstance(value, bytes) else value.encode()
    return b"\x01" + len(told).to_bytes(4, "big") + told
