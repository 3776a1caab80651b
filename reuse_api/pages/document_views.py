"""What the page of one document shows: how it was checked, its history, what it replaced, who owns it."""

from collections.abc import Sequence
from dataclasses import dataclass

from reuse_api.document_steps import Worth
from reuse_api.pages import dates
from reuse_api.pages.check_views import StepView, tell_check
from reuse_api.pages.dates import When
from reuse_api.pages.version_views import VersionView, tell_versions
from reuse_api.pages.views import Mark, Narrator, RecordView
from signing.file_types import XML
from vault.looking import Neighbour, ValidityChange, WholeRecord
from vault.sending import ending_of
from vault.versions import Version

_BEGUN = {"result": "issued", "result_file": "issued", "upload": "uploaded", "digitised": "digitised"}


@dataclass(frozen=True)
class NeighbourView:
    """A document before or after this one; `place` is the address of its page, if it may be opened."""

    words: str
    place: str | None


@dataclass(frozen=True)
class ChangeView:
    """One line of the history; `proof` is the address of the entry that tells of it."""

    state: Mark
    when: When
    agency: str | None
    ground: str | None
    reason: str | None
    proof: str | None


@dataclass(frozen=True)
class DocumentView:
    """One document with everything that may be said of it without opening it."""

    card: RecordView
    issuer: str  # by whom it was issued, or why nobody is named
    trust_note: str
    owners: str
    steps: tuple[StepView, ...]
    judged: When
    history: tuple[ChangeView, ...]  # newest first
    replaced_by: NeighbourView | None
    replaces: tuple[NeighbourView, ...]
    pages: int | None
    digest: str  # SHA-256 of the file, hexadecimal
    versions: tuple[VersionView, ...]  # oldest first; empty where there is but one
    paged: bool  # whether it has pages that could be shown
    ending: str  # of the file's name, with its dot
    signature: str | None  # SHA-256 of the signature that stands beside the file, hexadecimal
    signature_ending: str  # of that one's name; empty where there is none


def tell_document(narrator: Narrator, whole: WholeRecord, versions: Sequence[Version] = ()) -> DocumentView:
    """Tell of one document; `versions` are all its files, oldest first."""
    one, language = whole.record, narrator.language
    card = narrator.record(one)
    file = f"{card.file}, SHA-256 {whole.sha256.hex()}"
    begun = ChangeView(
        state=Mark(language.say(f"history.{_BEGUN.get(one.source, 'stored')}"), "plain"),
        when=card.stored,
        agency=one.issuer_name if one.source != "digitised" else None,  # who scanned it did not issue it
        ground=None,
        reason=None,
        proof=None,
    )
    changes = [_change(narrator, change) for change in reversed(whole.history)]
    return DocumentView(
        card=card,
        issuer=_issuer(narrator, whole),
        trust_note=language.say(f"record.trust_note.{one.trust}"),
        owners=_owners(narrator, whole.owners),
        steps=tell_check(narrator, "citizen", whole.report, file, Worth(one.trust, one.trust_reasons)),
        judged=dates.moment(whole.judged_at, language.code),
        history=(*changes, begun),
        replaced_by=_neighbour(narrator, whole.replaced_by) if whole.replaced_by else None,
        replaces=tuple(_neighbour(narrator, other) for other in whole.replaces),
        pages=one.pages,
        digest=whole.sha256.hex(),
        versions=tell_versions(narrator, one.id, versions) if len(versions) > 1 else (),
        paged=one.media_type != XML,
        ending=ending_of(one.media_type),
        signature=one.signature,
        signature_ending=ending_of(one.signature_type) if one.signature_type else "",
    )


def _issuer(narrator: Narrator, whole: WholeRecord) -> str:
    """Name the issuer; of a digitised paper, say who scanned it, and that the issuer is only read off it."""
    one, language = whole.record, narrator.language
    if one.source == "upload":
        return one.issuer_name or language.say("record.no_issuer")
    if one.source != "digitised":
        return one.issuer_name or language.say("record.unnamed")
    vi, en = whole.digitised_by or ("", None)
    scanner = vi if language.code == "vi" else en or vi
    if one.issuer_name:
        return language.say("record.issuer_read", issuer=one.issuer_name, agency=scanner)
    return language.say("record.issuer_unrecorded", agency=scanner)


def _owners(narrator: Narrator, number: int) -> str:
    """Say how many own it; who they are stands on the document itself, and nowhere else."""
    language = narrator.language
    return (
        language.count("record.owned_with", number - 1) if number > 1 else language.say("record.owned_alone")
    )


def _change(narrator: Narrator, change: ValidityChange) -> ChangeView:
    agency = change.agency_vi if narrator.language.code == "vi" else change.agency_en or change.agency_vi
    state = narrator.validity(change.state)
    if change.state == "in_force":  # it is told only where it had been something else
        state = Mark(narrator.language.say("history.reinstated"), state.tone)
    return ChangeView(
        state=state,
        when=narrator.moment(change.at),
        agency=agency,
        ground=change.ground or None,
        reason=change.reason or None,
        proof=f"/wallet/accesses/{change.index}",
    )


def _neighbour(narrator: Narrator, other: Neighbour) -> NeighbourView:
    language = narrator.language
    if not other.mine or other.title is None:
        return NeighbourView(language.say("record.of_another"), None)
    words = other.title
    if other.number:
        words = language.say("record.titled", title=other.title, number=other.number)
    return NeighbourView(words, f"/wallet/records/{other.id}")
