"""Suggestions from what was read of a scan: type, number, date, issuer, names. Nothing is decided by them.

Each has its place on the page and how sure the reading is; an officer sees it marked as a suggestion and
says what is right. Patterns are those of Vietnamese papers (Nghị định 30/2020/NĐ-CP, Phụ lục I).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from signing.ocr import ReadPage, Word

Field = Literal["type", "number", "issued_on", "issuer_name", "name"]
LEAST_SURE = 60.0  # hundredths: what is read less surely is no suggestion
_MOST_NAMES = 4
_LONGEST = 200  # characters
_HEADING_ABOVE = 5_000  # parts of 10,000: the name of a paper stands in its upper half

_NUMBER = re.compile(r"^so\s*[:.]?\s*(?P<value>\d[\w./\-]{0,40})", re.ASCII)
_SAID_DATE = re.compile(r"ngay\s+(\d{1,2})\s+thang\s+(\d{1,2})\s+nam\s+(\d{4})")
_DAY_OF = re.compile(
    r"^(?:ngay cap|ngay,? thang,? nam (?:dang ky|cap)[^:]*)\s*:?\s*(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})"
)
_REGISTERED_AT = re.compile(r"^(?:noi dang ky[^:]*|co quan cap|noi cap)\s*:\s*(?P<value>\S.*)$")
_ISSUER = re.compile(
    r"^(?:uy ban nhan dan|ubnd|so |bo |cong an|phong |van phong|cuc |chi cuc|toa an|truong|benh vien)"
)
_NAME = re.compile(r"^ho(?:\s*,\s*chu dem\s*,)?\s*(?:va\s+|,\s*)?ten[^:]*:\s*(?P<value>\S.*)$")

_PERSON = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)+")


@dataclass(frozen=True)
class Suggestion:
    """A value for a field of the form, where it was read (parts of 10,000 of the page), how surely (0-100).

    `issued_on` is an ISO date, `type` the code of a record type, `name` a person's name.
    """

    field: Field
    value: str
    page: int
    left: int
    top: int
    width: int
    height: int
    confidence: float


@dataclass(frozen=True)
class _Line:
    page: int
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(one.text for one in self.words)

    @property
    def folded(self) -> str:
        return folded(self.text)

    def suggest(self, field: Field, value: str, start: int = 0, stop: int | None = None) -> Suggestion | None:
        """Make a suggestion of what stands from one letter of the folded text to another."""
        chosen = tuple(self._between(start, len(self.folded) if stop is None else stop))
        value = " ".join(value.split())[:_LONGEST].strip(" .,:;_-")
        if not value or not chosen:
            return None
        sure = _sureness(field, chosen)
        left, top = min(one.left for one in chosen), min(one.top for one in chosen)
        right = max(one.left + one.width for one in chosen)
        bottom = max(one.top + one.height for one in chosen)
        place = (left, top, right - left, bottom - top)
        return Suggestion(field, value, self.page, *place, round(sure, 1)) if sure >= LEAST_SURE else None

    def _between(self, start: int, stop: int) -> Iterator[Word]:
        at = 0
        for one in self.words:
            if at < stop and at + len(folded(one.text)) > start:
                yield one
            at += len(folded(one.text)) + 1


def _sureness(field: Field, chosen: Sequence[Word]) -> float:
    """How sure a value is: no more than its least sure word.

    The name of a type is one of few that are known, found by its plain letters: one tone mark that is read
    unsurely does not make it another, so that its words count on average.
    """
    told = [one.confidence for one in chosen]
    return sum(told) / len(told) if field == "type" else min(told)


def suggestions(pages: Sequence[ReadPage], types: Mapping[str, str]) -> tuple[Suggestion, ...]:
    """Suggest what the form could say; at most one value a field, and a few names.

    Args:
        pages: as they were read; those that need a person suggest nothing.
        types: record types that may be meant, code -> name in Vietnamese.
    """
    lines = [line for page in pages if not page.needs_person for line in _lines(page)]
    found = [
        _first(_types(lines, types)),
        _first(_numbers(lines)),
        _first(_dates(lines)),
        _first(_issuers(lines)),
        *list(_names(lines))[:_MOST_NAMES],
    ]
    return tuple(one for one in found if one is not None)


def folded(text: str) -> str:
    """Fold to plain lower-case letters: tone marks are what is misread most. Letters keep their places."""
    plain = []
    for letter in unicodedata.normalize("NFC", text):
        base = unicodedata.normalize("NFD", letter)[0].lower()
        plain.append("d" if base == "đ" else base[:1])
    return "".join(plain)


def _lines(page: ReadPage) -> list[_Line]:
    rows: dict[int, list[Word]] = {}
    for word in page.words:
        rows.setdefault(word.line, []).append(word)
    return [_Line(page.number, tuple(words)) for words in rows.values()]


def _first(found: Iterator[Suggestion | None]) -> Suggestion | None:
    return next((one for one in found if one is not None), None)


def _types(lines: Sequence[_Line], types: Mapping[str, str]) -> Iterator[Suggestion | None]:
    """The longest name of a type that a heading in capitals holds."""
    by_length = sorted(types.items(), key=lambda item: -len(item[1]))
    for line in lines:
        if line.text.upper() != line.text or line.words[0].top > _HEADING_ABOVE:
            continue
        for code, name in by_length:
            at = line.folded.find(folded(name))
            if at >= 0:
                yield line.suggest("type", code, at, at + len(name))


def _numbers(lines: Sequence[_Line]) -> Iterator[Suggestion | None]:
    for line in lines:
        found = _NUMBER.match(line.folded)
        if found is not None:
            start, stop = found.span("value")
            yield line.suggest("number", line.text[start:stop], start, stop)


def _dates(lines: Sequence[_Line]) -> Iterator[Suggestion | None]:
    """The day in words that stands lowest, as it does above a signature; else a day of registration."""
    for line in reversed(lines):
        yield from (_date(line, found) for found in _SAID_DATE.finditer(line.folded))
    for line in lines:
        yield from (_date(line, found) for found in _DAY_OF.finditer(line.folded))


def _date(line: _Line, found: re.Match[str]) -> Suggestion | None:
    day, month, year = (int(one) for one in found.groups())
    try:
        value = date(year, month, day).isoformat()
    except ValueError:
        return None
    return line.suggest("issued_on", value, *found.span())


def _issuers(lines: Sequence[_Line]) -> Iterator[Suggestion | None]:
    for line in lines:
        found = _REGISTERED_AT.match(line.folded)
        if found is not None:
            yield line.suggest("issuer_name", line.text[found.start("value") :], found.start("value"))
    for line in lines:
        if line.text.upper() == line.text and _ISSUER.match(line.folded):
            yield line.suggest("issuer_name", line.text)


def _names(lines: Sequence[_Line]) -> Iterator[Suggestion]:
    for line in lines:
        found = _NAME.match(line.folded)
        if found is None:
            continue
        told = line.suggest("name", line.text[found.start("value") :], found.start("value"))
        if told is not None and _PERSON.fullmatch(told.value):
            yield told
