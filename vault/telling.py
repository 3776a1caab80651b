"""What an entry tells: its five parts and for whom it is sealed. Refusals are entries too (DESIGN 6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.facts import AccessFacts, Decision
from policies.recording import basis_part
from signing.leaf import Kind, Parts
from vault import entries
from vault.callers import Caller
from vault.entries import HolderKind, Prepared
from vault.records import Stored, version_of
from vault.services import Refusal, Vault

VAULT_HOLDER: tuple[HolderKind, str] = ("vault", "vault")


@dataclass(frozen=True)
class Telling:
    """One entry to be: about whom, by whom, for which dossier and component, on which decision."""

    kind: Kind
    event: str  # stable, snake_case: dossier_opened, plan_asked, delivered ...
    facts: AccessFacts
    decision: Decision
    owners: tuple[str, ...] = ()  # several only for a record they own together
    record: Stored | None = None
    release: str | None = None
    request: str | None = None
    details: Mapping[str, Any] | None = None  # more of the basis: the records of a plan, a legal ground
    of: int | None = None  # the entry this one answers to
    kept_back: bool = False  # its receipt is not the caller's: it would tell what the answer hides

    def parts(self, caller: Caller) -> Parts:
        """Compose the five parts; what is not known is absent."""
        event = {
            "type": self.event,
            "result": "permitted" if self.decision.permitted else "refused",
            "at": self.decision.at.isoformat(),
            "request": self.request,
            "release": self.release,
            "of": self.of,
        }
        return Parts(
            subject=_subject(self.owners, self.record),
            actor=caller.actor(),
            purpose=_purpose(self.facts),
            basis=basis_part(self.decision, self.facts) | dict(self.details or {}),
            event=_present(event),
        )


def _subject(owners: Sequence[str], record: Stored | None) -> dict[str, Any]:
    if record is None:
        return {"owners": list(owners)} if owners else {}
    return {
        "owners": list(owners),
        "record": record.facts.id,
        "version": version_of(
            record.row
        ),  # of the file, whose archive stamp is renewed; else it is immutable
        "type": record.facts.type,
        "digest": record.row["content_sha256"].hex(),
    }


def _purpose(facts: AccessFacts) -> dict[str, Any]:
    """Say what it is for: a dossier's component, or the one purpose of a consent."""
    dossier, consent = facts.dossier, facts.consent
    return _present(
        {
            "procedure": dossier.procedure if dossier is not None else None,
            "case": dossier.case if dossier is not None else None,
            "dossier": dossier.code if dossier is not None else None,
            "component": facts.component,
            "consent": consent.id if consent is not None else None,
            "purpose": consent.purpose if consent is not None else None,
        }
    )


def _present(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}


async def prepare(
    vault: Vault,
    caller: Caller,
    tellings: Iterable[Telling],
    newcomers: Mapping[str, entries.Holder] | None = None,
) -> list[Prepared]:
    """Seal entries: to their owners, else to the asking agency, else to the vault.

    Args:
        newcomers: by owner, the log keys of stores that are only being made.
    """
    fresh = newcomers or {}
    prepared = []
    async with vault.db.read() as db:
        for one in tellings:
            known = [holder for holder in _holders(one) if holder[1] not in fresh]
            held = [fresh[owner] for owner in one.owners if owner in fresh]
            held += await entries.holders(db, known)
            prepared.append(_seal(caller, one, held))
    return prepared


def _holders(one: Telling) -> Sequence[tuple[HolderKind, str]]:
    if one.owners:
        return [("owner", owner) for owner in one.owners]
    if one.kept_back or one.facts.caller is None or not one.facts.caller.agency_live:
        return [VAULT_HOLDER]
    return [("agency", one.facts.caller.agency)]


def _seal(caller: Caller, one: Telling, held: Sequence[entries.Holder]) -> Prepared:
    return entries.prepare(
        one.kind,
        one.parts(caller),
        held,
        at=one.decision.at,
        caller_kind="vault" if one.kept_back else caller.kind,
        caller="vault" if one.kept_back else caller.id,
    )


async def refuse(
    vault: Vault,
    caller: Caller,
    tellings: Sequence[Telling],
    *,
    ended: bool = False,
    outward: str | None = None,
    hidden: bool = False,
) -> Refusal:
    """Log refusals and give the value that the caller gets.

    Args:
        tellings: one per person concerned; the reasons of the first are answered.
        outward: the only reason to be told, where more would tell a stranger what exists.
        hidden: the caller is answered that there is nothing, and has no receipt that says otherwise.
    """
    if hidden:
        tellings = [replace(one, kept_back=True) for one in tellings]
    prepared = await prepare(vault, caller, tellings)
    logged = await vault.appender.append(prepared, nothing_to_check)
    reasons = (outward,) if outward is not None else tellings[0].decision.told
    theirs = tuple(entry.receipt for entry, one in zip(logged, tellings, strict=True) if not one.kept_back)
    return Refusal(reasons, theirs, "ended" if ended else "refused")


async def nothing_to_check(_db: object) -> None:
    """The check of an entry that holds whatever moved meanwhile: a refusal, a failure."""
