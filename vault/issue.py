"""A result of a dossier: composed and sealed from fields, or a file whose seal is checked (DESIGN 7, 8)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from policies.decision import decide
from policies.facts import AccessFacts, Action
from policies.recording import plain
from signing.errors import SealingFailed
from signing.file_types import PDF
from signing.leaf import Kind
from vault import issuing, owners, requests, telling, waiting_seals
from vault.callers import SystemCaller
from vault.dossiers import canonical_code
from vault.gathering import Scene, scene
from vault.issuing import Making, Owners, owners_in_roles
from vault.plan import barred, found_dossier
from vault.result_paper import HandedInFile
from vault.sealer import sealing_request
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.telling import Telling
from vault.waiting_files import HandedIn
from vault.waiting_seals import Order


@dataclass(frozen=True)
class ResultBody:
    """A result as the agency hands it in: fields to compose it from, or what a file says."""

    type: str
    owner_roles: tuple[str, ...]
    fields: Mapping[str, Any] | None
    title: str | None
    number: str | None
    issued_on: date | None
    valid_until: date | None
    replaces: tuple[str, ...] = ()  # older records that this one takes the place of


async def issue(
    vault: Vault,
    caller: SystemCaller,
    code: str,
    body: ResultBody,
    file: Path | None,
    *,
    key: str,
    resumes: str | None = None,
    declared_type: str = PDF,
    signature: bytes | None = None,
) -> Answer | Refusal:
    """Store a result in its owners' stores, and answer the record with its document codes.

    Args:
        file: the result as a file; None when it is composed from `body.fields`.
        key: the Idempotency-Key.
        declared_type: the media type of the file, as its sender says; signed XML is taken beside PDF.
        signature: what stands beside the file (CMS, CAdES).
        resumes: the id of what waited for its seal and is carried out now.

    Where nobody can stamp or sign just now, the answer says that the result waits (vault/waiting_seals.py).

    Raises:
        FieldInvalid: a field or the file cannot be accepted; nothing is stored.
        NotFound: there is no such dossier, or it is another agency's.
        SealingFailed: no seal can be made, and waiting would not help; nothing is stored.
    """
    code = canonical_code(code)
    came = HandedInFile(file, declared_type, signature) if file is not None else None
    request = sealing_request("issue", caller.id, key)
    async with (
        vault.in_hand.taken(caller.id, key),
        Making(vault, caller, body, came, code, request) as making,
    ):

        async def draft(at: datetime) -> Draft | Refusal:
            people = await _people(vault, caller, code, body, at, key)
            if isinstance(people, Refusal):
                return people
            found, owned = people
            if await making.begin(owned):
                return await draft(vault.clock.now())  # that took its time: what is true now is decided on
            facts = _facts(found, body, owned.ids)
            return await issuing.draft(vault, caller, making, body, owned, facts, key, resumes)

        wanted = {"code": code} | await making.came() | plain(asdict(body))
        asked = requests.body_hash("issue", wanted)
        try:
            told = await settle(vault, caller, key=key, asked=asked, draft=draft, resumes=resumes)
            return making.ended(told)
        except SealingFailed as problem:
            if resumes is not None:
                raise
            handed = HandedIn(file, PDF) if file is not None else None
            order = Order("issue", plain(asdict(body)), body.type, code, key, asked, file=handed)
            return await waiting_seals.accept(vault, caller, order, problem)


async def _people(
    vault: Vault, caller: SystemCaller, code: str, body: ResultBody, at: datetime, key: str
) -> tuple[Scene, Owners] | Refusal:
    """Read whom the result is for, once it is decided that the agency may issue it to them."""
    async with vault.db.read() as db:
        found = await scene(vault, db, caller, code, at, [body.type])
    refusal = await barred(vault, caller, found, code, Action.ASK_PLAN) or await _barred(
        vault, caller, found, body, key
    )
    if refusal is not None:
        return refusal
    ids = owners_in_roles(found, body.owner_roles)
    async with vault.db.read() as db:
        identifiers = [pair for one in ids for pair in await owners.identifiers(db, one)]
    persons = found_dossier(found).facts.persons
    return found, Owners(
        who=found.caller,
        roles=tuple((one.role, one.owner) for one in persons if one.owner is not None and one.owner in ids),
        identifiers=identifiers,
        held=found.records,
        before=found_dossier(found).owners,
        newcomers=(),
        epochs=found.epochs,
        at=at,
    )


async def _barred(
    vault: Vault, caller: SystemCaller, found: Scene, body: ResultBody, key: str
) -> Refusal | None:
    people = owners_in_roles(found, body.owner_roles)
    decision = decide(_facts(found, body, people), vault.book, found.at)
    if decision.permitted:
        return None
    tellings = [
        Telling(Kind.REFUSED, "issue_refused", _facts(found, body, (owner,)), decision, (owner,), request=key)
        for owner in people
    ]
    return await telling.refuse(vault, caller, tellings)


def _facts(found: Scene, body: ResultBody, people: tuple[str, ...]) -> AccessFacts:
    """Give the facts of a result as they concern its owners: nobody else of the dossier stands in them."""
    return AccessFacts(
        Action.ISSUE_RESULT,
        found.caller,
        dossier=found_dossier(found).about(*people),
        result_type=body.type,
        result_persons=people,
    )
