"""What a result of a dossier and one outside any dossier share: a paper, its owners, what it replaces.

The paper is made once for a request, however often the request is decided; what is decided is that it may be
stored for those owners, and that each older record may end.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import file_digest
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from sqlalchemy import insert

from policies.decision import decide
from policies.facts import AccessFacts, CallerFacts
from signing.leaf import Kind
from signing.report import Examination
from vault import agencies, beside, keeping, newcomers, replacing, telling, trust_rows, waiting_seals
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import Logged
from vault.errors import FieldInvalid
from vault.evidence_tables import handed_in_file
from vault.gathering import Scene
from vault.keeping import Description, Kept
from vault.known_papers import known_paper
from vault.owners import NewOwner
from vault.plan import found_dossier
from vault.records import Stored
from vault.result_paper import HandedInFile, Paper, checked_fields, composed, handed_in, sealed_here
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft
from vault.telling import Telling


class HandedIn(Protocol):
    """A result as an agency hands it in: fields to compose it from, or what a file says."""

    @property
    def type(self) -> str:
        """The record type."""

    @property
    def fields(self) -> Mapping[str, Any] | None:
        """What to compose it from; None when it is a file."""

    @property
    def title(self) -> str | None:
        """Its title; the name of its type if none is given."""

    @property
    def number(self) -> str | None:
        """Its number; that of the fields if none is given."""

    @property
    def issued_on(self) -> date | None:
        """Its day of issue."""

    @property
    def valid_until(self) -> date | None:
        """The last day of its term; None for a paper without an end date."""

    @property
    def replaces(self) -> tuple[str, ...]:
        """Older records that it takes the place of."""


@dataclass(frozen=True)
class Owners:
    """Whom a result is for, and what was read about them under which epochs.

    `roles` are what the answer calls the owners; `identifiers` are every one they are known by.
    """

    who: CallerFacts
    roles: tuple[tuple[str, str], ...]  # role, owner
    identifiers: Sequence[tuple[str, str]]  # scheme, value
    held: Sequence[Stored]
    before: Sequence[str]  # owner ids of whom an older record may be replaced
    newcomers: Sequence[NewOwner]
    epochs: Mapping[str, int]
    at: datetime
    names_agree: bool | None = None  # with the stores', where the owners were named and there was one

    @property
    def ids(self) -> tuple[str, ...]:
        """The owner ids, each once."""
        return tuple(dict.fromkeys(owner for _, owner in self.roles))


async def file_sha256(file: Path) -> str:
    """Give the SHA-256 of a file in hex."""
    with file.open("rb") as handle:
        return (await asyncio.to_thread(file_digest, handle, "sha256")).hexdigest()


def owners_in_roles(found: Scene, roles: Sequence[str]) -> tuple[str, ...]:
    """Give the owners that persons of the dossier are, by the roles they have in it.

    Raises:
        FieldInvalid: no role is named, or one that the dossier does not have.
    """
    by_role = {one.role: one.owner for one in found_dossier(found).facts.persons}
    people = []
    for role in roles:
        owner = by_role.get(role)
        if owner is None:
            raise FieldInvalid("owners", "role_not_in_dossier")
        people.append(owner)
    if not people:
        raise FieldInvalid("owners", "owners_missing")
    return tuple(dict.fromkeys(people))


class Making:
    """The paper of one request, made when it is first needed; a context that removes what was composed."""

    def __init__(
        self,
        vault: Vault,
        caller: SystemCaller,
        body: HandedIn,
        file: HandedInFile | None,
        dossier: str | None,
        request: str,
    ) -> None:
        """Take `request` as the name of what the signature of the paper is for (`sealing_request`)."""
        self._vault = vault
        self._caller = caller
        self._body = body
        self._file = file
        self._dossier = dossier
        self._request = request
        self._answered = False
        self._paper: Paper | None = None
        self._kept: Kept | None = None
        _check_said(body, file, legal_day(vault.clock.now()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._paper is not None and (self._file is None or self._paper.file != self._file.path):
            self._paper.file.unlink(missing_ok=True)
        await self._vault.sealer.settle(self._request, used=self._answered)

    def ended(self, told: Answer | Refusal) -> Answer | Refusal:
        """Take note how the request ended: with an answer, its signature is in use."""
        self._answered = not isinstance(told, Refusal)
        return told

    async def came(self) -> dict[str, str]:
        """Say by SHA-256 (hex) which file and signature came: with another it is another request."""
        if self._file is None:
            return {"file": ""}
        return {"file": await file_sha256(self._file.path)} | beside.asked(self._file.signature)

    async def begin(self, people: Owners) -> bool:
        """Have the paper composed or examined, and sealed; says whether that was done just now.

        A file that nobody signed is sealed, unless it is a record already.

        Raises:
            FieldInvalid: the type, a field or the file cannot be accepted.
            SealingFailed: no seal could be made.
        """
        if self._paper is None:
            self._paper = await self._made(people)
        elif not self._paper.to_be_sealed or self._known(self._paper, people) is not None:
            return False
        else:
            self._paper = await sealed_here(self._vault, self._caller, self._paper, people.at, self._request)
        return True

    async def _made(self, people: Owners) -> Paper:
        body, at = self._body, people.at
        if self._vault.book.record_type(body.type, legal_day(at)) is None:
            raise FieldInvalid("type", "record_type_unknown")
        if self._file is not None:
            return await handed_in(self._vault, self._caller, self._file, at)
        fields = checked_fields(body.type, body.fields or {}, people.identifiers)
        return await composed(self._vault, self._caller.agency, body.type, fields, at, self._request)

    def _known(self, paper: Paper, people: Owners) -> Stored | None:
        """Give the record that a handed-in file is already."""
        if paper.fields is not None:
            return None
        sha256 = (paper.came or paper.examined).sha256
        return known_paper(people.who, people.held, sha256, self._body.type, people.ids, paper.signature)

    def signature(self) -> bytes | None:
        """Give the signature that stands beside the file."""
        return self._file.signature if self._file is not None else None

    def handed_in(self) -> Examination | None:
        """Give the examination of the file as it came, where what is kept is another one, sealed here."""
        return self._paper.came if self._paper is not None else None

    async def stored(self, people: Owners) -> tuple[Stored, Kept | None]:
        """Give the record that the paper already is, or the one it becomes, whose bytes are durable then."""
        paper = self._paper
        assert paper is not None  # noqa: S101 - begun before
        known = self._known(paper, people)
        if known is not None:
            _check_recorded(known, self._body)
            async with self._vault.db.read() as db:
                (known,) = await trust_rows.explained(db, [known])
            return known, None
        if self._kept is None or set(self._kept.keys) != set(people.ids):
            self._kept = await keeping.keep(
                self._vault,
                paper.file,
                paper.examined,
                await self._description(paper, people.at),
                owners_of=people.ids,
                newcomers=people.newcomers,
                data=paper.fields,
                at=people.at,
                signature=paper.signature,
            )
        return self._kept.told(), self._kept

    async def _description(self, paper: Paper, at: datetime) -> Description:
        body, fields = self._body, paper.fields or {}
        known = self._vault.book.record_type(body.type, legal_day(at))
        async with self._vault.db.read() as db:
            name, _ = await agencies.name(db, self._caller.agency)
        number = body.number or fields.get("number") or fields.get("tax_code")
        return Description(
            type=body.type,
            title=body.title or (known.name.vi if known is not None else body.type),
            source="result" if paper.fields is not None else "result_file",
            issuer=self._caller.agency,
            issuer_name=name,
            number=str(number) if number else None,
            issued_on=body.issued_on or (legal_day(at) if paper.fields is not None else None),
            valid_until=body.valid_until,
            dossier=self._dossier,
            unsealed=paper.unsealed[0] if paper.unsealed is not None else None,
        )


async def draft(
    vault: Vault,
    caller: SystemCaller,
    making: Making,
    body: HandedIn,
    people: Owners,
    facts: AccessFacts,
    key: str,
    resumes: str | None,
) -> Draft | Refusal:
    """Make ready what stores a result for its owners and ends what it replaces; a no to either is logged.

    Args:
        facts: of the issuing, as the owners' entry holds them.
        resumes: the id of what waited for its seal, and ends waiting by this.
    """
    stored, new = await making.stored(people)
    event = "issued" if new is not None else "handed_in_again"
    owners = tuple(sorted(people.ids))
    decision = decide(facts, vault.book, people.at)
    came = making.handed_in()
    details = {"handed_in": came.sha256.hex()} if came is not None else {}
    details |= beside.asked(making.signature())
    told = [Telling(Kind.RECORD_EVENT, event, facts, decision, owners, stored, request=key, details=details)]
    async with vault.db.read() as db:
        older = await replacing.older(db, body.replaces, of=people.before, type=body.type, at=people.at)
    told += replacing.tellings(vault, people.who, older, stored.facts.id, key, people.at)
    refused = [replace(one, kind=Kind.REFUSED) for one in told if not one.decision.permitted]
    if refused:
        return await telling.refuse(vault, caller, refused)
    prepared = await telling.prepare(vault, caller, told, newcomers.holders(people.newcomers))

    async def write(tx: Transaction, logged: list[Logged]) -> Answer:
        await newcomers.create(tx.db, people.newcomers, people.at)
        codes = stored.document_codes if new is None else await keeping.write(tx.db, new, people.at)
        if new is not None and came is not None:
            row = {"record": new.id, "content_sha256": came.sha256, "content_size": came.size}
            await tx.db.execute(insert(handed_in_file).values(**row))
        indexes = [one.index for one in logged[1:]]
        heard = await replacing.write(tx.db, caller, older, stored.facts.id, indexes, people.at)
        return {
            **_answer(people, replace(stored, document_codes=codes), logged[0]),
            **_as_it_came(came),
            "already_stored": new is None,
            "dossiers": heard,
        }

    ready = Draft(prepared, people.epochs, people.at, write)
    return ready if resumes is None else waiting_seals.finishing(ready, resumes)


def _answer(people: Owners, stored: Stored, entry: Logged) -> Answer:
    codes = stored.document_codes
    return {
        "record": stored.facts.id,
        "document_codes": {role: codes[owner] for role, owner in people.roles if owner in codes},
        "type": stored.facts.type,
        "trust": stored.facts.trust.value,
        "trust_reasons": list(stored.trust_reasons),
        "verdict": stored.facts.verdict,
        "reasons": list(stored.facts.verdict_reasons),
        "digest": stored.row["content_sha256"].hex(),
        "size": stored.row["content_size"],
        **beside.told_of(stored.row),
        "receipt": entry.receipt,
        "index": entry.index,
    }


def _as_it_came(came: Examination | None) -> Answer:
    if came is None:
        return {}
    return {"handed_in_digest": came.sha256.hex(), "handed_in_size": came.size}


def _check_said(body: HandedIn, file: HandedInFile | None, today: date) -> None:
    """Refuse what cannot be true of any paper, before anything is composed or examined."""
    if file is not None and body.fields is not None:
        raise FieldInvalid("file", "fields_or_file")
    if file is None and body.fields is None:
        raise FieldInvalid("fields", "fields_or_file")
    if body.issued_on is not None and body.issued_on > today:
        raise FieldInvalid("issued_on", "date_in_future")
    begins = body.issued_on or (today if file is None else None)
    if body.valid_until is not None and begins is not None and body.valid_until < begins:
        raise FieldInvalid("valid_until", "ends_before_it_begins")


def _check_recorded(known: Stored, body: HandedIn) -> None:
    """Refuse other facts about a file than those of the record that it already is."""
    recorded = {
        "number": known.row["number"],
        "issued_on": known.facts.issued_on,
        "valid_until": known.facts.valid_until,
    }
    for field, value in recorded.items():
        if getattr(body, field) not in (None, value):
            raise FieldInvalid(field, "not_as_recorded")
    if known.facts.id in body.replaces:
        raise FieldInvalid("replaces", "value_invalid")
