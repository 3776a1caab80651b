"""Two processes tell web hooks on PostgreSQL: each event once, in order, and again where one was killed."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from sqlalchemy import select

from reuse_api.demo import people
from tests.conftest import Template
from tests.faults.test_several_processes import hear, process, tell
from tests.hooks import Ahead, Hooking, fresh
from tests.servers.hook_receiver import HookReceiver
from tests.servers.loopback import Asked
from vault import handling
from vault.hook_tables import webhook_event
from vault.rows_address import RowsAddress

pytestmark = pytest.mark.anyio
ROWS = ("postgresql",)
_DOSSIERS = 12
_RECEIVERS = 3


@pytest.fixture
def receivers() -> Iterator[list[HookReceiver]]:
    made = [HookReceiver() for _ in range(_RECEIVERS)]
    for one in made:
        one.start()
    yield made
    for one in made:
        one.stop()


@pytest.fixture
def worker(
    folder: Path, rows_address: RowsAddress, template: Template, receivers: list[HookReceiver]
) -> Iterator[Any]:
    started: list[Popen[str]] = []

    def start(lease: float) -> Popen[str]:
        inside = [f"127.0.0.1:{one.port}" for one in receivers]
        said = {"folder": str(folder), "rows": rows_address.text, "keys": template.keys}
        started.append(process(said | {"lease": lease, "inside": inside}, "tests.faults.hook_process"))
        assert hear(started[-1]) == "open"
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture
async def hooks(open_house: Any, receivers: list[HookReceiver]) -> Any:
    async with open_house() as house:
        clock = Ahead()
        made = Hooking(house, await house.system(people.POLICE), await house.system(people.COMMUNE), clock)
        made.trusts(*(f"127.0.0.1:{one.port}" for one in receivers))
        yield made
        await made.house.vault.hook_sender.close()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(120):
        while not await condition():
            await asyncio.sleep(0.05)


async def nothing_waits(hooks: Hooking) -> bool:
    return not await hooks.house.rows(select(webhook_event.c.n))


@pytest.mark.long
async def test_two_tell_each_event_once_and_in_order(
    hooks: Hooking, receivers: list[HookReceiver], worker: Any
) -> None:
    for one in receivers:
        await hooks.active(one)
    await hooks.uses(hooks.house.daughters)
    both = [await asyncio.to_thread(worker, 300) for _ in range(2)]
    for one in both:
        tell(one, "go")
    for _ in range(_DOSSIERS // 2):
        await hooks.suspends()
        await hooks.reinstates()
    await until(lambda: nothing_waits(hooks))
    for one in both:
        tell(one, "end")
    assert [await asyncio.to_thread(one.wait, 60) for one in both] == [0, 0]
    for one in receivers:
        kinds = [each["type"].split(".")[2] for each in one.events]
        assert kinds == ["suspended", "reinstated"] * (_DOSSIERS // 2)
        assert len({each["id"] for each in one.events}) == _DOSSIERS
        assert one.refused == []


async def test_what_a_killed_worker_was_telling_comes_again_under_its_id(
    hooks: Hooking, receivers: list[HookReceiver], worker: Any
) -> None:
    receiver = receivers[0]
    await hooks.active(receiver)
    for _ in range(3):
        await hooks.uses(hooks.house.daughters)
    began, go_on = threading.Event(), threading.Event()

    def stopped(asked: Asked) -> None:
        """Take the event, and answer only once its sender is dead."""
        receiver.answer(asked)
        began.set()
        go_on.wait(60)

    receiver.fault = stopped
    for code in list(hooks.dossiers):
        await handling.close_dossier(hooks.house.vault, hooks.police, code, key=fresh())
    dies = await asyncio.to_thread(worker, 4)
    tell(dies, "go")
    assert await asyncio.to_thread(began.wait, 60)
    dies.kill()
    receiver.fault = None
    go_on.set()
    lives = await asyncio.to_thread(worker, 4)
    tell(lives, "go")
    await until(lambda: nothing_waits(hooks))
    ids = [one["id"] for one in receiver.events]
    assert len(set(ids)) == 3, "every event came"
    assert len(ids) > 3, "what was in hand came again"
