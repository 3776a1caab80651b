"""Revoking a record: it stops every next reuse, and tells every open dossier that used it (DESIGN 2.9)."""

from typing import Any

from policies.decision import decide
from policies.facts import AccessFacts, Action, Validity
from signing.leaf import Kind
from vault import agencies, epochs, records, releases, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import stamp
from vault.errors import FieldInvalid, Moved, NotFound, VaultBusy
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling

MAX_WORDS = 1000  # characters of a ground or a reason


async def revoke(
    vault: Vault, caller: SystemCaller, record_id: str, *, ground: str, reason: str, key: str
) -> Answer | Refusal:
    """Revoke a record that the caller's agency, or its predecessor, issued.

    Args:
        ground: the legal ground (article, decision number), as it will be shown.
        reason: why, in the agency's words.
        key: the Idempotency-Key.

    Raises:
        NotFound: there is no such record, or another agency issued it; both are entries.
        FieldInvalid: no ground or no reason.
    """
    for field, text in (("ground", ground), ("reason", reason)):
        if not 0 < len(text.strip()) <= MAX_WORDS:
            raise FieldInvalid(field, "text_length", f"1 to {MAX_WORDS} characters")
    asked = requests.body_hash("revoke", {"record": record_id, "ground": ground, "reason": reason})
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        async with vault.db.read() as db:
            earlier = await requests.answered(db, caller.id, key, asked)
            record = await records.one(db, record_id, legal_day(at))
            who = await agencies.caller_facts(db, caller, legal_day(at))
            touched = [("owner", one) for one in sorted(record.facts.owners)] if record is not None else []
            marks = await epochs.read(db, [epochs.BOOK, ("agency", caller.agency), *touched])
        if earlier is not None:
            return earlier
        facts = AccessFacts(Action.REVOKE_RECORD, who, record=record.facts if record else None)
        decision = decide(facts, vault.book, at)
        owners = tuple(sorted(record.facts.owners)) if record is not None else ()
        if record is None or not decision.permitted:
            refused = Telling(Kind.REFUSED, "revoke_refused", facts, decision, owners, record, request=key)
            refusal = await telling.refuse(vault, caller, [refused])
            if record is None or "not_the_issuer" in decision.failed:
                raise NotFound
            return refusal
        details = {"ground": ground, "explanation": reason}
        told = Telling(
            Kind.RECORD_EVENT, "revoked", facts, decision, owners, record, request=key, details=details
        )
        prepared = await telling.prepare(vault, caller, [told])

        async def change(
            tx: Transaction,
            marks: Any = marks,
            prepared: Any = prepared,
            at: Any = at,
            touched: Any = touched,
        ) -> Answer:
            done = await requests.answered(tx.db, caller.id, key, asked)
            if done is not None:
                return done
            await epochs.hold(tx.db, marks)
            logged = await tx.append(prepared)
            await records.add_validity_event(
                tx.db,
                record_id,
                state=Validity.REVOKED.value,
                ground=ground,
                reason=reason,
                agency=caller.agency,
                officer=caller.officer or "",
                idx=logged[0].index,
                at=stamp(at),
            )
            using = await releases.dossiers_using(tx.db, record_id)
            await epochs.advance(tx.db, [*touched, *(("dossier", code) for code in using)])
            answer: Answer = {
                "record": record_id,
                "validity": Validity.REVOKED.value,
                "ground": ground,
                "dossiers": len(using),
                "receipt": logged[0].receipt,
                "index": logged[0].index,
            }
            await requests.keep(tx.db, caller.id, key, asked, answer, at)
            return answer

        try:
            return await vault.appender.commit(change)
        except Moved:
            continue
    raise VaultBusy("the record keeps changing; try again")
