"""Opening and closing a dossier. Opening is an entry that each named person sees (DESIGN 2.4)."""

import json
from collections.abc import Mapping
from dataclasses import replace

from policies.decision import decide
from policies.facts import AccessFacts, Action
from policies.guards import PACE
from signing.leaf import Kind
from vault import asked_plans, dossiers, epochs, hook_queue, newcomers, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.dossiers import Opened, canonical_code
from vault.drafting import HOUR, Draft, OpenDossier, draft, person_rows, row_of
from vault.entries import Prepared, stamp
from vault.errors import Moved, NotFound, RequestConflict, VaultBusy
from vault.gathering import Scene, rests_on, scene
from vault.plan import answer, barred, found_dossier, questions
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling


async def open_dossier(vault: Vault, caller: SystemCaller, code: str, body: OpenDossier) -> Answer | Refusal:
    """Open a dossier and answer its plan.

    The same body again, from the system that opened it and while it is open, gets the same answer, as it was
    given then; that the answer was given again is an entry for each person. To another system, for another
    body, and once the dossier is closed, nothing is given, and that is an entry too.

    Raises:
        FieldInvalid: a field cannot be accepted; nothing is stored.
        RequestConflict: the code was opened with another body, or by another system of the agency.
        NotFound: the code was opened by another agency.
    """
    for _ in range(MAX_AFRESH):
        about = await draft(vault, caller, code, body)
        refusal = await _refused(vault, caller, about)
        if refusal is not None:
            return refusal
        try:
            if about.existing is not None:
                return await _again(vault, caller, about, about.existing)
            return await _open(vault, caller, about)
        except Moved:
            continue
    raise VaultBusy("the dossier keeps changing; try again")


async def close_dossier(vault: Vault, caller: SystemCaller, code: str, *, key: str) -> Answer | Refusal:
    """Close a dossier: it releases nothing any more, and never reopens.

    Raises:
        NotFound: there is no such dossier, or it is another agency's.
    """
    code = canonical_code(code)
    asked = requests.body_hash("close_dossier", {"code": code})
    for _ in range(MAX_AFRESH):
        async with vault.db.read() as db:
            earlier = await requests.answered(db, caller.id, key, asked)
            found = await scene(vault, db, caller, code, vault.clock.now())
        if earlier is not None:
            return earlier
        refusal = await barred(vault, caller, found, code, Action.CLOSE_DOSSIER)
        if refusal is not None:
            return refusal
        prepared = await telling.prepare(
            vault, caller, _events(vault, found, Action.CLOSE_DOSSIER, "dossier_closed")
        )

        async def change(
            tx: Transaction, found: Scene = found, prepared: list[Prepared] = prepared
        ) -> Answer:
            done = await requests.answered(tx.db, caller.id, key, asked)
            if done is not None:
                return done
            await epochs.hold(tx.db, found.epochs)
            at = stamp(found.at)
            await dossiers.close(tx.db, code, at)
            await epochs.advance(tx.db, [("dossier", code)])
            logged = await tx.append(prepared)
            for last in logged[-1:]:
                await hook_queue.tell_of_closing(tx.db, code, last.index, found.at)
            told: Answer = {"dossier": code, "state": "closed", "receipts": [one.receipt for one in logged]}
            await requests.keep(tx.db, caller.id, key, asked, told, found.at)
            return told

        try:
            return await vault.appender.commit(change)
        except Moved:
            continue
    raise VaultBusy("the dossier keeps changing; try again")


def _events(
    vault: Vault,
    found: Scene,
    action: Action,
    event: str,
    evidence: Mapping[str, dict[str, str]] | None = None,
) -> list[Telling]:
    opened = found_dossier(found)
    tellings = []
    for owner in opened.owners:
        facts = AccessFacts(action=action, caller=found.caller, dossier=opened.about(owner))
        decision = decide(facts, vault.book, found.at)
        tellings.append(
            Telling(Kind.DOSSIER_EVENT, event, facts, decision, owners=(owner,), details=evidence)
        )
    return tellings


# Opening, step by step -----------------------------------------------------------------------------------


async def _refused(vault: Vault, caller: SystemCaller, about: Draft) -> Refusal | None:
    tellings = _refusals(vault, about, about.opened)
    return await telling.refuse(vault, caller, tellings) if tellings else None


def _refusals(vault: Vault, about: Draft, opened: Opened) -> list[Telling]:
    """Decide for each person; a person who has no store yet has nobody to be told, so the agency is."""
    strangers = {one.id for one in about.newcomers}
    tellings = []
    for owner in opened.owners:
        facts = AccessFacts(Action.OPEN_DOSSIER, about.caller, dossier=opened.about(owner))
        decision = decide(facts, vault.book, about.found.at)
        if not decision.permitted:
            told = () if owner in strangers else (owner,)
            details = about.evidence()
            tellings.append(
                Telling(Kind.REFUSED, "open_dossier_refused", facts, decision, told, details=details)
            )
    return tellings


async def _again(vault: Vault, caller: SystemCaller, about: Draft, existing: Opened) -> Answer | Refusal:
    """Give the answer again to whom it was given; anybody else is refused, and the persons see either."""
    same = existing.row["system"] == caller.system and existing.row["body_hash"] == about.asked
    if existing.facts.agency != caller.agency or not same:
        taken = replace(about.opened, facts=replace(about.opened.facts, code_taken=True))
        hidden = existing.facts.agency != caller.agency
        await telling.refuse(vault, caller, _refusals(vault, about, taken), hidden=hidden)
        raise NotFound if hidden else RequestConflict
    async with vault.db.read() as db:
        found = await scene(vault, db, caller, existing.facts.code, vault.clock.now())
    refusal = await barred(vault, caller, found, existing.facts.code, Action.ASK_PLAN)
    if refusal is not None:
        return refusal
    stored: Answer = json.loads(existing.row["answer"])
    tellings = []
    for owner in existing.owners:
        facts = AccessFacts(Action.ASK_PLAN, found.caller, dossier=existing.about(owner))
        decision = decide(facts, vault.book, found.at)
        details = {"asked_at": stored["asked_at"]}
        tellings.append(
            Telling(Kind.PLAN_ASKED, "plan_given_again", facts, decision, (owner,), details=details)
        )
    prepared = await telling.prepare(vault, caller, tellings)
    await vault.appender.append(prepared, found.epochs)
    return stored


async def _open(vault: Vault, caller: SystemCaller, about: Draft) -> Answer:
    found, facts = about.found, about.opened.facts
    events = _events(vault, found, Action.OPEN_DOSSIER, "dossier_opened", about.evidence())
    tellings = [*events, *questions(vault, found, facts, found.records)]
    prepared = await telling.prepare(vault, caller, tellings, newcomers.holders(about.newcomers))
    told = answer(vault, about.opened, found, [one.receipt for one in prepared])

    async def change(tx: Transaction) -> Answer:
        if await dossiers.one(tx.db, facts.code) is not None:
            raise Moved
        pace = await dossiers.opened_by(tx.db, caller.agency, caller.officer, found.at - HOUR)
        limit = vault.book.limit(PACE, legal_day(found.at))
        if limit is not None and pace >= limit.most:  # others were opened meanwhile: decide on that
            raise Moved
        await epochs.hold(tx.db, found.epochs)
        await newcomers.create(tx.db, about.newcomers, found.at)
        await dossiers.insert_dossier(tx.db, row_of(about, caller, told), person_rows(about))
        await tx.append(prepared)
        if caller.door == "desk":
            marks = await epochs.read(tx.db, rests_on(caller, about.opened))
            await asked_plans.keep(tx.db, caller, facts.code, marks, told)
        return told

    return await vault.appender.commit(change)
