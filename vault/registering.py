"""Registering who may ask: agencies, systems, officers, owners. Each is an administrator's act in the log."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.errors import IdentifierInvalid
from policies.identifiers import agency_code, identifier
from signing.leaf import Kind, Parts
from vault import agencies, entries, epochs, newcomers, owners, staff
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR, Role, desk_system
from vault.days import legal_day
from vault.entries import Holder
from vault.errors import FieldInvalid, Moved
from vault.services import Vault
from vault.telling import VAULT_HOLDER


@dataclass(frozen=True)
class NewAgency:
    """An agency with what it may process, issue, succeed to and ask consent for, from a day on."""

    code: str
    name_vi: str
    name_en: str
    procedures: Sequence[str] = ()
    issues: Sequence[str] = ()
    succeeds: Sequence[str] = ()
    may_ask_consent: Sequence[str] = ()  # purposes of the policy book
    since: date | None = None


async def register_agency(vault: Vault, new: NewAgency) -> str:
    """Register an agency and give its code in canonical form.

    Raises:
        FieldInvalid: the code is none.
    """
    code = _canonical(new.code)
    key_row = await vault.gate.new_pair("agency", code, "log")
    since = new.since or legal_day(vault.clock.now()) - timedelta(days=1)

    async def rows(db: AsyncConnection) -> None:
        await agencies.create_agency(
            db,
            code=code,
            name_vi=new.name_vi,
            name_en=new.name_en,
            key_row=key_row,
            since=since,
            at=vault.clock.now(),
        )
        rights = {
            "process": new.procedures,
            "issue": new.issues,
            "succeed": new.succeeds,
            "consent": new.may_ask_consent,
        }
        for right, objects in rights.items():
            await agencies.grant(db, code, right, list(objects), since)
        await epochs.advance(db, [("agency", code)])

    told = {
        "procedures": sorted(new.procedures),
        "issues": sorted(new.issues),
        "purposes": sorted(new.may_ask_consent),
    }
    await act(vault, "agency_registered", {"agency": code, **told}, rows)
    return code


async def register_system(
    vault: Vault, *, system: str, agency: str, name: str, jwk: dict[str, Any], thumbprint: str
) -> None:
    """Register a system of an agency with its public key (JWK)."""
    since = legal_day(vault.clock.now()) - timedelta(days=1)

    async def rows(db: AsyncConnection) -> None:
        await agencies.create_system(
            db, system_id=system, agency_id=agency, name=name, jwk=jwk, thumbprint=thumbprint, since=since
        )
        await epochs.advance(db, [("agency", agency)])

    await act(vault, "system_registered", {"agency": agency, "system": system, "key": thumbprint}, rows)


async def register_officer(vault: Vault, *, agency: str, officer: str, name: str) -> None:
    """Register an officer of an agency."""

    async def rows(db: AsyncConnection) -> None:
        await agencies.create_officer(db, agency_id=agency, officer_id=officer, name=name)
        await epochs.advance(db, [("agency", agency)])

    await act(vault, "officer_registered", {"agency": agency, "officer": officer}, rows)


async def give_role(vault: Vault, *, agency: str, officer: str, role: Role) -> None:
    """Let an officer sign in at the desk, as an auditor or as an administrator.

    The first officer at an agency's desk brings the agency's desk system along: it has no key of its own.
    """
    desk = desk_system(agency)

    async def rows(db: AsyncConnection) -> None:
        if role == "desk" and await agencies.agency_of(db, desk) is None:
            await agencies.create_desk(db, system_id=desk, agency_id=agency)
        await staff.give_role(db, agency_id=agency, officer_id=officer, role=role)
        await epochs.advance(db, [("agency", agency)])

    await act(vault, "role_given", {"agency": agency, "officer": officer, "role": role}, rows)


async def register_owner(
    vault: Vault, *, scheme: str, value: str, name: str, born_on: date | None, checked_by: str
) -> str:
    """Open a store for a person or organisation; gives the owner id, of an existing store too.

    Raises:
        FieldInvalid: the identifier cannot be one, or says another year of birth.
    """
    try:
        checked = identifier(scheme, value)
    except IdentifierInvalid as problem:
        raise FieldInvalid("identifier", problem.code) from problem
    newcomers.check_birth(scheme, checked, born_on, field="born_on")
    if (known := await _store_of(vault, scheme, checked)) is not None:
        return known
    new = await newcomers.prepare(vault, scheme, checked, name, born_on, checked_by=checked_by)
    public = next(row["public"] for row in new.key_rows if row["purpose"] == "log")

    async def rows(db: AsyncConnection) -> None:
        await newcomers.create(db, [new], vault.clock.now())

    holder = Holder("owner", new.id, public)
    try:
        await act(vault, "store_opened", {"checked_by": checked_by}, rows, about=new.id, holder=holder)
    except Moved:  # somebody else opened it at the same time
        return await _store_of(vault, scheme, checked) or new.id
    return new.id


async def _store_of(vault: Vault, scheme: str, value: str) -> str | None:
    async with vault.db.read() as db:
        return await owners.by_identifier(db, scheme, value)


async def act(
    vault: Vault,
    event: str,
    facts: dict[str, Any],
    rows: Callable[[AsyncConnection], Awaitable[None]],
    *,
    about: str | None = None,
    holder: Holder | None = None,
) -> None:
    """Log an administrator's act of the house's own command line, and write its rows with the entry."""
    at = vault.clock.now()
    if holder is None:
        async with vault.db.read() as db:
            (holder,) = await entries.holders(db, [VAULT_HOLDER])
    parts = Parts(
        subject={"owners": [about]} if about else {},
        actor=VAULT_ACTOR,
        purpose={},
        basis={"facts": facts},
        event={"type": event, "result": "permitted", "at": at.isoformat()},
    )
    prepared = entries.prepare(
        Kind.ADMINISTRATOR_ACT, parts, [holder], at=at, caller_kind="vault", caller="vault"
    )

    async def change(tx: Transaction) -> None:
        await rows(tx.db)
        await tx.append([prepared])

    await vault.appender.commit(change)


def _canonical(code: str) -> str:
    try:
        return agency_code(code)
    except IdentifierInvalid as problem:
        raise FieldInvalid("agency", problem.code) from problem
