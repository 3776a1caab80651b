"""What the pages show of the log: entries told in one language, grouped by dossier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from policies.book import local_day
from reuse_api.pages.dates import When
from reuse_api.pages.views import Narrator
from vault.callers import VAULT_ACTOR
from vault.finding import UNREADABLE, MyAccess

Kind = Literal["dossier", "consent", "own", "outside"]


@dataclass(frozen=True)
class AccessView:
    """One entry of the log as the person it concerns sees it; what is not known is None."""

    index: int
    what: str
    when: When
    refused: bool
    unreadable: bool  # it was changed, so that nobody can open it
    by_owner: bool
    acted_by: str | None  # another owner who acted
    agency: str | None
    system: str | None
    officer: str | None
    dossier: str | None
    procedure: str | None
    component: str | None
    consent: str | None
    purpose: str | None  # of the consent
    record: str | None
    document: str | None
    basis: str | None
    reference: str | None
    reasons: tuple[str, ...]
    ground: str | None  # why an auditor opened an entry
    opened: int | None  # that entry


@dataclass(frozen=True)
class AccessGroup:
    """Entries that belong together: of one dossier or consent, the owner's own, or outside any of these."""

    kind: Kind
    code: str | None  # of the dossier, or the id of the consent
    purpose: str | None  # of the consent
    procedure: str | None
    agency: str | None
    basis: str | None  # of every permitted entry, where it is one and the same
    reference: str | None
    accesses: tuple[AccessView, ...]


def tell_access(narrator: Narrator, one: MyAccess) -> AccessView:
    """Tell of one entry: what happened, when, by whom, on which basis, and why not."""
    agency = one.agency_vi if narrator.language.code == "vi" else one.agency_en or one.agency_vi
    return AccessView(
        index=one.index,
        what=_what(narrator, one),
        when=narrator.moment(one.at),
        refused=one.result == "refused",
        unreadable=one.event == UNREADABLE,
        by_owner=one.by_owner,
        acted_by=one.acted_by or (narrator.language.say("accesses.another") if one.by_another else None),
        agency=agency,
        system=one.system if one.system != VAULT_ACTOR["system"] else None,  # which has a name of its own
        officer=one.officer,
        dossier=one.dossier,
        procedure=one.procedure_name or one.procedure,
        component=_component(narrator, one),
        consent=one.consent,
        purpose=_purpose(narrator, one) if one.consent is not None else None,
        record=one.record,
        document=one.record_title,
        basis=_basis(narrator, one),
        reference=one.reference,
        reasons=narrator.reasons(one.reasons),
        ground=one.ground,
        opened=one.opened,
    )


def tell_groups(narrator: Narrator, accesses: Sequence[MyAccess]) -> list[AccessGroup]:
    """Group entries by dossier or consent; groups and entries keep the order given, latest first."""
    found: dict[tuple[Kind, str | None], list[AccessView]] = {}
    for one in accesses:
        found.setdefault(_place(one), []).append(tell_access(narrator, one))
    purposes = {one.consent: _purpose(narrator, one) for one in accesses if one.consent is not None}
    return [_group(place, together, purposes.get(place[1] or "")) for place, together in found.items()]


def _what(narrator: Narrator, one: MyAccess) -> str:
    """Say what happened by the entry's event; an event without words of its own is told by its kind."""
    language = narrator.language
    event = f"event.{one.event}"
    key = event if language.has(event) else f"kind.{one.kind}"
    if one.by_owner and key == "kind.3":
        key = "event.read_own"
    if (one.acted_by is not None or one.by_another) and language.has(f"{key}_for"):
        key = f"{key}_for"  # the words of the first speak to whoever acted
    record = one.record_title or language.say("accesses.a_document")
    return language.say(key, record=record, page=one.page)


def _component(narrator: Narrator, one: MyAccess) -> str | None:
    reading = narrator.book.component_readings.get((one.procedure or "", one.component or ""))
    return narrator.text(reading.name) if reading is not None else one.component_name or one.component


def _basis(narrator: Narrator, one: MyAccess) -> str | None:
    if one.basis is None:
        return None
    said = (one.basis, one.reference)
    named = [rule for rule in narrator.book.rules if (rule.basis, rule.legal_reference) == said]
    words = narrator.name("basis", one.basis)
    return f"{words}: {narrator.text(named[0].name)}" if named else words


def _place(one: MyAccess) -> tuple[Kind, str | None]:
    if one.dossier is not None:
        return "dossier", one.dossier
    if one.consent is not None:
        return "consent", one.consent
    return ("own", None) if one.by_owner else ("outside", None)


def _purpose(narrator: Narrator, one: MyAccess) -> str:
    known = narrator.book.purpose(one.purpose or "", local_day(one.at))
    return narrator.text(known.name) if known is not None else one.purpose or ""


def _group(
    place: tuple[Kind, str | None], together: Sequence[AccessView], purpose: str | None
) -> AccessGroup:
    """Head a group with what its oldest permitted entry names: another agency may have been refused later."""
    bases = {(one.basis, one.reference) for one in together if not one.refused}
    basis, reference = bases.pop() if len(bases) == 1 else (None, None)
    oldest_first = sorted(reversed(together), key=lambda one: one.refused)
    return AccessGroup(
        kind=place[0],
        code=place[1],
        purpose=purpose,
        procedure=next((one.procedure for one in oldest_first if one.procedure), None),
        agency=next((one.agency for one in oldest_first if one.agency), None),
        basis=basis,
        reference=reference,
        accesses=tuple(together),
    )
