"""What is said between the gate and those who ask it: credentials, evidence, opened entries.

Of a caller only the credential itself is sent: the gate proves who it is, and would believe nothing else.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from signing.leaf import PARTS, Kind, Parts
from vault.callers import Caller, OwnerCaller, StaffCaller, SystemCaller
from vault.evidence import Evidence, OpenedEntry
from vault.wire import FrameMalformed
from vault.wire_values import Said, blob, blobs, inside, moment, number, several, text, truth, written

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
    """Write who a session was found to be of."""
    said = {name: value for name, value in vars(caller).items() if name not in ("session", "kind")}
    return written(said)


def owner_read(said: Said, session: str) -> OwnerCaller:
    """Read whom a session of the wallet was found to be of. Raises FrameMalformed."""
    acts = "delegation" in said
    return OwnerCaller(
        text(said, "owner"),
        moment(said, "expires"),
        session,
        actor_owner=text(said, "actor_owner") if acts else None,
        delegation=text(said, "delegation") if acts else None,
    )


def staff_read(said: Said, session: str) -> StaffCaller:
    """Read whom a session of staff was found to be of. Raises FrameMalformed."""
    role = text(said, "role")
    if role not in ("desk", "auditor", "administrator"):
        raise FrameMalformed("no known role")
    names = text(said, "agency"), text(said, "officer")
    return StaffCaller(*names, role, text(said, "name"), moment(said, "expires"), session)  # type: ignore[arg-type]


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
