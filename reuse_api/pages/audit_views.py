"""What the audit's pages show: entries, decisions and patterns in an auditor's words, persons masked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from policies.facts import Reason
from policies.wording import codes, groups, say
from reuse_api.pages import dates
from reuse_api.pages.audit_asked import Asked
from reuse_api.pages.dates import When
from reuse_api.pages.views import Mark, Narrator
from signing.leaf import Kind
from vault.anomalies import Anomaly
from vault.audit_counts import NOBODY, OTHERS
from vault.audit_opening import Opening, Replayed
from vault.auditing import Choices, Line
from vault.days import VIETNAM


@dataclass(frozen=True)
class LineView:
    """One entry that stays closed."""

    index: int
    when: When
    what: str
    event: str | None
    result: Mark | None
    agency: str | None
    officer: str | None
    system: str | None
    owners: tuple[str, ...]
    procedure: str | None
    dossier: str | None
    component: str | None
    record: str | None
    basis: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """One condition of a decision: its code, what an officer is told of it, the fact it rests on."""

    code: str
    words: str
    fact: str


@dataclass(frozen=True)
class Judged:
    """One condition as deciding again found it: whether it stands in the way, and the fact it rests on."""

    code: str
    fact: str
    tone: str
    outcome: str


@dataclass(frozen=True)
class OpenedView:
    """An opened entry: the parts in words, and as they were committed to."""

    line: LineView
    procedure: str | None
    case: str | None
    type: str | None
    digest: str | None
    release: str | None
    of: int | None
    reference: str | None
    policy: str | None
    conditions: tuple[Condition, ...]
    parts: str
    disagreements: tuple[tuple[str, str, str], ...]
    opening: int


@dataclass(frozen=True)
class ReplayView:
    """What deciding again came to, every condition it looked at, every difference."""

    outcome: str
    words: str
    tone: str
    differences: tuple[tuple[str, str, str], ...]
    conditions: tuple[Judged, ...]


class Reviewer(Narrator):
    """Tells an auditor what the log holds."""

    def line(self, one: Line) -> LineView:
        """Tell of an entry that stays closed."""
        refused = one.result == "refused"
        return LineView(
            index=one.index,
            when=self.moment(one.at),
            what=self.name("entry", str(one.kind)),
            event=one.event,
            result=Mark(self.name("outcome", one.result), "bad" if refused else "good")
            if one.result in groups()["outcome"]
            else None,
            agency=one.agency_vi if self.language.code == "vi" else one.agency_en or one.agency_vi,
            officer=one.officer,
            system=one.system,
            owners=one.owners,
            procedure=one.procedure,
            dossier=one.dossier,
            component=one.component,
            record=one.record,
            basis=self.name("basis", one.basis) if one.basis in groups()["basis"] else one.basis,
            reasons=tuple(self.reason(code) for code in one.reasons),
        )

    def opened(self, told: Opening) -> OpenedView:
        """Tell of an opened entry."""
        subject, purpose = told.parts["subject"], told.parts["purpose"]
        basis, event = told.parts["basis"], told.parts["event"]
        kind = subject.get("type")
        return OpenedView(
            line=self.line(told.line),
            procedure=told.procedure,
            case=purpose.get("case"),
            type=self.type_name(kind, told.line.at) if kind else None,
            digest=subject.get("digest"),
            release=event.get("release"),
            of=event.get("of"),
            reference=basis.get("reference"),
            policy=basis.get("policy"),
            conditions=tuple(
                self._condition(one["code"], one.get("fact", "")) for one in basis.get("reasons", ())
            ),
            parts=json.dumps(told.parts, ensure_ascii=False, indent=2),
            disagreements=tuple(told.disagreements),
            opening=told.entered.index,
        )

    def replayed(self, told: Replayed) -> ReplayView:
        """Tell what deciding again came to."""
        plain = told.outcome == "no_decision"
        reasons: Sequence[Reason] = told.decision.reasons if told.decision is not None else ()
        return ReplayView(
            outcome=told.outcome,
            words=self.name("replay", told.outcome),
            tone="bad" if told.alarm else "plain" if plain else "good",
            differences=tuple(
                (one.name, _shown(one.recorded), _shown(one.again)) for one in told.differences
            ),
            conditions=tuple(self._judged(one) for one in reasons),
        )

    def anomaly(self, one: Anomaly) -> str:
        """Name a pattern."""
        return self.name("anomaly", one.code)

    def reason(self, code: str) -> str:
        """Say a reason tersely."""
        return say(code, "machine", self.language.code)

    def today(self, at: datetime) -> str:
        """Give the day of an instant in Viet Nam, in ISO 8601."""
        return dates.day_of(at, self.language.code).iso

    def kinds(self) -> list[tuple[str, str]]:
        """Give every kind of entry with its name."""
        return [(str(int(kind)), self.name("entry", str(int(kind)))) for kind in Kind]

    def results(self) -> list[tuple[str, str]]:
        """Give both results with their names."""
        return [(key, self.name("outcome", key)) for key in ("permitted", "refused")]

    def same(self, offered: Sequence[str]) -> list[tuple[str, str]]:
        """Give codes to choose from that are their own names."""
        return [(code, code) for code in offered]

    def hour(self, iso: str) -> str:
        """Tell the beginning of an hour in Viet Nam time."""
        at = datetime.fromisoformat(iso)
        return f"{at.astimezone(VIETNAM):%H:%M}, {dates.day_of(at, self.language.code).words}"

    def agencies(self, offered: Choices) -> list[tuple[str, str]]:
        """Give the agencies to choose from."""
        return [(code, vi if self.language.code == "vi" else en) for code, vi, en in offered.agencies]

    def narrowed(self, asked: Asked) -> tuple[str, ...]:
        """Give what a search was narrowed by, the owner apart; only of what could be read as filters."""
        named = {"kind": dict(self.kinds()), "result": dict(self.results())}
        days = {"since": "≥ ", "until": "≤ "}
        return tuple(
            days[name] + self.counted("day", value) if name in days else named.get(name, {}).get(value, value)
            for name, value in asked.typed.items()
            if name != "store"
        )

    def counted(self, by: str, key: str) -> str:
        """Name what was counted; a code without a name is shown as it is."""
        if key == NOBODY:
            return self.language.say("audit.counts.nobody")
        if key == OTHERS:
            return self.language.say("audit.counts.others")
        if by == "day":
            return dates.day(date.fromisoformat(key), self.language.code).words
        if by == "reason" and key in codes():
            return self.reason(key)
        group = {"kind": "entry", "result": "outcome"}.get(by)
        return self.name(group, key) if group is not None and key in groups()[group] else key

    def _judged(self, one: Reason) -> Judged:
        """A guard that does not hold stands in the way; of the bases, those that do not hold are not used."""
        if one.passed:
            return Judged(one.code, one.fact, "good", self.language.say("audit.passed"))
        if one.kind == "basis":
            return Judged(one.code, one.fact, "plain", self.language.say("audit.not_used"))
        return Judged(one.code, one.fact, "bad", self.language.say("audit.not_passed"))

    def _condition(self, code: str, fact: str) -> Condition:
        return Condition(code, say(code, "officer", self.language.code), fact)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
