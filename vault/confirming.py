"""An officer confirms a candidate: it counts for one component of one dossier, its class stays (DESIGN 7)."""

from dataclasses import dataclass, replace
from datetime import datetime

from policies.acceptance import accept
from policies.alternatives import same_paper
from policies.book import local_day
from policies.decision import decide
from policies.facts import AccessFacts, Action, ComponentPlan, RecordFacts
from policies.matching import plan as match
from signing.leaf import Kind
from vault import confirmations, epochs, requests, strangers, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.dossiers import canonical_code
from vault.entries import Logged, stamp
from vault.errors import FieldInvalid
from vault.gathering import Scene, scene
from vault.plan import barred, found_dossier
from vault.records import Stored
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.telling import Telling
from vault.validity import MAX_WORDS


@dataclass(frozen=True)
class _Wish:
    """What an officer confirms, and why."""

    code: str
    component: str
    record: str
    reason: str
    key: str


async def confirm(
    vault: Vault, caller: SystemCaller, code: str, component: str, record: str, *, reason: str, key: str
) -> Answer | Refusal:
    """Confirm a candidate for a component, for this dossier alone; a change of its validity voids it.

    Args:
        reason: what the officer looked at, in words; it stands in the entry.
        key: the Idempotency-Key.

    Raises:
        FieldInvalid: no reason.
        NotFound: there is no such dossier, or it is another agency's.
        VaultBusy: the entry could not be written; nothing was confirmed.
    """
    if not 0 < len(reason.strip()) <= MAX_WORDS:
        raise FieldInvalid("reason", "text_length", f"1 to {MAX_WORDS} characters")
    code = canonical_code(code)
    wish = _Wish(code, component, record, reason, key)

    async def draft(at: datetime) -> Draft | Refusal:
        return await _draft(vault, caller, wish, at)

    wanted = {"code": code, "component": component, "record": record, "reason": reason}
    asked = requests.body_hash("confirm", wanted)
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


def planned(vault: Vault, found: Scene, component: str, *changed: RecordFacts) -> ComponentPlan | None:
    """Give the plan's answer for one component; None when the dossier does not ask for it.

    Of rows that ask for the same paper each has the state of the one that speaks for them all: what is known
    of the paper does not depend on the row that is named.

    Args:
        changed: facts to take in place of those read, or beside them.
    """
    opened = found_dossier(found)
    held = {one.facts.id: one.facts for one in found.records} | {one.id: one for one in changed}
    plans = match(opened.facts, list(held.values()), opened.components, vault.book, found.at)
    answers = {one.component: one for one in plans}
    answer = answers.get(component)
    if answer is None or answer.met_by is None:
        return answer
    return replace(answer, state=answers[answer.met_by].state)


async def _draft(vault: Vault, caller: SystemCaller, wish: _Wish, at: datetime) -> Draft | Refusal:
    async with vault.db.read() as db:
        found = await scene(vault, db, caller, wish.code, at)
    refusal = await barred(vault, caller, found, wish.code, Action.ASK_PLAN)
    if refusal is not None:
        return refusal
    answer = planned(vault, found, wish.component)
    stored = found.record(wish.record)
    facts = AccessFacts(
        Action.CONFIRM,
        found.caller,
        dossier=found_dossier(found).facts,
        component=wish.component,
        record=stored.facts if stored is not None else None,
        answered=answer.state if answer is not None else None,
    )
    if stored is None:
        return await _strange(vault, caller, found, facts, wish)
    decision = decide(facts, vault.book, at)
    owners = tuple(sorted(stored.facts.owners))
    about = replace(facts, dossier=found_dossier(found).about(*owners))
    if not decision.permitted:
        refused = Telling(Kind.REFUSED, "confirm_refused", about, decision, owners, stored, request=wish.key)
        return await telling.refuse(vault, caller, [refused])
    told = Telling(
        Kind.CONFIRMATION,
        "confirmed",
        about,
        decision,
        owners,
        stored,
        request=wish.key,
        details={"explanation": wish.reason},
    )
    return await _ready(vault, caller, found, stored, told, wish)


async def _strange(
    vault: Vault, caller: SystemCaller, found: Scene, facts: AccessFacts, wish: _Wish
) -> Refusal:
    async with vault.db.read() as db:
        stranger = (await strangers.outside(db, found, [wish.record])).get(wish.record)
    told = strangers.tellings(vault, found, facts, "confirm_refused", stranger, wish.key)
    return await telling.refuse(vault, caller, told, outward=strangers.TOLD)


async def _ready(
    vault: Vault, caller: SystemCaller, found: Scene, stored: Stored, told: Telling, wish: _Wish
) -> Draft:
    dossier = found_dossier(found).facts
    paper = same_paper(found_dossier(found).components, wish.component)
    lacking = accept(stored.facts, dossier, wish.component, vault.book, local_day(found.at)).weaknesses
    confirmed = stored.facts.confirmed | {(wish.component, code) for code in lacking}
    after = planned(vault, found, wish.component, replace(stored.facts, confirmed=frozenset(confirmed)))

    async def write(tx: Transaction, logged: list[Logged]) -> Answer:
        row = {
            "idx": logged[0].index,
            "dossier": wish.code,
            "component": wish.component,
            "record": wish.record,
            "reason": wish.reason,
            "agency": caller.agency,
            "officer": caller.officer or "",
            "at": stamp(found.at),
        }
        await confirmations.add(tx.db, row, lacking, paper)
        await epochs.advance(tx.db, [("dossier", wish.code)])
        return {
            "dossier": wish.code,
            "component": wish.component,
            "record": wish.record,
            "state": after.state if after is not None else "none",
            "reasons": list(after.reasons) if after is not None else [],
            "receipt": logged[0].receipt,
            "index": logged[0].index,
        }

    return Draft(await telling.prepare(vault, caller, [told]), found.epochs, found.at, write)
