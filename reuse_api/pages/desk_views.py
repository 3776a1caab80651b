"""What the desk's pages show: a plan, what was taken and who is named, in an officer's words."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.book import Book
from policies.entries import Text
from policies.wording import groups, name, say
from reuse_api.pages.dates import When
from reuse_api.pages.languages import Language
from reuse_api.pages.views import Mark, Narrator, Tone
from vault.dossiers import Opened
from vault.entries import instant
from vault.notifying import Notice
from vault.progress import Party, Progress, Taken
from vault.records import Stored
from vault.services import Answer

STATES = ("satisfied", "candidate", "data_source", "none")
_STATE: dict[str, Tone] = {"satisfied": "good", "candidate": "caution"}
_SHOWN_OTHERWISE = ("data_source_answers",)  # the database stands there, with what to do next
_MARKS: dict[str, dict[str, Tone]] = {
    "validity": {"in_force": "good", "suspended": "caution"},
    "verdict": {"valid": "good", "undetermined": "caution"},
    "trust": {"A": "good", "B": "good", "C": "good", "D": "plain", "E": "plain"},
}


@dataclass(frozen=True)
class Paper:
    """A document as an officer needs it to choose: never its content. `why` is what holds it back."""

    record: str
    title: str
    type_name: str | None  # where the title does not say it
    number: str | None
    issued_on: When | None
    issuer: str | None
    marks: tuple[Mark, ...]  # validity, signature, trust class
    why: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A database that answers instead of paper: its name, its legal ground, what to do next."""

    name: str
    law: str
    next_step: str


@dataclass(frozen=True)
class TakenView:
    """A document taken for the dossier, by this desk or by another system of the agency."""

    release: str
    component: str
    paper: Paper
    by: str
    ours: bool
    counts: bool
    index: int
    receipt: str | None
    when: When


@dataclass(frozen=True)
class Row:
    """The answer for one component; `taken` are documents that serve and that this desk has already."""

    code: str
    label: str
    national: str | None  # the national wording, where the label is a short one of ours
    state: str
    mark: Mark
    reasons: tuple[str, ...]
    papers: tuple[Paper, ...]
    candidates: tuple[Paper, ...]
    refused: tuple[Paper, ...]
    source: Source | None
    law: str | None
    ours: bool  # a line that the national package forgot
    others: tuple[str, ...]  # rows of the package that ask for the same paper; it is asked for once
    taken: tuple[TakenView, ...]
    stale: tuple[TakenView, ...]  # taken before, of a document that serves no more
    seen: Mapping[str, str]  # of a candidate taken for viewing by this desk: record -> release

    @property
    def takeable(self) -> bool:
        """Whether there is something to take that was not taken yet."""
        return self.state == "satisfied" and not self.taken


@dataclass(frozen=True)
class PlanView:
    """The whole answer: what papers are asked for, and apart from them the forms."""

    asked: When
    rows: tuple[Row, ...]
    forms: tuple[str, ...]

    @property
    def takeable(self) -> tuple[str, ...]:
        """The components whose documents can be taken at once."""
        return tuple(row.code for row in self.rows if row.takeable)

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many components have which answer, in the order of the answers."""
        found = Counter(row.state for row in self.rows)
        return tuple((state, found[state]) for state in STATES if found[state])


@dataclass(frozen=True)
class NoticeView:
    """What the desk hears of without asking: what happened to a document that a dossier used."""

    id: str
    words: str
    dossier: str | None
    when: When


@dataclass(frozen=True)
class OutcomeView:
    """What taking came to: how many documents were taken or may be viewed, which were refused and why."""

    taken: int
    viewed: int
    refused: tuple[tuple[str, tuple[str, ...]], ...]


class Clerk(Narrator):
    """Tells an officer what the vault found, in one language and by the names of one policy book."""

    def __init__(self, language: Language, book: Book) -> None:
        super().__init__(language, book)
        self.book = book

    def plan(self, answer: Answer, progress: Progress) -> PlanView:
        """Tell the answer to the one question; documents that this desk took already stand in their rows."""
        taken = [self.taken(one) for one in progress.taken if one.ours]
        papers = [one for one in answer["components"] if one["kind"] != "form"]
        beside: dict[str, list[Mapping[str, Any]]] = {}
        for one in papers:
            beside.setdefault(one.get("met_by", ""), []).append(one)
        return PlanView(
            asked=self.moment(instant(answer["asked_at"])),
            rows=tuple(
                self._row(one, beside.get(one["component"], []), taken)
                for one in papers
                if "met_by" not in one
            ),
            forms=tuple(self._spoken(one["label"]) for one in answer["components"] if one["kind"] == "form"),
        )

    def outcome(self, answer: Answer, progress: Progress) -> OutcomeView:
        """Tell what a request for documents came to."""
        return OutcomeView(
            taken=sum(one["state"] == "released" and one["counts"] for one in answer["items"]),
            viewed=sum(one["state"] == "released" and not one["counts"] for one in answer["items"]),
            refused=tuple(
                (self.component(progress, one["component"]), self.officer(one["reasons"]))
                for one in answer["items"]
                if one["state"] == "refused"
            ),
        )

    def notice(self, one: Notice) -> NoticeView:
        """Tell of a notice; an event without words of its own is told as news of a document."""
        key = f"desk.notice.{one.event}"
        words = self.language.say(
            key if self.language.has(key) else "desk.notice.other",
            record=one.record_title or self.language.say("accesses.a_document"),
        )
        return NoticeView(one.id, words, one.dossier, self.moment(one.at))

    def taken(self, one: Taken) -> TakenView:
        """Tell of one release."""
        return TakenView(
            release=one.release,
            component=one.component,
            paper=self.stored(one.record),
            by=one.system_name,
            ours=one.ours,
            counts=one.counts,
            index=one.index,
            receipt=one.receipt,
            when=self.moment(one.at),
        )

    def stored(self, one: Stored) -> Paper:
        """Tell of a document by what rows say of it."""
        return self.paper(
            {
                "record": one.facts.id,
                "type": one.facts.type,
                "title": one.row["title"],
                "issuer": one.row["issuer_name"],
                "number": one.row["number"],
                "issued_on": one.row["issued_on"],
                "trust": one.facts.trust.value,
                "verdict": one.facts.verdict,
                "validity": one.facts.validity.value,
            }
        )

    def component(self, progress: Progress, code: str) -> str:
        """Name a component that the dossier asks for; any other is shown as its code."""
        found = (one.label for one in progress.opened.components if one.code == code)
        label = next(found, None)
        return self.text(label) if label is not None else code

    def role(self, key: str) -> str:
        """Name a person's part in a dossier; a part without a name is shown as it is."""
        return self.name("role", key) if key in groups()["role"] else key

    def party(self, one: Party) -> str:
        """Say how a person is identified, without the whole number."""
        return f"{self.name('scheme', one.scheme)} {one.identifier}"

    def conditions(self, opened: Opened) -> tuple[str, ...]:
        """Say in words what a dossier states about itself."""
        names = opened.procedure.conditions
        return tuple(self.text(name) for key, name in names.items() if key in opened.facts.conditions)

    def officer(self, codes: Iterable[str], **details: str) -> tuple[str, ...]:
        """Say reason codes to an officer: what is wrong, and what to do next."""
        return tuple(say(code, "officer", self.language.code, **details) for code in codes)

    def kind_of_paper(self, code: str) -> str:
        """Name a record type by the book's newest entry; one that it does not know is shown as it is."""
        found = [one for one in self.book.record_types if one.code == code]
        return self.text(found[-1].name) if found else code

    def name(self, group: str, key: str) -> str:
        """Name a value of a group, such as a trust class; begins with a capital."""
        words = name(group, key, self.language.code)
        return words[:1].upper() + words[1:]

    def text(self, text: Text) -> str:
        """Give the language's half of a text of the book."""
        return text.vi if self.language.code == "vi" else text.en

    def _spoken(self, both: Mapping[str, str]) -> str:
        return both[self.language.code]

    def _row(
        self, one: Mapping[str, Any], others: Sequence[Mapping[str, Any]], taken: Sequence[TakenView]
    ) -> Row:
        source = self._source(one.get("data_source"))
        codes = {each["component"] for each in (one, *others)}
        here = [each for each in taken if each.component in codes]
        serving = {each["record"] for each in one["records"]}
        label = self._spoken(one["label"])
        return Row(
            code=one["component"],
            label=label,
            national=one["name"] if one["name"] != one["label"]["vi"] else None,
            state=one["state"],
            mark=Mark(self.name("plan_state", one["state"]), _STATE.get(one["state"], "plain")),
            reasons=self.officer(code for code in one["reasons"] if code not in _SHOWN_OTHERWISE),
            papers=tuple(self.paper(paper) for paper in one["records"]),
            candidates=tuple(self.paper(paper) for paper in one["candidates"]),
            refused=tuple(self.paper(paper) for paper in one["refused"]),
            source=source,
            law=one.get("mapping"),
            ours=one["source"] == "ours",
            others=tuple(self._spoken(each["label"]) for each in others),
            taken=tuple(each for each in here if each.counts and each.paper.record in serving),
            stale=tuple(each for each in here if each.counts and each.paper.record not in serving),
            seen={each.paper.record: each.release for each in here if not each.counts},
        )

    def _source(self, one: Mapping[str, Any] | None) -> Source | None:
        if one is None:
            return None
        return Source(self._spoken(one["name"]), one["legal_reference"], self._spoken(one["next_step"]))

    def paper(self, one: Mapping[str, Any]) -> Paper:
        """Tell of a document by a line of an answer of the vault."""
        type_name = self.kind_of_paper(one["type"])
        return Paper(
            record=one["record"],
            title=one["title"],
            type_name=type_name if type_name != one["title"] else None,
            number=one.get("number"),
            issued_on=self._day(one.get("issued_on")),
            issuer=one.get("issuer"),
            marks=tuple(
                Mark(self.name(group, one[group]), tones.get(one[group], "bad"))
                for group, tones in _MARKS.items()
            ),
            why=self.officer(one.get("reasons", ())),
        )


def roles() -> tuple[str, ...]:
    """Give the parts that a person may have in a dossier, the applicant first."""
    return ("applicant", *sorted(groups()["role"] - {"applicant"}))
