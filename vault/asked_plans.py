"""Rows of plans that an officer's session is looking at: one question is one entry (DESIGN 2.1, 2.2).

A page is loaded again and again: back from a file, after a form, in another language. While session and
epochs are the same and the answer is fresh, it is shown again with the time it was asked.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vault import releases
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import instant, stamp
from vault.services import Answer
from vault.tables import asked_plan
from vault.upserting import upsert

FRESH = timedelta(minutes=10)


async def keep(
    db: AsyncConnection, caller: SystemCaller, code: str, epochs: Mapping[str, int], answer: Answer
) -> None:
    """Keep the answer just given to a session; the ones that nobody may be shown any more go."""
    at = instant(answer["asked_at"])
    await db.execute(delete(asked_plan).where(asked_plan.c.at <= stamp(at - FRESH)))
    key = {"dossier": code, "token_hash": caller.credential_hash}
    row = {
        "epochs": releases.epochs_text(epochs),
        "answer": json.dumps(answer, ensure_ascii=False, sort_keys=True),
        "at": answer["asked_at"],
    }
    newest = upsert(asked_plan).values(**key, **row)
    await db.execute(newest.on_conflict_do_update(index_elements=list(key), set_=row))


async def kept(
    db: AsyncConnection, caller: SystemCaller, code: str, epochs: Mapping[str, int], now: datetime
) -> Answer | None:
    """Give the answer that this session was given, while it is fresh and nothing that it rests on moved.

    Validity is judged by the day: an answer of yesterday is none.
    """
    query = select(asked_plan.c.answer, asked_plan.c.at).where(
        asked_plan.c.dossier == code,
        asked_plan.c.token_hash == caller.credential_hash,
        asked_plan.c.epochs == releases.epochs_text(epochs),
        asked_plan.c.at > stamp(now - FRESH),
    )
    row = (await db.execute(query)).first()
    if row is None or legal_day(instant(row.at)) != legal_day(now):
        return None
    answer: Answer = json.loads(row.answer)
    return answer
