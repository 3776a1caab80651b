"""The same bytes are one document of an owner, however many of them arrive at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from vault import deposit
from vault.callers import OwnerCaller
from vault.inspecting import inspect
from vault.tables import record

pytestmark = pytest.mark.anyio


async def upload(house: Any, owner: OwnerCaller, file: Path, key: str) -> dict[str, Any]:
    told = await deposit.upload(
        house.vault, owner, file, title="Giấy tờ", type=None, declared_type="application/pdf", key=key
    )
    assert isinstance(told, dict)
    return told


async def test_uploads_of_the_same_bytes_at_once_make_one_record(
    house: Any, daughter: OwnerCaller, pdf: Any
) -> None:
    file = pdf("one and the same")
    ((before,),) = await house.rows(select(func.count()).select_from(record))
    size = await house.size()
    answers = await asyncio.gather(*(upload(house, daughter, file, f"at-once-{n}") for n in range(4)))
    assert len({one["record"] for one in answers}) == 1
    assert sorted(one["already_stored"] for one in answers) == [False, True, True, True]
    ((after,),) = await house.rows(select(func.count()).select_from(record))
    assert (after, await house.size()) == (before + 1, size + 1)
    assert (await inspect(house.places)).findings == (), "what was sealed in vain is gone"


async def test_one_key_at_once_is_one_upload(house: Any, daughter: OwnerCaller, pdf: Any) -> None:
    file = pdf("one key")
    answers = await asyncio.gather(*(upload(house, daughter, file, "one-key") for _ in range(3)))
    assert answers[0] == answers[1] == answers[2]
    assert (await inspect(house.places)).findings == ()
