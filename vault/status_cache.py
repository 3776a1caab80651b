"""What was answered about certificates, shared by every process: asked once while the answer is good.

Nothing is parsed here. A worker says of each answer whether it is a proof, and until when; what is none is
not asked for again for a short while, and no answer of a stranger stays longer than that.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, delete, select

from signing.status_fetching import NotFetched
from signing.status_proofs import StatusAnswer, StatusQuestion
from vault.entries import stamp
from vault.evidence_tables import status_cache
from vault.services import Vault
from vault.upserting import upsert

MOST_FETCHES = 12  # for one file
PATIENCE = 30.0  # seconds that all fetches of one file may take together
NO_ANSWER_HOLDS = timedelta(minutes=2)
_LONGEST = timedelta(days=7)  # that an answer is used without a fresh look, whatever it says of itself


@dataclass
class Asked:
    """What one file has cost so far: the questions put, and the certificates of which there is a proof.

    `patience` are the seconds left for fetching, `fetched` the answers that came from the network, and when.
    """

    questions: set[str] = field(default_factory=set)
    fetched: dict[str, datetime] = field(default_factory=dict)
    certificates: set[bytes] = field(default_factory=set)
    fetches: int = 0
    patience: float = PATIENCE

    def proven(self, answers: Iterable[StatusAnswer], accepted: Mapping[bytes, datetime]) -> None:
        """Ask no further about certificates whose answer was a proof."""
        self.certificates |= {one.question.certificate for one in answers if one.piece.sha256 in accepted}


async def ask(vault: Vault, questions: Sequence[StatusQuestion], asked: Asked) -> list[StatusAnswer]:
    """Answer from the cache or the network: one question a certificate, the first that has an answer.

    What was asked before for the same file is left out. Offline, or where nobody may be asked, there is none.
    """
    answers: list[StatusAnswer] = []
    answered = set(asked.certificates)
    for question in questions:
        name = key(question)
        put = name in asked.questions or question.certificate in answered
        if put or not vault.status.allows(question.url):
            continue
        asked.questions.add(name)
        answer = await _answer(vault, question, asked)
        if answer is not None:
            answers.append(answer)
            answered.add(question.certificate)
    return answers


async def _answer(vault: Vault, question: StatusQuestion, asked: Asked) -> StatusAnswer | None:
    row = await _cached(vault, question)
    if row is not None:
        return StatusAnswer(question, row.content) if row.content is not None else None
    if asked.fetches >= MOST_FETCHES or asked.patience <= 0:
        return None
    asked.fetches += 1
    started = time.monotonic()
    try:
        async with asyncio.timeout(asked.patience):
            answer = await vault.status.fetch(question)
        asked.fetched[key(question)] = vault.clock.now()
        return answer
    except (NotFetched, TimeoutError):
        await _keep(vault, [_row(question, None, vault.clock.now(), None)])
        return None
    finally:
        asked.patience -= time.monotonic() - started


async def learn(
    vault: Vault, answers: Sequence[StatusAnswer], accepted: Mapping[bytes, datetime], asked: Asked
) -> None:
    """Keep what was found to be a proof for as long as it is one, and remember what was none.

    Only of answers that were fetched for this file: one from the cache stays as old as it is.
    """
    rows = []
    for one in answers:
        fetched = asked.fetched.get(key(one.question))
        if fetched is not None:
            until = accepted.get(one.piece.sha256)
            rows.append(_row(one.question, one.content if until is not None else None, fetched, until))
    if rows:
        await _keep(vault, rows)


async def _cached(vault: Vault, question: StatusQuestion) -> Row[Any] | None:
    now = stamp(vault.clock.now())
    query = select(status_cache).where(status_cache.c.key == key(question), status_cache.c.expires > now)
    async with vault.db.read() as db:
        return (await db.execute(query)).first()


async def _keep(vault: Vault, rows: Sequence[dict[str, Any]]) -> None:
    """Write answers, and sweep those that have run out."""
    async with vault.db.write() as db:
        await db.execute(delete(status_cache).where(status_cache.c.expires <= stamp(vault.clock.now())))
        for row in rows:
            statement = upsert(status_cache).values(**row)
            await db.execute(statement.on_conflict_do_update(index_elements=["key"], set_=row))


def _row(
    question: StatusQuestion, content: bytes | None, now: datetime, until: datetime | None
) -> dict[str, Any]:
    expires = now + NO_ANSWER_HOLDS if until is None else min(until, now + _LONGEST)
    return {
        "key": key(question),
        "kind": question.kind,
        "host": urlsplit(question.url).netloc,
        "content": content,
        "fetched_at": stamp(now),
        "expires": stamp(expires),
    }


def key(question: StatusQuestion) -> str:
    """Name a question: the address, and what is asked there."""
    return sha256(question.url.encode() + b"\x00" + question.request).hexdigest()
