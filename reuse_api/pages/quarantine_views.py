"""What pages say of files in quarantine, and of what was found in a file that was refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from policies.wording import say
from reuse_api import problems
from reuse_api.pages import dates
from reuse_api.pages.dates import When
from reuse_api.pages.languages import Language
from reuse_api.problems import FOUND
from vault.quarantine_ending import Quarantined


def found_words(language: Language, found: Sequence[str]) -> str:
    """Say what was found in a file, for whoever handed it in: a sentence for each thing."""
    return " ".join(say(FOUND + one, "citizen", language.code) for one in found)


@dataclass(frozen=True)
class ShutFile:
    """One file in quarantine, in one language; an owner is not named to an administrator."""

    id: str
    things: str
    malware: str | None
    agency: str | None
    officer: str | None
    size: int
    sha256: str
    at: When
    until: When


def tell_shut(language: Language, one: Quarantined) -> ShutFile:
    """Tell of one file in quarantine."""
    things = found_words(language, one.found) or problems.words(one.code, language.code)
    return ShutFile(
        id=one.id,
        things=things,
        malware=one.malware,
        agency=one.agency,
        officer=one.officer,
        size=one.size,
        sha256=one.sha256,
        at=dates.moment(one.at, language.code),
        until=dates.day_of(one.until, language.code),
    )
