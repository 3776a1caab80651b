"""What the pages show of consents: the exact text, who asks for what, what happened, every use."""

from collections.abc import Sequence
from dataclasses import dataclass

from reuse_api.pages import dates
from reuse_api.pages.dates import When
from reuse_api.pages.views import Mark, Narrator, Tone
from vault.my_consents import ConsentDocument, ConsentStep, ConsentUse, MyConsent

_TONES: dict[str, Tone] = {
    "requested": "caution",
    "given": "good",
    "not_yet_valid": "good",
    "paused": "caution",
    "refused": "plain",
}
_ENDING = frozenset({"given", "not_yet_valid", "paused"})  # what can be withdrawn


@dataclass(frozen=True)
class PaperView:
    """A document that a consent names: `words` tell it, `place` is the address of its page."""

    record: str
    words: str
    place: str


@dataclass(frozen=True)
class StepView:
    """One event of a consent."""

    words: str
    when: When
    by: str | None
    tone: Tone
    proof: str


@dataclass(frozen=True)
class UseView:
    """One read under a consent."""

    number: int
    when: When
    paper: PaperView
    proof: str


@dataclass(frozen=True)
class ConsentView:
    """One consent: one recipient, one purpose. `lines` is the exact text, whose hash the answer carries."""

    id: str
    request: str  # the address of the page that asks
    state: Mark
    waiting: bool
    recipient: str
    purpose: str
    reason: str
    lines: tuple[str, ...]
    text_hash: str
    offered: tuple[PaperView, ...]
    papers: tuple[PaperView, ...]
    since: When
    until: When
    answer_until: When
    reads: str
    asks_child: bool
    can_pause: bool
    can_resume: bool
    can_withdraw: bool
    steps: tuple[StepView, ...]  # newest first
    uses: tuple[UseView, ...]  # newest first


@dataclass(frozen=True)
class RequestView:
    """What one recipient asked for together."""

    place: str
    recipient: str
    asked: When
    answer_until: When
    purposes: tuple[str, ...]


def tell_consent(narrator: Narrator, one: MyConsent) -> ConsentView:
    """Tell of one consent."""
    language = narrator.language
    return ConsentView(
        id=one.id,
        request=f"/wallet/requests/{one.bundle}",
        state=Mark(narrator.name("consent_state", one.state), _TONES.get(one.state, "plain")),
        waiting=one.state == "requested",
        recipient=narrator.text(one.agency_name),
        purpose=narrator.capital(one.purpose_name),
        reason=one.reason,
        lines=tuple(narrator.text(one.text).split("\n")),
        text_hash=narrator.text(one.text_hash),
        offered=tuple(_paper(narrator, each) for each in one.offered),
        papers=tuple(_paper(narrator, each) for each in one.documents),
        since=dates.day(one.valid_from, language.code),
        until=dates.day(one.valid_until, language.code),
        answer_until=dates.day(one.answer_until, language.code),
        reads=language.say("consents.reads_of", used=one.used, most=one.max_reads),
        asks_child=one.child_is_asked,
        can_pause=one.state in ("given", "not_yet_valid"),
        can_resume=one.state == "paused",
        can_withdraw=one.state in _ENDING,
        steps=tuple(_step(narrator, each) for each in reversed(one.steps)),
        uses=tuple(_use(narrator, each) for each in reversed(one.uses)),
    )


def tell_requests(narrator: Narrator, waiting: Sequence[MyConsent]) -> list[RequestView]:
    """Tell of the requests that wait for an answer: what was asked together stands together."""
    bundles: dict[str, list[MyConsent]] = {}
    for one in waiting:
        bundles.setdefault(one.bundle, []).append(one)
    return [
        RequestView(
            place=f"/wallet/requests/{bundle}",
            recipient=narrator.text(asked[0].agency_name),
            asked=narrator.moment(asked[0].asked_at),
            answer_until=dates.day(min(one.answer_until for one in asked), narrator.language.code),
            purposes=tuple(narrator.capital(one.purpose_name) for one in asked),
        )
        for bundle, asked in bundles.items()
    ]


def _paper(narrator: Narrator, one: ConsentDocument) -> PaperView:
    words = one.title
    if one.number:
        words = narrator.language.say("record.titled", title=one.title, number=one.number)
    return PaperView(one.record, words, f"/wallet/records/{one.record}")


def _step(narrator: Narrator, one: ConsentStep) -> StepView:
    tone: Tone = "good" if one.event in ("given", "resumed") else "plain"
    return StepView(
        words=narrator.language.say(f"consents.step.{one.event}"),
        when=narrator.moment(one.at),
        by=one.by,
        tone="caution" if one.event in ("requested", "paused") else tone,
        proof=f"/wallet/accesses/{one.index}",
    )


def _use(narrator: Narrator, one: ConsentUse) -> UseView:
    return UseView(
        number=one.n,
        when=narrator.moment(one.at),
        paper=_paper(narrator, one.document),
        proof=f"/wallet/accesses/{one.index}",
    )
