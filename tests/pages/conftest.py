"""A vault in which the demo's story was told, served over loopback, and a real browser to look at it with."""

import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from reuse_api.demo import people
from tests.pages.browsing import WHAT_IS_MISSING, Visit, find_browser
from tests.pages.desk import at_desk
from tests.pages.family import Family, gather
from tests.pages.playing import Playhouse, Story, Told

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


# Officers over plain HTTP --------------------------------------------------------------------------


@pytest.fixture
def police(told: Told) -> Iterator[httpx.Client]:
    with at_desk(told, people.POLICE) as client:
        yield client


@pytest.fixture
def commune(told: Told) -> Iterator[httpx.Client]:
    with at_desk(told, people.COMMUNE) as client:
        yield client


# The browser -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module: while playwright runs, no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        path = find_browser(playwright)
        if path is None:
            pytest.skip(WHAT_IS_MISSING)
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


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
