"""The pictures of the README, one a user, from the running pages: `python -m tests.pages.pictures FOLDER`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from reuse_api.demo import people
from tests.pages.browsing import WHAT_IS_MISSING, Visit, find_browser
from tests.pages.desk import at_desk, opens
from tests.pages.family import ACCOUNT, LOAN, gather
from tests.pages.playing import Playhouse, Told

WINDOW = {"width": 1120, "height": 1160}
SCALE = 0.65  # of the pictures: a README shows three side by side
MOST = 150_000  # bytes of one picture


def take(told: Told, browser: Browser, folder: Path) -> None:
    """Take all three, in English and light; a picture that is too large for a README is an error."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in (("wallet", _wallet), ("desk", _desk), ("audit", _audit)):
        window = browser.new_context(
            viewport=WINDOW, device_scale_factor=SCALE, locale="en-GB", color_scheme="light"
        )
        visit = Visit(window.new_page(), told, [])
        picture(visit)
        content = visit.page.screenshot(path=folder / f"{name}.png")
        window.close()
        if len(content) > MOST:
            raise SystemExit(f"{name}.png has {len(content)} bytes, more than {MOST}")
        print(f"{folder / name}.png {len(content)} bytes")


def _wallet(visit: Visit) -> None:
    """What waits for her answer, then her documents."""
    with tempfile.TemporaryDirectory() as folder:
        family = visit.told.run(gather(visit.told, Path(folder)))
    family.asks(people.DAUGHTER, LOAN, ACCOUNT)
    visit.sign_in(visit.told.stage.daughter)


def _desk(visit: Visit) -> None:
    """A dossier's plan on one screen."""
    with at_desk(visit.told, people.POLICE, "en") as client:
        code = opens(client)
    visit.sign_in_staff(people.POLICE, "desk")
    visit.go(f"/desk/dossiers/{code}")


def _audit(visit: Visit) -> None:
    """What was refused and why, without content."""
    visit.sign_in_staff(people.COMMUNE, "auditor")
    visit.go("/audit?find=1&result=refused")


def main() -> None:
    """Tell the story in a vault of its own, and take the pictures into the folder that is named."""
    target = Path(sys.argv[1])
    with (
        tempfile.TemporaryDirectory() as folder,
        Playhouse() as house,
        house.served(Path(folder)) as told,
        sync_playwright() as playwright,
    ):
        path = find_browser(playwright)
        if path is None:
            raise SystemExit(WHAT_IS_MISSING)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        take(told, browser, target)
        browser.close()


if __name__ == "__main__":
    main()
