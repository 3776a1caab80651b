"""An access, in its numbered steps (DESIGN 5). The officer's page shows the same steps.

1 The caller is proven.
2 The facts are read, in one snapshot.
3 The decision is made, with its reasons.
4 The entry is committed, with the release.
5 The release stands while its dossier and its facts stand.
6 Each fetch reads the facts again and decides on what is true now.
7 A `delivered` entry is committed, epochs compared under the lock.
8 The gate opens the key against that entry; chunks leave authenticated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.alternatives import same_paper
from policies.decision import decide
from policies.facts import AccessFacts, Action, ComponentPlan, Decision
from policies.matching import plan as match
from signing.leaf import Kind
from vault import beside, epochs, releases, requests, strangers, telling, trusting
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.dossiers import Opened, canonical_code
from vault.entries import Logged, new_id, stamp
from vault.errors import FieldInvalid, Moved, VaultBusy
from vault.gathering import Scene, scene
from vault.plan import barred, found_dossier
from vault.records import Stored
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling

MAX_WANTED = 50  # components in one call


@dataclass(frozen=True)
class Wanted:
    """One component asked to be released; the record may be chosen, else the plan's answer is taken."""

    component: str
    record: str | None


@dataclass(frozen=True)
class _Choice:
    """One record for one component, decided."""

    wanted: Wanted
    record: Stored | None
    facts: AccessFacts
    decision: Decision
    counts: bool
    release: str
    reasons: tuple[str, ...]
    strange: bool = False  # a record was chosen that no person of the dossier owns, or that is none
    stranger: Stored | None = None  # that record, where it exists: its owners are told


async def request(
    vault: Vault, caller: SystemCaller, code: str, wanted: Sequence[Wanted], *, key: str
) -> Answer | Refusal:
    """Decide, for each component, whether a record is released; each yes and each no is an entry.

    Args:
        key: the Idempotency-Key; the same request again gives the same answer and appends nothing.

    Raises:
        NotFound: there is no such dossier, or it is another agency's.
        FieldInvalid: nothing or too much is asked.
        VaultBusy: the entries could not be written; nothing is released.
    """
    if not 0 < len(wanted) <= MAX_WANTED:
        raise FieldInvalid("components", "components_number", f"1 to {MAX_WANTED} components in one call")
    await trusting.look(vault)
    code = canonical_code(code)
    body = {"code": code, "wanted": [[one.component, one.record or ""] for one in wanted]}
    asked = requests.body_hash("request_releases", body)
    for _ in range(MAX_AFRESH):
        # 2 The facts are read, in one snapshot.
        async with vault.db.read() as db:
            earlier = await requests.answered(db, caller.id, key, asked)
            found = await scene(vault, db, caller, code, vault.clock.now())
            outside = await strangers.outside(db, found, [one.record for one in wanted if one.record])
        if earlier is not None:
            return earlier
        refusal = await barred(vault, caller, found, code, Action.ASK_PLAN)
        if refusal is not None:
            return refusal
        # 3 The decision is made, with its reasons.
        choices = _choose(vault, found, wanted, outside)
        try:
            # 4 The entry is committed, with the release.
            return await _commit(vault, caller, found, choices, key, asked)
        except Moved:
            continue
    raise VaultBusy("the dossier keeps changing; ask again")


def _choose(
    vault: Vault, found: Scene, wanted: Sequence[Wanted], outside: dict[str, Stored]
) -> list[_Choice]:
    opened = found_dossier(found)
    plans = {
        one.component: one
        for one in match(
            opened.facts, [one.facts for one in found.records], opened.components, vault.book, found.at
        )
    }
    choices = []
    for one in wanted:
        planned = plans.get(one.component)
        serving = _serving(planned, plans)
        for record_id in _picked(one, serving):
            record = found.record(record_id) if record_id else None
            choice = _decided(vault, found, opened, one, planned, record_id, record)
            choice = replace(choice, counts=_counts(found, choice, serving))
            if record_id is not None and record is None:
                stranger = outside.get(record_id)
                choice = replace(choice, reasons=(strangers.TOLD,), strange=True, stranger=stranger)
            choices.append(choice)
    return choices


def _serving(planned: ComponentPlan | None, plans: Mapping[str, ComponentPlan]) -> Sequence[str]:
    """Give the records that satisfy a component, by itself or by the row that speaks for it."""
    if planned is None:
        return ()
    return planned.records if planned.met_by is None else plans[planned.met_by].records


def _counts(found: Scene, choice: _Choice, serving: Sequence[str]) -> bool:
    """Say whether the record takes paper's place by itself: one that satisfies, or another as good."""
    record = choice.record
    if record is None or not choice.decision.permitted:
        return False
    kinds = {one.facts.type for one in found.records if one.facts.id in serving}
    whole = "confirm_before_use" not in choice.decision.obligations
    return record.facts.id in serving or (whole and record.facts.type in kinds)


def _picked(one: Wanted, serving: Sequence[str]) -> Sequence[str | None]:
    """Give the records meant: the chosen one, else all that satisfy together, else none at all."""
    if one.record is not None:
        return [one.record]
    return list(serving) or [None]


def _decided(
    vault: Vault,
    found: Scene,
    opened: Opened,
    wanted: Wanted,
    planned: ComponentPlan | None,
    record_id: str | None,
    record: Stored | None,
) -> _Choice:
    facts = AccessFacts(
        action=Action.RELEASE,
        caller=found.caller,
        dossier=opened.facts,
        component=wanted.component,
        record=record.facts if record is not None else None,
    )
    decision = decide(facts, vault.book, found.at)
    reasons = decision.told
    if not decision.permitted and record_id is None and planned is not None:
        reasons = planned.reasons or decision.told
    return _Choice(
        wanted=wanted,
        record=record,
        facts=facts,
        decision=decision,
        counts=False,
        release=new_id("rel"),
        reasons=reasons,
    )


async def _commit(
    vault: Vault, caller: SystemCaller, found: Scene, choices: Sequence[_Choice], key: str, asked: bytes
) -> Answer:
    tellings = [_tell(vault, found, one, key) for one in choices]
    prepared = await telling.prepare(vault, caller, [line for lines in tellings for line in lines])

    async def change(tx: Transaction) -> Answer:
        done = await requests.answered(tx.db, caller.id, key, asked)
        if done is not None:
            return done
        # 5 The release stands while its dossier and its facts stand.
        await epochs.hold(tx.db, found.epochs)
        logged = await tx.append(prepared)
        items, position = [], 0
        for choice, lines in zip(choices, tellings, strict=True):
            entry = logged[position]
            position += len(lines)
            one = await _counted_once(tx, found, choice)
            if one.decision.permitted and one.record is not None:
                await releases.add(tx.db, _row(caller, found, one, entry))
            items.append(_item(one, entry))
        told: Answer = {"dossier": found_dossier(found).facts.code, "items": items}
        await requests.keep(tx.db, caller.id, key, asked, told, found.at)
        return told

    return await vault.appender.commit(change)


async def _counted_once(tx: Transaction, found: Scene, one: _Choice) -> _Choice:
    """A paper counts once for the dossier, however often and under whichever of its rows it is taken."""
    opened = found_dossier(found)
    paper = same_paper(opened.components, one.wanted.component)
    counted = await releases.counted(tx.db, opened.facts.code, paper)
    return replace(one, counts=one.counts and not counted)


def _tell(vault: Vault, found: Scene, one: _Choice, key: str) -> list[Telling]:
    """One entry for the record's owners together; without a record, one for each person of the dossier."""
    kind = Kind.RELEASE_PERMITTED if one.decision.permitted else Kind.REFUSED
    event = "released" if one.decision.permitted else "release_refused"
    opened = found_dossier(found)
    if one.strange:
        return strangers.tellings(vault, found, one.facts, event, one.stranger, key)
    if one.record is not None:
        owners = tuple(sorted(one.record.facts.owners))
        about = replace(one.facts, dossier=opened.about(*owners))
        release = one.release if one.decision.permitted else None
        return [Telling(kind, event, about, one.decision, owners, one.record, release=release, request=key)]
    return [
        Telling(
            kind,
            event,
            replace(one.facts, dossier=opened.about(owner)),
            one.decision,
            (owner,),
            request=key,
        )
        for owner in opened.owners
    ]


def _row(caller: SystemCaller, found: Scene, one: _Choice, entry: Logged) -> dict[str, Any]:
    assert one.record is not None  # noqa: S101 - a permitted choice has a record
    return {
        "id": one.release,
        "dossier": found_dossier(found).facts.code,
        "component": one.wanted.component,
        "record": one.record.facts.id,
        "system": caller.system,
        "epochs": releases.epochs_text(found.epochs),
        "counts": one.counts,
        "idx": entry.index,
        "at": stamp(found.at),
    }


def _item(one: _Choice, entry: Logged) -> dict[str, Any]:
    line: dict[str, Any] = {"component": one.wanted.component, "receipt": entry.receipt, "index": entry.index}
    if not one.decision.permitted or one.record is None:
        chosen = {"record": one.wanted.record} if one.wanted.record else {}
        return line | chosen | {"state": "refused", "reasons": list(one.reasons)}
    return line | {
        "state": "released",
        "release": one.release,
        "record": one.record.facts.id,
        "type": one.record.facts.type,
        "title": one.record.row["title"],
        "digest": one.record.row["content_sha256"].hex(),
        "size": one.record.row["content_size"],
        "media_type": one.record.row["media_type"],
        **beside.told_of(one.record.row),
        "trust": one.record.facts.trust.value,
        "trust_reasons": list(one.record.trust_reasons),
        "verdict": one.record.facts.verdict,
        "validity": one.record.facts.validity.value,
        "counts": one.counts,
    }
