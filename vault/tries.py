"""Tries at what is somebody else's: the answer is that there is nothing, and an entry tells whom it concerns.

Nobody is told by the answer, by a receipt or by the number of entries whether the thing exists.
"""

from datetime import datetime
from typing import NoReturn

from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from vault import agencies, delegations, records, releases, telling
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.errors import NotFound
from vault.records import Stored
from vault.services import Vault
from vault.telling import Telling


async def at_release(vault: Vault, caller: SystemCaller, release_id: str, at: datetime) -> NoReturn:
    """Enter that a system wanted a release which was not given to it, or never was.

    Raises:
        NotFound: always, once that is entered.
    """
    day = legal_day(at)
    async with vault.db.read() as db:
        row = await releases.one(db, release_id)
        record = await records.one(db, row["record"], day) if row is not None else None
        who = await agencies.caller_facts(db, caller, day)
    facts = AccessFacts(
        Action.DELIVER, who, record=record.facts if record is not None else None, release_own=False
    )
    await _enter(vault, caller, "delivery_refused", facts, record, at)
    raise NotFound


async def at_record(vault: Vault, caller: OwnerCaller, record_id: str, at: datetime) -> NoReturn:
    """Enter that an owner wanted a record of somebody else's store, or one that never was.

    Raises:
        NotFound: always, once that is entered.
    """
    async with vault.db.read() as db:
        record = await records.one(db, record_id, legal_day(at))
        delegation = await delegations.acting(db, caller, vault.grounds, at)
    known = record.facts if record is not None else None
    facts = AccessFacts(Action.READ_OWN, None, owner=caller.person, record=known, delegation=delegation)
    await _enter(vault, caller, "read_own_refused", facts, record, at)
    raise NotFound


async def _enter(
    vault: Vault,
    caller: OwnerCaller | SystemCaller,
    event: str,
    facts: AccessFacts,
    record: Stored | None,
    at: datetime,
) -> None:
    owners = tuple(sorted(record.facts.owners)) if record is not None else ()
    decision = decide(facts, vault.book, at)
    told = Telling(Kind.REFUSED, event, facts, decision, owners, record, kept_back=True)
    await telling.refuse(vault, caller, [told])
