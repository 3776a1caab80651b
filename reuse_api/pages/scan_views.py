"""What was measured and read of a scan, as its officer sees it: values beside what is wanted, suggestions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from policies.scan_rules import Finding, ScanQuality
from policies.wording import say
from reuse_api.pages.languages import Language
from search.vietnamese import fold
from signing.ocr import SHARE
from signing.reading import Suggestion
from vault.scan_found import JudgedScan, Reading
from vault.scan_judging import said_of

TONES = {"met": "good", "tell": "caution", "doubt": "caution", "refuse": "bad"}
_TONE = TONES | {"untold": "plain"}  # what could not be measured meets no rule and breaks none
READING = ("done", "person", "not_installed", "no_vietnamese", "off")  # how the reading of a scan went
_WORST = tuple(TONES)
_UNTOLD = "?"  # what could not be measured
_DECIMAL = re.compile(r"(\d)\.(\d)")


@dataclass(frozen=True)
class MeasuredRow:
    """One rule, by its worst page: what was measured, what is wanted, what follows, and on which ground."""

    name: str
    measured: str
    wanted: str
    tone: str
    outcome: str
    words: str  # what to do, where it is not met
    legal: str


@dataclass(frozen=True)
class Hint:
    """A suggestion: its value, and where it was read and how surely, in words."""

    value: str
    words: str


@dataclass(frozen=True)
class DraftView:
    """A scan that waits for its officer: its name and digest, what was measured, what it suggests."""

    id: str
    name: str
    digest: str
    rows: tuple[MeasuredRow, ...]
    passed: bool
    hints: dict[str, Hint]
    names: tuple[Hint, ...]
    reading: str  # how the reading went, in words


def measured_rows(quality: ScanQuality, language: Language) -> tuple[MeasuredRow, ...]:
    """Tell each rule once, by the page that is furthest from meeting it."""
    by_rule = groupby(quality.findings, key=lambda one: one.rule)
    return tuple(_row(_worst(found), language) for _, found in by_rule)


def draft_view(
    id: str, name: str, judged: JudgedScan, reading: Reading, read: str, language: Language
) -> DraftView:
    """Tell a draft; `read` is the state of the reading program."""
    hints: dict[str, Hint] = {
        str(one.field): _hint(one, judged, language) for one in reading.suggestions if one.field != "name"
    }
    names = tuple(_hint(one, judged, language) for one in reading.suggestions if one.field == "name")
    how = read if read != "ready" else "person" if reading.needs_person else "done"
    return DraftView(
        id,
        name,
        judged.sha256.hex(),
        measured_rows(judged.quality, language),
        judged.quality.passed,
        hints,
        names,
        language.say(f"desk.scan_read.{how}"),
    )


def names_differ(reading: Reading, chosen: Iterable[str]) -> bool:
    """Say whether names were read off a paper, and none is a name of those whose paper it is said to be.

    Marks do not count, which a reading gets wrong first.
    """
    read = {fold(one.value) for one in reading.suggestions if one.field == "name"}
    return bool(read) and read.isdisjoint(fold(one) for one in chosen)


def _worst(found: Iterable[Finding]) -> Finding:
    return max(found, key=lambda one: (_WORST.index(one.outcome), -one.page))


def _row(finding: Finding, language: Language) -> MeasuredRow:
    page = language.say("desk.scan_on_page", page=finding.page) if finding.page > 1 else ""
    outcome = "untold" if finding.outcome == "met" and finding.measured == _UNTOLD else finding.outcome
    return MeasuredRow(
        name=language.say(f"desk.scan_rule.{finding.rule}"),
        measured=_value(finding.measured, language) + page,
        wanted=_value(finding.wanted, language),
        tone=_TONE[outcome],
        outcome=language.say(f"desk.scan_outcome.{outcome}"),
        words=say(finding.fault, "officer", language.code, **said_of(finding)) if finding.fault else "",
        legal=finding.legal,
    )


def _value(value: str, language: Language) -> str:
    """Say a value that is a word (a kind of colour, a few tones), or a number with the language's comma."""
    named = "unknown" if value == _UNTOLD else value.replace("> ", "over_").replace(" ", "_")
    key = f"desk.scan_value.{named}"
    return language.say(key) if language.has(key) else _numbers(value, language)


def _numbers(value: str, language: Language) -> str:
    return _DECIMAL.sub(r"\1,\2", value) if language.code == "vi" else value


def _hint(one: Suggestion, judged: JudgedScan, language: Language) -> Hint:
    page = judged.measured.pages[one.page - 1]
    words = language.say(
        "desk.scan_hint",
        page=one.page,
        left=round(one.left / SHARE * page.width_mm),
        top=round(one.top / SHARE * page.height_mm),
        sure=round(one.confidence),
    )
    return Hint(one.value, words)
