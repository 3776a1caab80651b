"""People and organisations as callers name them: their stores found, or prepared where there is none yet.

A new store is prepared outside the lock: its id, its key pairs. It is created in the transaction that first
needs it, and until then only that transaction knows its keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.errors import IdentifierInvalid
from policies.identifiers import birth_year, identifier
from policies.person_names import same_person_name
from vault import owners
from vault.entries import Holder
from vault.errors import FieldInvalid, Moved
from vault.owners import NewOwner
from vault.services import Vault


class Named(Protocol):
    """Somebody named by an identifier; the rest is recorded when a store has to be opened."""

    @property
    def scheme(self) -> str:
        """The kind of identifier: personal_number, tax_code ..."""

    @property
    def value(self) -> str:
        """The identifier."""

    @property
    def name(self) -> str:
        """The name, as a new store would have it."""

    @property
    def born_on(self) -> date | None:
        """The day of birth, where it is known."""


@dataclass(frozen=True)
class Found:
    """The owners of those who were named, in their order, and the stores that are new."""

    owners: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]  # scheme and canonical value, in the same order
    newcomers: tuple[NewOwner, ...]
    name_agrees: tuple[bool | None, ...]  # with the store's, in the same order; None: a new store, no person


async def find(
    vault: Vault, db: AsyncConnection, named: Sequence[Named], *, field: str, checked_by: str
) -> Found:
    """Find each one's store; for one without, prepare a new store. Nothing is written.

    Args:
        field: what a fault is called, e.g. "persons" for "persons.0.identifier".
        checked_by: the agency that names them.

    Raises:
        FieldInvalid: an identifier cannot be one, or says another year of birth.
    """
    found: list[str] = []
    identifiers: list[tuple[str, str]] = []
    newcomers: dict[tuple[str, str], NewOwner] = {}
    agree: list[bool | None] = []
    for number, one in enumerate(named):
        try:
            value = identifier(one.scheme, one.value)
        except IdentifierInvalid as problem:
            raise FieldInvalid(f"{field}.{number}.identifier", problem.code) from problem
        check_birth(one.scheme, value, one.born_on, field=f"{field}.{number}.born_on")
        owner = await owners.by_identifier(db, one.scheme, value)
        before = newcomers.get((one.scheme, value))
        agree.append(await _agrees(db, one, owner, before))
        if owner is None:
            fresh = before or await prepare(
                vault, one.scheme, value, one.name, one.born_on, checked_by=checked_by
            )
            newcomers[(one.scheme, value)] = fresh
            owner = fresh.id
        found.append(owner)
        identifiers.append((one.scheme, value))
    return Found(tuple(found), tuple(identifiers), tuple(newcomers.values()), tuple(agree))


async def _agrees(db: AsyncConnection, one: Named, owner: str | None, before: NewOwner | None) -> bool | None:
    """Compare a person's name with the store's; an enterprise's is written in too many ways for that."""
    if one.scheme == "tax_code" or (owner is None and before is None):
        return None
    name = before.name if before is not None else await owners.name(db, owner or "")
    return same_person_name(name, one.name)


def check_birth(scheme: str, value: str, born_on: date | None, *, field: str) -> None:
    """Refuse a day of birth in another year than the one in the personal number.

    Raises:
        FieldInvalid: they disagree.
    """
    if scheme == "personal_number" and born_on is not None and born_on.year != birth_year(value):
        raise FieldInvalid(field, "birth_date_disagrees")


async def prepare(
    vault: Vault, scheme: str, value: str, name: str, born_on: date | None, *, checked_by: str
) -> NewOwner:
    """Prepare a store for a person or organisation: an id and two key pairs, wrapped."""
    owner_id = owners.new_owner_id()
    pairs = await vault.gate.new_owner_pairs(owner_id)
    return NewOwner(
        id=owner_id,
        kind="organisation" if scheme == "tax_code" else "person",
        name=name,
        born_on=born_on,
        scheme=scheme,
        value=value,
        checked_by=checked_by,
        key_rows=tuple(pairs),
    )


async def create(db: AsyncConnection, newcomers: Iterable[NewOwner], at: datetime) -> None:
    """Insert the new stores under the head lock.

    Raises:
        Moved: somebody else opened a store for one of them meanwhile.
    """
    for new in newcomers:
        if await owners.by_identifier(db, new.scheme, new.value) is not None:
            raise Moved
        await owners.create(db, new, at)


def holders(newcomers: Iterable[NewOwner]) -> dict[str, Holder]:
    """Give the log keys of stores that are only being made, for the entries about them."""
    return {new.id: Holder("owner", new.id, public_key(new, "log")) for new in newcomers}


def public_key(new: NewOwner, purpose: str) -> bytes:
    """Give a public key of a store that is only being made."""
    return next(bytes(row["public"]) for row in new.key_rows if row["purpose"] == purpose)
