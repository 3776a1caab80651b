"""How a document's signatures were checked, in numbered steps: the same for `kho verify document` and pages.

A step passed (True), failed (False) or could not be decided (None); only what the report says is told.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from policies.wording import Audience, name
from reuse_api.document_words import DETAILS, NAMES, STEPS, SUBJECT_PARTS, spoken
from reuse_api.language import Language
from reuse_api.problems import words
from signing.anchors import AnchorName
from signing.report import SignatureDetail, SignatureReport, Verdict

_PASSED: dict[Verdict, bool | None] = {"valid": True, "invalid": False, "undetermined": None}
_TAMPERED = frozenset({"coverage_incomplete", "changed_after_signing", "digest_mismatch"})
_IN_XML = frozenset({"xades", "xmldsig"})  # such a signature stands in no field, and in the document
_STAMPED = frozenset({"B-T", "B-LT", "B-LTA"})
_COMMON_NAME = re.compile(r"(?:Common Name: |CN=)([^,;]+)")
_SUBJECT_PART = re.compile(rf"(^|[,;] )({'|'.join(map(re.escape, SUBJECT_PARTS))}): ")
_BROKEN_OFF = frozenset({"worker_crashed", "worker_memory", "worker_timeout"})
_WORTH = frozenset({"A", "B", "C"})  # classes that something was proven for

Told = tuple[str, bool | None, tuple[str, ...]]


@dataclass(frozen=True)
class DocumentStep:
    """One step of the check: its number from 1, what is checked, how it came out, what was found."""

    number: int
    name: str
    passed: bool | None
    details: tuple[str, ...]


@dataclass(frozen=True)
class Worth:
    """What a document is worth: its class, the codes of why, and by which rules where that is known."""

    trust: str
    reasons: Sequence[str]
    rules: str = ""


@dataclass(frozen=True)
class Teller:
    """In which words steps are told: language, for whom, and how an instant is written."""

    language: Language
    audience: Audience
    moment: Callable[[datetime], str]

    def steps(
        self,
        report: SignatureReport,
        file: str,
        *,
        refusal: str | None = None,
        found: Sequence[str] = (),
        worth: Worth | None = None,
    ) -> list[DocumentStep]:
        """Tell a report.

        Args:
            file: describes the file itself.
            refusal: the code of a file that was not taken.
            found: what was found in it then, by stable codes.
            worth: the class of a document that is kept; None for a file that is only looked at.
        """
        refused = f"{refusal}:{','.join(found)}" if refusal and found else refusal
        told = [*self._told(report, file, refused), *([self._worth(worth)] if worth is not None else [])]
        return [
            DocumentStep(number, name, passed, details)
            for number, (name, passed, details) in enumerate(told, 1)
        ]

    def _told(self, report: SignatureReport, file: str, refusal: str | None) -> Iterator[Told]:
        refused = (self._word(refusal),) if refusal else ()
        read = not refusal and _BROKEN_OFF.isdisjoint(report.reasons)
        yield self._name("file"), True if read else None, (file, *refused)
        for one in report.signatures:
            within = one.kind in _IN_XML
            called = one.field or self._say("within" if within else "it")
            own = self._name("within" if within else "beside")
            genuine = self._name("signature", called) if one.field else own
            yield genuine, _PASSED[one.verdict], self._signature(one)
            if one.chain or one.status_evidence:  # older reports say nothing of it
                yield self._name("status", called), _stood(one), self._status(one)
            yield self._name("coverage", called), _coverage(one), self._coverage(one)
            yield self._name("time", called), True if _proven(one) else None, self._time(one)
        if report.second_look:
            yield self._look(report)
        reasons = tuple(self._word(code) for code in report.reasons)
        passed = _PASSED[report.verdict]
        yield self._name("report"), passed, (*self._detail("indication", report.sub_indication), *reasons)

    def _signature(self, one: SignatureDetail) -> tuple[str, ...]:
        strength = [one.digest_algorithm, one.signature_algorithm]
        strength.append(f"{one.key_bits} bit" if one.key_bits else "")
        reason = (self._word(one.reason),) if one.reason else ()
        return (
            *self._detail("signer" if one.verdict == "valid" else "claimed", one.signer),
            *self._detail("kind", self._called(one.kind)),
            *self._detail("chain", " ← ".join(self._named(each.subject) for each in one.chain)),
            *self._detail("anchor", self._anchor(one.anchor)),
            *self._detail("algorithms", ", ".join(filter(None, strength))),
            *self._detail("indication", one.sub_indication),
            *reason,
        )

    def _named(self, subject: str) -> str:
        """Name a certificate: to a citizen by its common name alone."""
        common = _COMMON_NAME.search(subject)
        if common is not None and self.audience == "citizen":
            return common[1]
        if self.language == "en":
            return subject
        return _SUBJECT_PART.sub(lambda part: f"{part[1]}{SUBJECT_PARTS[part[2]]}: ", subject)

    def _short(self, subject: str) -> str:
        common = _COMMON_NAME.search(subject)
        return common[1] if common is not None else self._named(subject)

    def _anchor(self, anchor: AnchorName | None) -> str:
        if anchor is None:
            return ""
        label = anchor.label_vi if self.language == "vi" else anchor.label_en
        return f"{label} ({self._called(anchor.purpose)})"

    def _status(self, one: SignatureDetail) -> tuple[str, ...]:
        named = {each.sha256: self._short(each.subject) for each in one.chain}
        told = []
        for each in one.status_evidence:
            kind, source = self._called(each.kind), self._called(each.source)
            about = f"{kind} {source}: {named.get(each.certificate, each.certificate[:16])}"
            at = f", {self.moment(each.this_update)}" if each.this_update is not None else ""
            told.append(self._say("status", about + at))
        return tuple(dict.fromkeys(told)) or (self._say("no_status"),)

    def _coverage(self, one: SignatureDetail) -> tuple[str, ...]:
        changes = ", ".join(self._called(each) for each in one.changes)
        certified = self._called(one.certified)
        return (*self._detail("certified", certified), *self._detail("changes", changes))

    def _time(self, one: SignatureDetail) -> tuple[str, ...]:
        stamps = tuple(
            self._say(
                "stamp",
                ", ".join(
                    filter(
                        None,
                        [
                            self._called(each.kind),
                            each.authority,
                            self.moment(each.stamped_at) if each.stamped_at is not None else "",
                            self._called(each.verdict),
                        ],
                    )
                ),
            )
            for each in one.timestamps
        )
        if one.signed_at is None:
            return (self._say("no_time"), *stamps)
        at, level = self._say("at", self.moment(one.signed_at)), self._detail("level", one.level)
        if _proven(one):
            return (at, *level, *stamps)
        stamped = [each.stamped_at for each in one.timestamps if each.stamped_at is not None]
        later = (self._say("claimed_later"),) if any(one.signed_at > each for each in stamped) else ()
        return (at, self._say("only_claimed"), *later, *stamps)

    def _look(self, report: SignatureReport) -> Told:
        passed = {"same": True, "different": False}.get(report.second_look)
        pages = dict.fromkeys(str(one.page) for one in report.differences)
        details = tuple(self._say("difference", page) for page in pages)
        details = details or (() if passed else (self._say("not_compared"),))
        return self._name("look"), passed, (*details, *self._shown_later(report))

    def _shown_later(self, report: SignatureReport) -> Iterator[str]:
        for one in report.shown_later:
            yield self._say("shown_later", f"{one.field}, {one.page} {one.box}")

    def _worth(self, worth: Worth) -> Told:
        called = f"{worth.trust}, {name('trust', worth.trust, self.language)}"
        details = (*(self._word(code) for code in worth.reasons), *self._detail("rules", worth.rules))
        return self._name("class", called), True if worth.trust in _WORTH else None, details

    def _detail(self, key: str, value: str) -> tuple[str, ...]:
        return (self._say(key, value),) if value else ()

    def _say(self, key: str, value: str = "") -> str:
        return spoken(DETAILS[key], self.language, value)

    def _name(self, key: str, value: str = "") -> str:
        return spoken(STEPS[key], self.language, value)

    def _called(self, value: str) -> str:
        return spoken(NAMES[value], self.language) if value else ""

    def _word(self, code: str) -> str:
        return words(code, self.language, self.audience)


def _proven(one: SignatureDetail) -> bool:
    """Whether a time stamp proves the time; reports of before said it by the level alone."""
    return one.time_source == "timestamp" or (not one.time_source and one.level in _STAMPED)


def _stood(one: SignatureDetail) -> bool | None:
    if one.reason == "certificate_revoked":
        return False
    return True if one.verdict == "valid" and one.status_evidence else None


def _coverage(one: SignatureDetail) -> bool | None:
    """Judge the coverage: only a signature that was shown genuine says that nothing was changed."""
    if one.reason in _TAMPERED or one.sub_indication == "HASH_FAILURE":
        return False
    return True if one.covers_whole_file and one.verdict == "valid" else None
