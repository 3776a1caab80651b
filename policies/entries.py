"""What stands in the policy book, entry by entry: each with names, legal reference and days in force."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from policies.errors import BookInvalid
from policies.facts import Action, TrustClass
from policies.fields import Fields

Kind = Literal["document", "form", "note", "identity", "residence"]


@dataclass(frozen=True)
class Text:
    """A name or sentence in both languages."""

    vi: str
    en: str


@dataclass(frozen=True)
class InForce:
    """The days an entry holds: from `start`, to `end` inclusive, None while no end is known."""

    start: date
    end: date | None

    def holds(self, day: date) -> bool:
        """Say whether the entry is in force on that day."""
        return self.start <= day and (self.end is None or day <= self.end)

    def meets(self, other: "InForce") -> bool:
        """Say whether there is a day on which both hold; one that ends before it begins never holds."""
        first, last = max(self.start, other.start), [one for one in (self.end, other.end) if one is not None]
        return not last or first <= min(last)


@dataclass(frozen=True)
class RecordType:
    """A canonical type of document, e.g. GKS.

    `relation_fields` names, for each relation, the key of a record's structured data that holds the related
    person's number, `birth_date_field` the key that holds its owner's day of birth, where the document is
    what proves it. `result_codes` are the national result codes that mean this type. `owner_roles` are the
    parts its owners play in the document. `validity_months` is the term the law sets, None when it sets none.
    """

    code: str
    name: Text
    in_force: InForce
    legal_reference: str
    relation_fields: dict[str, str]
    result_codes: tuple[str, ...]
    owner_roles: tuple[str, ...]
    validity_months: int | None
    birth_date_field: str | None = None


@dataclass(frozen=True)
class DataSource:
    """A database that answers instead of a document; Kho does not fetch from it."""

    key: str
    name: Text
    legal_reference: str
    next_step: Text


@dataclass(frozen=True)
class Condition:
    """Something a dossier may state about itself; its components are asked for only when it does."""

    key: str
    procedure: str
    name: Text
    components: frozenset[str]
    legal_reference: str


@dataclass(frozen=True)
class CaseKey:
    """Our key for one case of a national package, which gives its cases no code and some the same name."""

    key: str
    procedure: str
    name: Text
    package_name: str
    components: frozenset[str]  # codes that must all be in the case
    additional: bool = False  # only ever named beside a main case


@dataclass(frozen=True)
class Alternative:
    """Rows of a procedure that ask for one and the same paper: any one of them is enough."""

    key: str
    procedure: str
    name: Text
    components: frozenset[str]
    legal_reference: str


@dataclass(frozen=True)
class Limit:
    """How many of something are work, and no search through people: a guard denies what goes beyond."""

    key: str
    name: Text
    most: int
    in_force: InForce
    legal_reference: str


@dataclass(frozen=True)
class ComponentReading:
    """Short names for a component (the national ones are paragraphs); its kind where words do not tell."""

    procedure: str
    component: str
    name: Text
    kind: Kind | None


@dataclass(frozen=True)
class Relation:
    """One of `fields` of the record must name the person who has `role` in the dossier."""

    fields: tuple[str, ...]
    role: str


@dataclass(frozen=True)
class Mapping:
    """Which record types answer a component: AND inside a list, OR between lists and between mappings.

    `role` is the person of the dossier whose record it must be. `unless` is a condition under which no record
    may be asked for or read. No alternatives: only the data source answers. `confirm`: whether a record fits
    depends on what it says, so an officer must always look.
    """

    procedure: str
    case: str | None
    component: str
    in_force: InForce
    alternatives: tuple[tuple[str, ...], ...]
    role: str
    relation: Relation | None
    least_trust: TrustClass
    max_age_days: int | None
    data_source: str | None
    unless: str | None
    legal_reference: str
    confirm: bool = False

    @property
    def types(self) -> frozenset[str]:
        """Every record type that may be read under this mapping."""
        return frozenset(kind for together in self.alternatives for kind in together)


@dataclass(frozen=True)
class Rule:
    """A basis that permits: which actions, in which procedures, for which record types (None: any)."""

    key: str
    basis: str
    actions: frozenset[Action]
    procedures: frozenset[str] | None
    types: frozenset[str] | None
    in_force: InForce
    name: Text
    legal_reference: str


@dataclass(frozen=True)
class PackageWords:
    """The words by which a clerk tells groups from cases, and forms and notes from documents.

    A row that begins like a rule (`rule_beginnings`) names a document only where one of the `demanding_words`
    asks for it.
    """

    group_names: frozenset[str]
    form_beginnings: tuple[str, ...]
    note_beginnings: tuple[str, ...]
    rule_beginnings: tuple[str, ...]
    demanding_words: tuple[str, ...]


def read_text(fields: Fields) -> Text:
    """Read {"vi": ..., "en": ...}."""
    text = Text(fields.text("vi"), fields.text("en"))
    fields.end()
    return text


def read_in_force(fields: Fields) -> InForce:
    """Read {"from": day, "to": day or absent}; days in the wrong order are refused."""
    in_force = InForce(fields.day("from"), fields.maybe_day("to"))
    fields.end()
    if in_force.end is not None and in_force.end < in_force.start:
        raise BookInvalid(fields.where, "ends before it begins")
    return in_force
