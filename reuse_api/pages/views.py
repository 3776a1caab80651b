"""What the templates show: the vault's values turned into words, dates and sizes of one language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from babel.numbers import format_decimal

from policies.book import Book, local_day
from policies.entries import Text
from policies.wording import name, say
from reuse_api.pages.languages import Language
from vault.days import VIETNAM
from vault.deposit import OTHER
from vault.finding import MyAccess, MyRecord

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

Tone = Literal["good", "caution", "bad", "plain"]
Kind = Literal["dossier", "own", "outside"]
_VALIDITY: dict[str, Tone] = {"in_force": "good", "suspended": "caution"}
_VERDICT: dict[str, Tone] = {"valid": "good", "undetermined": "caution"}
_TRUST: dict[str, Tone] = {"A": "good", "B": "good", "C": "good"}


@dataclass(frozen=True)
class Mark:
    """A state said in words; its tone only colours what the words and the sign already say."""

    words: str
    tone: Tone


@dataclass(frozen=True)
class When:
    """An instant or a day: for machines in ISO 8601, for people in Viet Nam time."""

    iso: str
    words: str


@dataclass(frozen=True)
class RecordView:
    """One document as its owner sees it."""

    id: str
    title: str
    type_name: str
    code: str
    issuer: str | None
    number: str | None
    issued_on: When | None
    valid_until: When | None
    stored: When
    stored_day: When
    validity: Mark
    validity_reason: str | None
    replacement: str | None  # the record that took its place
    verdict: Mark
    verdict_reasons: tuple[str, ...]
    trust: Mark
    trust_letter: str
    file: str
    uploaded: bool
    damaged: bool


@dataclass(frozen=True)
class AccessView:
    """One entry of the log as the person it concerns sees it; what is not known is None."""

    index: int
    what: str
    when: When
    refused: bool
    by_owner: bool
    agency: str | None
    system: str | None
    officer: str | None
    dossier: str | None
    procedure: str | None
    component: str | None
    record: str | None
    document: str | None
    basis: str | None
    reference: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class AccessGroup:
    """Entries that belong together: of one dossier, the owner's own, or outside any dossier."""

    kind: Kind
    code: str | None
    procedure: str | None
    agency: str | None
    basis: str | None  # of every permitted entry, where it is one and the same
    reference: str | None
    accesses: tuple[AccessView, ...]


class Narrator:
    """Tells what the vault found, in one language and by the names of one policy book."""

    def __init__(self, language: Language, book: Book) -> None:
        self.language = language
        self._book = book

    def record(self, one: MyRecord) -> RecordView:
        """Tell of one document, and of a replaced one which record took its place."""
        return RecordView(
            id=one.id,
            title=one.title,
            type_name=self.type_name(one.type, one.created_at),
            code=one.document_code,
            issuer=one.issuer_name,
            number=one.number,
            issued_on=self._day(one.issued_on),
            valid_until=self._day(one.valid_until),
            stored=self.moment(one.created_at),
            stored_day=self._local_day(one.created_at),
            validity=self._validity(one),
            validity_reason=one.validity_reason,
            replacement=one.replaced_by,
            verdict=Mark(self._name("verdict", one.verdict), _VERDICT.get(one.verdict, "bad")),
            verdict_reasons=tuple(self._word(code) for code in one.verdict_reasons),
            trust=Mark(self._name("trust", one.trust), _TRUST.get(one.trust, "plain")),
            trust_letter=one.trust,
            file=self._file(one.media_type, one.size),
            uploaded=one.source == "upload",
            damaged=one.damaged,
        )

    def access(self, one: MyAccess) -> AccessView:
        """Tell of one entry: what happened, when, by whom, on which basis, and why not."""
        agency = one.agency_vi if self.language.code == "vi" else one.agency_en or one.agency_vi
        return AccessView(
            index=one.index,
            what=self._what(one),
            when=self.moment(one.at),
            refused=one.result == "refused",
            by_owner=one.by_owner,
            agency=agency,
            system=one.system,
            officer=one.officer,
            dossier=one.dossier,
            procedure=one.procedure_name or one.procedure,
            component=self._component(one),
            record=one.record,
            document=one.record_title,
            basis=self._basis(one),
            reference=one.reference,
            reasons=tuple(self._word(code) for code in one.reasons),
        )

    def groups(self, accesses: Sequence[MyAccess]) -> list[AccessGroup]:
        """Group entries by dossier; groups and entries keep the order given, latest first."""
        found: dict[tuple[Kind, str | None], list[AccessView]] = {}
        for one in accesses:
            found.setdefault(_place(one), []).append(self.access(one))
        return [_group(place, together) for place, together in found.items()]

    def type_name(self, code: str, at: datetime) -> str:
        """Name a record type; a code that the book no longer knows is shown as it is."""
        if code == OTHER:
            return self.language.say("record.other_type")
        found = self._book.record_type(code, local_day(at))
        return self._text(found.name) if found is not None else code

    def type_choices(self, at: datetime) -> list[tuple[str, str]]:
        """Give (code, name) of the types in force, in the book's order."""
        day = local_day(at)
        return [
            (one.code, self._text(one.name)) for one in self._book.record_types if one.in_force.holds(day)
        ]

    def reasons(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Say reason codes to a citizen."""
        return tuple(self._word(code) for code in codes)

    def moment(self, at: datetime) -> When:
        """Tell an aware instant, to the second, in Viet Nam time: a fixed offset needs no zone data."""
        local = at.astimezone(VIETNAM)
        return When(local.isoformat(timespec="seconds"), f"{local:%H:%M:%S}, {self._date(local.date())}")

    def size(self, octets: int) -> str:
        """Tell a number of bytes in decimal kilobytes or megabytes."""
        if octets < 1000:
            return f"{octets} B"
        number, unit = (octets / 1e3, "kB") if octets < 999_500 else (octets / 1e6, "MB")
        pattern = "#,##0.#" if number < 10 else "#,##0"
        return f"{format_decimal(number, format=pattern, locale=self.language.code)} {unit}"

    def _name(self, group: str, key: str) -> str:
        words = name(group, key, self.language.code)
        return words[:1].upper() + words[1:]

    def _word(self, code: str) -> str:
        return say(code, "citizen", self.language.code)

    def _text(self, text: Text) -> str:
        return text.vi if self.language.code == "vi" else text.en

    def _date(self, day: date) -> str:
        if self.language.code == "vi":
            return f"{day:%d/%m/%Y}"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def _day(self, iso: str | None) -> When | None:
        return When(iso, self._date(date.fromisoformat(iso))) if iso else None

    def _validity(self, one: MyRecord) -> Mark:
        """Nobody vouches for an upload: where it states no end, it is not called in force."""
        if one.source == "upload" and one.validity == "in_force" and one.valid_until is None:
            return Mark(self.language.say("record.validity_not_stated"), "plain")
        return Mark(self._name("validity", one.validity), _VALIDITY.get(one.validity, "bad"))

    def _local_day(self, at: datetime) -> When:
        day = local_day(at)
        return When(day.isoformat(), self._date(day))

    def _file(self, media_type: str, octets: int) -> str:
        if media_type == "application/pdf":
            return self.language.say("record.pdf", size=self.size(octets))
        return self.language.say("record.other_file", media_type=media_type, size=self.size(octets))

    def _what(self, one: MyAccess) -> str:
        """Say what happened by the entry's event; an event without words of its own is told by its kind."""
        event = f"event.{one.event}"
        key = event if self.language.has(event) else f"kind.{one.kind}"
        if one.by_owner and key == "kind.3":
            key = "event.read_own"
        return self.language.say(key, record=one.record_title or self.language.say("accesses.a_document"))

    def _component(self, one: MyAccess) -> str | None:
        reading = self._book.component_readings.get((one.procedure or "", one.component or ""))
        return self._text(reading.name) if reading is not None else one.component_name or one.component

    def _basis(self, one: MyAccess) -> str | None:
        if one.basis is None:
            return None
        named = [rule for rule in self._book.rules if rule.legal_reference == one.reference]
        words = self._name("basis", one.basis)
        return f"{words}: {self._text(named[0].name)}" if named else words


def _place(one: MyAccess) -> tuple[Kind, str | None]:
    if one.dossier is not None:
        return "dossier", one.dossier
    return ("own", None) if one.by_owner else ("outside", None)


def _group(place: tuple[Kind, str | None], together: Sequence[AccessView]) -> AccessGroup:
    """Head a group with what its oldest permitted entry names: another agency may have been refused later."""
    bases = {(one.basis, one.reference) for one in together if not one.refused}
    basis, reference = bases.pop() if len(bases) == 1 else (None, None)
    oldest_first = sorted(reversed(together), key=lambda one: one.refused)
    return AccessGroup(
        kind=place[0],
        code=place[1],
        procedure=next((one.procedure for one in oldest_first if one.procedure), None),
        agency=next((one.agency for one in oldest_first if one.agency), None),
        basis=basis,
        reference=reference,
        accesses=tuple(together),
    )
