"""Documents lie unsealed on disk for a moment only, for our eyes alone; what is left is cleared away."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo import people
from signing.timestamps import TimestampSource
from vault.callers import SystemCaller
from vault.keeping import scratch_file
from vault.publishing import publish
from vault.sealer import Sealer

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    """Whatever the process allows: a file that must be private is made private."""
    before = os.umask(0)
    yield
    os.umask(before)


class Looking:
    """A time-stamp authority that looks at the scratch folder while a document is being sealed."""

    def __init__(self, behind: TimestampSource, scratch: Path) -> None:
        self.issuers, self.state = behind.issuers, behind.state
        self._behind = behind
        self._scratch = scratch
        self.seen: dict[str, int] = {}

    async def answer(self, request: bytes, at: datetime) -> bytes:
        self.seen |= {one.name: stat.S_IMODE(one.stat().st_mode) for one in self._scratch.iterdir()}
        return await self._behind.answer(request, at)


async def test_a_result_is_composed_and_sealed_for_our_eyes_alone(house: Any, commune: SystemCaller) -> None:
    looking = Looking(house.authority.timestamper(), house.places.scratch)
    sealer = Sealer(
        house.places.keys / "seal",
        timestamper=looking,
        revocation=house.authority.revocation(),
        trust=house.vault.trust,
    )
    house.vault = replace(house.vault, sealer=sealer)
    code = await house.opens(commune, people.COMMUNE, house.reregistration())
    await house.issues(commune, code, people.DAUGHTER)
    assert len(looking.seen) >= 2, "the composed file, and the one that is being sealed"
    assert set(looking.seen.values()) == {0o600}
    assert list(house.places.scratch.iterdir()) == []


async def test_the_published_log_is_for_everybody_and_the_rest_is_not(open_house: Any) -> None:
    os.umask(0o077)  # as `kho` sets it
    async with open_house() as house:
        await publish(house.vault)
        root = house.places.log
        for one in [root, *root.rglob("*")]:
            if ".writing" in one.parts:
                continue
            wanted = 0o755 if one.is_dir() else 0o644
            assert stat.S_IMODE(one.stat().st_mode) & 0o777 == wanted, one


async def test_whatever_was_left_in_scratch_is_cleared_away(open_house: Any, folder: Path) -> None:
    scratch = folder / "scratch"
    scratch.mkdir(mode=0o700, exist_ok=True)
    scratch.chmod(0o700)
    for name in ("a.pdf", ".b.partial", "c.tmp", "d"):
        (scratch / name).write_bytes(b"a document")
    (scratch / "e").mkdir()
    (scratch / "e" / "f.pdf").write_bytes(b"a document")
    async with open_house() as house:
        assert list(scratch.iterdir()) == []
        assert scratch_file(house.vault).parent == scratch


async def test_a_folder_that_others_use_too_is_cleared_of_our_own_files_alone(
    open_house: Any, folder: Path
) -> None:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    scratch.chmod(0o777)
    (scratch / "theirs.pdf").write_bytes(b"somebody else's")
    (scratch / "ours.tmp").write_bytes(b"ours")
    async with open_house():
        assert [one.name for one in scratch.iterdir()] == ["theirs.pdf"]
