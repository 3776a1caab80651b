"""What the pages show of acting for others: who, as what, on which document, since when, until when."""

from dataclasses import dataclass

from reuse_api.pages import dates
from reuse_api.pages.dates import When
from reuse_api.pages.views import Mark, Narrator, Tone
from vault.delegating import MyDelegation

_TONES: dict[str, Tone] = {
    "in_force": "good",
    "ended": "plain",
    "of_age": "plain",
    "not_evidenced": "caution",
}


@dataclass(frozen=True)
class DelegationView:
    """One person or enterprise I act for, or one person who acts for me."""

    id: str
    mine: bool  # I am the one who acts
    kind: str
    name: str
    identifier: str
    state: Mark
    stands: bool
    acting: bool  # now, in this session
    since: When
    until: When | None
    evidence: str | None  # the address of the document that proves it, where I may look at it
    proof: str | None  # the address of the entry that began it, where the store that is open has it


def tell_delegation(narrator: Narrator, one: MyDelegation, acting: str | None) -> DelegationView:
    """Tell of one delegation; `acting` is the one by which this session acts now."""
    language = narrator.language.code
    here = acting is None or one.id == acting  # what is said of others is in another store
    mine = one.side == "representative"
    in_store = one.id == acting if mine else acting is None  # the document lies with the represented
    return DelegationView(
        id=one.id,
        mine=mine,
        kind=narrator.capital(one.kind_name),
        name=one.name,
        identifier=one.identifier,
        state=Mark(narrator.name("delegation_state", one.state), _TONES.get(one.state, "plain")),
        stands=one.state == "in_force",
        acting=one.id == acting,
        since=dates.day(one.valid_from, language),
        until=dates.day(one.valid_until, language) if one.valid_until else None,
        evidence=f"/wallet/records/{one.evidence}" if one.evidence and in_store else None,
        proof=f"/wallet/accesses/{one.index}" if here else None,
    )
