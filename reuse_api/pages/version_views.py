"""What the page of a document shows of its files: which there are, since when, with which digest."""

from collections.abc import Sequence
from dataclasses import dataclass

from reuse_api.pages.dates import When
from reuse_api.pages.views import Narrator
from vault.versions import Version


@dataclass(frozen=True)
class VersionView:
    """One file in plain words; `place` is where it can be had, `sha256` hexadecimal."""

    what: str
    since: When
    kind: str
    sha256: str
    place: str


def tell_versions(narrator: Narrator, record: str, versions: Sequence[Version]) -> tuple[VersionView, ...]:
    """Tell of the files of one document, oldest first."""
    language, told = narrator.language, []
    for one in versions:
        kind = narrator.file(one.media_type, one.size)
        told.append(
            VersionView(
                what=tell_why(narrator, one.why),
                since=narrator.moment(one.since),
                kind=language.say("versions.newest", file=kind) if one.newest else kind,
                sha256=one.sha256,
                place=f"/wallet/records/{record}/versions/{one.sha256}/content",
            )
        )
    return tuple(told)


def tell_why(narrator: Narrator, why: str) -> str:
    """Say why a file came to be kept."""
    language = narrator.language
    words = {
        "handed_in": language.say("versions.handed_in"),
        "original": language.say("versions.original"),
        "stored": language.say("versions.stored"),
        "sealed": language.say("versions.sealed"),
        "renewed": language.say("versions.renewed"),
    }
    return words[why]
