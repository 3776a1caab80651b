"""What the templates show: the vault's values turned into words, dates and sizes of one language."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from babel.numbers import format_decimal

from policies.book import Book, local_day
from policies.entries import Text
from policies.wording import name, say, validity_group
from reuse_api.pages import dates
from reuse_api.pages.dates import When
from reuse_api.pages.languages import Language
from signing.file_types import XML
from vault.deposit import OTHER
from vault.finding import MyRecord

Tone = Literal["good", "caution", "bad", "plain"]
_VALIDITY: dict[str, Tone] = {"in_force": "good", "suspended": "caution"}
_VERDICT: dict[str, Tone] = {"valid": "good", "undetermined": "caution"}
_CHANGED = frozenset({"changed_after_signing", "looks_changed"})
_TRUST: dict[str, Tone] = {"A": "good", "B": "good", "C": "good"}


@dataclass(frozen=True)
class Mark:
    """A state said in words; its tone only colours what the words and the sign already say."""

    words: str
    tone: Tone


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
    verdict: Mark
    trust: Mark
    trust_letter: str
    file: str
    uploaded: bool
    damaged: bool


class Narrator:
    """Tells what the vault found, in one language and by the names of one policy book."""

    def __init__(self, language: Language, book: Book) -> None:
        self.language = language
        self.book = book

    def record(self, one: MyRecord) -> RecordView:
        """Tell of one document as its card shows it."""
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
            stored_day=dates.day_of(one.created_at, self.language.code),
            validity=self.validity(one.validity, one.source, one.valid_until),
            verdict=self.signature(one.verdict, one.verdict_reasons),
            trust=Mark(self.name("trust", one.trust), _TRUST.get(one.trust, "plain")),
            trust_letter=one.trust,
            file=self.file(one.media_type, one.size),
            uploaded=one.source == "upload",
            damaged=one.damaged,
        )

    def type_name(self, code: str, at: datetime) -> str:
        """Name a record type; a code that the book no longer knows is shown as it is."""
        if code == OTHER:
            return self.language.say("record.other_type")
        found = self.book.record_type(code, local_day(at))
        return self.text(found.name) if found is not None else code

    def kind_of_paper(self, code: str) -> str:
        """Name a record type by the book's newest entry; one that it does not know is shown as it is."""
        found = [one for one in self.book.record_types if one.code == code]
        return self.text(found[-1].name) if found else code

    def type_choices(self, at: datetime) -> list[tuple[str, str]]:
        """Give (code, name) of the types in force, in the book's order."""
        day = local_day(at)
        return [(one.code, self.text(one.name)) for one in self.book.record_types if one.in_force.holds(day)]

    def reasons(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Say reason codes to a citizen."""
        return tuple(self.word(code) for code in codes)

    def moment(self, at: datetime) -> When:
        """Tell an aware instant, to the second, in Viet Nam time."""
        return dates.moment(at, self.language.code)

    def size(self, octets: int) -> str:
        """Tell a number of bytes in decimal kilobytes or megabytes."""
        if octets < 1000:
            return f"{octets} B"
        number, unit = (octets / 1e3, "kB") if octets < 999_500 else (octets / 1e6, "MB")
        pattern = "#,##0.#" if number < 10 else "#,##0"
        return f"{format_decimal(number, format=pattern, locale=self.language.code)} {unit}"

    def validity(self, state: str, source: str = "", valid_until: str | None = None) -> Mark:
        """Name a state of validity: of a record, with where it came from and the end it states."""
        group = validity_group(state, source, valid_until)
        return Mark(self.name(group, state), _VALIDITY.get(state, "bad") if group == "validity" else "plain")

    def signature(self, verdict: str, reasons: Collection[str]) -> Mark:
        """Name a verdict; what nobody signed, and what was changed after it was signed, is told apart."""
        if verdict == "undetermined" and not _CHANGED.isdisjoint(reasons):
            return Mark(self.language.say("record.signature_changed"), "bad")
        if verdict == "undetermined" and "no_signature" in reasons:
            return Mark(self.language.say("record.signature_none"), "plain")
        return Mark(self.name("verdict", verdict), _VERDICT.get(verdict, "bad"))

    def name(self, group: str, key: str) -> str:
        """Name a value of a group, such as a trust class; begins with a capital."""
        words = name(group, key, self.language.code)
        return words[:1].upper() + words[1:]

    def word(self, code: str) -> str:
        """Say one reason code to a citizen."""
        return say(code, "citizen", self.language.code)

    def text(self, text: Text) -> str:
        """Give the language's half of a text of the book."""
        return text.vi if self.language.code == "vi" else text.en

    def capital(self, text: Text) -> str:
        """Give the language's half of a text of the book, as it begins a line."""
        words = self.text(text)
        return words[:1].upper() + words[1:]

    def _day(self, iso: str | None) -> When | None:
        return dates.day(date.fromisoformat(iso), self.language.code) if iso else None

    def file(self, media_type: str, octets: int) -> str:
        """Tell what kind of file it is, and how large (bytes)."""
        if media_type == "application/pdf":
            return self.language.say("record.pdf", size=self.size(octets))
        if media_type == XML:
            return self.language.say("record.xml", size=self.size(octets))
        return self.language.say("record.other_file", media_type=media_type, size=self.size(octets))
