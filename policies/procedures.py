"""A procedure as a clerk reads it: its cases, and what it asks for in one dossier."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from policies.entries import Kind, Text
from policies.errors import AskingInvalid, IdentifierInvalid
from policies.identifiers import component_code

HeadingRule = Literal["group_heading", "case_by_book", "case_key_derived"]


@dataclass(frozen=True)
class Component:
    """One row of a procedure, and what it was taken for.

    `code` is canonical (`KQ003606`), `national_code` as in the package (`000.00.00.G01-KQ003606`), empty for
    a line of an edit. `name` is the national text, `label` a short name in both languages. `rule` is the rule
    of reading that decided the kind (policies/packages.py). `condition` is the key a dossier must state for
    the component to be asked for. Rows of one `alternative` are one paper, asked for once. `edit` is the
    dated edit that overruled the reading or added the line. Copies and originals are quantities.
    """

    code: str
    name: str
    label: Text
    kind: Kind
    originals: int
    copies: int
    condition: str | None
    source: Literal["package", "ours"]
    national_code: str
    legal_reference: str | None = None
    rule: str = "document"
    alternative: str | None = None
    edit: str | None = None
    heading: str = ""
    place: int = 0  # among all rows of the package; lines of edits follow


@dataclass(frozen=True)
class Case:
    """One case of a procedure, under our key; `package_name` is what the national package calls it.

    The key of a case that the book does not know is `derived`. An `additional` case is only ever named beside
    the main one.
    """

    key: str
    name: Text
    package_name: str
    components: tuple[Component, ...]
    derived: bool = False
    additional: bool = False

    @property
    def rule(self) -> HeadingRule:
        """The rule by which its heading was read."""
        return "case_key_derived" if self.derived else "case_by_book"


@dataclass(frozen=True)
class ResultType:
    """A result the procedure gives: national code and name, and our record type where the book knows it."""

    code: str
    name: str
    record_type: str | None


@dataclass(frozen=True)
class Procedure:
    """A procedure as read from one version of its package; `common`: its groups' rows.

    `conditions` are what a dossier may state, each with its name.
    """

    code: str
    name: str
    version: str  # hex SHA-256 of the package row's canonical JSON
    department: str
    results: tuple[ResultType, ...]
    cases: tuple[Case, ...]
    common: tuple[Component, ...]
    conditions: dict[str, Text] = field(default_factory=dict)

    @property
    def main_cases(self) -> tuple[Case, ...]:
        """The cases of which a dossier names one."""
        return tuple(one for one in self.cases if not one.additional)

    @property
    def additional_cases(self) -> tuple[Case, ...]:
        """The cases that may be named beside it: the additional ones, or any where none is only that."""
        return tuple(one for one in self.cases if one.additional) or self.cases

    def case(self, key: str, *, field: str = "case") -> Case:
        """Find a case by our key. Raises AskingInvalid (case_unknown), naming `field`."""
        for case in self.cases:
            if case.key == key:
                return case
        raise AskingInvalid(field, "case_unknown")

    def component(self, code: str) -> Component:
        """Find a component by its code, in full or short form. Raises AskingInvalid (component_unknown)."""
        try:
            wanted = component_code(code)
        except IdentifierInvalid as malformed:
            raise AskingInvalid("component", "component_unknown") from malformed
        for component in self.all_components():
            if component.code == wanted and component.kind != "note":
                return component
        raise AskingInvalid("component", "component_unknown")

    def all_components(self) -> tuple[Component, ...]:
        """Give every row of the package, cases first, then groups, with notes and lines of edits."""
        return (*(component for case in self.cases for component in case.components), *self.common)

    def rows(self) -> tuple[tuple[Case | None, Component], ...]:
        """Give every row with its case (None: a group's row, for every case), in the package's order."""
        pairs: list[tuple[Case | None, Component]] = []
        pairs += [(case, row) for case in self.cases for row in case.components]
        pairs += [(None, row) for row in self.common]
        return tuple(sorted(pairs, key=lambda pair: pair[1].place))


def components_for(
    procedure: Procedure,
    case: str | None,
    additional_cases: Iterable[str] = (),
    conditions: Iterable[str] = (),
) -> tuple[Component, ...]:
    """Give what is asked for in a dossier: the case's rows, the additional cases', then the groups'.

    Without notes; conditional rows only when the dossier states their condition; a code asked for twice
    stands once. An edit of one case goes before the groups' row of the same code. Raises AskingInvalid:
    case_missing when the procedure has cases and none is given, case_unknown, case_only_additional,
    case_not_additional, condition_unknown.
    """
    stated = frozenset(conditions)
    if not stated <= procedure.conditions.keys():
        raise AskingInvalid("conditions", "condition_unknown")
    rows = [row for found in _named(procedure, case, additional_cases) for row in found.components]
    settled = {row.code for row in rows if row.edit is not None}
    rows += [row for row in procedure.common if row.code not in settled]
    asked: dict[str, Component] = {}
    for row in rows:
        if row.kind != "note" and (row.condition is None or row.condition in stated):
            asked.setdefault(row.code, row)
    return tuple(asked.values())


def asked_components(components: Sequence[Component]) -> frozenset[str]:
    """Give the codes for DossierFacts.components from what `components_for` answered."""
    return frozenset(component.code for component in components)


def _named(procedure: Procedure, case: str | None, additional_cases: Iterable[str]) -> list[Case]:
    if procedure.cases and case is None:
        raise AskingInvalid("case", "case_missing")
    named = [procedure.case(case)] if case is not None else []
    if any(one.additional for one in named):
        raise AskingInvalid("case", "case_only_additional")
    for key in additional_cases:
        one = procedure.case(key, field="additional_cases")
        if one not in procedure.additional_cases:
            raise AskingInvalid("additional_cases", "case_not_additional")
        named.append(one)
    return named
