"""What every page must be: read by everybody, hit by a finger, never wider than its window."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe()
NARROW = 360
_HEIGHT = 844
_PHONE = 600  # windows narrower than this are touched with a finger
# What a finger cannot hit: smaller than 44 px, unless it is unseen, fills its card, or is a box whose label
# can be hit in its place.
SMALL = """() => [...document.querySelectorAll(
  "a, button, input:not([type=hidden]), select, summary, textarea"
)].filter(one => {
  if (one.matches(".skip, .paper :is(h2, h3) a, .asking a, .unseen") || !one.checkVisibility()) return false;
  const box = (one.closest("label.check, label.choice") || one).getBoundingClientRect();
  return box.height < 44 || box.width < 44;
}).map(one => one.outerHTML.slice(0, 120))"""
WIDTH = "() => document.documentElement.scrollWidth"
TEXT = "size => { document.documentElement.style.fontSize = size }"
SIZES = ((320, "100%"), (390, "200%"), (640, "100%"), (640, "200%"), (1280, "100%"))


def check(page: Page, language: str, width: int = NARROW) -> None:
    """Look at the page as axe does, and measure it in a window of a width."""
    options = {"runOnly": RULES, "resultTypes": ["violations"]}  # what is well is not written down
    found = AXE.run(page, options=options).response["violations"]
    assert [(page.url, one["id"], one["help"], one["nodes"][0]["html"]) for one in found] == []
    assert page.locator("html").get_attribute("lang") == language
    if width < _PHONE:
        assert page.evaluate(SMALL) == [], page.url
    assert page.evaluate(WIDTH) <= width, page.url
    assert page.locator("script").count() == 0
    assert page.locator("h1").count() == 1


def check_widths(page: Page) -> None:
    """See that nothing scrolls sideways, however narrow the window or large the text; it stays as it was."""
    before = page.viewport_size
    assert before is not None
    for width, size in SIZES:
        page.set_viewport_size({"width": width, "height": _HEIGHT})
        page.evaluate(TEXT, size)
        assert page.evaluate(WIDTH) <= width, (page.url, width, size)
    page.evaluate(TEXT, "")
    page.set_viewport_size(before)
