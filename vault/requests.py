"""Idempotency: one key of one caller stands for one request and one answer, checked under the head lock."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import rfc8785
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.entries import stamp
from vault.errors import RequestConflict
from vault.tables import request


def body_hash(operation: str, body: Mapping[str, Any]) -> bytes:
    """Hash what was asked, in canonical JSON (RFC 8785)."""
    return sha256(rfc8785.dumps({"operation": operation, "body": dict(body)})).digest()


async def answered(
    db: AsyncConnection, caller: str, key: str, asked: bytes, resumes: str | None = None
) -> dict[str, Any] | None:
    """Give the stored answer of an earlier, equal request.

    Args:
        resumes: the id of what waits and is being carried out now: that it waits is no answer to that.

    Raises:
        RequestConflict: the key was used for another request.
    """
    query = select(request.c.body_hash, request.c.answer).where(
        request.c.caller == caller, request.c.key == key
    )
    row = (await db.execute(query)).first()
    if row is None:
        return None
    if row.body_hash != asked:
        raise RequestConflict
    answer: dict[str, Any] = json.loads(row.answer)
    return None if resumes is not None and answer.get("waiting") == resumes else answer


async def told(db: AsyncConnection, caller: str, key: str) -> dict[str, Any] | None:
    """Give the answer that a caller was given under a key, or None: to show it again, not to do it again."""
    query = select(request.c.answer).where(request.c.caller == caller, request.c.key == key)
    text = (await db.execute(query)).scalar_one_or_none()
    return json.loads(text) if text is not None else None


async def keep(
    db: AsyncConnection, caller: str, key: str, asked: bytes, answer: Mapping[str, Any], at: datetime
) -> None:
    """Store the answer beside the rows it tells of: both are committed, or neither."""
    text = json.dumps(dict(answer), ensure_ascii=False, sort_keys=True)
    await db.execute(
        insert(request).values(caller=caller, key=key, body_hash=asked, answer=text, at=stamp(at))
    )


async def answer_anew(db: AsyncConnection, caller: str, key: str, answer: Mapping[str, Any]) -> None:
    """Put the answer that was waited for in the place of the one that said so."""
    text = json.dumps(dict(answer), ensure_ascii=False, sort_keys=True)
    await db.execute(
        update(request).where(request.c.caller == caller, request.c.key == key).values(answer=text)
    )
