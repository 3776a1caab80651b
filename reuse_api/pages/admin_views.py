"""What an administrator's pages show of the catalogue, in one language: rows and rules, edits, work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.book import Book
from policies.edits import Change
from policies.entries import Text
from policies.wording import name
from reuse_api.pages.dates import When, day, moment
from reuse_api.pages.languages import Language
from reuse_api.pages.views import Tone
from vault.catalogue_edits import Published
from vault.catalogue_work import WorkItem
from vault.cataloguing import Described, RowLine

KINDS = ("document", "form", "note", "identity", "residence")
_TONES: dict[str, Tone] = {"document": "good", "identity": "good", "residence": "good", "note": "plain"}


@dataclass(frozen=True)
class RowView:
    """One row and what it was taken for."""

    place: int
    component: str
    code: str  # as in the package; ours has none
    label: str | None  # a short name, where it differs from the national one
    national: str
    kind: str
    kind_words: str
    tone: Tone
    rule: str
    quantity: str
    condition: str | None
    alternative: str | None
    edit: str | None
    accepts: tuple[str, ...]
    source: str | None
    unmapped: bool


@dataclass(frozen=True)
class GroupView:
    """The rows under one heading: of a case, or for every case."""

    title: str
    key: str | None
    rule: str
    additional: bool
    rows: tuple[RowView, ...]


@dataclass(frozen=True)
class EditView:
    """One edit: what it says, from when to when, why, on which ground, by whom."""

    id: str
    component: str
    case: str | None
    act: str
    says: tuple[tuple[str, str], ...]
    since: When
    until: When | None
    reason: str
    law: str
    by: str | None  # None: it came with Kho
    published: When
    ended: str | None
    idle: bool


@dataclass(frozen=True)
class WorkView:
    """Something to look at, and where."""

    procedure: str
    component: str
    name: str
    reason: str
    suggestions: tuple[str, ...]


class Registrar:
    """Tells of the catalogue in one language."""

    def __init__(self, language: Language, book: Book) -> None:
        self.language = language
        self.book = book

    def groups(self, found: Described) -> tuple[GroupView, ...]:
        """Give the rows of a procedure under their headings, in the package's order."""
        cases = {case.key: case for case in found.read.cases}
        under: dict[tuple[str | None, str], list[RowLine]] = {}
        for row in found.rows:
            under.setdefault((row.case, row.heading if row.case is None else ""), []).append(row)
        views = []
        for (key, heading), rows in under.items():
            case = cases.get(key or "")
            views.append(
                GroupView(
                    title=self.text(case.name) if case else heading or self.language.say("admin.no_heading"),
                    key=key,
                    rule=self.name("reading_rule", rows[0].heading_rule),
                    additional=case is not None and case.additional,
                    rows=tuple(self._row(row, found) for row in rows),
                )
            )
        return tuple(views)

    def edit(self, one: Published, idle: bool) -> EditView:
        """Tell of one edit."""
        edit, code = one.edit, self.language.code
        return EditView(
            id=edit.id,
            component=edit.component,
            case=edit.case,
            act=self.name("edit_act", edit.change.act),
            says=tuple(self._says(edit.change)),
            since=day(edit.in_force.start, code),
            until=day(edit.in_force.end, code) if edit.in_force.end else None,
            reason=self.text(edit.reason),
            law=edit.legal_reference,
            by=f"{one.officer} ({one.agency})" if one.agency else None,
            published=moment(one.at, code),
            ended=one.end_reason,
            idle=idle,
        )

    def work(self, items: Sequence[WorkItem]) -> tuple[WorkView, ...]:
        """Tell what is left to do."""
        return tuple(
            WorkView(
                procedure=one.procedure,
                component=one.component,
                name=one.name,
                reason=self.name("work_reason", one.reason),
                suggestions=tuple(self.type_name(kind) for kind in one.types),
            )
            for one in items
        )

    def type_name(self, code: str) -> str:
        """Name a record type by the book's newest entry."""
        found = [one for one in self.book.record_types if one.code == code]
        return f"{self.text(found[-1].name)} ({code})" if found else code

    def name(self, group: str, key: str) -> str:
        """Name a value of a group; begins with a capital."""
        words = name(group, key, self.language.code)
        return words[:1].upper() + words[1:]

    def text(self, text: Text) -> str:
        """Give the language's half of a text."""
        return text.vi if self.language.code == "vi" else text.en

    def _row(self, row: RowLine, found: Described) -> RowView:
        label = self.text(row.label) if row.label else row.name
        condition = found.read.conditions.get(row.condition or "")
        asked = row.kind not in ("note", "form")
        source = self.book.data_sources.get(row.data_source or "")
        return RowView(
            place=row.place,
            component=row.component,
            code=row.national_code,
            label=label if label != row.name else None,
            national=row.name,
            kind=row.kind,
            kind_words=self.name("component_kind", row.kind),
            tone=_TONES.get(row.kind, "caution"),
            rule=self.name("reading_rule", row.rule),
            quantity=self.language.say("admin.quantity", originals=row.originals, copies=row.copies),
            condition=self.text(condition) if condition else row.condition,
            alternative=self._alternative(row.alternative, found.read.code),
            edit=row.edit,
            accepts=tuple(self.type_name(kind) for kind in row.types) if asked else (),
            source=self.text(source.name) if source and asked else None,
            unmapped=asked and not row.mapped,
        )

    def _alternative(self, key: str | None, procedure: str) -> str | None:
        groups = self.book.alternatives
        known = next((one for one in groups if (one.key, one.procedure) == (key, procedure)), None)
        return self.text(known.name) if known else key

    def _says(self, change: Change) -> Iterator[tuple[str, str]]:
        language = self.language
        if change.kind is not None:
            yield language.say("admin.kind"), self.name("component_kind", change.kind)
        if change.name is not None:
            yield language.say("admin.name"), self.text(change.name)
        if change.condition is not None:
            yield language.say("admin.condition"), change.condition or language.say("admin.condition_none")
        if change.alternative is not None:
            yield (
                language.say("admin.alternative"),
                change.alternative or language.say("admin.alternative_none"),
            )
