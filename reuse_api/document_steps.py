"""How a document's signatures were checked, in numbered steps: the same for `kho verify document` and pages.

A step passed (True), failed (False) or could not be decided (None); only what the report says is told.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from policies.wording import Audience
from reuse_api.language import Language
from reuse_api.problems import words
from signing.report import SignatureDetail, SignatureReport, Verdict

_STEPS = {
    "file": ("Tệp được đọc trong tiến trình riêng", "The file was read in a process of its own"),
    "signature": (
        "Chữ ký trong trường {field} là thật và truy được tới nơi cấp được tin cậy",
        "The signature in field {field} is genuine and leads to a trusted authority",
    ),
    "coverage": (
        "Chữ ký {field} phủ cả tệp: sau khi ký không có gì bị thêm hay sửa",
        "Signature {field} covers the whole file: nothing was added or changed afterwards",
    ),
    "time": ("Thời điểm của chữ ký {field} được chứng minh", "The time of signature {field} is proven"),
    "report": ("Kết luận chung về tệp", "The file as a whole"),
}
_DETAILS = {
    "signer": ("Người ký: {value}", "Signer: {value}"),
    "claimed": ("Người ký tự ghi: {value}", "Signer as claimed: {value}"),
    "at": ("Thời điểm: {value}", "Time: {value}"),
    "level": ("Mức chữ ký: {value}", "Signature level: {value}"),
    "no_time": ("Chữ ký không ghi thời điểm", "The signature names no time"),
    "only_claimed": (
        "Chỉ người ký tự ghi, không có dấu thời gian chứng minh",
        "Only the signer says so; no time stamp proves it",
    ),
    "indication": ("Mã theo EN 319 102-1: {value}", "Code of EN 319 102-1: {value}"),
}
_PASSED: dict[Verdict, bool | None] = {"valid": True, "invalid": False, "undetermined": None}
_TAMPERED = frozenset({"coverage_incomplete", "changed_after_signing", "digest_mismatch"})
_STAMPED = frozenset({"B-T", "B-LT", "B-LTA"})


@dataclass(frozen=True)
class DocumentStep:
    """One step of the check: its number from 1, what is checked, how it came out, what was found."""

    number: int
    name: str
    passed: bool | None
    details: tuple[str, ...]


@dataclass(frozen=True)
class Teller:
    """In which words steps are told: language, for whom, and how an instant is written."""

    language: Language
    audience: Audience
    moment: Callable[[datetime], str]

    def steps(self, report: SignatureReport, file: str, *, refusal: str | None = None) -> list[DocumentStep]:
        """Tell a report; `file` describes the file itself, `refusal` is the code of a file not taken."""
        return [
            DocumentStep(number, name, passed, details)
            for number, (name, passed, details) in enumerate(self._told(report, file, refusal), 1)
        ]

    def _told(
        self, report: SignatureReport, file: str, refusal: str | None
    ) -> Iterator[tuple[str, bool | None, tuple[str, ...]]]:
        refused = (self._word(refusal),) if refusal else ()
        yield self._name("file"), None if refusal else True, (file, *refused)
        for one in report.signatures:
            yield self._name("signature", one), _PASSED[one.verdict], self._signature(one)
            yield self._name("coverage", one), _coverage(one), ()
            yield self._name("time", one), True if one.level in _STAMPED else None, self._time(one)
        reasons = tuple(self._word(code) for code in report.reasons)
        yield (
            self._name("report"),
            _PASSED[report.verdict],
            (*self._detail("indication", report.sub_indication), *reasons),
        )

    def _signature(self, one: SignatureDetail) -> tuple[str, ...]:
        reason = (self._word(one.reason),) if one.reason else ()
        signer = self._detail("signer" if one.verdict == "valid" else "claimed", one.signer)
        return (*signer, *self._detail("indication", one.sub_indication), *reason)

    def _time(self, one: SignatureDetail) -> tuple[str, ...]:
        if one.signed_at is None:
            return (self._said("no_time"),)
        at = self._said("at", self.moment(one.signed_at))
        proven = one.level in _STAMPED
        return at, self._said("level", one.level) if proven else self._said("only_claimed")

    def _detail(self, key: str, value: str) -> tuple[str, ...]:
        return (self._said(key, value),) if value else ()

    def _said(self, key: str, value: str = "") -> str:
        return _DETAILS[key][self.language == "en"].format(value=_shown(value))

    def _name(self, key: str, one: SignatureDetail | None = None) -> str:
        return _STEPS[key][self.language == "en"].format(field=_shown(one.field) if one else "")

    def _word(self, code: str) -> str:
        return words(code, self.language, self.audience)


def _shown(claimed: str) -> str:
    """Keep what a file says of itself from steering a terminal or turning the line around."""
    return "".join(one if one.isprintable() else "\ufffd" for one in claimed)


def _coverage(one: SignatureDetail) -> bool | None:
    """Judge the coverage: a signature that could not be judged at all says nothing about it."""
    if one.covers_whole_file:
        return True
    return False if one.reason in _TAMPERED else None
