"""Two equal requests at once are one: one signature is made, and both have its answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reuse_api.demo import people
from signing.keys_file import FileKey
from tests.conftest import House
from vault import digitise, issue, issue_record
from vault.callers import SystemCaller
from vault.digitise import ScanBody
from vault.in_hand import InHand
from vault.issue import ResultBody
from vault.issue_record import RecordBody, RecordOwner

pytestmark = pytest.mark.anyio
HANDED_IN = ResultBody("GKS", ("applicant",), None, None, None, None, None)


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the agencies' keys sign."""
    made: list[bytes] = []
    sign = FileKey.sign

    async def counted(self: FileKey, digest: bytes, **how: Any) -> bytes:
        made.append(digest)
        return await sign(self, digest, **how)

    monkeypatch.setattr(FileKey, "sign", counted)
    return made


async def asks_for_a_result(house: House, commune: SystemCaller, pdf: Any) -> Callable[[], Awaitable[Any]]:
    code, file = await house.opens(commune, people.COMMUNE, house.reregistration()), pdf("once")
    return lambda: issue.issue(house.vault, commune, code, HANDED_IN, file, key="twice")


async def asks_for_a_record(house: House, _: SystemCaller, pdf: Any) -> Callable[[], Awaitable[Any]]:
    land, file = await house.system(people.LAND_OFFICE), pdf("land")
    wife = RecordOwner("wife", "personal_number", people.MOTHER.number, people.MOTHER.name)
    body = RecordBody("GCNQSDD", (wife,), None, number="AA 1")
    return lambda: issue_record.issue_record(house.vault, land, body, file, key="twice")


async def asks_for_a_scan(house: House, _: SystemCaller, scanned: Any) -> Callable[[], Awaitable[Any]]:
    police, file = await house.system(people.POLICE), scanned("once")
    code = await house.opens(police, people.POLICE, house.residence())
    body = ScanBody("GKS", ("applicant",), reason="applicant_insists")
    return lambda: digitise.digitise(house.vault, police, code, people.KINSHIP, body, file, key="twice")


@pytest.mark.parametrize("asks", [asks_for_a_result, asks_for_a_record, asks_for_a_scan])
async def test_two_at_once_make_one_signature(
    house: House, commune: SystemCaller, pdf: Any, scanned: Any, signed: list[bytes], asks: Any
) -> None:
    ask = await asks(house, commune, scanned if asks is asks_for_a_scan else pdf)
    first, second = await asyncio.gather(ask(), ask())
    assert isinstance(first, dict), first
    assert first == second
    assert len(signed) == 1


async def test_what_has_ended_leaves_nothing_and_holds_nobody_up() -> None:
    hand = InHand()
    with pytest.raises(ZeroDivisionError):
        async with hand.taken("a", "1"):
            raise ZeroDivisionError
    async with hand.taken("a", "1"), hand.taken("a", "2"), hand.taken("b", "1"):
        waiting = asyncio.create_task(hand.taken("a", "1").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.wait([waiting])
    assert not hand._locks
    assert not hand._waiting
