"""What callers may send, as JSON: every object is closed, so an unknown field is named and refused.

Who is calling is nowhere in here: agency, system and officer come from credentials alone (DESIGN 2.4).
"""

import re
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from vault.digitise import ScanBody
from vault.drafting import OpenDossier, Person
from vault.issue import ResultBody
from vault.issue_record import MAX_OWNERS, RecordBody, RecordOwner
from vault.release import Wanted
from vault.validity import MAX_WORDS

_ONE_LINE = r"^[^\p{Cc}]*$"  # no control characters: what is stored is shown on pages and in documents
Code = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_ONE_LINE)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_ONE_LINE)]
_FIELD_MAX = 20_000  # characters of one field of a result
_TABLE_MAX = 20  # rows of a field that is a table, and cells of a row
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written_day(value: object) -> object:
    """Take a day as text alone: a bare number would be read as seconds since 1970."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("date_parsing", "a date is written YYYY-MM-DD")
    return value


def _field_value(value: object) -> object:
    """Take text, true or false, or a short table: a list of objects of texts."""
    texts = [value]
    if isinstance(value, list):
        if len(value) > _TABLE_MAX:
            raise PydanticCustomError("too_long", "too many")
        if not all(isinstance(row, dict) and len(row) <= _TABLE_MAX for row in value):
            raise PydanticCustomError("dict_type", "a table is a list of objects")
        texts = [cell for row in value for pair in row.items() for cell in pair]
    for one in texts:
        if isinstance(one, str) and len(one) > _FIELD_MAX:
            raise PydanticCustomError("string_too_long", "too long")
        if one is not None and not isinstance(one, str | bool):
            raise PydanticCustomError("string_type", "a field is text, true or false")
    return value


Day = Annotated[date, BeforeValidator(_written_day)]
FieldValue = Annotated[str | bool | list[dict[str, str | bool | None]] | None, BeforeValidator(_field_value)]
Channel = Literal["counter", "portal", "post"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
Ground = Annotated[str, StringConstraints(min_length=1, max_length=MAX_WORDS, pattern=_ONE_LINE)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=MAX_WORDS)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class Closed(BaseModel):
    """An object without any field but its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class IdentifierBody(Closed):
    """An identifier of a person or organisation, such as ("personal_number", twelve digits)."""

    scheme: Code
    value: Code


class PersonBody(Closed):
    """A person named in a dossier; who acts through somebody else is represented, on recorded evidence."""

    role: Code
    identifier: IdentifierBody
    name: Text
    born_on: Day | None = None
    represented: bool = False
    representation_evidence: Text | None = None

    def value(self) -> Person:
        """Give the person as the vault takes it."""
        return Person(
            role=self.role,
            scheme=self.identifier.scheme,
            value=self.identifier.value,
            name=self.name,
            born_on=self.born_on,
            represented=self.represented,
            representation_evidence=self.representation_evidence,
        )


class EvidenceBody(Closed):
    """Why the agency may open the dossier: portal_submission, signed_form or officer_check; its reference."""

    kind: Code
    reference: Text | None = None


class DossierBody(Closed):
    """A dossier to open: `PUT /v1/dossiers/{code}`."""

    procedure: Code
    case: Text | None = None
    additional_cases: list[Text] = Field(default_factory=list, max_length=20)
    conditions: list[Code] = Field(default_factory=list, max_length=50)
    persons: list[PersonBody] = Field(max_length=50)
    evidence: EvidenceBody | None = None
    channel: Channel

    def value(self) -> OpenDossier:
        """Give the dossier as the vault takes it."""
        return OpenDossier(
            procedure=self.procedure,
            case=self.case,
            additional_cases=tuple(self.additional_cases),
            conditions=tuple(self.conditions),
            persons=tuple(person.value() for person in self.persons),
            evidence=self.evidence.kind if self.evidence else None,
            evidence_reference=self.evidence.reference if self.evidence else None,
            channel=self.channel,
        )


class DossierChange(Closed):
    """What may be changed of an open dossier: it may be closed, for good."""

    state: Literal["closed"]


class WantedBody(Closed):
    """A component, and the record chosen for it; without one, the record that the plan found."""

    component: Code
    record: Code | None = None


class ReleasesBody(Closed):
    """The components that are wanted in place of paper."""

    components: list[WantedBody]

    def value(self) -> list[Wanted]:
        """Give the wanted components as the vault takes them."""
        return [Wanted(one.component, one.record) for one in self.components]


class ConfirmationBody(Closed):
    """The candidate that an officer confirms for a component, and why."""

    record: Code
    reason: LongText


class ScanFields(Closed):
    """What an officer says of a scan; a reason where the plan had an answer, `explanation` in words."""

    type: Code
    owner_roles: list[Code] = Field(min_length=1, max_length=10)
    title: Text | None = None
    number: Text | None = None
    issued_on: Day | None = None
    issuer_name: Text | None = None
    reason: Code | None = None
    explanation: Text | None = None

    def value(self) -> ScanBody:
        """Give the scan as the vault takes it."""
        return ScanBody(
            type=self.type,
            owner_roles=tuple(self.owner_roles),
            title=self.title,
            number=self.number,
            issued_on=self.issued_on,
            issuer_name=self.issuer_name,
            reason=self.reason,
            explanation=self.explanation,
        )


class ResultFields(Closed):
    """A result to store: with `fields` it is composed and sealed here, without them a file comes with it."""

    type: Code
    owner_roles: list[Code] = Field(min_length=1, max_length=10)
    fields: dict[Code, FieldValue] | None = Field(default=None, max_length=200)
    title: Text | None = None
    number: Text | None = None
    issued_on: Day | None = None
    valid_until: Day | None = None
    replaces: list[Code] = Field(default_factory=list, max_length=20)

    def value(self) -> ResultBody:
        """Give the result as the vault takes it."""
        fields: dict[str, Any] | None = dict(self.fields) if self.fields is not None else None
        return ResultBody(
            type=self.type,
            owner_roles=tuple(self.owner_roles),
            fields=fields,
            title=self.title,
            number=self.number,
            issued_on=self.issued_on,
            valid_until=self.valid_until,
            replaces=tuple(self.replaces),
        )


class RecordOwnerBody(Closed):
    """An owner of a record outside a dossier: the part they play in it, an identifier and a name."""

    role: Code
    identifier: IdentifierBody
    name: Text
    born_on: Day | None = None

    def value(self) -> RecordOwner:
        """Give the owner as the vault takes it."""
        identifier = self.identifier
        return RecordOwner(self.role, identifier.scheme, identifier.value, self.name, self.born_on)


class RecordFields(Closed):
    """A record to store outside any dossier; with `fields` it is composed and sealed here."""

    type: Code
    owners: list[RecordOwnerBody] = Field(min_length=1, max_length=MAX_OWNERS)
    fields: dict[Code, FieldValue] | None = Field(default=None, max_length=200)
    title: Text | None = None
    number: Text | None = None
    issued_on: Day | None = None
    valid_until: Day | None = None
    replaces: list[Code] = Field(default_factory=list, max_length=20)

    def value(self) -> RecordBody:
        """Give the record as the vault takes it."""
        return RecordBody(
            type=self.type,
            owners=tuple(one.value() for one in self.owners),
            fields=dict(self.fields) if self.fields is not None else None,
            title=self.title,
            number=self.number,
            issued_on=self.issued_on,
            valid_until=self.valid_until,
            replaces=tuple(self.replaces),
        )


class ValidityBody(Closed):
    """A change of a record's validity: its legal ground, and the reason in words."""

    ground: Ground
    reason: Words


class ReplacementBody(ValidityBody):
    """A replacement: beside ground and reason the newer record, `by`."""

    by: Code
