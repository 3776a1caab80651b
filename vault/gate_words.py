"""What is said between the gate and those who ask it: credentials, evidence, opened entries.

Of a caller only the credential itself is sent: the gate proves who it is, and would believe nothing else.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from signing.leaf import PARTS, Kind, Parts
from vault.callers import Caller, OwnerCaller, StaffCaller, SystemCaller
from vault.evidence import Evidence, OpenedEntry
from vault.identity_claims import SCHEMES, Identity
from vault.realm_rules import Realm
from vault.session_marks import Holder, bound
from vault.sign_in_proofs import SignInProof
from vault.sign_ins import Purpose
from vault.wire import FrameMalformed
from vault.wire_values import Said, blob, blobs, inside, moment, number, several, text, truth, written

T = TypeVar("T", OwnerCaller, StaffCaller)
_UNSAID = ("session", "kind")
_TIMES = ("expires", "authenticated_at", "idle_until")
_UNKNOWN = datetime.max.replace(tzinfo=UTC)  # of a credential that is only sent to be proven


def credential_said(caller: Caller) -> dict[str, Any]:
    """Write what proves a caller."""
    if isinstance(caller, OwnerCaller):
        return {"kind": "owner", "secret": caller.session, "acts": caller.delegation is not None}
    if isinstance(caller, StaffCaller):
        return {"kind": "staff", "secret": caller.session}
    return {"kind": caller.door, "secret": caller.token}


def credential_read(said: Said) -> Caller:
    """Read what is to prove a caller: no more than the credential is in it. Raises FrameMalformed."""
    kind, secret = text(said, "kind"), text(said, "secret")
    if kind == "owner":
        return OwnerCaller("", _UNKNOWN, secret, delegation="some" if truth(said, "acts") else None)
    if kind == "staff":
        return StaffCaller("", "", "desk", "", _UNKNOWN, secret)
    if kind == "desk":
        return SystemCaller("", "", None, "", _UNKNOWN, secret, door="desk")
    if kind == "token":
        return SystemCaller("", "", None, "", _UNKNOWN, secret)
    raise FrameMalformed("a credential of no known kind")


def caller_said(caller: OwnerCaller | StaffCaller) -> dict[str, Any]:
    """Write who a session was found to be of; its secret is known to whoever asks."""
    return written({one.name: getattr(caller, one.name) for one in fields(caller) if one.name not in _UNSAID})


def owner_read(said: Said, session: str) -> OwnerCaller:
    """Read whom a session of the wallet was found to be of. Raises FrameMalformed."""
    return _caller(OwnerCaller, said, session)


def staff_read(said: Said, session: str) -> StaffCaller:
    """Read whom a session of staff was found to be of. Raises FrameMalformed."""
    return _caller(StaffCaller, said, session)


def _caller(kind: type[T], said: Said, session: str) -> T:
    named = {one.name: one for one in fields(kind) if one.name not in _UNSAID}
    missing = {one for one, field in named.items() if field.default is MISSING} - set(said)
    if missing or set(said) - set(named):
        raise FrameMalformed("a caller of another kind")
    values: dict[str, Any] = {one: moment(said, one) if one in _TIMES else text(said, one) for one in said}
    return kind(session=session, **values)


def session_said(holder: Holder, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write of a session's row what its mark is about, and the mark that it has."""
    return written({name: row.get(name) for name in (*bound(holder), "mark")})


def holder_read(said: Said) -> Holder:
    """Read whose kind of session it is. Raises FrameMalformed."""
    holder = text(said, "holder")
    if holder not in ("owner", "staff"):
        raise FrameMalformed("a session of no known kind")
    return holder  # type: ignore[return-value]


def session_read(holder: Holder, said: Said) -> dict[str, Any]:
    """Read the row of a session. Raises FrameMalformed."""
    moment(said, "expires")
    row: dict[str, Any] = {name: text(said, name) for name in bound(holder) if name in said}
    return row | {name: blob(said, name) for name in ("secret_hash", "mark") if name in said}


def realm_read(said: Said) -> Realm:
    """Read which realm is meant. Raises FrameMalformed."""
    realm = text(said, "realm")
    if realm not in ("citizens", "staff"):
        raise FrameMalformed("a realm of no known name")
    return realm  # type: ignore[return-value]


def purpose_read(said: Said) -> Purpose:
    """Read what a sign-in is for. Raises FrameMalformed."""
    purpose = text(said, "purpose")
    if purpose not in ("sign_in", "step_up"):
        raise FrameMalformed("a sign-in for nothing known")
    return purpose  # type: ignore[return-value]


def proof_said(proof: SignInProof) -> dict[str, Any]:
    """Write what was proven of one who signs in."""
    told = written({name: value for name, value in vars(proof).items() if name != "identity"})
    who = proof.identity
    if who is not None:
        born = who.born_on.isoformat() if who.born_on is not None else None
        told["identity"] = written({**vars(who), "born_on": born})
    return told


def proof_read(said: Said) -> SignInProof:
    """Read what was proven of one who signs in. Raises FrameMalformed."""
    assurance = text(said, "assurance")
    if assurance not in ("basic", "high"):
        raise FrameMalformed("an assurance of no known strength")
    return SignInProof(
        handle=blob(said, "handle"),
        realm=realm_read(said),
        purpose=purpose_read(said),
        issuer=text(said, "issuer"),
        subject=text(said, "subject"),
        sid=text(said, "sid") if "sid" in said else None,
        assurance=assurance,  # type: ignore[arg-type]
        authenticated_at=moment(said, "authenticated_at") if "authenticated_at" in said else None,
        identity=_identity(inside(said, "identity")) if "identity" in said else None,
        account=text(said, "account") if "account" in said else None,
    )


def _identity(said: Said) -> Identity:
    scheme, born = text(said, "scheme"), None
    if scheme not in SCHEMES:
        raise FrameMalformed("an identifier of no known scheme")
    if "born_on" in said:
        try:
            born = date.fromisoformat(text(said, "born_on"))
        except ValueError:
            raise FrameMalformed("`born_on` is no day") from None
    return Identity(scheme, text(said, "value"), text(said, "name"), born)


def evidence_said(evidence: Evidence) -> dict[str, Any]:
    """Write a proof."""
    return written(vars(evidence) | {"proof": list(evidence.proof)})


def evidence_read(said: Said) -> Evidence:
    """Read a proof, nothing of it verified. Raises FrameMalformed."""
    return Evidence(
        number(said, "index"), blob(said, "leaf"), tuple(blobs(said, "proof")), text(said, "checkpoint")
    )


def entered_said(entered: Mapping[int, Evidence] | None) -> list[dict[str, Any]]:
    """Write an auditor's own entries, each with the index of the entry that it opens."""
    return [{"opens": index, "by": evidence_said(one)} for index, one in (entered or {}).items()]


def entered_read(said: Said) -> dict[int, Evidence]:
    """Read an auditor's own entries. Raises FrameMalformed."""
    return {number(one, "opens"): evidence_read(inside(one, "by")) for one in _objects(said, "entered")}


def opened_said(entry: OpenedEntry) -> dict[str, Any]:
    """Write an opened entry."""
    parts = {part: dict(getattr(entry.parts, part)) for part in PARTS}
    return {
        "index": entry.index,
        "kind": int(entry.kind),
        "at": entry.at,
        **written({"leaf": entry.leaf, "seed": entry.seed}),
        "parts": parts,
    }


def opened_read(said: Said) -> list[OpenedEntry]:
    """Read opened entries. Raises FrameMalformed."""
    return [_entry(one) for one in _objects(said, "entries")]


def unreadable_read(said: Said) -> dict[int, str]:
    """Read which entries did not open, and why. Raises FrameMalformed."""
    return {number(one, "index"): text(one, "why") for one in _objects(said, "unreadable")}


def pairs_read(said: Said) -> list[tuple[str, str]]:
    """Read pairs of a field and a value. Raises FrameMalformed."""
    return [(text(one, "field"), text(one, "value")) for one in _objects(said, "pairs")]


def _entry(said: Said) -> OpenedEntry:
    parts = inside(said, "parts")
    try:
        kind = Kind(number(said, "kind"))
        read = Parts(*(inside(parts, part) for part in PARTS))
    except ValueError as problem:
        raise FrameMalformed("an entry that nobody reads") from problem
    return OpenedEntry(
        number(said, "index"), kind, blob(said, "leaf"), text(said, "at"), read, blob(said, "seed")
    )


def _objects(said: Said, name: str) -> list[Said]:
    found = several(said, name)
    if not all(isinstance(one, dict) for one in found):
        raise FrameMalformed(f"`{name}` is no list of objects")
    return found
