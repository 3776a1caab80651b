"""Opening one entry for an auditor: entered first, shown to the owners it is about, never content.

An auditor names a ground, the entry that says so is committed, and only against that entry does the gate
open (vault/key_gate.py). Proof and replay are looks of their own, so each is entered again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select

from policies.book import Book, book_from_json
from policies.errors import BookInvalid, FactsUnreadable
from policies.facts import Decision
from policies.replaying import Difference, replay
from signing.leaf import PARTS, opening
from signing.receipt import make_receipt
from vault import auditing, catalogue, masking
from vault.assurance import is_strong
from vault.audit_acts import enter, evidence
from vault.auditing import Line
from vault.callers import StaffCaller
from vault.entries import Logged, instant
from vault.entry_facts import disagreements, facts_of
from vault.errors import FieldInvalid, NotFound, StepUpNeeded
from vault.evidence import OpenedEntry, readable
from vault.receipts import ReceiptGone
from vault.services import Vault
from vault.tables import entry_fact, entry_holder, key_pair, policy_version

MIN_GROUND, MAX_GROUND = 10, 500  # characters
Outcome = Literal["same", "differs", "no_decision", "policy_unknown", "policy_changed", "facts_unreadable"]
ALARMS: frozenset[Outcome] = frozenset({"differs", "policy_unknown", "policy_changed", "facts_unreadable"})


@dataclass(frozen=True)
class Opening:
    """An opened entry as an auditor sees it: persons masked; where its filter row lies, that is said."""

    entry: OpenedEntry
    line: Line
    parts: Mapping[str, Any]
    procedure: str | None  # its name, where the catalogue has it
    disagreements: Sequence[tuple[str, str, str]]
    entered: Logged


@dataclass(frozen=True)
class Replayed:
    """A decision made again: the same, or an alarm that names every difference."""

    opening: Opening
    outcome: Outcome
    decision: Decision | None
    differences: tuple[Difference, ...]

    @property
    def alarm(self) -> bool:
        """Say whether somebody must look into it."""
        return self.outcome in ALARMS


async def open_entry(vault: Vault, caller: StaffCaller, index: int, ground: str, *, key: str) -> Opening:
    """Open one entry.

    Raises:
        NotFound: there is no such entry.
        FieldInvalid: no ground worth the name.
        StepUpNeeded: the auditor must authenticate afresh first.
        ReceiptGone: every key that opens it was erased.
        RequestConflict, VaultBusy: see `audit_acts.enter`.
        GateRefused: the gate does not believe the auditor's entry.
    """
    return (await _opened(vault, caller, index, ground, key, "entry_opened"))[0]


async def take_proof(vault: Vault, caller: StaffCaller, index: int, ground: str, *, key: str) -> str:
    """Give the proof of one entry (C2SP tlog-proof); a part that names a person is proven, not shown.

    Raises:
        As `open_entry`.
    """
    told, hidden = await _opened(vault, caller, index, ground, key, "entry_proof_taken")
    entry = told.entry
    parts = readable(entry.parts)
    proof, checkpoint, _size = await vault.appender.proof(entry.index)
    return make_receipt(
        leaf=entry.leaf,
        index=entry.index,
        proof=proof,
        checkpoint=checkpoint,
        opening=opening(
            entry.parts, entry.seed, entry.leaf, [part for part in PARTS if not hidden.tells(parts[part])]
        ),
    )


async def replay_entry(vault: Vault, caller: StaffCaller, index: int, ground: str, *, key: str) -> Replayed:
    """Open one entry and decide again what it recorded, by the book of the hash that it names.

    Raises:
        As `open_entry`.
    """
    told, _ = await _opened(vault, caller, index, ground, key, "entry_replayed")
    basis = told.entry.parts.basis
    if "decision" not in basis or "policy" not in basis:
        return Replayed(told, "no_decision", None, ())
    book = await _book(vault, str(basis["policy"]))
    if not isinstance(book, Book):
        return Replayed(told, book, None, ())
    try:
        result = str(told.entry.parts.event.get("result"))
        again = replay(basis, result, book, instant(told.entry.at))
    except FactsUnreadable:
        return Replayed(told, "facts_unreadable", None, ())
    outcome: Outcome = "differs" if again.differences else "same"
    return Replayed(told, outcome, again.decision, again.differences)


async def _opened(
    vault: Vault, caller: StaffCaller, index: int, ground: str, key: str, event: str
) -> tuple[Opening, masking.Hiding]:
    said = " ".join(ground.split())
    if not MIN_GROUND <= len(said) <= MAX_GROUND or not said.isprintable():
        raise FieldInvalid("ground", "ground_length")
    if not is_strong(caller, vault.book, vault.clock.now()):
        raise StepUpNeeded
    owners = await _living_owners(vault, index)
    entered = await enter(vault, caller, event, {"ground": said}, owners=owners, of=index, key=key)
    opened = await vault.gate.open_entries([index], caller, {index: await evidence(vault, entered)})
    if not opened:
        raise ReceiptGone
    return await _told(vault, opened[0], entered)


async def _told(vault: Vault, entry: OpenedEntry, entered: Logged) -> tuple[Opening, masking.Hiding]:
    parts = readable(entry.parts)
    async with vault.db.read() as db:
        hidden = await masking.hiding(db, parts)
        line = await auditing.line(db, entry.index)
        row = (await db.execute(select(entry_fact).where(entry_fact.c.idx == entry.index))).mappings().first()
        code = str(entry.parts.purpose.get("procedure", ""))
        named = await catalogue.latest(db, code, instant(entry.at))
    if line is None:
        raise NotFound
    said = facts_of(entry.kind, entry.parts, instant(entry.at))
    lies = disagreements(said, dict(row)) if row is not None else []
    procedure = named[1].name if named is not None else None
    return Opening(entry, line, hidden.hide(dict(parts)), procedure, lies, entered), hidden


async def _living_owners(vault: Vault, index: int) -> list[str]:
    """Give the owners whom an entry is about and who can still read of it; none where it is about nobody."""
    query = (
        select(entry_holder.c.holder_kind, entry_holder.c.holder, key_pair.c.wrapped_private)
        .join(
            key_pair,
            (key_pair.c.kind == entry_holder.c.holder_kind)
            & (key_pair.c.id == entry_holder.c.holder)
            & (key_pair.c.purpose == "log"),
        )
        .where(entry_holder.c.idx == index)
        .order_by(entry_holder.c.holder)
    )
    async with vault.db.read() as db:
        rows = (await db.execute(query)).all()
    if not rows:
        raise NotFound
    living = [row for row in rows if row.wrapped_private is not None]
    if not living:
        raise ReceiptGone
    return [row.holder for row in living if row.holder_kind == "owner"]


async def _book(vault: Vault, policy: str) -> Book | Outcome:
    """Read a published book back; one whose text is not that of its hash was changed afterwards."""
    async with vault.db.read() as db:
        query = select(policy_version.c.book).where(policy_version.c.hash == policy)
        text = (await db.execute(query)).scalar_one_or_none()
    if text is None:
        return "policy_unknown"
    try:
        book = book_from_json(text)
    except BookInvalid:
        return "policy_changed"
    return book if book.hash == policy else "policy_changed"
