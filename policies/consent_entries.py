"""What the policy book says of consents and delegations: purposes, texts, and who may speak for whom."""

from dataclasses import dataclass
from string import Formatter

from policies.entries import InForce, Text, read_in_force, read_text
from policies.errors import BookInvalid
from policies.fields import Fields


@dataclass(frozen=True)
class Purpose:
    """A purpose for which a registered agency may ask people for consent, with its limits."""

    key: str
    name: Text
    consequence: Text  # what follows when the answer is no
    max_days: int  # from the first to the last day of a consent
    max_reads: int
    in_force: InForce
    legal_reference: str


@dataclass(frozen=True)
class ConsentText:
    """The template of the text that is shown, line by line; `sensitive` names what is sensitive in a type."""

    key: str
    in_force: InForce
    lines_vi: tuple[str, ...]
    lines_en: tuple[str, ...]
    sensitive: dict[str, Text]
    legal_reference: str


@dataclass(frozen=True)
class Capacity:
    """Who may speak for an owner: the record of that owner which names them, by which relations.

    `until_age` ends it on a birthday of the represented person; None: it ends with the evidence alone.
    """

    key: str  # parent | legal_representative
    name: Text
    scheme: str  # by which identifier the represented is named
    type: str  # the record type of the evidence
    relations: tuple[str, ...]
    until_age: int | None
    in_force: InForce
    legal_reference: str


def purpose(value: object, where: str) -> Purpose:
    """Read one entry of purposes.json."""
    row = Fields(value, where)
    entry = Purpose(
        key=row.text("key"),
        name=read_text(row.part("name")),
        consequence=read_text(row.part("consequence")),
        max_days=row.number("max_days"),
        max_reads=row.number("max_reads"),
        in_force=read_in_force(row.part("in_force")),
        legal_reference=row.text("legal_reference"),
    )
    row.end()
    return entry


def consent_text(value: object, where: str) -> ConsentText:
    """Read one entry of consent_texts.json; every placeholder must be one that can be filled in."""
    row = Fields(value, where)
    entry = ConsentText(
        key=row.text("key"),
        in_force=read_in_force(row.part("in_force")),
        lines_vi=row.texts("lines_vi"),
        lines_en=row.texts("lines_en"),
        sensitive=dict(row.items("sensitive", _sensitive)),
        legal_reference=row.text("legal_reference"),
    )
    row.end()
    if not entry.lines_vi or len(entry.lines_vi) != len(entry.lines_en):
        raise BookInvalid(where, "must say the same lines in both languages")
    for line in (*entry.lines_vi, *entry.lines_en):
        _fillable(line, where)
    return entry


def capacity(value: object, where: str) -> Capacity:
    """Read one entry of capacities.json."""
    row = Fields(value, where)
    entry = Capacity(
        key=row.text("key"),
        name=read_text(row.part("name")),
        scheme=row.text("scheme"),
        type=row.text("type"),
        relations=row.texts("relations"),
        until_age=row.maybe_number("until_age"),
        in_force=read_in_force(row.part("in_force")),
        legal_reference=row.text("legal_reference"),
    )
    row.end()
    return entry


PLACEHOLDERS = (
    "owner",
    "recipient",
    "documents",
    "sensitive",
    "purpose",
    "purpose_reference",
    "reason",
    "consequence",
    "from",
    "until",
    "answer_until",
    "reads",
)


def _fillable(line: str, where: str) -> None:
    try:
        named = {field for _, field, _, _ in Formatter().parse(line) if field is not None}
    except ValueError as wrong:
        raise BookInvalid(where, "a line has braces that do not match") from wrong
    if not named <= set(PLACEHOLDERS):
        raise BookInvalid(where, "a line names what cannot be filled in")


def _sensitive(value: object, where: str) -> tuple[str, Text]:
    row = Fields(value, where)
    entry = (row.text("type"), read_text(row.part("what")))
    row.end()
    return entry
