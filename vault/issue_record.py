"""A result outside any dossier: an agency stores what it issued for whom its law names (DESIGN 7, 10)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from policies.decision import decide
from policies.facts import AccessFacts, Action
from policies.recording import plain
from signing.errors import SealingFailed
from signing.file_types import PDF
from signing.leaf import Kind
from vault import agencies, epochs, issuing, newcomers, owners, records, requests, telling, waiting_seals
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.errors import FieldInvalid
from vault.issuing import Making, Owners
from vault.result_paper import HandedInFile
from vault.sealer import sealing_request
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.telling import Telling
from vault.waiting_files import HandedIn
from vault.waiting_seals import Order

MAX_OWNERS = 20  # of one record


@dataclass(frozen=True)
class RecordOwner:
    """An owner as the issuing agency names them: their part in the document, an identifier, a name."""

    role: str
    scheme: str
    value: str
    name: str
    born_on: date | None = None


@dataclass(frozen=True)
class RecordBody:
    """A record as the agency hands it in: fields to compose it from, or what a file says."""

    type: str
    owners: tuple[RecordOwner, ...]
    fields: Mapping[str, Any] | None
    title: str | None = None
    number: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    replaces: tuple[str, ...] = ()  # older records that this one takes the place of


async def issue_record(
    vault: Vault,
    caller: SystemCaller,
    body: RecordBody,
    file: Path | None,
    *,
    key: str,
    resumes: str | None = None,
    declared_type: str = PDF,
    signature: bytes | None = None,
) -> Answer | Refusal:
    """Store a record for its owners, each with a key and a document code of their own.

    An owner whom Kho does not know gets a store, as a person of a dossier does.

    Args:
        file: the record as a file; None when it is composed from `body.fields`.
        key: the Idempotency-Key.
        declared_type: the media type of the file, as its sender says; signed XML is taken beside PDF.
        signature: what stands beside the file (CMS, CAdES).
        resumes: the id of what waited for its seal and is carried out now.

    Where nobody can stamp or sign just now, the answer says that the result waits (vault/waiting_seals.py).

    Raises:
        FieldInvalid: a field, an owner or the file cannot be accepted; nothing is stored.
        SealingFailed: no seal can be made, and waiting would not help; nothing is stored.
    """
    _check_owners(vault, body)
    came = HandedInFile(file, declared_type, signature) if file is not None else None
    request = sealing_request("issue_record", caller.id, key)
    async with (
        vault.in_hand.taken(caller.id, key),
        Making(vault, caller, body, came, None, request) as making,
    ):

        async def draft(at: datetime) -> Draft | Refusal:
            people = await _people(vault, caller, body, at)
            facts = AccessFacts(
                Action.ISSUE_RECORD,
                people.who,
                result_type=body.type,
                result_persons=people.ids,
                names_agree=people.names_agree,
            )
            refusal = await _barred(vault, caller, people, facts, key)
            if refusal is not None:
                return refusal
            if await making.begin(people):
                return await draft(vault.clock.now())  # that took its time: what is true now is decided on
            return await issuing.draft(vault, caller, making, body, people, facts, key, resumes)

        asked = requests.body_hash("issue_record", await making.came() | plain(asdict(body)))
        try:
            told = await settle(vault, caller, key=key, asked=asked, draft=draft, resumes=resumes)
            return making.ended(told)
        except SealingFailed as problem:
            if resumes is not None:
                raise
            handed = HandedIn(file, PDF) if file is not None else None
            order = Order("issue_record", plain(asdict(body)), body.type, None, key, asked, file=handed)
            return await waiting_seals.accept(vault, caller, order, problem)


def _check_owners(vault: Vault, body: RecordBody) -> None:
    if not 0 < len(body.owners) <= MAX_OWNERS:
        raise FieldInvalid("owners", "owners_number")
    roles = [one.role for one in body.owners]
    if len(set(roles)) != len(roles):
        raise FieldInvalid("owners", "role_twice")
    known = vault.book.record_type(body.type, legal_day(vault.clock.now()))
    for number, role in enumerate(roles):
        if known is not None and role not in known.owner_roles:
            raise FieldInvalid(f"owners.{number}.role", "role_not_of_type")


async def _people(vault: Vault, caller: SystemCaller, body: RecordBody, at: datetime) -> Owners:
    async with vault.db.read() as db:
        found = await newcomers.find(vault, db, body.owners, field="owners", checked_by=caller.agency)
        if len(set(found.owners)) != len(found.owners):
            raise FieldInvalid("owners", "owner_twice")
        who = await agencies.caller_facts(db, caller, legal_day(at), [body.type])
        fresh = {new.id for new in found.newcomers}
        known = [one for one in found.owners if one not in fresh]
        keys = [epochs.BOOK, ("agency", caller.agency), *(("owner", one) for one in known)]
        return Owners(
            who=who,
            roles=tuple((one.role, owner) for one, owner in zip(body.owners, found.owners, strict=True)),
            identifiers=[
                *found.identifiers,
                *[pair for one in known for pair in await owners.identifiers(db, one)],
            ],
            held=await records.of_owners(db, known, legal_day(at), {}),
            before=known,
            newcomers=found.newcomers,
            names_agree=None if set(found.name_agrees) == {None} else False not in found.name_agrees,
            epochs=await epochs.read(db, keys),
            at=at,
        )


async def _barred(
    vault: Vault, caller: SystemCaller, people: Owners, facts: AccessFacts, key: str
) -> Refusal | None:
    """Refuse what the agency may not issue; whoever has no store yet is not told, so the agency alone is."""
    decision = decide(facts, vault.book, people.at)
    if decision.permitted:
        return None
    fresh = {new.id for new in people.newcomers}
    tellings = [
        Telling(
            Kind.REFUSED,
            "issue_record_refused",
            replace(facts, result_persons=(owner,)),
            decision,
            () if owner in fresh else (owner,),
            request=key,
        )
        for owner in people.ids
    ]
    return await telling.refuse(vault, caller, tellings)
