"""A vault in which the demo's story was told, served over loopback, and a real browser to look at it with."""

import asyncio
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page, Playwright, sync_playwright

from reuse_api.app import create_app
from reuse_api.demo import acts, people
from reuse_api.demo.actors import Clerk, Wallet, caller_key, register
from reuse_api.demo.door import Door
from reuse_api.demo.pki import DemoAuthority
from reuse_api.demo.teller import Teller
from reuse_api.settings import Settings
from tests.pages.family import Family, gather
from vault import staff
from vault.callers import Role
from vault.clock import Clock
from vault.opening import Authorities, VaultPlaces, opened
from vault.registering import give_role
from vault.services import Vault

WHAT_IS_MISSING = "no Chromium found, and none could be installed: the pages were not looked at in a browser"
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTALLING = 120  # seconds


# The vault, told and served --------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """The running service and the people of the story; `run` does something inside its event loop."""

    url: str
    vault: Vault
    stage: acts.Stage
    settings: Settings
    loop: asyncio.AbstractEventLoop
    roles: set[tuple[str, Role]] = field(default_factory=set)

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


class _Service:
    """The story's service in a thread of its own, with an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._ending: asyncio.Event | None = None
        self._told: Told | None = None
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="told")

    def start(self) -> Told:
        self._thread.start()
        self._ready.wait()
        if self._told is None:
            self._thread.join()
            raise RuntimeError("the story could not be told") from self._problem
        return self._told

    def stop(self) -> None:
        if self._told is not None and self._ending is not None:
            self._told.loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as problem:
            self._problem = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._ending = asyncio.Event()
        async with _served(self._folder) as told:
            self._told = told
            self._ready.set()
            await self._ending.wait()


@asynccontextmanager
async def _served(folder: Path) -> AsyncIterator[Told]:
    clock, keys = Clock(), folder / "keys"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        authority = _authority(keys, clock)
        settings = Settings(listen=f"127.0.0.1:{port}", issuer=url, demo_sign_in=True)
        places = VaultPlaces(
            folder / "rows.db", f"folder:{folder / 'blobs'}", keys, folder / "log", folder / "scratch"
        )
        trusted = Authorities(authority.roots(), authority.timestamper(), authority.revocation())
        async with opened(places, create=True, clock=clock, issuer=url, authorities=trusted) as vault:
            config = uvicorn.Config(create_app(vault, settings), log_config=None, access_log=False)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                stage = await _tell(vault, Door("127.0.0.1", port), authority, folder)
                yield Told(url, vault, stage, settings, asyncio.get_running_loop())
            finally:
                server.should_exit = True
                await serving


def _authority(keys: Path, clock: Clock) -> DemoAuthority:
    keys.mkdir(mode=0o700)
    return DemoAuthority.create(keys / "authority", clock.now())


async def _tell(vault: Vault, door: Door, authority: DemoAuthority, folder: Path) -> acts.Stage:
    teller = Teller("vi", StringIO())
    await acts.import_catalogue(vault, teller)
    clerks = []
    for office in people.OFFICES:
        key = caller_key(folder / "systems", office, vault.gate.issuer)
        await register(vault, office, key)
        vault.sealer.add(office.code, authority.issue_seal_key(office.name_vi, office.code))
        clerks.append(Clerk(vault, door, office, key))
        await clerks[-1].sign_in()
    citizens = (people.DAUGHTER, people.MOTHER, people.STRANGER)
    daughter, mother, stranger = (Wallet(vault, door, one) for one in citizens)
    stage = acts.Stage(vault, teller, *clerks, daughter, mother, stranger, folder / "received")
    for wallet in (daughter, mother, stranger):
        await wallet.open(people.COMMUNE.code)
    await acts.tell(stage)
    return stage


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    service = _Service(tmp_path_factory.mktemp("told"))
    try:
        yield service.start()
    finally:
        service.stop()


@pytest.fixture(scope="session")
def family(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """More people beside the story: a child with a certificate, and a bank that may ask."""
    gathered: Family = told.run(gather(told, tmp_path_factory.mktemp("family")))
    return gathered


# The browser -----------------------------------------------------------------------------------------


def _find_browser(playwright: Playwright) -> str | None:
    """Look for a Chromium: the one named by TEST_BROWSER, the system's, playwright's own.

    On a machine of CI without one, as root, Debian's is installed; a person's machine is left alone.
    (No maintained package of PyPI carries a headless Chromium.)
    """
    named = os.environ.get("TEST_BROWSER")
    if named:
        return named
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None and Path(playwright.chromium.executable_path).exists():
        found = playwright.chromium.executable_path
    if found is None and os.environ.get("CI") == "true" and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(_NAMES[0])
        found = shutil.which(_NAMES[0])
    return found


def _install(package: str) -> None:
    steps = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", package],
    )
    for step in steps:
        try:
            subprocess.run(step, capture_output=True, timeout=_INSTALLING, check=False)
        except subprocess.TimeoutExpired:
            return


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module: while playwright runs, no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        path = _find_browser(playwright)
        if path is None:
            pytest.skip(WHAT_IS_MISSING)
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


@dataclass
class Visit:
    """A page in a fresh window of the browser, with everything the browser complained about."""

    page: Page
    told: Told
    complaints: list[str]

    def go(self, place: str) -> Page:
        self.page.goto(self.told.url + place)
        return self.page

    def follow(self, way: Locator) -> Page:
        """Click a link or button and wait until the page it leads to is there as a whole."""
        with self.page.expect_navigation():
            way.click()
        return self.page

    def sign_in(self, wallet: Wallet) -> Page:
        return self._enter(self.told.code_for(wallet), "/wallet")

    def sign_in_staff(self, office: people.Office, role: Role) -> Page:
        homes: dict[Role, str] = {"desk": "/desk", "auditor": "/audit", "administrator": "/admin"}
        return self._enter(self.told.staff_code(office, role), homes[role])

    def _enter(self, code: str, home: str) -> Page:
        self.go("/sign-in")
        self.page.locator("#code").fill(code)
        page = self.follow(self.page.locator("main button[type=submit]"))
        assert page.url.endswith(home)
        return page


@pytest.fixture
def visiting(browser: Browser, told: Told) -> Iterator[Any]:
    """Open windows: `visiting("vi", width=390, dark=False, script=True)`; none may have had complaints."""
    windows = []
    complaints: list[str] = []

    def visit(language: str, *, width: int = 390, dark: bool = False, script: bool = True) -> Visit:
        window = browser.new_context(
            viewport={"width": width, "height": 844},
            locale="vi-VN" if language == "vi" else "en-GB",
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            has_touch=width < 600,
        )
        windows.append(window)
        page = window.new_page()
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}") or dialog.dismiss())
        return Visit(page, told, complaints)

    yield visit
    for window in windows:
        window.close()
    unexpected = [line for line in complaints if "the server responded with a status of" not in line]
    assert unexpected == []
