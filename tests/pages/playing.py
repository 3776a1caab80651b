"""Vaults in which the demo's story was told, each served over loopback for the tests of one module."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, fields, replace
from io import StringIO
from pathlib import Path
from typing import Any, Self

import uvicorn

from reuse_api.app import create_app
from reuse_api.demo import acts, people, refusals
from reuse_api.demo.actors import Clerk, Wallet, caller_key, register
from reuse_api.demo.door import Door
from reuse_api.demo.pki import DemoAuthority
from reuse_api.demo.teller import Teller
from reuse_api.settings import Settings
from signing.trust_folder import TrustFolder
from signing.workers import WorkerPool
from vault import staff
from vault.callers import Role
from vault.clock import Clock
from vault.opening import Authorities, VaultPlaces, opened
from vault.registering import give_role
from vault.rows_address import RowsAddress
from vault.services import Vault

TOLD_OF = tuple(one.name for one in fields(acts.Stage) if one.default == "")  # dossiers, records, a release
_PATIENCE = 120  # seconds


@dataclass(frozen=True)
class Story:
    """A folder with a vault in which the story was told, and what was told of there."""

    folder: Path
    told_of: Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """The running service and the people of the story; `run` does something inside its event loop."""

    url: str
    vault: Vault
    stage: acts.Stage
    settings: Settings
    loop: asyncio.AbstractEventLoop
    roles: set[tuple[str, Role]] = field(default_factory=set)

    @property
    def told_of(self) -> dict[str, str]:
        return {name: getattr(self.stage, name) for name in TOLD_OF}

    def run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(timeout=60)

    def code_for(self, wallet: Wallet) -> str:
        return str(self.run(wallet.new_code()))

    def staff_code(self, office: people.Office, role: Role) -> str:
        """Give a code for the office's officer, who has the role from the first time on."""
        return str(self.run(self._staff_code(office, role)))

    async def _staff_code(self, office: people.Office, role: Role) -> str:
        if (office.code, role) not in self.roles:
            self.roles.add((office.code, role))
            await give_role(self.vault, agency=office.code, officer=office.officer, role=role)
        who = {"agency_id": office.code, "officer_id": office.officer}
        return await staff.new_code(self.vault.db, self.vault.clock, role=role, **who)


class Playhouse:
    """A thread with an event loop, and the workers that all vaults served in it share."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="playhouse")
        self._workers = WorkerPool()

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._workers.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._workers.close())
        self._wait(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def served(self, folder: Path, told_of: Mapping[str, str] | None = None) -> Iterator[Told]:
        """Serve the vault of a folder; without `told_of` it is made, and the story told in it."""
        ending = asyncio.Event()
        begun: asyncio.Future[Told] = self._loop.create_future()
        playing = asyncio.run_coroutine_threadsafe(self._play(folder, told_of, begun, ending), self._loop)
        try:
            yield self._wait(_first(begun))
        finally:
            self._loop.call_soon_threadsafe(ending.set)
            playing.result(_PATIENCE)

    def _wait(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(_PATIENCE)

    async def _play(
        self,
        folder: Path,
        told_of: Mapping[str, str] | None,
        begun: "asyncio.Future[Told]",
        ending: asyncio.Event,
    ) -> None:
        try:
            async with _serving(folder, self._workers) as (vault, door, settings):
                stage = await _cast(vault, door, folder)
                if told_of is None:
                    await acts.tell(stage)
                    await refusals.tell(stage)
                stage = replace(stage, **(told_of or {}))
                begun.set_result(Told(settings.address, vault, stage, settings, self._loop))
                await ending.wait()
        except BaseException as problem:
            if begun.done():
                raise
            begun.set_exception(problem)


async def _first(begun: "asyncio.Future[Told]") -> Told:
    return await begun


@asynccontextmanager
async def _serving(folder: Path, workers: WorkerPool) -> AsyncIterator[tuple[Vault, Door, Settings]]:
    clock, keys = Clock(), folder / "keys"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        authority = _authority(keys, clock)
        settings = Settings(listen=f"127.0.0.1:{port}", issuer=url, demo_sign_in=True)
        places = VaultPlaces(
            RowsAddress(str(folder / "rows.db")),
            f"folder:{folder / 'blobs'}",
            keys,
            folder / "log",
            folder / "scratch",
            search=f"tantivy:{folder / 'index'}",
        )
        trusted = Authorities(
            TrustFolder(fixed=authority.anchors()),
            authority.timestamper(),
            authority.revocation(),
            demonstration=True,
        )
        opening = opened(places, create=True, clock=clock, issuer=url, authorities=trusted, workers=workers)
        async with opening as vault:
            config = uvicorn.Config(create_app(vault, settings), log_config=None, access_log=False)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                yield vault, Door("127.0.0.1", port), settings
            finally:
                server.should_exit = True
                await serving


def _authority(keys: Path, clock: Clock) -> DemoAuthority:
    if (keys / "authority").exists():
        return DemoAuthority.load(keys / "authority")
    keys.mkdir(mode=0o700)
    return DemoAuthority.create(keys / "authority", clock.now())


async def _cast(vault: Vault, door: Door, folder: Path) -> acts.Stage:
    """Have everybody there who plays, signed in; who is registered already stays so."""
    teller = Teller("vi", StringIO())
    await acts.import_catalogue(vault, teller)
    authority = _authority(folder / "keys", vault.clock)
    clerks = []
    for office in people.OFFICES:
        key = caller_key(folder / "systems", office, vault.gate.issuer)
        await register(vault, office, key)
        if not vault.sealer.holds(office.code):
            vault.sealer.add(office.code, authority.issue_seal_key(office.name_vi, office.code))
        clerks.append(Clerk(vault, door, office, key))
        await clerks[-1].sign_in()
    citizens = (people.DAUGHTER, people.MOTHER, people.STRANGER)
    daughter, mother, stranger = (Wallet(vault, door, one) for one in citizens)
    for wallet in (daughter, mother, stranger):
        await wallet.open(people.COMMUNE.code)
    return acts.Stage(vault, teller, *clerks, daughter, mother, stranger, folder / "received")
