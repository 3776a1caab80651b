"""A real browser, wherever there is one, and somebody at it."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, Playwright

from reuse_api.demo import people
from reuse_api.demo.actors import Wallet
from tests.pages.playing import Told
from vault.callers import Role

WHAT_IS_MISSING = "no Chromium found, and none could be installed: the pages were not looked at in a browser"
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTALLING = 120  # seconds


def find_browser(playwright: Playwright) -> str | None:
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
