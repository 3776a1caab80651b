"""Two processes write to one vault on PostgreSQL at once: one log, nothing lost, nothing twice."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from reuse_api.demo import people
from signing.merkle import Tree
from tests.conftest import Template
from tests.unit.vault.conftest import Lending
from vault.inspecting import inspect
from vault.publishing import publish
from vault.rows_address import RowsAddress
from vault.tables import consent, consent_use, log_entry, log_head, receipt, request

pytestmark = pytest.mark.anyio
ROWS = ("postgresql",)
_COUNT, _TRIES, _READS = 60, 8, 5


def process(said: dict[str, Any], module: str = "tests.faults.writing_process") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module]
    root = Path(__file__).parents[2]
    pipe = subprocess.PIPE
    started = subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True)
    tell(started, json.dumps(said))
    return started


def tell(one: subprocess.Popen[str], line: str) -> None:
    assert one.stdin is not None
    one.stdin.write(line + "\n")
    one.stdin.flush()


def hear(one: subprocess.Popen[str]) -> str:
    assert one.stdout is not None
    return one.stdout.readline().strip()


async def test_two_processes_append_to_one_log(
    open_house: Any, folder: Path, template: Template, rows_address: RowsAddress
) -> None:
    async with open_house() as house:
        bank = Lending(house, await house.system(people.BANK, officer=False))
        daughter = await house.owner(people.DAUGHTER)
        few, many = [await bank.given(daughter, max_reads=most) for most in (_READS, 50)]
    said = {"folder": str(folder), "rows": rows_address.text, "keys": template.keys, "few": few, "many": many}
    said |= {"daughters": template.daughters, "count": _COUNT, "tries": _TRIES}
    both = [process(said | {"name": name}) for name in ("one", "other")]
    try:
        assert [hear(one) for one in both] == ["open", "open"]
        for one in both:
            tell(one, "go")
        told = [json.loads(hear(one)) for one in both]
        for one in both:
            tell(one, "end")
        assert [one.wait(60) for one in both] == [0, 0]
    finally:
        for one in both:
            one.kill()
            one.communicate()

    async with open_house() as house:
        hashes = [row.leaf_hash for row in await house.rows(select(log_entry.c.leaf_hash).order_by("idx"))]
        await nothing_is_lost_and_nothing_forked(house, hashes, told)
        await each_use_is_counted_once(house, few, told)
        await each_request_is_answered_once(house, many, told)
        await publish(house.vault)
        found = await inspect(house.places)
        assert found.sound, found.findings
        assert found.entries == len(hashes)


async def nothing_is_lost_and_nothing_forked(house: Any, hashes: list[bytes], told: list[Any]) -> None:
    (head,) = await house.rows(select(log_head.c.size))
    assert head.size == len(hashes) == house.vault.signer.tree.size
    assert [row.idx for row in await house.rows(select(log_entry.c.idx).order_by("idx"))] == [
        *range(len(hashes))
    ]
    entered = [one for each in told for one in each["entries"]]
    assert len(entered) == 2 * _COUNT
    assert {index: leaf for index, _, leaf, _, _ in entered} == {
        index: hashes[index].hex() for index, _, _, _, _ in entered
    }
    assert len({index for index, *_ in entered}) == 2 * _COUNT
    receipts = {row.id: row.idx for row in await house.rows(select(receipt.c.id, receipt.c.idx))}
    assert len(receipts) == len(hashes)
    assert all(receipts[name] == index for index, name, *_ in entered)
    tree = Tree(hashes)
    heads = {(size, root) for *_, size, root in entered}
    assert {(size, tree.root(size).hex()) for size, _ in heads} == heads


async def each_use_is_counted_once(house: Any, few: str, told: list[Any]) -> None:
    fetched = [one for each in told for one in each["fetched"]]
    outcomes = Counter("refused" if isinstance(one, list) else one["items"][0]["state"] for one in fetched)
    assert outcomes == {"released": _READS, "refused": 2 * _TRIES - _READS}
    (used,) = await house.rows(select(consent.c.used).where(consent.c.id == few))
    counting = select(func.count()).select_from(consent_use)
    (uses,) = await house.rows(counting.where(consent_use.c.consent == few))
    assert used.used == uses[0] == _READS


async def each_request_is_answered_once(house: Any, many: str, told: list[Any]) -> None:
    assert told[0]["same"] == told[1]["same"]
    (used,) = await house.rows(select(consent.c.used).where(consent.c.id == many))
    assert used.used == _TRIES
    kept = await house.rows(select(request.c.key).where(request.c.key.startswith("same-")))
    assert sorted(row.key for row in kept) == sorted(f"same-{n}" for n in range(_TRIES))
