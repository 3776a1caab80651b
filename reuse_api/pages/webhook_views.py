"""What pages say of web hooks: whose they are, how they fare, what was given up."""

from dataclasses import dataclass

from reuse_api.pages import dates
from reuse_api.pages.dates import When
from reuse_api.pages.languages import Language
from reuse_api.pages.views import Tone
from vault.hook_care import Cared
from vault.hook_tables import ACTIVE, ENDED, PAUSED, PENDING

STATES = (PENDING, ACTIVE, PAUSED, ENDED, "failing")
_TONES: dict[str, Tone] = {ACTIVE: "good", "failing": "bad", PAUSED: "bad"}


@dataclass(frozen=True)
class LetterView:
    """One thing that was given up: about what, why, since when."""

    subject: str
    reason: str
    at: When


@dataclass(frozen=True)
class HookView:
    """One web hook, in one language."""

    id: str
    host: str
    agency: str
    system: str
    state: str
    tone: Tone
    topics: str
    since: When
    waiting: int
    last_ok: When | None
    failure: str | None
    failed: When | None
    letters: tuple[LetterView, ...]
    given_up: int


def tell_hook(language: Language, one: Cared) -> HookView:
    """Tell of one web hook."""
    hook = one.hook
    state = "failing" if hook.state == ACTIVE and hook.failures else hook.state
    return HookView(
        id=hook.id,
        host=one.host,
        agency=one.agency_name[0] if language.code == "vi" else one.agency_name[1],
        system=one.system_name,
        state=state,
        tone=_TONES.get(state, "plain"),
        topics=", ".join(hook.topics),
        since=dates.moment(hook.created_at, language.code),
        waiting=one.lag.waiting,
        last_ok=dates.moment(hook.last_ok_at, language.code) if hook.last_ok_at is not None else None,
        failure=hook.last_failure,
        failed=dates.moment(hook.last_failed_at, language.code) if hook.last_failed_at is not None else None,
        letters=tuple(
            LetterView(each.subject, each.reason, dates.moment(each.dead_at, language.code))
            for each in one.letters
        ),
        given_up=one.lag.dead,
    )
