"""What a page shows of a document's check: the steps of `kho verify document`, and what it is worth."""

from dataclasses import dataclass

from policies.wording import Audience
from reuse_api.document_steps import DocumentStep, Teller, Worth
from reuse_api.pages.views import Mark, Narrator, Tone
from signing.report import SignatureReport
from vault.records import Stored

_OUTCOMES: dict[bool | None, tuple[str, Tone]] = {
    True: ("steps.passed", "good"),
    False: ("steps.failed", "bad"),
    None: ("steps.not_decided", "caution"),
}


@dataclass(frozen=True)
class StepView:
    """One numbered step of the check."""

    name: str
    outcome: Mark
    details: tuple[str, ...]


def tell_check(
    narrator: Narrator, audience: Audience, report: SignatureReport, file: str, worth: Worth
) -> tuple[StepView, ...]:
    """Tell how a document was checked, and what it is worth; `file` describes the file itself."""
    teller = Teller(narrator.language.code, audience, lambda at: narrator.moment(at).words)
    return tuple(_step(narrator, step) for step in teller.steps(report, file, worth=worth))


def tell_stored(narrator: Narrator, one: Stored) -> tuple[StepView, ...]:
    """Tell an officer how a document was checked, by what rows say of it."""
    file = f"{one.row['media_type']}, SHA-256 {one.row['content_sha256'].hex()}"
    worth = Worth(one.facts.trust.value, one.trust_reasons)
    return tell_check(narrator, "officer", one.report, file, worth)


def _step(narrator: Narrator, step: DocumentStep) -> StepView:
    key, tone = _OUTCOMES[step.passed]
    return StepView(step.name, Mark(narrator.language.say(key), tone), step.details)
