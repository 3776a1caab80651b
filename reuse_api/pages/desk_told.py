"""What the desk's pages are told: a plan with its rows, documents, what was taken, notices."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from reuse_api.pages.dates import When
from reuse_api.pages.views import Mark

STATES = ("satisfied", "candidate", "data_source", "none")


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
class UseView:
    """What a document is for one component: whether it can be used there, in words, and why."""

    code: str
    label: str
    mark: Mark
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class HitView:
    """A document that was found, and of what use it is in the dossier."""

    paper: Paper
    uses: tuple[UseView, ...]


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
    waits: bool = False  # a scan for it waits for its seal: it is not there yet, and needs no other

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
class WaitingView:
    """What waits for its seal, or was given up: its kind, its state in words, and why."""

    kind: str
    words: str
    reasons: tuple[str, ...]
    dossier: str | None
    notice: str | None  # that puts it away once it is seen


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
