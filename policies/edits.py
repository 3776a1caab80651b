"""Edits: what an administrator decided instead of, or beside, what a package says; dated and with its ground.

An edit stands for one component, in one case or (without a case) wherever the component is. It *overrules*
how the row is read (kind, name, condition, alternative), *adds* a line that the package forgot, or *removes*
a row, which is then a note. Edits of every case are applied before edits of one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast, get_args

from policies.entries import InForce, Kind, Text, read_in_force, read_text
from policies.entry_reading import component_kind
from policies.errors import BookInvalid, EditInvalid
from policies.fields import Fields
from policies.headings import clean
from policies.identifiers import component_code, procedure_code
from policies.procedures import Case, Component, Procedure

Act = Literal["overrule", "add", "remove"]
OWN_EDIT = "own_edit"  # the rule of every row that an edit speaks for


@dataclass(frozen=True)
class Change:
    """What an edit says; None leaves a part as it was read.

    `condition` "" means asked for without a condition, `alternative` "" a paper of its own. A condition that
    the book does not know comes with its name.
    """

    act: Act
    kind: Kind | None = None
    name: Text | None = None
    condition: str | None = None
    condition_name: Text | None = None
    alternative: str | None = None
    originals: int = 0
    copies: int = 0


@dataclass(frozen=True)
class Edit:
    """One dated edit of the catalogue; `case` None stands for every case. Shipped ones came with Kho."""

    id: str
    procedure: str
    case: str | None
    component: str
    change: Change
    in_force: InForce
    legal_reference: str
    reason: Text
    shipped: bool = False


@cache
def shipped_edits() -> tuple[Edit, ...]:
    """Give the edits that ship with Kho; the vault publishes each once, when its procedure is imported."""
    rows = json.loads((files("policies") / "data" / "edits.json").read_text("utf-8"))
    return tuple(_shipped(row, f"edits[{index}]") for index, row in enumerate(rows))


def change_of(value: object, where: str = "change") -> Change:
    """Read a change from its JSON. Raises BookInvalid, naming what is wrong."""
    return _change(Fields(value, where))


def _change(row: Fields) -> Change:
    where, act = row.where, row.text("act")
    if act not in get_args(Act):
        raise BookInvalid(where, "unknown act")
    kind = row.maybe_text("kind")
    name, condition_name = row.maybe_part("name"), row.maybe_part("condition_name")
    change = Change(
        act=cast(Act, act),
        kind=None if kind is None else component_kind(kind, where),
        name=None if name is None else read_text(name),
        condition=row.maybe_text("condition"),
        condition_name=None if condition_name is None else read_text(condition_name),
        alternative=row.maybe_text("alternative"),
        originals=row.maybe_number("originals") or 0,
        copies=row.maybe_number("copies") or 0,
    )
    row.end()
    return change


def edited(procedure: Procedure, edits: Iterable[Edit], on: date) -> Procedure:
    """Give the procedure with the edits applied that are in force on that day.

    An edit whose case or row the package no longer has is passed over; `idle` names it.
    """
    wanted = [one for one in edits if one.procedure == procedure.code and one.in_force.holds(on)]
    for edit in sorted(wanted, key=lambda one: (one.case is not None, one.in_force.start, one.id)):
        if finds(procedure, edit):
            procedure = _applied(procedure, edit)
    return procedure


def idle(procedure: Procedure, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Give the edits of the procedure that find nothing to work on in it."""
    return tuple(one for one in edits if one.procedure == procedure.code and not finds(procedure, one))


def finds(procedure: Procedure, edit: Edit) -> bool:
    """Say whether the procedure has the case, and, unless a line is added, the row that an edit speaks of."""
    case = next((one for one in procedure.cases if one.key == edit.case), None)
    if edit.case is not None and case is None:
        return False
    if edit.change.act == "add":
        return True
    rows = procedure.all_components() if case is None else (*case.components, *procedure.common)
    return any(row.code == edit.component for row in rows)


def check(procedure: Procedure, edit: Edit, others: Iterable[Edit]) -> None:
    """Refuse an edit that could not be applied to this procedure, or would speak beside another one.

    Raises EditInvalid, naming the field: dates_in_wrong_order, case_unknown, component_unknown,
    component_known, edit_changes_nothing, field_missing, condition_name_missing, edit_overlaps.
    """
    change, period = edit.change, edit.in_force
    if period.end is not None and period.end < period.start:
        raise EditInvalid("valid_until", "dates_in_wrong_order")
    if edit.case is not None and all(one.key != edit.case for one in procedure.cases):
        raise EditInvalid("case", "case_unknown")
    there = finds(procedure, replace(edit, change=Change("overrule")))
    if there == (change.act == "add"):
        raise EditInvalid("component", "component_known" if there else "component_unknown")
    for name in ("kind", "name"):
        if change.act == "add" and getattr(change, name) is None:
            raise EditInvalid(name, "field_missing")
    if change.act == "overrule" and change == Change("overrule"):
        raise EditInvalid("change", "edit_changes_nothing")
    if change.condition and change.condition not in procedure.conditions and change.condition_name is None:
        raise EditInvalid("condition_name", "condition_name_missing")
    if any(_overlap(edit, other) for other in others):
        raise EditInvalid("component", "edit_overlaps")


def _overlap(one: Edit, other: Edit) -> bool:
    same = (one.procedure, one.case, one.component) == (other.procedure, other.case, other.component)
    return same and one.in_force.meets(other.in_force)


def _applied(procedure: Procedure, edit: Edit) -> Procedure:
    change = edit.change
    conditions = dict(procedure.conditions)
    if change.condition and change.condition_name is not None:
        conditions.setdefault(change.condition, change.condition_name)
    if change.condition and change.condition not in conditions:
        conditions[change.condition] = Text(change.condition, change.condition)
    procedure = replace(procedure, conditions=conditions)
    if edit.case is None:
        cases = tuple(replace(one, components=_changed(one.components, edit)) for one in procedure.cases)
        common = _changed(procedure.common, edit)
        if change.act == "add" and not _has(edit, *(one.components for one in cases), common):
            common = (*common, _line(edit, procedure))
        return replace(procedure, cases=cases, common=common)
    return replace(
        procedure,
        cases=tuple(
            _in_case(procedure, one, edit) if one.key == edit.case else one for one in procedure.cases
        ),
    )


def _in_case(procedure: Procedure, case: Case, edit: Edit) -> Case:
    """Change the case's row; a row of the groups is changed for this case alone, as a row of its own."""
    if _has(edit, case.components):
        return replace(case, components=_changed(case.components, edit))
    shared = [row for row in procedure.common if row.code == edit.component]
    own = _changed(tuple(shared[:1]), edit) or (_line(edit, procedure),)
    return replace(case, components=(*case.components, *own))


def _has(edit: Edit, *groups: Sequence[Component]) -> bool:
    return any(row.code == edit.component for rows in groups for row in rows)


def _changed(rows: Sequence[Component], edit: Edit) -> tuple[Component, ...]:
    return tuple(_overruled(row, edit) if row.code == edit.component else row for row in rows)


def _overruled(row: Component, edit: Edit) -> Component:
    change = edit.change
    kind = "note" if change.act == "remove" else change.kind or row.kind
    return replace(
        row,
        kind=kind,
        label=change.name or row.label,
        condition=row.condition if change.condition is None else change.condition or None,
        alternative=row.alternative if change.alternative is None else change.alternative or None,
        rule=OWN_EDIT,
        edit=edit.id,
        legal_reference=edit.legal_reference,
    )


def _line(edit: Edit, procedure: Procedure) -> Component:
    change = edit.change
    name = change.name or Text(edit.component, edit.component)
    return Component(
        code=edit.component,
        name=name.vi,
        label=name,
        kind=change.kind or "document",
        originals=change.originals,
        copies=change.copies,
        condition=change.condition or None,
        source="ours",
        national_code="",
        legal_reference=edit.legal_reference,
        rule=OWN_EDIT,
        alternative=change.alternative or None,
        edit=edit.id,
        place=max((row.place for row in procedure.all_components()), default=0) + 1,
    )


def _shipped(value: Mapping[str, Any], where: str) -> Edit:
    row = Fields(value, where)
    edit = Edit(
        id=row.text("id"),
        procedure=procedure_code(row.text("procedure")),
        case=row.maybe_text("case"),
        component=component_code(row.text("component")),
        change=_change(row.part("change")),
        in_force=read_in_force(row.part("in_force")),
        legal_reference=clean(row.text("legal_reference")),
        reason=read_text(row.part("reason")),
        shipped=True,
    )
    row.end()
    return edit
