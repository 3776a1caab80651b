"""A vault with something of everything in it, built once; places of both set-ups to take it to."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reuse_api.__main__ import run
from reuse_api.demo import people
from reuse_api.settings import Settings, variable
from reuse_api.wiring import authorities_of, places_of
from signing.workers import WorkerPool
from tests.conftest import ISSUER, House, Template, opened_house
from tests.hostile.making import RECIPES
from tests.scans import making
from tests.servers import postgres, seaweed
from tests.unit.vault.conftest import Interrupted, Lending, fresh
from tests.unit.vault.test_waiting_files import LEASE, SCAN
from vault import deliver, deposit, digitise
from vault.backing_up import back_up
from vault.clock import Clock
from vault.errors import FileRejected
from vault.inspecting import Inspection, inspect
from vault.key_copies import copy_keys
from vault.opening import VaultPlaces, opened
from vault.publishing import publish
from vault.renewing import Renewals, renew_due

KINDS = ("embedded", "server")


class Ahead(Clock):
    """The real clock, some years ahead."""

    def now(self) -> Any:
        return super().now() + timedelta(days=365.25 * 4.8)


@dataclass(frozen=True)
class Place:
    """Where a vault is, or may be: its settings."""

    settings: Settings

    @property
    def places(self) -> VaultPlaces:
        return places_of(self.settings)

    @property
    def environment(self) -> dict[str, str]:
        told = {name: getattr(self.settings, name) for name in self.settings.model_fields_set}
        return {variable(name): str(value) for name, value in told.items()}

    async def inspected(self) -> Inspection:
        return await inspect(self.places)


def place_in(kind: str, folder: Path, **more: Any) -> Place:
    folder.mkdir(parents=True, exist_ok=True)
    said = {"database": str(folder / "rows.db"), "store": f"folder:{folder / 'blobs'}"}
    if kind == "server":
        address, access = seaweed.fresh_store(folder)
        said = {"database": postgres.fresh_database(), "store": address}
        said["store_credentials"] = str(access.credentials)
    said |= {
        "keys": str(folder / "keys"),
        "log_folder": str(folder / "log"),
        "search": "none",
        "issuer": ISSUER,
    }
    return Place(Settings(**(said | {"scratch": str(folder / "scratch")} | more)))


@dataclass(frozen=True)
class Filled:
    """The built vault, closed, and what its citizen can read in it."""

    template: Template
    folder: Path
    contents: dict[str, bytes]

    def copied(self, folder: Path) -> Place:
        shutil.copytree(self.folder, folder)
        return place_in("embedded", folder)


@pytest.fixture(scope="session")
async def filled(
    template: Template, workers: WorkerPool, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> Filled:
    """Records of many kinds, renewed ones, a consent, a scan that waits for its seal, a quarantine."""
    folder = template.copied(tmp_path_factory.mktemp("filled") / "kho")
    at = {"folder": folder, "authority": template.authority, "keys": template.keys, "workers": workers}
    async with opened_house(**at, clock=Ahead()) as house:
        assert (await renew_due(house.vault, _unforeseen)) == Renewals(renewed=3)
    async with opened_house(**at) as house:
        house.daughters = template.daughters
        daughter = await house.owner(people.DAUGHTER)
        lending = Lending(house, await house.system(people.BANK, officer=False))
        await lending.fetches(await lending.given(daughter))
        await _scan_that_waits(house, folder)
        uploaded = await _uploads(house, daughter, folder)
        with pytest.raises(FileRejected):
            await _uploads(house, daughter, folder, RECIPES["script_that_runs_on_opening"]())
        await publish(house.vault)
        contents = {one: await read(house.vault, daughter, one) for one in (template.daughters, uploaded)}
        await publish(house.vault)
    return Filled(template, folder, contents)


def _unforeseen(code: str, problem: Exception) -> None:
    raise problem


async def _scan_that_waits(house: House, folder: Path) -> None:
    police = await house.system(people.POLICE)
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    body = replace(house.residence(*persons), case="thue-muon-o-nho")
    code = await house.opens(police, people.POLICE, body)
    file = folder / "scan.pdf"
    file.write_bytes(making.good_scan("hợp đồng"))
    house.vault.sealer._timestamper = Interrupted(house.authority.timestamper())  # type: ignore[assignment]
    told = await digitise.digitise(house.vault, police, code, LEASE, SCAN, file, key=fresh())
    assert isinstance(told, dict) and "waiting" in told, told
    file.unlink()


async def _uploads(house: House, owner: Any, folder: Path, content: bytes | None = None) -> str:
    file = folder / "paper.pdf"
    file.write_bytes(content or making.good_scan("giấy tờ của tôi"))
    try:
        told = await deposit.upload(
            house.vault,
            owner,
            file,
            title="Giấy tờ của tôi",
            type=None,
            declared_type="application/pdf",
            key=fresh(),
        )
    finally:
        file.unlink(missing_ok=True)
    return str(told["record"])


async def read(vault: Any, owner: Any, record: str) -> bytes:
    """Read a document as its owner."""
    delivery = await deliver.read_own(vault, owner, record)
    assert isinstance(delivery, deliver.Delivery), delivery
    return b"".join([chunk async for chunk in delivery.chunks])


@asynccontextmanager
async def opened_at(place: Place, filled: Filled, workers: WorkerPool) -> AsyncIterator[House]:
    """Open a vault where it was restored or moved to, as `kho serve` does."""
    one = filled.template
    at = {"clock": Clock(), "issuer": ISSUER, "authorities": authorities_of(place.settings)}
    async with opened(place.places, create=False, workers=workers, **at) as vault:
        yield House(vault, place.places, one.authority, one.keys, vault.clock)


async def reads_all(house: House, filled: Filled) -> None:
    """Sign the citizen in anew, and read what she could read before."""
    daughter = await house.owner(people.DAUGHTER)
    for record, content in filled.contents.items():
        assert await read(house.vault, daughter, record) == content


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


Command = Callable[..., Any]


@pytest.fixture
def kho_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process: `await kho_command(place, "backup", ...)`."""

    async def command(place: Place, *arguments: str | Path) -> Done:
        with monkeypatch.context() as settings:
            settings.setenv("LC_ALL", "C.UTF-8")
            for name, value in place.environment.items():
                settings.setenv(name, value)
            capfd.readouterr()
            status = await asyncio.to_thread(run, [str(one) for one in arguments])
            said = capfd.readouterr()
        return Done(int(status), said.out, said.err)

    return command


@pytest.fixture
def source(filled: Filled, tmp_path: Path) -> Iterator[Place]:
    """This test's copy of the filled vault: SQLite and a folder."""
    yield filled.copied(tmp_path / "source")


@pytest.fixture(scope="session")
async def backed_up(filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the filled vault in `backups`, its keys in `keys`; nobody writes to them."""
    folder = tmp_path_factory.mktemp("backed_up")
    place = filled.copied(folder / "source")
    at = Clock().now()
    await back_up(place.places, folder / "backups", at, keep=7)
    copy_keys(place.places.keys, folder / "keys", at, 7)
    return folder
