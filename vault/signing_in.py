"""From a person that a provider has proven to a session: whose store it is, or which officer in which role.

Who somebody is here comes from Kho's own register: an owner by identifier, an officer by the registered
subject of the staff's provider. No claim gives a role or an agency.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.errors import IdentifierInvalid
from policies.identifiers import identifier
from policies.person_names import same_person_name
from vault import owners, registering, sessions, staff
from vault.callers import Role
from vault.errors import FieldInvalid
from vault.identity_claims import Identity
from vault.newcomers import check_birth
from vault.services import Vault
from vault.session_marks import Holder
from vault.sessions import Limits, Proven
from vault.sign_in_refusals import SignInRefused

NAME_MAX = 200  # characters


@dataclass(frozen=True)
class Visit:
    """What the browser brought: what kind of device it is on, and the session it had before."""

    device: str
    replaces: bytes | None = None  # hash of that session's secret; it ends


@dataclass(frozen=True)
class Entered:
    """A session has begun; `name_differs` from the one that the store is kept under."""

    secret: str
    name_differs: bool = False


async def owner(vault: Vault, who: Identity, proven: Proven, limits: Limits, visit: Visit) -> Entered:
    """Sign an owner in; whoever has no store yet is given an empty one, as its own entry.

    Raises:
        SignInRefused: the claims name nobody: no identifier that can be one, no name for a new store.
    """
    name, born = _checked(who)
    owner_id = await registering.register_owner(
        vault, scheme=who.scheme, value=who.value, name=name, born_on=born, checked_by=proven.issuer
    )
    at = vault.clock.now()
    secret, row = await sessions.begun(
        vault.gate, "owner", {"owner": owner_id}, proven, limits, device=visit.device, at=at
    )
    async with vault.db.write() as db:
        known = await owners.name(db, owner_id)
        if visit.replaces is not None:
            await sessions.end_hashed(db, "owner", visit.replaces)
        await sessions.keep(db, "owner", row, at)
    person = who.scheme != "tax_code"  # an enterprise's name is written in too many ways
    return Entered(secret, name_differs=person and not same_person_name(known, name))


async def officer(
    vault: Vault, name: str, role: Role, proven: Proven, limits: Limits, visit: Visit
) -> Entered:
    """Sign an officer in, in one role that the register gives them.

    Args:
        name: by which the provider knows them and the register too: its `sub`, or the claim of the settings.

    Raises:
        SignInRefused: nobody is registered under that name, or the role is not theirs.
    """
    at = vault.clock.now()
    async with vault.db.read() as db:
        who = await _in_role(db, proven.issuer, name, role)
    secret, row = await sessions.begun(vault.gate, "staff", who, proven, limits, device=visit.device, at=at)
    async with vault.db.write() as db:
        if await _in_role(db, proven.issuer, name, role) != who:
            raise SignInRefused("staff_unknown")  # the register has changed meanwhile
        if visit.replaces is not None:
            await sessions.end_hashed(db, "staff", visit.replaces)
        await sessions.keep(db, "staff", row, at)
    return Entered(secret)


async def _in_role(db: AsyncConnection, issuer: str, name: str, role: Role) -> dict[str, str]:
    """Give which officer somebody is by the register, in that role. Raises SignInRefused."""
    found = await staff.who_is(db, issuer, name)
    held = await staff.roles(db, *found) if found is not None else []
    if found is None or not held:
        raise SignInRefused("staff_unknown")
    if role not in held:
        raise SignInRefused("role_not_held", tuple(held))
    return {"agency": found[0], "officer": found[1], "role": role}


async def again(vault: Vault, holder: Holder, secret_hash: bytes, proven: Proven) -> str | None:
    """Make a session stronger by a fresh proof of the same person; gives its new secret, else None."""
    return await sessions.strengthen(vault.db, vault.gate, holder, secret_hash, proven, vault.clock.now())


def _checked(who: Identity) -> tuple[str, date | None]:
    name = " ".join(who.name.split())
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise SignInRefused("identity_incomplete")
    try:
        value = identifier(who.scheme, who.value)
    except IdentifierInvalid:
        raise SignInRefused("identity_incomplete") from None
    try:
        check_birth(who.scheme, value, who.born_on, field="born_on")
    except FieldInvalid:
        return name, None  # a day that cannot be is nobody's birthday
    return name, who.born_on
