"""A request for consent, checked and put into rows: whom it names, and the exact text they will be shown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from unicodedata import category, normalize

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.consents import Scope, compose
from policies.entries import Text
from policies.errors import IdentifierInvalid
from policies.identifiers import identifier
from vault import agencies, owners, records
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import new_id, stamp
from vault.errors import FieldInvalid
from vault.records import Stored
from vault.services import Vault

ANSWER_DAYS = 30  # a request that is not answered is void after that
MAX_PURPOSES = 5
MAX_TYPES = 10
MAX_RECORDS = 20
MAX_REASON = 300  # characters
# Letters that change how others are shown (line ends, direction marks) have no place in a text to agree to.
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
MAX_READS = 1000  # whatever the purpose; the policy book sets less


@dataclass(frozen=True)
class AskedPurpose:
    """One purpose, a key of the policy book; the reason is shown to the person as the asker's own words."""

    purpose: str
    reason: str


@dataclass(frozen=True)
class ConsentRequest:
    """What is asked of whom: types of documents, documents, or both; one consent comes of each purpose."""

    scheme: str
    value: str
    name: str
    purposes: tuple[AskedPurpose, ...]
    types: tuple[str, ...]
    records: tuple[str, ...]
    valid_from: date | None  # None: from today on
    valid_until: date  # the last day
    max_reads: int


@dataclass(frozen=True)
class Addressed:
    """Whom a request reaches: `owner` None when nobody is told; `held` are the named records they own."""

    owner: str | None
    tag: bytes  # keyed hash of the identifier, known or not
    held: tuple[Stored, ...]


def checked(vault: Vault, body: ConsentRequest, today: date) -> ConsentRequest:
    """Check the fields against the limits of the policy book; give them in their one writing."""
    try:
        value = identifier(body.scheme, body.value)
    except IdentifierInvalid as problem:
        raise FieldInvalid("person.identifier", problem.code) from problem
    _check_purposes(body)
    _check_documents(vault, body, today)
    first = body.valid_from or today
    known = [vault.book.purpose(one.purpose, today) for one in body.purposes]
    limits = [one for one in known if one is not None]  # an unknown purpose is refused by its decision
    if first < today:
        raise FieldInvalid("valid_from", "date_in_past")
    if body.valid_until < first:
        raise FieldInvalid("valid_until", "dates_out_of_order")
    if limits and body.valid_until > first + timedelta(days=min(one.max_days for one in limits) - 1):
        raise FieldInvalid("valid_until", "consent_too_long")
    if not 0 < body.max_reads <= MAX_READS or any(body.max_reads > one.max_reads for one in limits):
        raise FieldInvalid("max_reads", "consent_reads_number")
    purposes = tuple(replace(one, reason=normalize("NFC", one.reason).strip()) for one in body.purposes)
    return replace(body, value=value, purposes=purposes, valid_from=first)


def _check_purposes(body: ConsentRequest) -> None:
    if not 0 < len(body.purposes) <= MAX_PURPOSES:
        raise FieldInvalid("purposes", "purposes_number")
    if len({one.purpose for one in body.purposes}) != len(body.purposes):
        raise FieldInvalid("purposes", "purpose_twice")
    for number, one in enumerate(body.purposes):
        if not 0 < len(one.reason.strip()) <= MAX_REASON:
            raise FieldInvalid(f"purposes.{number}.reason", "reason_length")
        if any(category(letter) in _UNSHOWN for letter in one.reason):
            raise FieldInvalid(f"purposes.{number}.reason", "value_malformed")


def _check_documents(vault: Vault, body: ConsentRequest, today: date) -> None:
    if not body.types and not body.records:
        raise FieldInvalid("types", "consent_nothing_asked")
    for field, given, most in (("types", body.types, MAX_TYPES), ("records", body.records, MAX_RECORDS)):
        if len(given) > most:
            raise FieldInvalid(field, "too_many")
        if len(set(given)) != len(given):
            raise FieldInvalid(field, "consent_document_twice")
    for number, kind in enumerate(body.types):
        if vault.book.record_type(kind, today) is None:
            raise FieldInvalid(f"types.{number}", "record_type_unknown")


async def addressed(vault: Vault, db: AsyncConnection, body: ConsentRequest, today: date) -> Addressed:
    """Find whom an identifier and a name stand for together; either alone is nobody.

    Who holds none of the records that are asked for by id, and no type is asked for, has nothing to agree to.
    """
    (tag,) = await vault.gate.tags([(f"asked:{body.scheme}", body.value)])
    owner = await owners.by_identifier(db, body.scheme, body.value)
    if owner is None or _folded(await owners.name(db, owner)) != _folded(body.name):
        return Addressed(None, tag, ())
    named = await records.several(db, body.records, today)
    held = tuple(one for one in named if owner in one.facts.owners)
    return Addressed(owner, tag, held) if body.types or held else Addressed(None, tag, ())


async def rows(
    vault: Vault,
    db: AsyncConnection,
    caller: SystemCaller,
    body: ConsentRequest,
    to: Addressed,
    at: datetime,
) -> list[dict[str, Any]]:
    """Make the rows of a request, one consent a purpose, each with its own text."""
    today, bundle = legal_day(at), new_id("ask")
    recipient = Text(*await agencies.name(db, caller.agency))
    name = await owners.name(db, to.owner) if to.owner is not None else ""
    scope = _scope(vault, body, name, recipient, to.held, today)
    made = []
    for one in body.purposes:
        text = _text(vault, one, scope, today) if to.owner is not None else Text("", "")
        made.append(
            {
                "id": new_id("cns"),
                "bundle": bundle,
                "owner": to.owner,
                "asked": to.tag,
                "agency": caller.agency,
                "system": caller.system,
                "purpose": one.purpose,
                "reason": one.reason,
                "types": json.dumps(sorted(body.types)),
                "text_vi": text.vi,
                "text_en": text.en,
                "valid_from": scope.valid_from.isoformat(),
                "valid_until": scope.valid_until.isoformat(),
                "answer_until": scope.answer_until.isoformat(),
                "max_reads": scope.max_reads,
                "used": 0,
                "state": "requested",
                "asked_at": stamp(at),
            }
        )
    return made


def _text(vault: Vault, asked: AskedPurpose, scope: Scope, today: date) -> Text:
    purpose, template = vault.book.purpose(asked.purpose, today), vault.book.consent_text(today)
    if purpose is None or template is None:
        return Text("", "")  # the decision refuses such a request
    return compose(template, purpose, replace(scope, reason=asked.reason))


def _folded(name: str) -> str:
    return " ".join(normalize("NFC", name).casefold().split())


def _scope(
    vault: Vault, body: ConsentRequest, name: str, recipient: Text, held: Sequence[Stored], today: date
) -> Scope:
    types = [vault.book.record_type(kind, today) for kind in body.types]
    documents = [one.name for one in types if one is not None]
    for one in held:
        number = one.row["number"]
        documents.append(
            Text(
                one.row["title"] + (f", số {number}" if number else ""),
                one.row["title"] + (f", number {number}" if number else ""),
            )
        )
    return Scope(
        owner=name,
        recipient=recipient,
        documents=documents,
        types=frozenset(body.types) | {one.facts.type for one in held},
        reason="",
        valid_from=body.valid_from or today,
        valid_until=body.valid_until,
        answer_until=min(today + timedelta(days=ANSWER_DAYS), body.valid_until),
        max_reads=body.max_reads,
    )
