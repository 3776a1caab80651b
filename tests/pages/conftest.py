"""A vault in which the demo's story was told, served over loopback, and a real browser to look at it with."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, sync_playwright

from reuse_api.demo import people
from reuse_api.demo.actors import Wallet
from tests.pages.family import Family, gather
from tests.pages.playing import Playhouse, Story, Told
from vault.callers import Role

WHAT_IS_MISSING = "no Chromium found, and none could be installed: the pages were not looked at in a browser"
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTALLING = 120  # seconds


# The vault, told and served --------------------------------------------------------------------------


@pytest.fixture(scope="session")
def playhouse() -> Iterator[Playhouse]:
    with Playhouse() as open_for_all:
        yield open_for_all


@pytest.fixture(scope="session")
def story(playhouse: Playhouse, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A vault in which the story was told once, closed again."""
    folder = tmp_path_factory.mktemp("story")
    with playhouse.served(folder) as told:
        return Story(folder, told.told_of)


@pytest.fixture(scope="module")
def told(playhouse: Playhouse, story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A copy of it, served: what the tests of a module do there, those of another never see."""
    folder = tmp_path_factory.mktemp("told")
    shutil.copytree(story.folder, folder, dirs_exist_ok=True)
    with playhouse.served(folder, story.told_of) as running:
        yield running


@pytest.fixture(scope="module")
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
