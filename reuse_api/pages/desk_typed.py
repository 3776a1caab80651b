"""What stood in the form of a new dossier: read as it was sent, kept as it was typed."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from starlette.datastructures import FormData

from policies.errors import IdentifierInvalid
from policies.identifiers import dossier_code
from reuse_api.pages.forms import many, one

MAX_PERSONS = 10


@dataclass(frozen=True)
class TypedPerson:
    """One row of persons; a row without number and name counts for nothing."""

    role: str = ""
    scheme: str = "personal_number"
    identifier: str = ""
    name: str = ""
    born_on: str = ""
    represented: bool = False
    evidence: str = ""

    @property
    def blank(self) -> bool:
        """Whether nobody is named here."""
        return not (self.identifier or self.name)


@dataclass(frozen=True)
class TypedDossier:
    """The whole form."""

    FIELDS: ClassVar[frozenset[str]] = frozenset(
        {"code", "procedure", "case", "additional_cases", "conditions", "persons"}
        | {"evidence", "reference", "channel"}
    )

    code: str
    procedure: str
    case: str = ""
    additional_cases: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    persons: tuple[TypedPerson, ...] = field(default_factory=lambda: (TypedPerson("applicant"),))
    evidence: str = ""
    reference: str = ""
    channel: str = "counter"

    @classmethod
    def fresh(cls, code: str, procedure: str, parts: tuple[str, ...]) -> "TypedDossier":
        """Give an empty form with a code and one row for each part that the procedure speaks of."""
        return cls(code, procedure, persons=tuple(TypedPerson(role) for role in parts))

    @classmethod
    def read(cls, form: FormData) -> "TypedDossier":
        """Read the form as it was sent."""
        rows = [f"persons-{n}-" for n in range(MAX_PERSONS) if f"persons-{n}-role" in form]
        return cls(
            code=one(form, "code"),
            procedure=one(form, "procedure"),
            case=one(form, "case"),
            additional_cases=many(form, "additional_cases"),
            conditions=many(form, "conditions"),
            persons=tuple(_person(form, row) for row in rows) or (TypedPerson("applicant"),),
            evidence=one(form, "evidence"),
            reference=one(form, "reference"),
            channel=one(form, "channel"),
        )

    @property
    def canonical(self) -> str:
        """The dossier's code as it is stored; as typed where it is none."""
        try:
            return dossier_code(self.code).text
        except IdentifierInvalid:
            return self.code

    @property
    def named(self) -> tuple[tuple[int, TypedPerson], ...]:
        """The rows that name somebody, each with its number in the form."""
        return tuple((number, row) for number, row in enumerate(self.persons) if not row.blank)

    @property
    def twice(self) -> tuple[int, ...]:
        """The rows whose part somebody else has already."""
        seen: Counter[str] = Counter()
        again = []
        for number, row in self.named:
            seen[row.role] += 1
            again += [number] if seen[row.role] > 1 else []
        return tuple(again)

    def with_row(self) -> "TypedDossier":
        """Give the form with one row more, as long as there may be more."""
        rows = (*self.persons, TypedPerson())
        return replace(self, persons=rows[:MAX_PERSONS])

    def without_row(self, number: str) -> "TypedDossier":
        """Give the form without one row; the last one stays."""
        rows = tuple(row for place, row in enumerate(self.persons) if str(place) != number)
        return replace(self, persons=rows or (TypedPerson("applicant"),))

    def for_parts(self, parts: tuple[str, ...]) -> "TypedDossier":
        """Give the form for another procedure: a row for each of its parts that no row has yet."""
        kept = [row for row in self.persons if not row.blank or row.role in parts]
        roles = {row.role for row in kept}
        more = [TypedPerson(role) for role in parts if role not in roles]
        return replace(self, persons=tuple((*kept, *more)[:MAX_PERSONS]))

    def body(self) -> dict[str, Any]:
        """Give the form as the body that a system would send."""
        body: dict[str, Any] = {
            "procedure": self.procedure,
            "additional_cases": list(self.additional_cases),
            "conditions": list(self.conditions),
            "persons": [_named(row) for _, row in self.named],
            "channel": self.channel,
        }
        if self.case:
            body["case"] = self.case
        if self.evidence:
            reference = {"reference": self.reference} if self.reference else {}
            body["evidence"] = {"kind": self.evidence} | reference
        return body


def _person(form: FormData, row: str) -> TypedPerson:
    texts = ("role", "scheme", "identifier", "name", "born_on", "evidence")
    return TypedPerson(
        **{name: one(form, row + name) for name in texts}, represented=f"{row}represented" in form
    )


def _named(row: TypedPerson) -> dict[str, Any]:
    person: dict[str, Any] = {
        "role": row.role,
        "identifier": {"scheme": row.scheme, "value": row.identifier},
        "name": row.name,
        "represented": row.represented,
    }
    if row.born_on:
        person["born_on"] = row.born_on
    if row.represented and row.evidence:
        person["representation_evidence"] = row.evidence
    return person
