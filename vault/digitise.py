"""A scan in place of a component: measured, copied, marked, signed, stored; class B where it is good enough.

A scan in spite of an answer of the plan says why, and is counted as such (DESIGN 10).
"""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import insert

from policies.decision import decide
from policies.facts import RESCAN_REASONS, AccessFacts, Action, Decision
from policies.recording import plain
from signing.errors import SealingFailed
from signing.file_types import PDF
from signing.leaf import Kind
from vault import epochs, keeping, requests, telling, waiting_answers, waiting_seals
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.confirming import planned
from vault.days import legal_day
from vault.dossiers import canonical_code
from vault.entries import Logged
from vault.errors import FieldInvalid
from vault.evidence_tables import scan, scan_finding
from vault.gathering import Scene, scene
from vault.issuing import file_sha256, owners_in_roles
from vault.keeping import Description, Kept
from vault.plan import barred, found_dossier
from vault.scan_found import JudgedScan, Reading
from vault.scan_kept import ScanKept
from vault.scanned_paper import Scanned, ScannedPaper, marked
from vault.sealer import sealing_request
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.tables import digitisation
from vault.telling import Telling
from vault.validity import MAX_WORDS
from vault.waiting_files import HandedIn
from vault.waiting_seals import SCAN, Order


@dataclass(frozen=True)
class ScanBody:
    """What an officer says of a scan; `reason` where the plan had an answer, `explanation` for `other`."""

    type: str
    owner_roles: tuple[str, ...]
    title: str | None = None
    number: str | None = None
    issued_on: date | None = None
    issuer_name: str | None = None  # as the officer reads it off the paper
    reason: str | None = None
    explanation: str | None = None


async def digitise(
    vault: Vault,
    caller: SystemCaller,
    code: str,
    component: str,
    body: ScanBody,
    file: Path,
    *,
    key: str,
    declared_type: str = PDF,
    known: tuple[JudgedScan, Reading] | None = None,
    resumes: str | None = None,
) -> Answer | Refusal:
    """Store a scan for its owners, marked and sealed as the agency's conversion, of the class it is worth.

    Args:
        file: the scan, an unsigned PDF or a picture.
        declared_type: its media type, as whoever hands it in says.
        known: what was found of this very file lately (`scan_drafting`), so that it is not looked for again.
        key: the Idempotency-Key.
        resumes: the id of what waited for its seal and is carried out now.

    What was read of it is told once, as `reading`, decides nothing and is not kept with the answer: asked
    again under its key, the answer is the same without it. Of a scan that waited for its seal it is told for
    some days with the answer that came of it (vault/waiting_answers.py).

    Where nobody can stamp or sign just now, the answer says that the scan waits (vault/waiting_seals.py). The
    same bytes for the same component wait once, under whatever key: later ones are told of the first.

    Raises:
        FieldInvalid: a field or the file cannot be accepted; nothing is stored. ScanRefused: its quality.
        NotFound: there is no such dossier, or it is another agency's.
        SealingFailed: no seal can be made, and waiting would not help; nothing is stored.
    """
    _check_said(body, legal_day(vault.clock.now()))
    code = canonical_code(code)
    digest = await file_sha256(file)
    said = plain(asdict(body))
    asked = requests.body_hash("digitise", {"code": code, "component": component, "file": digest} | said)
    order = Order(SCAN, said, body.type, code, key, asked, component, HandedIn(file, declared_type))
    async with (
        vault.in_hand.taken(caller.id, key),
        _Making(vault, caller, body, file, declared_type, code, key, known) as making,
    ):

        async def draft(at: datetime) -> Draft | Refusal:
            async with vault.db.read() as db:
                found = await scene(vault, db, caller, code, at, [body.type])
            refusal = await barred(vault, caller, found, code, Action.ASK_PLAN)
            if refusal is not None:
                return refusal
            facts = _facts(vault, found, component, body)
            decision = decide(facts, vault.book, at)
            if not decision.permitted:
                return await _refuse(vault, caller, found, facts, decision, key)
            if resumes is None:
                async with vault.db.read() as db:
                    waits = await waiting_seals.same_scan(db, caller, order, bytes.fromhex(digest))
                if waits is not None:
                    return waiting_seals.joining(caller, order, bytes.fromhex(digest), found.epochs, found.at)
            if await making.begin(found, facts):
                return await draft(vault.clock.now())  # that took its time: what is true now is decided on
            ready = await _ready(vault, caller, making, found, facts, decision, key)
            if resumes is None:
                return ready
            read = await waiting_answers.kept_reading(vault, caller.agency, resumes, making.read())
            return waiting_seals.finishing(ready, resumes, read)

        try:
            told = await settle(vault, caller, key=key, asked=asked, draft=draft, resumes=resumes)
            making.stored = not isinstance(told, Refusal)
        except SealingFailed as problem:
            if resumes is not None:
                raise
            return await waiting_seals.accept(vault, caller, order, problem)
        if isinstance(told, Refusal) or resumes is not None:
            return told
        if making.paper is not None:
            return told | making.read()
        return await waiting_answers.now(vault, caller, key, told)


def _check_said(body: ScanBody, today: date) -> None:
    if body.reason is not None and body.reason not in RESCAN_REASONS:
        raise FieldInvalid("reason", "value_unknown")
    if body.reason == "other" and not (body.explanation or "").strip():
        raise FieldInvalid("explanation", "field_missing")
    if len(body.explanation or "") > MAX_WORDS:
        raise FieldInvalid("explanation", "text_length", f"1 to {MAX_WORDS} characters")
    if body.issued_on is not None and body.issued_on > today:
        raise FieldInvalid("issued_on", "date_in_future")


def _facts(vault: Vault, found: Scene, component: str, body: ScanBody) -> AccessFacts:
    people = owners_in_roles(found, body.owner_roles)
    answer = planned(vault, found, component)
    answered = answer.state if answer is not None else None
    return AccessFacts(
        Action.DIGITISE,
        found.caller,
        dossier=found_dossier(found).about(*people),
        component=component,
        result_type=body.type,
        result_persons=people,
        answered=answered,
        rescan_reason=body.reason if answered != "none" else None,
    )


async def _refuse(
    vault: Vault, caller: SystemCaller, found: Scene, facts: AccessFacts, decision: Decision, key: str
) -> Refusal:
    tellings = [
        Telling(
            Kind.REFUSED,
            "digitise_refused",
            replace(facts, dossier=found_dossier(found).about(owner), result_persons=(owner,)),
            decision,
            (owner,),
            request=key,
        )
        for owner in facts.result_persons
    ]
    return await telling.refuse(vault, caller, tellings)


class _Making:
    """The marked paper of one request, made when it is first needed; a context that removes it."""

    def __init__(
        self,
        vault: Vault,
        caller: SystemCaller,
        body: ScanBody,
        file: Path,
        declared_type: str,
        code: str,
        key: str,
        known: tuple[JudgedScan, Reading] | None,
    ) -> None:
        self._vault = vault
        self._caller = caller
        self._file = file
        self._declared_type = declared_type
        self._code = code
        self._known = known
        self._request = sealing_request(SCAN, caller.id, key)
        self.stored = False  # whether the request has its answer
        self._kept: Kept | None = None
        self.body = body
        self.paper: ScannedPaper | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.paper is not None:
            self.paper.file.unlink(missing_ok=True)
        await self._vault.sealer.settle(self._request, used=self.stored)

    async def begin(self, found: Scene, facts: AccessFacts) -> bool:
        """Have the scan measured, copied, marked and sealed; says whether that was done just now."""
        if self.paper is not None:
            return False
        scanned = Scanned(
            self._file,
            self._declared_type,
            self._code,
            found_dossier(found).facts.procedure,
            facts.result_persons,
            self._title(found.at),
            self._request,
            self._known,
        )
        self.paper = await marked(self._vault, self._caller, scanned, found.at)
        return True

    def read(self) -> Answer:
        """Give what was read of the scan as `reading`; nothing if nothing was, or nothing was made now."""
        found = self.paper.reading if self.paper is not None else None
        return {"reading": found.told()} if found is not None and found.pages else {}

    def _title(self, at: datetime) -> str:
        known = self._vault.book.record_type(self.body.type, legal_day(at))
        return self.body.title or (known.name.vi if known is not None else self.body.type)

    async def kept(self, paper: ScannedPaper, owners: tuple[str, ...], at: datetime) -> Kept:
        """Give the record that the paper becomes; its bytes are durable then."""
        if self._kept is None:
            body = self.body
            description = Description(
                type=body.type,
                title=self._title(at),
                source="digitised",
                issuer=None,  # who scans a paper did not issue it; the converter stands in `digitisation`
                issuer_name=(body.issuer_name or "").strip() or None,
                number=body.number,
                issued_on=body.issued_on,
                dossier=self._code,
                converter=self._caller.agency,
                scan_passed=paper.scan.quality.passed,
            )
            self._kept = await keeping.keep(
                self._vault,
                paper.file,
                paper.examined,
                description,
                owners_of=owners,
                data=None,
                at=at,
                original=paper.original,
            )
        return self._kept


async def _ready(
    vault: Vault,
    caller: SystemCaller,
    making: _Making,
    found: Scene,
    facts: AccessFacts,
    decision: Decision,
    key: str,
) -> Draft:
    paper = making.paper
    assert paper is not None  # noqa: S101 - begun before
    kept = await making.kept(paper, facts.result_persons, found.at)
    explanation = making.body.explanation if facts.rescan_reason is not None else None
    kept_scan = ScanKept(found, facts, kept, paper, explanation, vault.ocr.state)
    after = planned(vault, found, facts.component or "", kept.told().facts)

    async def write(tx: Transaction, logged: list[Logged]) -> Answer:
        codes = await keeping.write(tx.db, kept, found.at)
        row = kept_scan.row(caller, logged[0])
        await tx.db.execute(insert(digitisation).values(**row))
        await tx.db.execute(insert(scan).values(**kept_scan.original()))
        await tx.db.execute(insert(scan_finding), kept_scan.findings())
        await epochs.advance(tx.db, [("dossier", row["dossier"])])
        return kept_scan.answer(after, codes, logged[0])

    prepared = await telling.prepare(vault, caller, [kept_scan.told(decision, key)])
    return Draft(prepared, found.epochs, found.at, write)
