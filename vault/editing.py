"""An administrator's edits of the catalogue: published with a ground and a day, ended, never taken back.

Publishing and ending are entries (kind 13) and raise the book's epoch. An edit speaks in dossiers that are
opened after it was published, on days on which it is in force; those of before keep what they were opened on.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.edits import Change, Edit, check, edited
from policies.entries import InForce, Text
from policies.errors import EditInvalid, IdentifierInvalid
from policies.headings import clean
from policies.identifiers import component_code, procedure_code
from policies.procedures import Procedure
from policies.recording import plain
from signing.leaf import Kind, Parts
from vault import catalogue, catalogue_edits, entries, epochs, requests
from vault.appending import Transaction
from vault.callers import StaffCaller
from vault.days import legal_day
from vault.entries import Logged, Prepared, new_id
from vault.errors import FieldInvalid, Moved, NotAuthenticated, NotFound, VaultBusy
from vault.importing import EDIT_PUBLISHED, edit_facts
from vault.services import MAX_AFRESH, Answer, Vault
from vault.telling import VAULT_HOLDER

EDIT_ENDED = "catalogue_edit_ended"
MAX_REASON = 1000  # characters
MAX_NAME = 500
_CONDITION = re.compile(r"[a-z][a-z0-9_]{0,59}")
_ALTERNATIVE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True)
class NewEdit:
    """An edit as an administrator hands it in; `case` None stands for every case."""

    procedure: str
    case: str | None
    component: str
    change: Change
    valid_from: date
    valid_until: date | None
    reason: str
    legal_reference: str


@dataclass(frozen=True)
class _Scene:
    """The newest version of a procedure, every edit of it, and the epochs both were read under."""

    version: int
    base: Procedure
    edits: tuple[Edit, ...]
    epochs: dict[str, int]
    at: datetime


async def publish_edit(vault: Vault, caller: StaffCaller, body: NewEdit, *, key: str) -> Answer:
    """Publish an edit and answer its id.

    Args:
        key: the Idempotency-Key.

    Raises:
        NotAuthenticated: the caller is no administrator.
        FieldInvalid: a field cannot be accepted; nothing is stored.
        RequestConflict: the key was used for another request.
    """
    edit = _read(body)
    asked = requests.body_hash("publish_edit", plain(body))

    async def publish(tx: Transaction, found: _Scene, logged: Logged) -> Answer:
        now = vault.clock.now()  # under the lock: whoever opened a dossier before, opened it without this
        await catalogue_edits.add(
            tx.db, edit, agency=caller.agency, officer=caller.officer, index=logged.index, at=now
        )
        await _read_anew(tx, found, (*found.edits, edit), now)
        return _told(edit.id, edit.procedure, logged)

    def allow(found: _Scene) -> tuple[str, Edit]:
        try:
            check(edited(found.base, found.edits, edit.in_force.start), edit, found.edits)
        except EditInvalid as problem:
            raise FieldInvalid(problem.field, problem.code) from problem
        return EDIT_PUBLISHED, edit

    return await _act(vault, caller, edit.procedure, allow, publish, key, asked)


async def end_edit(
    vault: Vault, caller: StaffCaller, edit_id: str, *, until: date, reason: str, key: str
) -> Answer:
    """Give an edit its last day, today or later; one that has not begun is withdrawn by a day before it does.

    Raises:
        NotAuthenticated: the caller is no administrator.
        NotFound: there is no such edit.
        FieldInvalid: the day has passed, or the edit ends before it already.
        RequestConflict: the key was used for another request.
    """
    why = _said("reason", reason, MAX_REASON)
    asked = requests.body_hash("end_edit", {"edit": edit_id, "until": until.isoformat(), "reason": why})
    async with vault.db.read() as db:
        known = await catalogue_edits.one(db, edit_id)
    if known is None:
        raise NotFound

    async def finish(tx: Transaction, found: _Scene, logged: Logged) -> Answer:
        await catalogue_edits.end(tx.db, edit_id, until=until, reason=why, index=logged.index)
        now = vault.clock.now()
        await _read_anew(tx, found, await catalogue_edits.published(tx.db, found.base.code, now), now)
        return _told(edit_id, found.base.code, logged)

    def allow(found: _Scene) -> tuple[str, Edit]:
        one = next(one for one in found.edits if one.id == edit_id)
        if until < legal_day(found.at):
            raise FieldInvalid("valid_until", "day_has_passed")
        if one.in_force.end is not None and one.in_force.end <= until:
            raise FieldInvalid("valid_until", "edit_ends_before")
        period = InForce(one.in_force.start, until)
        return EDIT_ENDED, replace(one, in_force=period, reason=Text(why, why))

    return await _act(vault, caller, known.edit.procedure, allow, finish, key, asked)


def _told(edit_id: str, procedure: str, logged: Logged) -> Answer:
    return {"edit": edit_id, "procedure": procedure, "receipt": logged.receipt, "index": logged.index}


Allow = Callable[[_Scene], tuple[str, Edit]]
Write = Callable[[Transaction, _Scene, Logged], Awaitable[Answer]]


async def _act(
    vault: Vault, caller: StaffCaller, procedure: str, allow: Allow, write: Write, key: str, asked: bytes
) -> Answer:
    """Check, enter and write one act of an administrator; afresh when the book moved under it."""
    if caller.role != "administrator":
        raise NotAuthenticated("role_missing")
    for _ in range(MAX_AFRESH):
        async with vault.db.read() as db:
            earlier = await requests.answered(db, caller.id, key, asked)
            if earlier is not None:
                return earlier
            found = await _scene(db, procedure, vault.clock.now())
        event, edit = allow(found)
        prepared = await _prepared(vault, caller, event, edit, found.at)

        async def change(tx: Transaction, found: _Scene = found, prepared: Prepared = prepared) -> Answer:
            done = await requests.answered(tx.db, caller.id, key, asked)
            if done is not None:
                return done
            await epochs.hold(tx.db, found.epochs)
            (logged,) = await tx.append([prepared])
            told = await write(tx, found, logged)
            await epochs.advance(tx.db, [epochs.BOOK])
            await requests.keep(tx.db, caller.id, key, asked, told, found.at)
            return told

        try:
            return await vault.appender.commit(change)
        except Moved:
            continue
    raise VaultBusy("the catalogue keeps changing; try again")


async def _scene(db: AsyncConnection, code: str, at: datetime) -> _Scene:
    row = await catalogue.newest(db, code)
    if row is None:
        raise FieldInvalid("procedure", "procedure_unknown")
    base = await catalogue.unedited(db, row)
    edits = await catalogue_edits.published(db, code, at)
    return _Scene(row["version"], base, edits, await epochs.read(db, [epochs.BOOK]), at)


async def _read_anew(tx: Transaction, found: _Scene, edits: tuple[Edit, ...], at: datetime) -> None:
    """Keep what the rows of the newest version are taken for from now on."""
    read = edited(found.base, edits, legal_day(at))
    await catalogue.write_readings(tx.db, read.code, found.version, read)


async def _prepared(vault: Vault, caller: StaffCaller, event: str, edit: Edit, at: datetime) -> Prepared:
    async with vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    place = {"procedure": edit.procedure, "case": edit.case, "component": edit.component}
    parts = Parts(
        subject={},
        actor=caller.actor(),
        purpose={name: value for name, value in place.items() if value is not None},
        basis={"reference": edit.legal_reference, "facts": edit_facts(edit)},
        event={"type": event, "result": "permitted", "at": at.isoformat()},
    )
    return entries.prepare(
        Kind.ADMINISTRATOR_ACT, parts, held, at=at, caller_kind=caller.kind, caller=caller.id
    )


# What was handed in ----------------------------------------------------------------------------------------


def _read(body: NewEdit) -> Edit:
    try:
        procedure, component = procedure_code(body.procedure), component_code(body.component)
    except IdentifierInvalid as problem:
        field = "procedure" if problem.field == "procedure_code" else "component"
        raise FieldInvalid(field, problem.code) from problem
    reason = _said("reason", body.reason, MAX_REASON)
    return Edit(
        id=new_id("edt"),
        procedure=procedure,
        case=body.case,
        component=component,
        change=_change(body.change),
        in_force=InForce(body.valid_from, body.valid_until),
        legal_reference=_said("legal_reference", body.legal_reference, MAX_NAME),
        reason=Text(reason, reason),
    )


def _change(change: Change) -> Change:
    for field, value, shape in (
        ("condition", change.condition, _CONDITION),
        ("alternative", change.alternative, _ALTERNATIVE),
    ):
        if value and shape.fullmatch(value) is None:
            raise FieldInvalid(field, "value_malformed")
    return replace(
        change, name=_text("name", change.name), condition_name=_text("condition_name", change.condition_name)
    )


def _text(field: str, text: Text | None) -> Text | None:
    if text is None:
        return None
    return Text(_said(f"{field}.vi", text.vi, MAX_NAME), _said(f"{field}.en", text.en, MAX_NAME))


def _said(field: str, text: str, limit: int) -> str:
    said = clean(text)
    if not said:
        raise FieldInvalid(field, "too_short")
    if len(said) > limit:
        raise FieldInvalid(field, "too_long")
    return said
